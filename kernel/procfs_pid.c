/* SPDX-License-Identifier: MIT */
/* /proc/self: what the process is made of. */
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/mm.h>
#include <kernel/sched.h>
#include <kernel/string.h>

#include "procfs.h"

#define TICK_NS (NSEC_PER_SEC / 100) /* USER_HZ */

void show_cmdline(struct proc_text *t) {
    const struct mm *mm = current_mm();

    text_append_user(t, mm->arg_start, mm->arg_end);
}

void show_environ(struct proc_text *t) {
    const struct mm *mm = current_mm();

    text_append_user(t, mm->env_start, mm->env_end);
}

void show_comm(struct proc_text *t) { text_printf(t, "%.15s\n", t->thread->comm); }

static void limit_value(struct proc_text *t, uint64_t value) {
    size_t start = t->len;

    if (value == (uint64_t)RLIM_INFINITY)
        text_printf(t, "unlimited");
    else
        text_printf(t, "%lu", (unsigned long)value);
    text_pad(t, start, 21);
}

void show_limits(struct proc_text *t) {
    static const struct {
        int resource;
        const char *name, *unit;
    } rows[] = {
        {RLIMIT_CPU, "Max cpu time", "seconds"},
        {RLIMIT_FSIZE, "Max file size", "bytes"},
        {RLIMIT_DATA, "Max data size", "bytes"},
        {RLIMIT_STACK, "Max stack size", "bytes"},
        {RLIMIT_CORE, "Max core file size", "bytes"},
        {RLIMIT_RSS, "Max resident set", "bytes"},
        {RLIMIT_NPROC, "Max processes", "processes"},
        {RLIMIT_NOFILE, "Max open files", "files"},
        {RLIMIT_MEMLOCK, "Max locked memory", "bytes"},
        {RLIMIT_AS, "Max address space", "bytes"},
        {RLIMIT_LOCKS, "Max file locks", "locks"},
        {RLIMIT_SIGPENDING, "Max pending signals", "signals"},
        {RLIMIT_MSGQUEUE, "Max msgqueue size", "bytes"},
        {RLIMIT_NICE, "Max nice priority", ""},
        {RLIMIT_RTPRIO, "Max realtime priority", ""},
        {RLIMIT_RTTIME, "Max realtime timeout", "us"},
    };

    text_printf(t, "%-26s%-21s%-21s%-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct rlimit *l = &current_process()->limits[rows[i].resource];

        text_printf(t, "%-26s", rows[i].name);
        limit_value(t, l->rlim_cur);
        limit_value(t, l->rlim_max);
        text_printf(t, "%-10s\n", rows[i].unit);
    }
}

/* Bits of the signals whose action is `handler` or, with caught, a function. */
static uint64_t signals_with(uint64_t handler, bool caught) {
    const struct process *p = current_process();
    uint64_t set = 0;

    for (int sig = 1; sig <= NSIGNALS; sig++) {
        uint64_t action = p->actions[sig - 1].handler;

        if (caught ? action > 1 : action == handler) set |= SIG_BIT(sig);
    }
    return set;
}

#define SIG_IGNORED ((uint64_t)SIG_IGN)

/* The letter and the word that Linux has for what the thread does. */
static char state_letter(const struct thread *th) {
    if (th->state == THREAD_ZOMBIE) return 'Z';
    if (th->process->stopped && th != current_thread()) return 'T';
    return th->state == THREAD_WAITING ? 'S' : 'R';
}

static const char *state_name(const struct thread *th) {
    switch (state_letter(th)) {
    case 'Z':
        return "Z (zombie)";
    case 'T':
        return "T (stopped)";
    case 'S':
        return "S (sleeping)";
    default:
        return "R (running)";
    }
}

