/* SPDX-License-Identifier: MIT */
/* Threads that wait, and sleeping in the loader when nobody else can run.  Owns the lists of
 * waiting threads. */
#include <hermit/boot.h>
#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/hostnet.h>
#include <kernel/ktimer.h>
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/serial.h>
#include <kernel/signal.h>
#include <kernel/smp.h>
#include <kernel/syscall.h>
#include <kernel/vfs.h>
#include <kernel/wait.h>

#include "sched_internal.h"

#define RETRY_NS 10000000
#define REVENTS_UNKNOWN 0xffffu /* the loader has not looked */
#define NOT_WATCHED UINT32_MAX
#define POLL_MIN_US 10
#define POLL_MAX_US 200
#define LONG_SLEEP_US 2000

static struct thread_list watching = TAILQ_HEAD_INITIALIZER(watching); /* with a condition */
static struct thread_list sleeping = TAILQ_HEAD_INITIALIZER(sleeping); /* woken by name */
static LIST_HEAD(, wait_async) unattended = LIST_HEAD_INITIALIZER(unattended);
static uint32_t timed, on_host;  /* threads with a deadline; threads and others with host files */
static int64_t next_deadline_ns; /* nobody's is earlier, if anybody has one */

/* One CPU at a time sleeps in the loader with the host files of all waiting threads and the
 * earliest deadline; the others just sleep. */
static struct {
    struct percpu *cpu;  /* NULL: nobody */
    int64_t deadline_ns; /* that it knows of, -1: none */
    struct hc_wait_fd fds[HC_MAX_WAIT_FDS];
} watcher;

static struct percpu *polling; /* an idle CPU that watches its queue instead of sleeping */

int64_t wait_next_deadline(void) {
    int64_t timer = ktimer_next();
    if (timed == 0) return timer;
    return timer < 0 ? next_deadline_ns : min(timer, next_deadline_ns);
}

bool wait_watched(void) { return watcher.cpu != NULL; }

bool wait_for_host(void) { return on_host > 0; }

static struct thread_list *list_of(const struct thread *t) {
    return t->wait.ready != NULL ? &watching : &sleeping;
}

void wait_remove(struct thread *t) {
    TAILQ_REMOVE(list_of(t), t, queued);
    if (t->wait.deadline_ns >= 0) timed--;
    if (t->wait.count > 0) on_host--;
}

static bool is_before_watcher(int64_t deadline_ns) {
    return deadline_ns >= 0 && (watcher.deadline_ns < 0 || deadline_ns < watcher.deadline_ns);
}

/* Wakes the watcher if it does not know of these files, or not of so early a deadline. */
static void tell_watcher(uint32_t files, int64_t deadline_ns) {
    if (watcher.cpu == NULL) return;
    if (files > 0 || is_before_watcher(deadline_ns)) cpu_kick(watcher.cpu);
}

void wait_deadline_set(int64_t deadline_ns) { tell_watcher(0, deadline_ns); }

void wait_async_arm(struct wait_async *w) {
    if (w->armed) return;
    w->armed = true;
    w->watched_at = NOT_WATCHED;
    LIST_INSERT_HEAD(&unattended, w, link);
    on_host++;
    tell_watcher(1, WAIT_FOREVER);
    if (timer_outdated()) percpu()->pending = 1; /* this thread may be the only one, and busy */
}

void wait_async_disarm(struct wait_async *w) {
    if (!w->armed) return;
    w->armed = false;
    LIST_REMOVE(w, link);
    on_host--;
}

/* Gives the CPU away until somebody wakes the thread. */
static void block(const struct wait *w) {
    struct thread *t = current_thread();
    t->wait = *w;
    t->wait.watched_at = NOT_WATCHED;
    t->state = THREAD_WAITING;
    t->switches++;
    if (unlikely(t->trace != NULL)) syscall_trace_wait(t->trace);
    TAILQ_INSERT_TAIL(list_of(t), t, queued);
    for (uint32_t i = 0; i < w->count; i++)
        w->fds[i].revents = 0;
    if (w->count > 0) on_host++;
    if (w->deadline_ns >= 0) {
        if (timed++ == 0 || w->deadline_ns < next_deadline_ns) next_deadline_ns = w->deadline_ns;
    }
    tell_watcher(w->count, w->deadline_ns);
    sched_switch_away();
}

static bool passed(int64_t deadline_ns) {
    return deadline_ns >= 0 && clock_monotonic_ns() >= deadline_ns;
}

