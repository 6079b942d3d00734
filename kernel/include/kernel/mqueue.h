/* SPDX-License-Identifier: MIT */
/* POSIX message queues: mq_overview(7).  The name space is apart from that of files. */
#ifndef KERNEL_MQUEUE_H
#define KERNEL_MQUEUE_H

#include <hermit/linux_abi.h>
#include <kernel/types.h>

struct file;

/* mq_open(2): an open file.  attr NULL: the defaults.  name: one component. */
int mqueue_open(const char *name, uint32_t flags, uint32_t mode, const struct mq_attr *attr,
                struct file **out);
int mqueue_unlink(const char *name);
/* The rest answer -EBADF for a file that is no queue.  deadline_ns: CLOCK_MONOTONIC. */
int64_t mqueue_send(struct file *f, gva_t text, uint64_t len, uint32_t priority,
                    int64_t deadline_ns);
/* The message's length; *priority is filled. */
int64_t mqueue_receive(struct file *f, gva_t text, uint64_t len, uint32_t *priority,
                       int64_t deadline_ns);
/* mq_notify(2): a signal (0: none is sent) when a message comes to the empty queue; NULL: no more.
 */
int mqueue_notify(struct file *f, const struct sigevent *event);
/* mq_getsetattr(2): either may be NULL. */
int mqueue_attr(struct file *f, const struct mq_attr *new, struct mq_attr *old);

#endif
