/* SPDX-License-Identifier: MIT */
/* Sets of files that are asked together which of them are ready. epoll(7). */
#ifndef KERNEL_EPOLL_H
#define KERNEL_EPOLL_H

#include <kernel/types.h>
#include <kernel/vfs.h>

struct epoll_event;

/* An empty set as an open file, or NULL. */
struct file *epoll_create(void);
bool epoll_is(const struct file *f);
/* epoll_ctl(2) on descriptor fd, which is `target`; event: a kernel copy, NULL for EPOLL_CTL_DEL.
 * -EEXIST, -ENOENT, -EINVAL, -ELOOP, -EPERM or -ENOMEM. */
int epoll_control(struct file *set, int op, int fd, struct file *target,
                  const struct epoll_event *event);
/* Waits until files are ready and writes up to `max` events to the program: their number, 0 at
 * the deadline (0: does not wait, WAIT_FOREVER), -EINTR or -EFAULT. */
int64_t epoll_await(struct file *set, gva_t events, uint32_t max, int64_t deadline_ns);

/* file_put: the last reference is gone, the sets forget the file. */
void epoll_file_closed(struct file *f);
/* A file that some set watches was read or written: only the host knows whether it is ready
 * still, so an edge that was reported may come again. */
void epoll_file_used(struct file *f);

/* The host handles on which the readiness of f for `want` (POLL*) depends: writes up to `room`
 * entries, returns how many there are. */
uint32_t epoll_host_fds(struct file *f, uint32_t want, struct hc_wait_fd *fds, uint32_t room);
/* Changes whenever such a list may have become a different one; waiting threads are poked. */
uint32_t epoll_host_version(void);

#endif