/* `again`: evaluated by this thread only; otherwise by anybody, through w->ready. */
static int wait_loop(bool (*again)(void *arg), const struct wait *w) {
    for (;;) {
        if (again != NULL && again(w->arg)) return 0;
        if (signal_pending()) {
            percpu()->pending = 1; /* the exit path delivers it and ends the call */
            return -EINTR;
        }
        if (passed(w->deadline_ns)) return -ETIMEDOUT;
        block(w);
    }
}

int wait_until(bool (*ready)(void *arg), void *arg, struct hc_wait_fd *fds, uint32_t count,
               int64_t deadline_ns) {
    const struct wait w = {
        .ready = ready, .arg = arg, .fds = fds, .count = count, .deadline_ns = deadline_ns};
    return wait_loop(ready, &w);
}

int wait_until_woken(bool (*ready)(void *arg), void *arg, int64_t deadline_ns) {
    const struct wait w = {.arg = arg, .deadline_ns = deadline_ns};
    return wait_loop(ready, &w);
}

void wait_sleep(void) {
    const struct wait w = {.deadline_ns = WAIT_FOREVER};
    block(&w);
}

void wait_poke(void) {
    struct thread *t, *next;
    TAILQ_FOREACH_SAFE(t, &watching, queued, next) {
        if (t->wait.ready(t->wait.arg)) sched_wake(t);
    }
}

static void wake_expired(struct thread_list *list, int64_t now, int64_t *next_ns) {
    struct thread *t, *next;
    TAILQ_FOREACH_SAFE(t, list, queued, next) {
        int64_t deadline = t->wait.deadline_ns;
        if (deadline < 0) continue;
        if (deadline <= now)
            sched_wake(t);
        else
            *next_ns = min(*next_ns, deadline);
    }
}

static void check_deadlines(void) {
    ktimer_run();
    if (timed == 0) return;
    int64_t now = clock_monotonic_ns(), next_ns = INT64_MAX;
    if (now < next_deadline_ns) return;
    wake_expired(&watching, now, &next_ns);
    wake_expired(&sleeping, now, &next_ns);
    next_deadline_ns = next_ns;
}

static int64_t call_loader(struct hc_wait_fd *fds, uint32_t count, int64_t deadline_ns) {
    int64_t left = deadline_ns;
    if (deadline_ns > 0) {
        left -= clock_monotonic_ns();
        left = max(left, 0);
    }
    static struct hc_wait_fd none; /* an address that the loader accepts for no entries */
    uint32_t closes[HC_MAX_CLOSE];
    union hc_args args = {
        .wait = {.fds = frame_gpa(count ? fds : &none),
                 .count = min(count, HC_MAX_WAIT_FDS),
                 .timeout_ns = left,
                 .closes = frame_gpa(closes),
                 .close_count = hostfs_take_closes(closes)},
    };
    return hypercall(HC_WAIT, &args);
}

/* Joins the files of all waiting threads; those of threads that do not fit stay UNKNOWN. */
static uint32_t gather(void) {
    struct thread *t;
    struct wait_async *a;
    uint32_t n = 0;
    LIST_FOREACH(a, &unattended, link) {
        a->watched_at = n < HC_MAX_WAIT_FDS ? n : NOT_WATCHED;
        if (n < HC_MAX_WAIT_FDS)
            watcher.fds[n++] = (struct hc_wait_fd){.handle = a->handle, .events = a->events};
    }
    TAILQ_FOREACH(t, &watching, queued) {
        struct wait *w = &t->wait;
        bool fits = w->count <= HC_MAX_WAIT_FDS - n;
        w->watched_at = fits ? n : NOT_WATCHED;
        for (uint32_t i = 0; i < w->count; i++) {
            w->fds[i].revents = fits ? 0 : REVENTS_UNKNOWN;
            if (fits) watcher.fds[n++] = w->fds[i];
        }
    }
    return n;
}

/* Gives each thread its part of the answer and wakes those that have one.  Some have begun to wait
 * since gather(). */
static void distribute(void) {
    struct thread *t, *next;
    TAILQ_FOREACH_SAFE(t, &watching, queued, next) {
        const struct wait *w = &t->wait;
        bool any = false;
        for (uint32_t i = 0; i < w->count; i++) {
            if (w->watched_at != NOT_WATCHED)
                w->fds[i].revents = watcher.fds[w->watched_at + i].revents;
            any |= w->fds[i].revents != 0;
        }
        if (any) sched_wake(t);
    }
}

/* The same for files that no thread waits for. */
static void distribute_unattended(void) {
    struct wait_async *a, *next;
    LIST_FOREACH_SAFE(a, &unattended, link, next) {
        if (a->watched_at == NOT_WATCHED || watcher.fds[a->watched_at].revents == 0) continue;
        wait_async_disarm(a);
        a->ready(a);
    }
}

