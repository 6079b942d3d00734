/* SPDX-License-Identifier: MIT */
/* Signals from outside: what the loader forwards, and ITIMER_REAL. */
#include <kernel/clock.h>
#include <kernel/hc.h>
#include <kernel/hostnet.h>
#include <kernel/job.h>
#include <kernel/signal.h>
#include <kernel/string.h>

#include "sched_internal.h"
#include "signal_internal.h"

/* What a terminal sends; the rest comes from some process outside. */
#define TERMINAL_SIGNALS                                                                           \
    (SIG_BIT(SIGINT) | SIG_BIT(SIGQUIT) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGHUP) | SIG_BIT(SIGWINCH) | \
     SIG_BIT(SIGTTIN) | SIG_BIT(SIGTTOU))

static void send_from_outside(int sig, int code) {
    siginfo_t info;
    memset(&info, 0, sizeof(info)); /* a sender without a pid here is pid 0 */
    info.si_code = code;
    signal_send(sig, &info);
}

void signal_set_itimer(int64_t deadline_ns, int64_t interval_ns) {
    struct process *p = current_process();
    p->itimer_deadline_ns = deadline_ns;
    p->itimer_interval_ns = interval_ns;
    timer_update();
}

static void expire_itimer(struct process *p, int64_t now) {
    int64_t next = 0;
    if (p->itimer_interval_ns > 0) {
        int64_t periods = (now - p->itimer_deadline_ns) / p->itimer_interval_ns + 1;
        next = p->itimer_deadline_ns + periods * p->itimer_interval_ns;
    }
    p->itimer_deadline_ns = next;
    send_from_outside(SIGALRM, SI_KERNEL);
}

static void check_itimer(void) {
    struct process *p = current_process();
    if (p->itimer_deadline_ns == 0) return;
    int64_t now = clock_monotonic_ns();
    if (now >= p->itimer_deadline_ns) expire_itimer(p, now);
    timer_update();
}

void signal_collect_events(void) {
    uint32_t events = hypercall_take_events();
    if (events & 1u << HC_EVENT_TIMER) timer_fired();
    if (events & 1u << HC_EVENT_JOB) job_event();
    if (events & 1u << HC_EVENT_NET) hostnet_look();
    check_itimer();
    if (!(events & 1u << HC_EVENT_SIGNAL)) return;
    for (uint64_t signals = hypercall_take_signals(); signals; signals &= signals - 1) {
        int sig = __builtin_ctzll(signals) + 1;
        send_from_outside(sig, TERMINAL_SIGNALS & SIG_BIT(sig) ? SI_KERNEL : SI_USER);
    }
}
