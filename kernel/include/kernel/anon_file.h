/* SPDX-License-Identifier: MIT */
/* Files without a name or a type whose object is in the kernel: eventfd, timerfd, signalfd, pidfd,
 * epoll.
 * Each of the *_create functions returns a file (one reference) or NULL when memory is exhausted;
 * flags: O_NONBLOCK.  The other functions return -EINVAL for a file of another kind. */
#ifndef KERNEL_ANON_FILE_H
#define KERNEL_ANON_FILE_H

#include <kernel/types.h>
#include <kernel/vfs.h>

/* What all of them answer to getattr and seek. */
int anon_getattr(struct file *f, struct hc_attr *attr);
int64_t anon_seek(struct file *f, int64_t offset, int whence);
/* A file with these operations, or NULL: then priv has been freed. */
struct file *anon_file(const struct file_ops *ops, uint32_t flags, void *priv);

/* eventfd(2) */
struct file *eventfd_create(uint64_t count, bool semaphore, uint32_t flags);
bool eventfd_is(const struct file *f);
/* Adds to the counter of one, as far as it goes, without waiting. */
void eventfd_signal(struct file *f, uint64_t n);

/* timerfd_create(2) */
struct timerfd_value {
    int64_t value_ns; /* 0: off */
    int64_t interval_ns;
};
struct file *timerfd_create(int clock, uint32_t flags);
/* value_ns is a time of the timer's clock where `absolute`; *old: as timerfd_get. */
int timerfd_set(struct file *f, bool absolute, const struct timerfd_value *value,
                struct timerfd_value *old);
int timerfd_get(struct file *f, struct timerfd_value *value);

/* signalfd(2) */
struct file *signalfd_create(uint64_t set, uint32_t flags);
int signalfd_set(struct file *f, uint64_t set);

/* pidfd_open(2), for the program itself or process 1 */
struct file *pidfd_create(int32_t pid, uint32_t flags);
/* The process that a pidfd stands for, 0: no pidfd; file_process(): or an open directory /proc/PID.
 */
int32_t pidfd_process(const struct file *f);
int32_t file_process(const struct file *f);

#endif