void show_stat(struct proc_text *t) {
    const struct process *p = current_process();
    const struct thread *th = t->thread;
    const struct mm *mm = p->mm;
    int64_t cpu_ns = t->of_thread ? sched_cpu_ns(th) : clock_cpu_ns();
    unsigned long cpu = (unsigned long)(cpu_ns / TICK_NS);

    text_printf(t, "%d (%.15s) %c 0 %d %d 0 -1 0 %lu 0 0 0 ", th->tid, th->comm, state_letter(th),
                p->pgid, p->sid, (unsigned long)p->faults);
    text_printf(t, "%lu 0 0 0 %d %d %u 0 %lu %lu %lu %lu ", cpu, 20 + p->nice, p->nice,
                p->thread_count, (unsigned long)(p->start_ns / TICK_NS), (unsigned long)mm->mapped,
                (unsigned long)(frame_usage().used / PAGE_SIZE),
                (unsigned long)p->limits[RLIMIT_RSS].rlim_cur);
    text_printf(t, "0 0 %lu 0 0 %lu %lu %lu %lu 0 0 0 17 0 0 0 0 0 0 0 0 %lu ",
                (unsigned long)mm->stack_top, (unsigned long)th->signals.pending,
                (unsigned long)th->sigmask, (unsigned long)signals_with(SIG_IGNORED, false),
                (unsigned long)signals_with(0, true), (unsigned long)mm->brk_start);
    text_printf(t, "%lu %lu %lu %lu 0\n", (unsigned long)mm->arg_start, (unsigned long)mm->arg_end,
                (unsigned long)mm->env_start, (unsigned long)mm->env_end);
}

void show_statm(struct proc_text *t) {
    unsigned long mapped = current_mm()->mapped / PAGE_SIZE;
    unsigned long resident = frame_usage().used / PAGE_SIZE;

    text_printf(t, "%lu %lu 0 0 0 %lu 0\n", mapped, min(resident, mapped), mapped);
}

static void show_memory(struct proc_text *t) {
    struct frame_usage use = frame_usage();
    unsigned long mapped = current_mm()->mapped / 1024;

    text_printf(t, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\n", mapped, mapped);
    text_printf(t, "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\n", (unsigned long)use.peak / 1024,
                (unsigned long)use.used / 1024);
}

void show_status(struct proc_text *t) {
    const struct process *p = current_process();
    const struct thread *th = t->thread;
    const char *caps = p->euid == 0 ? "000001ffffffffff" : "0000000000000000";

    text_printf(t, "Name:\t%.15s\nUmask:\t%04o\nState:\t%s\n", th->comm, p->fs.umask,
                state_name(th));
    text_printf(t, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t0\nTracerPid:\t0\n", p->pid, th->tid);
    text_printf(t, "Uid:\t%u\t%u\t%u\t%u\n", p->uid, p->euid, p->suid, p->euid);
    text_printf(t, "Gid:\t%u\t%u\t%u\t%u\n", p->gid, p->egid, p->sgid, p->egid);
    text_printf(t, "FDSize:\t%u\nGroups:\t \n", p->fds.size);
    show_memory(t);
    text_printf(t, "Threads:\t%u\nSigQ:\t%u/%lu\n", p->thread_count, p->queued_signals,
                (unsigned long)p->limits[RLIMIT_SIGPENDING].rlim_cur);
    text_printf(t, "SigPnd:\t%016lx\nShdPnd:\t%016lx\n", (unsigned long)th->signals.pending,
                (unsigned long)p->signals.pending);
    text_printf(t, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
                (unsigned long)th->sigmask, (unsigned long)signals_with(SIG_IGNORED, false),
                (unsigned long)signals_with(0, true));
    text_printf(t, "CapInh:\t%016lx\nCapPrm:\t%s\nCapEff:\t%s\nCapBnd:\t%s\nCapAmb:\t%016lx\n", 0ul,
                caps, caps, caps, 0ul);
    text_printf(t, "NoNewPrivs:\t0\nSeccomp:\t0\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n");
    text_printf(t, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
                (unsigned long)th->switches, (unsigned long)th->preemptions);
}
