/* SPDX-License-Identifier: MIT */
/* POSIX message queues: mq_open(3) and its relatives, as the C library calls them. */
#include <kernel/clock.h>
#include <kernel/heap.h>
#include <kernel/mqueue.h>
#include <kernel/string.h>
#include <kernel/wait.h>
#include <syscall/protos.h>
#include <syscall/user.h>
#include <syscall/user_time.h>

/* A queue's name: one component, the C library took the '/' away. */
static int name_get(char **out, gva_t at) {
    int r = string_from_user(out, at);
    if (r != 0) return r;
    if ((*out)[0] == 0)
        r = -ENOENT;
    else if (strchr(*out, '/') != NULL || strcmp(*out, ".") == 0 || strcmp(*out, "..") == 0)
        r = -EACCES;
    else if (strlen(*out) > NAME_MAX)
        r = -ENAMETOOLONG;
    if (r != 0) kfree(*out);
    return r;
}

/* mq_open(2) */
int64_t sys_mq_open(gva_t name_at, uint32_t flags, uint32_t mode, gva_t attr_at) {
    struct mq_attr attr;
    struct file *f;
    char *name;
    bool create = (flags & O_CREAT) != 0 && attr_at != 0;
    if (create && get_user(attr, attr_at) != 0) return -EFAULT;
    int r = name_get(&name, name_at);
    if (r != 0) return r;
    r = mqueue_open(name, flags, mode, create ? &attr : NULL, &f);
    kfree(name);
    return r != 0 ? r : fd_install_or_put(f, 0, true); /* always close-on-exec, as in Linux */
}

/* mq_unlink(2) */
int64_t sys_mq_unlink(gva_t name_at) {
    char *name;
    int r = name_get(&name, name_at);
    if (r != 0) return r;
    r = mqueue_unlink(name);
    kfree(name);
    return r;
}

/* An absolute CLOCK_REALTIME timeout (0: none) as a deadline. */
static int deadline_get(gva_t at, int64_t *deadline_ns) {
    int64_t ns;
    *deadline_ns = WAIT_FOREVER;
    if (at == 0) return 0;
    int r = user_timespec(at, &ns);
    if (r != 0) return r;
    *deadline_ns = deadline_after(max(ns - clock_realtime_ns(), (int64_t)0));
    return 0;
}

/* mq_timedsend(2) */
int64_t sys_mq_timedsend(int fd, gva_t text, uint64_t len, uint32_t priority, gva_t timeout) {
    int64_t deadline_ns;
    if (priority >= MQ_PRIO_MAX) return -EINVAL;
    int64_t r = deadline_get(timeout, &deadline_ns);
    if (r != 0) return r;
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    r = mqueue_send(f, text, len, priority, deadline_ns);
    file_put(f);
    return r;
}

/* mq_timedreceive(2) */
int64_t sys_mq_timedreceive(int fd, gva_t text, uint64_t len, gva_t priority_at, gva_t timeout) {
    int64_t deadline_ns;
    uint32_t priority;
    int64_t r = deadline_get(timeout, &deadline_ns);
    if (r != 0) return r;
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    r = mqueue_receive(f, text, len, &priority, deadline_ns);
    file_put(f);
    if (r >= 0 && priority_at != 0 && put_user(priority, priority_at) != 0) r = -EFAULT;
    return r;
}

/* mq_notify(2): SIGEV_THREAD is the C library's, through a netlink socket that does not exist. */
int64_t sys_mq_notify(int fd, gva_t event_at) {
    struct sigevent event;
    if (event_at != 0) {
        if (get_user(event, event_at) != 0) return -EFAULT;
        int how = event.sigev_notify;
        if (how != SIGEV_NONE && how != SIGEV_SIGNAL && how != SIGEV_THREAD) return -EINVAL;
        if (how == SIGEV_SIGNAL && (event.sigev_signo < 0 || event.sigev_signo > NSIGNALS))
            return -EINVAL;
        if (how == SIGEV_THREAD) return -ENOSYS;
    }
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    int r = mqueue_notify(f, event_at != 0 ? &event : NULL);
    file_put(f);
    return r;
}

/* mq_getsetattr(2) */
int64_t sys_mq_getsetattr(int fd, gva_t new_at, gva_t old_at) {
    struct mq_attr new, old;
    if (new_at != 0) {
        if (get_user(new, new_at) != 0) return -EFAULT;
        if (new.mq_flags & ~(long)O_NONBLOCK) return -EINVAL;
    }
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    int r = mqueue_attr(f, new_at != 0 ? &new : NULL, &old);
    file_put(f);
    if (r == 0 && old_at != 0 && put_user(old, old_at) != 0) r = -EFAULT;
    return r;
}
