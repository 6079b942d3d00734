/* SPDX-License-Identifier: MIT */
/* Sleeping in the loader.  Owns the account of time asleep. */
#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/signal.h>
#include <kernel/vfs.h>
#include <kernel/wait.h>

#define RETRY_NS 10000000

static int64_t slept_ns;

int64_t wait_total_ns(void) { return slept_ns; }

static int64_t wait_in_loader(struct hc_wait_fd *fds, uint32_t count, int64_t deadline_ns) {
    static struct hc_wait_fd none; /* an address that the loader accepts for no entries */
    union hc_args args = {
        .wait = {.fds = frame_gpa(count ? fds : &none),
                 .count = min(count, HC_MAX_WAIT_FDS),
                 .deadline_ns = deadline_ns < 0 ? WAIT_FOREVER : deadline_ns},
    };
    hostfs_flush_closes();
    int64_t start = clock_monotonic_ns();
    int64_t r = hypercall(HC_WAIT, &args);
    slept_ns += clock_monotonic_ns() - start;
    return r;
}

/* Returns when an fd is ready, the deadline has passed or an event was posted, or earlier. */
static void sleep_once(struct hc_wait_fd *fds, uint32_t count, int64_t deadline_ns) {
    if (!hypercall_available()) {
        if (deadline_ns < 0 && current_process()->itimer_deadline_ns == 0)
            arch_idle();
        else
            arch_pause(); /* no loader, so no timer would end a halt */
        return;
    }
    int64_t r = wait_in_loader(fds, count, deadline_ns);
    if (r < 0 && r != -EINTR) {
        /* The host cannot watch these (too many, or gone): look again soon. */
        int64_t soon = clock_monotonic_ns() + RETRY_NS;
        r = wait_in_loader(NULL, 0, deadline_ns < 0 ? soon : min(deadline_ns, soon));
        if (r < 0 && r != -EINTR) panic("cannot sleep: the loader answers %ld", r);
    } else if (r == 0 && deadline_ns >= 0 && clock_monotonic_ns() < deadline_ns) {
        clock_follow_host(true); /* the host's clock is past the deadline: catch up */
    }
    clock_follow_host(false);
}

int wait_until(bool (*ready)(void *arg), void *arg, struct hc_wait_fd *fds, uint32_t count,
               int64_t deadline_ns) {
    for (;;) {
        if (ready && ready(arg)) return 0;
        if (signal_pending()) {
            percpu()->pending = 1; /* the exit path delivers it and ends the call */
            return -EINTR;
        }
        if (deadline_ns >= 0 && clock_monotonic_ns() >= deadline_ns) return -ETIMEDOUT;
        sleep_once(fds, count, deadline_ns);
        signal_collect_events();
    }
}
