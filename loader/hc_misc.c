/* SPDX-License-Identifier: MIT */
/* Calls about the virtual machine itself: log, exit, clocks, memory.  Owns nothing. */
#include <loader/services.h>

#include <errno.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <hermit/layout.h>
#include <loader/guest_mem.h>
#include <loader/vm.h>

#define POPULATE_MAX (4u << 20) /* bytes a call */

int trace_fd = -1;

int64_t hc_log(union hc_args *args) {
    const struct hc_log *a = &args->log;
    char text[HC_MAX_LOG];
    if (a->len > sizeof(text) || a->stream > HC_LOG_TRACE) return -EINVAL;
    int fd = a->stream == HC_LOG_TRACE && trace_fd >= 0 ? trace_fd : STDERR_FILENO;
    if (guest_copy_in(text, a->text, a->len) != 0) return -EFAULT;
    for (uint32_t done = 0; done < a->len;) {
        ssize_t n = write(fd, text + done, a->len - done);
        if (n > 0)
            done += (uint32_t)n;
        else if (n == 0 || errno != EINTR)
            return done > 0 ? (int64_t)done : -EIO;
    }
    return a->len;
}

int64_t hc_exit(union hc_args *args) {
    const struct hc_exit *a = &args->exit;
    if (a->kind > HC_EXIT_PANIC) return -EINVAL;
    if (a->kind == HC_EXIT_SIGNAL && (a->status < 1 || a->status > 64)) return -EINVAL;
    vm_exit.kind = (enum hc_exit_kind)a->kind;
    vm_exit.status = a->kind == HC_EXIT_PROGRAM ? a->status & 0xff : a->status;
    vm_exit.stats = a->stats;
    /* Another thread may be waiting for `done`. */
    __atomic_store_n(&vm_exit.done, true, __ATOMIC_RELEASE);
    return 0;
}

static int64_t clock_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int64_t hc_clock(union hc_args *args) {
    args->clock.monotonic_ns = clock_ns(CLOCK_MONOTONIC);
    args->clock.realtime_ns = clock_ns(CLOCK_REALTIME);
    return 0;
}

int64_t hc_mem_grow(union hc_args *args) {
    struct hc_mem_grow *a = &args->mem_grow;
    if (a->bytes == 0 || a->bytes % HERMIT_PAGE_SIZE != 0) return -EINVAL;
    return memory_grow(a->bytes, &a->gpa, &a->bytes);
}

int64_t hc_mem_release(union hc_args *args) {
    const struct hc_mem_release *a = &args->mem_release;
    struct hc_seg segs[HC_MAX_SEGS];
    if (a->count > HC_MAX_SEGS) return -EINVAL;
    if (a->count == 0) return 0;
    if (guest_copy_in(segs, a->segs, a->count * sizeof(segs[0])) != 0) return -EFAULT;
    for (uint32_t i = 0; i < a->count; i++) {
        if ((segs[i].gpa | segs[i].len) % HERMIT_PAGE_SIZE != 0) return -EINVAL;
        if (guest_ptr(segs[i].gpa, segs[i].len) == NULL) return -EFAULT;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        int r = segs[i].len != 0 ? memory_release(segs[i].gpa, segs[i].len) : 0;
        if (r != 0) return r;
    }
    return 0;
}

int64_t hc_mem_populate(union hc_args *args) {
    const struct hc_mem_populate *a = &args->mem_populate;
    if ((a->gpa | a->len) % HERMIT_PAGE_SIZE != 0 || a->len > POPULATE_MAX) return -EINVAL;
    void *p = guest_ptr(a->gpa, a->len);
    if (p == NULL) return -EFAULT;
    return a->len == 0 || madvise(p, a->len, MADV_POPULATE_WRITE) == 0 ? 0 : -errno;
}
