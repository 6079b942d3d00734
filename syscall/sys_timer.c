/* SPDX-License-Identifier: MIT */
/* Timers that a process makes: timer_create(2) and its relatives.  The work is
 * kernel/posix_timer.c's. */
#include <kernel/posix_timer.h>
#include <kernel/sched.h>
#include <syscall/protos.h>
#include <syscall/user.h>
#include <syscall/user_time.h>

static bool event_valid(const struct sigevent *e) {
    switch (e->sigev_notify) {
    case SIGEV_SIGNAL | SIGEV_THREAD_ID:
        if (e->_sigev_un._tid <= 0 || thread_find(e->_sigev_un._tid) == NULL) return false;
        return e->sigev_signo > 0 && e->sigev_signo <= NSIGNALS;
    case SIGEV_SIGNAL:
    case SIGEV_THREAD:
        return e->sigev_signo > 0 && e->sigev_signo <= NSIGNALS;
    case SIGEV_NONE:
        return true;
    default:
        return false;
    }
}

/* timer_create(2) */
int64_t sys_timer_create(int clock, gva_t event_at, gva_t id_at) {
    struct sigevent event;
    int32_t id;
    if (event_at != 0 && get_user(event, event_at) != 0) return -EFAULT;
    if (event_at != 0 && !event_valid(&event)) return -EINVAL;
    int r = posix_timer_create(clock, event_at != 0 ? &event : NULL, &id);
    if (r != 0) return r;
    if (put_user(id, id_at) == 0) return 0;
    posix_timer_delete(posix_timer_find(id));
    return -EFAULT;
}

static int put_setting(gva_t at, int64_t left_ns, int64_t interval_ns) {
    int r = put_timespec(at + offsetof(struct itimerspec, it_value), left_ns);
    return r != 0 ? r : put_timespec(at + offsetof(struct itimerspec, it_interval), interval_ns);
}

/* timer_settime(2) */
int64_t sys_timer_settime(int id, uint32_t flags, gva_t new_at, gva_t old_at) {
    int64_t value_ns, interval_ns, old_left, old_interval;
    if (new_at == 0) return -EINVAL;
    int r = user_timespec(new_at + offsetof(struct itimerspec, it_value), &value_ns);
    if (r == 0) r = user_timespec(new_at + offsetof(struct itimerspec, it_interval), &interval_ns);
    if (r != 0) return r;
    struct posix_timer *t = posix_timer_find(id);
    if (t == NULL) return -EINVAL;
    posix_timer_get(t, &old_left, &old_interval);
    posix_timer_set(t, value_ns, interval_ns, (flags & TIMER_ABSTIME) != 0);
    return old_at != 0 ? put_setting(old_at, old_left, old_interval) : 0;
}

/* timer_gettime(2) */
int64_t sys_timer_gettime(int id, gva_t at) {
    int64_t left_ns, interval_ns;
    struct posix_timer *t = posix_timer_find(id);
    if (t == NULL) return -EINVAL;
    posix_timer_get(t, &left_ns, &interval_ns);
    return put_setting(at, left_ns, interval_ns);
}

/* timer_getoverrun(2) */
int64_t sys_timer_getoverrun(int id) {
    const struct posix_timer *t = posix_timer_find(id);
    return t == NULL ? -EINVAL : posix_timer_overrun(t);
}

/* timer_delete(2) */
int64_t sys_timer_delete(int id) {
    struct posix_timer *t = posix_timer_find(id);
    if (t == NULL) return -EINVAL;
    posix_timer_delete(t);
    return 0;
}
