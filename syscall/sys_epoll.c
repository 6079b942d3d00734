/* SPDX-License-Identifier: MIT */
/* epoll(7): creating sets, changing them, waiting. */
#include <kernel/epoll.h>
#include <kernel/signal.h>
#include <kernel/wait.h>
#include <syscall/protos.h>
#include <syscall/user.h>
#include <syscall/user_time.h>

#include "poll_wait.h"

#define MAX_EVENTS (INT32_MAX / (int32_t)sizeof(struct epoll_event))

/* epoll_create1(2) */
int64_t sys_epoll_create1(uint32_t flags) {
    if (flags & ~(uint32_t)EPOLL_CLOEXEC) return -EINVAL;
    return install_file(epoll_create(), flags != 0);
}

/* epoll_create(2): the size has no meaning but must be positive. */
int64_t sys_epoll_create(int size) { return size <= 0 ? -EINVAL : sys_epoll_create1(0); }

/* epoll_ctl(2): EPOLLWAKEUP means nothing here, EPOLLEXCLUSIVE may wake more than one. */
int64_t sys_epoll_ctl(int epfd, int op, int fd, gva_t at) {
    struct epoll_event event;
    bool has_event = op != EPOLL_CTL_DEL;
    if (has_event && get_user(event, at) < 0) return -EFAULT;
    struct file *set = fd_get_io(epfd);
    if (set == NULL) return -EBADF;
    struct file *target = fd_get_io(fd);
    int r = -EBADF;
    if (target != NULL) {
        r = epoll_control(set, op, fd, target, has_event ? &event : NULL);
        file_put(target);
    }
    file_put(set);
    return r;
}

static int64_t do_wait(int epfd, gva_t events, int max_events, int64_t deadline_ns) {
    if (max_events <= 0 || max_events > MAX_EVENTS) return -EINVAL;
    uint64_t bytes = (uint64_t)max_events * sizeof(struct epoll_event);
    if (events >= HERMIT_USER_TOP || bytes > HERMIT_USER_TOP - events) return -EFAULT;
    struct file *set = fd_get_io(epfd);
    if (set == NULL) return -EBADF;
    int64_t n = -EINVAL;
    if (epoll_is(set)) n = epoll_await(set, events, (uint32_t)max_events, deadline_ns);
    file_put(set);
    return n;
}

/* The mask stays swapped while a handler is about to see it. */
static int64_t wait_masked(int epfd, gva_t events, int max_events, int64_t deadline_ns, gva_t mask,
                           uint64_t size) {
    int64_t n = poll_mask_get(mask, size);
    if (n < 0) return n;
    n = do_wait(epfd, events, max_events, deadline_ns);
    if (n != -EINTR) signal_restore_mask();
    return n;
}

static int64_t deadline_of_ms(int timeout_ms) {
    if (timeout_ms < 0) return WAIT_FOREVER;
    return timeout_ms == 0 ? 0 : deadline_after(timeout_ms * 1000000LL);
}

/* epoll_wait(2): a signal ends it, whatever SA_RESTART says. */
int64_t sys_epoll_wait(int epfd, gva_t events, int max_events, int timeout_ms) {
    return do_wait(epfd, events, max_events, deadline_of_ms(timeout_ms));
}

/* epoll_pwait(2) */
int64_t sys_epoll_pwait(int epfd, gva_t events, int max_events, int timeout_ms, gva_t mask,
                        uint64_t size) {
    return wait_masked(epfd, events, max_events, deadline_of_ms(timeout_ms), mask, size);
}

/* epoll_pwait2(2) */
int64_t sys_epoll_pwait2(int epfd, gva_t events, int max_events, gva_t timeout, gva_t mask,
                         uint64_t size) {
    struct poll_timeout t;
    int r = poll_timeout_get(&t, timeout, false);
    return r < 0 ? r : wait_masked(epfd, events, max_events, t.deadline_ns, mask, size);
}