/* Looks at the host's files; sleeps there until one is ready, the deadline (-1: none) has passed
 * or an event was posted. */
static void look(int64_t deadline_ns) {
    uint32_t total = on_host > 0 ? gather() : 0;
    if (total == HC_MAX_WAIT_FDS) { /* perhaps not all */
        int64_t soon = clock_monotonic_ns() + RETRY_NS;
        deadline_ns = deadline_ns < 0 ? soon : min(deadline_ns, soon);
    }
    watcher.cpu = percpu();
    watcher.deadline_ns = deadline_ns;
    int64_t r = call_loader(watcher.fds, total, deadline_ns);
    if (r == -EINTR) percpu()->pending = 1; /* the events were the interruption */
    if (r < 0 && r != -EINTR) {
        /* The host cannot watch these: look again soon. */
        int64_t soon = clock_monotonic_ns() + RETRY_NS;
        r = call_loader(NULL, 0, deadline_ns < 0 ? soon : min(deadline_ns, soon));
        if (r < 0 && r != -EINTR) panic("cannot sleep: the loader answers %ld", r);
    } else if (r == 0 && deadline_ns > 0 && clock_monotonic_ns() < deadline_ns) {
        clock_follow_host(true); /* the host's clock is past the deadline: catch up */
    }
    watcher.cpu = NULL;
    if (total > 0 && r >= 0) {
        distribute();
        distribute_unattended();
    }
}

void wait_check(bool tick) {
    check_deadlines();
    if (tick && on_host > 0 && watcher.cpu == NULL && hypercall_available()) look(0);
}

/* Plain QEMU: no loader, so no timer would end a halt. */
static void idle_without_loader(void) {
    wait_poke(); /* an interrupt from here on ends the halt at once */
    if (sched_others_runnable()) return;
    if (wait_next_deadline() < 0 && current_process()->itimer_deadline_ns == 0)
        arch_idle();
    else
        arch_pause();
}

/* A thread that is woken soon saves an interrupt and an exit.  One CPU at a time does this: the
 * host may have fewer.  True if there is something to do. */
static bool poll_for_work(struct percpu *cpu) {
    if (polling != NULL || cpu->poll_us == 0 || hostnet_has_commands()) return false;
    polling = cpu;
    cpu->idle = CPU_POLLING;
    smp_release();
    uint64_t end = arch_tsc() + cpu->poll_us * clock_tsc_khz() / 1000;
    while (arch_tsc() < end && !__atomic_load_n(&cpu->pending, __ATOMIC_RELAXED) &&
           __atomic_load_n(&cpu->queued, __ATOMIC_RELAXED) == 0)
        arch_pause();
    smp_acquire();
    polling = NULL;
    cpu->idle = CPU_HALTED;
    bool work = cpu->pending || cpu->queued > 0;
    if (work) cpu->poll_us = POLL_MAX_US;
    return work;
}

/* Short sleeps call for longer polling the next time, long ones for less. */
static void adapt_polling(struct percpu *cpu, uint64_t slept_us) {
    if (slept_us < POLL_MAX_US)
        cpu->poll_us = min(max(2 * cpu->poll_us, POLL_MIN_US), POLL_MAX_US);
    else if (slept_us > LONG_SLEEP_US)
        cpu->poll_us /= 2;
}

/* QEMU: the loader has one thread, and its interrupts come to the first CPU. */
static void halt(void) {
    smp_release();
    arch_idle();
    smp_acquire();
}

static void sleep_in_loader(struct percpu *cpu) {
    uint64_t start = arch_tsc();
    if (cpu->id != 0 && boot_info()->engine == HERMIT_ENGINE_QEMU) return halt();
    if (watcher.cpu == NULL)
        look(wait_next_deadline());
    else
        call_loader(NULL, 0, WAIT_FOREVER);
    /* Polling sees what other CPUs bring, not what the network does: for that, the loader looks. */
    if (smp_active && hostnet_has_news())
        cpu->poll_us /= 2;
    else if (smp_active)
        adapt_polling(cpu, (arch_tsc() - start) * 1000 / clock_tsc_khz());
    clock_follow_host(false);
}

void wait_idle(void) {
    struct percpu *cpu = percpu();
    cpu->pending = 0;
    if (boot_info()->engine == HERMIT_ENGINE_QEMU) serial_drain();
    signal_collect_events();
    hostnet_look();
    check_deadlines();
    if (smp_active) {
        if (timer_take_tick()) sched_tick();
        timer_update();
    }
    if (sched_others_runnable()) return;
    if (!hypercall_available())
        idle_without_loader();
    else if (!smp_active || !poll_for_work(cpu))
        sleep_in_loader(cpu);
}
