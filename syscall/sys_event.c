/* SPDX-License-Identifier: MIT */
/* eventfd(2), timerfd_create(2) and signalfd(2) with their relatives. */
#include <kernel/anon_file.h>
#include <kernel/clock.h>
#include <syscall/protos.h>
#include <syscall/user.h>
#include <syscall/user_time.h>

#define EFD_SEMAPHORE 1 /* libc's; the others are O_* */
#define FD_FLAGS (O_CLOEXEC | O_NONBLOCK)

static int64_t install(struct file *f, uint32_t flags) {
    return install_file(f, (flags & O_CLOEXEC) != 0);
}

/* eventfd2(2) */
int64_t sys_eventfd2(uint32_t count, uint32_t flags) {
    if (flags & ~(uint32_t)(EFD_SEMAPHORE | FD_FLAGS)) return -EINVAL;
    return install(eventfd_create(count, flags & EFD_SEMAPHORE, flags), flags);
}

/* eventfd(2) */
int64_t sys_eventfd(uint32_t count) { return sys_eventfd2(count, 0); }

static bool is_timer_clock(int clock) {
    return clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME ||
           clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
}

/* timerfd_create(2): the alarm clocks need a privilege, and nothing to wake up. */
int64_t sys_timerfd_create(int clock, uint32_t flags) {
    if (flags & ~(uint32_t)FD_FLAGS || !is_timer_clock(clock)) return -EINVAL;
    bool alarm = clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
    if (alarm && !process_privileged()) return -EPERM;
    return install(timerfd_create(clock, flags), flags);
}

static int put_itimerspec(gva_t to, const struct timerfd_value *v) {
    int r = put_timespec(to + offsetof(struct itimerspec, it_interval), v->interval_ns);
    return r < 0 ? r : put_timespec(to + offsetof(struct itimerspec, it_value), v->value_ns);
}

/* timerfd_settime(2): the program cannot set clocks, so TFD_TIMER_CANCEL_ON_SET cancels nothing;
 * when the host's clock is set a timer follows it where it is looked at. */
int64_t sys_timerfd_settime(int fd, uint32_t flags, gva_t new_value, gva_t old_value) {
    struct timerfd_value value, old;
    /* A bad address goes before bad values, as the structure is copied at once. */
    struct itimerspec whole;
    if (get_user(whole, new_value) < 0) return -EFAULT;
    if (flags & ~(uint32_t)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) return -EINVAL;
    int r = timespec_ns(&whole.it_value, &value.value_ns);
    if (r == 0) r = timespec_ns(&whole.it_interval, &value.interval_ns);
    if (r < 0) return r;
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    r = timerfd_set(f, flags & TFD_TIMER_ABSTIME, &value, &old);
    file_put(f);
    if (r == 0 && old_value != 0) r = put_itimerspec(old_value, &old);
    return r;
}

/* timerfd_gettime(2) */
int64_t sys_timerfd_gettime(int fd, gva_t to) {
    struct timerfd_value value;
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    int r = timerfd_get(f, &value);
    file_put(f);
    return r < 0 ? r : put_itimerspec(to, &value);
}

/* signalfd4(2) */
int64_t sys_signalfd4(int fd, gva_t mask, uint64_t size, uint32_t flags) {
    uint64_t set;
    if (size != sizeof(set)) return -EINVAL;
    if (get_user(set, mask) < 0) return -EFAULT;
    if (flags & ~(uint32_t)FD_FLAGS) return -EINVAL;
    if (fd == -1) return install(signalfd_create(set, flags), flags);
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    int r = signalfd_set(f, set);
    file_put(f);
    return r < 0 ? r : fd;
}

/* signalfd(2) */
int64_t sys_signalfd(int fd, gva_t mask, uint64_t size) { return sys_signalfd4(fd, mask, size, 0); }
