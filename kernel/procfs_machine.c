/* SPDX-License-Identifier: MIT */
/* /proc files about the machine's processors and time. */
#include <hermit/boot.h>
#include <kernel/clock.h>
#include <kernel/sched.h>
#include <kernel/smp.h>
#include <kernel/string.h>
#include <kernel/version.h>

#include "procfs.h"

void show_version(struct tree_text *t) {
    text_printf(t, "%s version %s (hermit) %s\n", KERNEL_SYSNAME, KERNEL_RELEASE, KERNEL_VERSION);
}

static void show_seconds(struct tree_text *t, int64_t ns) {
    text_printf(t, "%lu.%02lu", (unsigned long)(ns / NSEC_PER_SEC),
                (unsigned long)(ns % NSEC_PER_SEC / TICK_NS));
}

/* Of all CPUs together. */
static int64_t idle_ns(int64_t now) {
    return max(now * (int64_t)cpu_count() - clock_cpu_ns(), (int64_t)0);
}

void show_uptime(struct tree_text *t) {
    int64_t now = clock_monotonic_ns();

    show_seconds(t, now);
    text_append(t, " ", 1);
    show_seconds(t, idle_ns(now));
    text_append(t, "\n", 1);
}

void show_loadavg(struct tree_text *t) {
    const struct process *p = current_process();
    const struct thread *th;
    unsigned running = 0;
    uint64_t load[3];

    load_average(load);
    for (int i = 0; i < 3; i++)
        text_printf(t, "%lu.%02lu ", (unsigned long)(load[i] >> LOAD_SHIFT),
                    (unsigned long)((load[i] & ((1u << LOAD_SHIFT) - 1)) * 100 >> LOAD_SHIFT));
    TAILQ_FOREACH(th, &p->threads, in_process) running += th->state == THREAD_RUNNABLE;
    text_printf(t, "%u/%u %d\n", running, p->thread_count + 1, thread_last_tid());
}

static void show_cpu_line(struct tree_text *t, int64_t busy, int64_t now) {
    text_printf(t, " %lu 0 0 %lu 0 0 0 0 0 0\n", (unsigned long)(busy / TICK_NS),
                (unsigned long)(max(now - busy, (int64_t)0) / TICK_NS));
}

void show_system_stat(struct tree_text *t) {
    int64_t now = clock_monotonic_ns();
    const struct thread *th;
    uint64_t switches = 0, running = 0;

    text_printf(t, "cpu ");
    show_cpu_line(t, clock_cpu_ns(), now * (int64_t)cpu_count());
    for (uint32_t i = 0; i < cpu_count(); i++) {
        text_printf(t, "cpu%u", i);
        show_cpu_line(t, sched_cpu_busy_ns(i), now);
    }
    TAILQ_FOREACH(th, &current_process()->threads, in_process) {
        switches += th->switches + th->preemptions;
        running += th->state == THREAD_RUNNABLE;
    }
    text_printf(t, "intr 0\nctxt %lu\nbtime %lu\nprocesses %d\nprocs_running %lu\n",
                (unsigned long)switches,
                (unsigned long)((clock_realtime_ns() - now) / NSEC_PER_SEC), thread_last_tid(),
                (unsigned long)running);
    text_printf(t, "procs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n");
}

static void show_cpu_columns(struct tree_text *t, const char *indent) {
    text_printf(t, "%s", indent);
    for (uint32_t i = 0; i < cpu_count(); i++)
        text_printf(t, "CPU%-8u", i);
    text_append(t, "\n", 1);
}

/* The guest has no interrupt controller that counts. */
void show_interrupts(struct tree_text *t) { show_cpu_columns(t, "           "); }

void show_softirqs(struct tree_text *t) {
    static const char *const names[] = {"HI",       "TIMER",   "NET_TX", "NET_RX",  "BLOCK",
                                        "IRQ_POLL", "TASKLET", "SCHED",  "HRTIMER", "RCU"};

    show_cpu_columns(t, "                    ");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        text_printf(t, "%12s:", names[i]);
        for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
            text_printf(t, " %10u", 0u);
        text_append(t, "\n", 1);
    }
}
