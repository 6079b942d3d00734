/* SPDX-License-Identifier: MIT */
/* /proc/PID/stat, statm, status and the scheduler's files: numbers about a thread and its
 * process. */
#include <hermit/linux_abi.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/mm.h>
#include <kernel/sched.h>
#include <kernel/seccomp.h>
#include <kernel/string.h>

#include "procfs.h"

#define KIB 1024ul
#define NODES_MAX 1024 /* bits of Mems_allowed */

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

/* Bytes by what the mappings are for. */
struct layout {
    gva_t code_start, code_end, data_start, data_end;
    uint64_t data, stack, code, libraries;
};

static struct layout measure(struct mm *mm) {
    struct layout l = {0};
    const char *exe = current_process()->exe;

    for (const struct vma *v = mm_next(mm, 0); v; v = mm_next(mm, v->end)) {
        uint64_t len = v->end - v->start;
        bool private = (v->flags & MAP_TYPE) == MAP_PRIVATE;
        bool own = v->file && v->file->path && exe && strcmp(v->file->path, exe) == 0;

        if (v->flags & MAP_GROWSDOWN)
            l.stack += len;
        else if (private && (v->prot & PROT_WRITE))
            l.data += len;
        if ((v->prot & PROT_EXEC) && !(v->prot & PROT_WRITE) && v->file) {
            *(own ? &l.code : &l.libraries) += len;
            if (own && !l.code_start) l.code_start = v->start;
            if (own) l.code_end = v->end;
        }
        if (own && (v->prot & PROT_WRITE)) {
            if (!l.data_start) l.data_start = v->start;
            l.data_end = v->end;
        }
    }
    return l;
}

static void show_cpu_state(struct tree_text *t, const struct thread *th) {
    text_printf(t, "%lu %lu %lu %lu 0 0 0 17 %u %d %d 0 0 0 ", (unsigned long)th->signals.pending,
                (unsigned long)th->sigmask, (unsigned long)signals_with(SIG_IGNORED, false),
                (unsigned long)signals_with(0, true), sched_last_cpu(th), th->sched.priority,
                th->sched.policy);
}

void show_stat(struct tree_text *t) {
    const struct thread *th = t->thread;
    const struct process *p = th->process;
    const struct mm *mm = p->mm;
    struct layout l = measure(p->mm);
    int64_t cpu_ns = t->of_thread ? sched_cpu_ns(th) : clock_cpu_ns();
    bool realtime = th->sched.priority > 0;

    text_printf(t, "%d (%.15s) %c %d %d %d 0 -1 4194304 %lu 0 0 0 ", th->tid, th->comm,
                state_letter(th), INIT_PID, p->pgid, p->sid,
                (unsigned long)(t->of_thread ? th->faults : p->faults));
    text_printf(t, "%lu 0 0 0 %d %d %u 0 %lu %lu %lu %lu ", (unsigned long)(cpu_ns / TICK_NS),
                realtime ? -1 - th->sched.priority : 20 + th->sched.nice, th->sched.nice,
                p->thread_count, (unsigned long)(p->start_ns / TICK_NS), (unsigned long)mm->mapped,
                (unsigned long)(mm_pages(p->mm, 0, HERMIT_USER_TOP).resident / PAGE_SIZE),
                (unsigned long)p->limits[RLIMIT_RSS].rlim_cur);
    text_printf(t, "%lu %lu %lu 0 0 ", (unsigned long)l.code_start, (unsigned long)l.code_end,
                (unsigned long)mm->stack_top);
    show_cpu_state(t, th);
    text_printf(t, "%lu %lu %lu %lu %lu %lu %lu 0\n", (unsigned long)l.data_start,
                (unsigned long)l.data_end, (unsigned long)mm->brk_start,
                (unsigned long)mm->arg_start, (unsigned long)mm->arg_end,
                (unsigned long)mm->env_start, (unsigned long)mm->env_end);
}

void show_statm(struct tree_text *t) {
    struct mm *mm = current_mm();
    struct mm_pages pages = mm_pages(mm, 0, HERMIT_USER_TOP);
    struct layout l = measure(mm);

    text_printf(t, "%lu %lu %lu %lu 0 %lu 0\n", (unsigned long)(mm->mapped / PAGE_SIZE),
                (unsigned long)(pages.resident / PAGE_SIZE),
                (unsigned long)((pages.resident - pages.anon) / PAGE_SIZE),
                (unsigned long)(l.code / PAGE_SIZE),
                (unsigned long)((l.data + l.stack) / PAGE_SIZE));
}

static void show_kb(struct tree_text *t, const char *name, uint64_t bytes) {
    text_printf(t, "%s:\t%8lu kB\n", name, (unsigned long)bytes / KIB);
}

static void show_memory(struct tree_text *t) {
    struct mm *mm = current_mm();
    struct mm_pages pages = mm_pages(mm, 0, HERMIT_USER_TOP);
    struct layout l = measure(mm);

    show_kb(t, "VmPeak", max(mm->mapped_peak, mm->mapped));
    show_kb(t, "VmSize", mm->mapped);
    show_kb(t, "VmLck", 0);
    show_kb(t, "VmPin", 0);
    show_kb(t, "VmHWM", max(frame_usage().peak, pages.resident));
    show_kb(t, "VmRSS", pages.resident);
    show_kb(t, "RssAnon", pages.anon);
    show_kb(t, "RssFile", pages.resident - pages.anon - pages.shmem);
    show_kb(t, "RssShmem", pages.shmem);
    show_kb(t, "VmData", l.data);
    show_kb(t, "VmStk", l.stack);
    show_kb(t, "VmExe", l.code);
    show_kb(t, "VmLib", l.libraries);
    show_kb(t, "VmPTE", pages.tables);
    show_kb(t, "VmSwap", 0);
    show_kb(t, "HugetlbPages", 0);
}

static void show_signals(struct tree_text *t) {
    const struct thread *th = t->thread;
    const struct process *p = th->process;

    text_printf(t, "SigQ:\t%u/%lu\n", p->queued_signals,
                (unsigned long)p->limits[RLIMIT_SIGPENDING].rlim_cur);
    text_printf(t, "SigPnd:\t%016lx\nShdPnd:\t%016lx\n", (unsigned long)th->signals.pending,
                (unsigned long)p->signals.pending);
    text_printf(t, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
                (unsigned long)th->sigmask, (unsigned long)signals_with(SIG_IGNORED, false),
                (unsigned long)signals_with(0, true));
}

static void show_ids(struct tree_text *t) {
    const struct process *p = t->thread->process;

    text_printf(t, "Uid:\t%u\t%u\t%u\t%u\n", p->uid, p->euid, p->suid, p->fsuid);
    text_printf(t, "Gid:\t%u\t%u\t%u\t%u\n", p->gid, p->egid, p->sgid, p->fsgid);
    text_printf(t, "FDSize:\t%u\nGroups:\t", p->fds.size);
    for (uint32_t i = 0; i < p->group_count; i++)
        text_printf(t, "%s%u", i ? " " : "", p->groups[i]);
    text_printf(t, " \nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\nKthread:\t0\n", p->pid,
                t->thread->tid, p->pgid, p->sid);
}

static void show_nodes_allowed(struct tree_text *t) {
    text_printf(t, "Mems_allowed:\t");
    for (int i = 0; i < NODES_MAX / 32 - 1; i++)
        text_printf(t, "00000000,");
    text_printf(t, "00000001\nMems_allowed_list:\t0\n");
}

static void show_cpus_allowed(struct tree_text *t) {
    uint64_t mask = sched_affinity(t->thread);
    const char *comma = "";

    text_printf(t, "Cpus_allowed:\t");
    text_cpu_mask(t, mask);
    text_printf(t, "\nCpus_allowed_list:\t");
    while (mask) {
        uint32_t first = (uint32_t)__builtin_ctzll(mask), count = 0;

        while (first + count < 64 && (mask >> (first + count) & 1))
            mask &= ~(1ULL << (first + count++));
        text_printf(t, "%s", comma);
        text_cpu_list(t, first, count);
        comma = ",";
    }
    text_append(t, "\n", 1);
}

static void show_capabilities(struct tree_text *t) {
    const struct process *p = t->thread->process;

    text_printf(t, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\n",
                (unsigned long)p->caps.inheritable, (unsigned long)p->caps.permitted,
                (unsigned long)p->caps.effective);
    text_printf(t, "CapBnd:\t%016lx\nCapAmb:\t%016lx\nNoNewPrivs:\t%d\n",
                (unsigned long)p->caps.bounding, (unsigned long)p->caps.ambient, p->no_new_privs);
}

void show_status(struct tree_text *t) {
    const struct thread *th = t->thread;
    const struct process *p = th->process;

    text_printf(t, "Name:\t%.15s\nUmask:\t%04o\nState:\t%s\n", th->comm, p->fs.umask,
                state_name(th));
    text_printf(t, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", p->pid, th->tid,
                INIT_PID);
    show_ids(t);
    show_memory(t);
    text_printf(t, "CoreDumping:\t0\nTHP_enabled:\t%d\nuntag_mask:\t0xffffffffffffffff\n",
                !p->thp_disabled);
    text_printf(t, "Threads:\t%u\n", p->thread_count);
    show_signals(t);
    show_capabilities(t);
    text_printf(t, "Seccomp:\t%u\nSeccomp_filters:\t%u\n", th->seccomp_mode, seccomp_depth(th));
    text_printf(t, "Speculation_Store_Bypass:\tunknown\nSpeculationIndirectBranch:\tunknown\n");
    show_cpus_allowed(t);
    show_nodes_allowed(t);
    text_printf(t, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
                (unsigned long)th->switches, (unsigned long)th->preemptions);
}

static void show_sched_ns(struct tree_text *t, const char *name, int64_t ns) {
    text_printf(t, "%-45s:%14lu.%06lu\n", name, (unsigned long)(ns / 1000000),
                (unsigned long)(ns % 1000000));
}

static void show_sched_count(struct tree_text *t, const char *name, int64_t n) {
    text_printf(t, "%-45s:%21ld\n", name, (long)n);
}

void show_sched(struct tree_text *t) {
    const struct thread *th = t->thread;

    text_printf(t, "%.15s (%d, #threads: %u)\n", th->comm, th->tid, th->process->thread_count);
    text_printf(t, "-------------------------------------------------------------------\n");
    show_sched_ns(t, "se.exec_start", clock_monotonic_ns());
    show_sched_ns(t, "se.sum_exec_runtime", sched_cpu_ns(th));
    show_sched_count(t, "nr_switches", (int64_t)(th->switches + th->preemptions));
    show_sched_count(t, "nr_voluntary_switches", (int64_t)th->switches);
    show_sched_count(t, "nr_involuntary_switches", (int64_t)th->preemptions);
    show_sched_count(t, "policy", th->sched.policy);
    show_sched_count(t, "prio",
                     th->sched.priority > 0 ? 99 - th->sched.priority : 120 + th->sched.nice);
}

/* Time in the run queue is not measured. */
void show_schedstat(struct tree_text *t) {
    text_printf(t, "%lu 0 %lu\n", (unsigned long)sched_cpu_ns(t->thread),
                (unsigned long)(t->thread->switches + t->thread->preemptions));
}

void show_syscall(struct tree_text *t) {
    const struct thread *th = t->thread;
    const struct regs *r = th->regs;

    if (th == current_thread() || th->state != THREAD_WAITING) {
        text_printf(t, "running\n");
        return;
    }
    text_printf(t, "%ld 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx\n", (long)r->orig_rax,
                (unsigned long)r->rdi, (unsigned long)r->rsi, (unsigned long)r->rdx,
                (unsigned long)r->r10, (unsigned long)r->r8, (unsigned long)r->r9,
                (unsigned long)r->rsp, (unsigned long)r->rip);
}

/* As oom_badness() in Linux, scaled to 0 .. 2000. */
void show_oom_score(struct tree_text *t) {
    struct mm_pages pages = mm_pages(current_mm(), 0, HERMIT_USER_TOP);
    int64_t total = (int64_t)(frame_usage().limit / PAGE_SIZE);
    int64_t adj = current_process()->oom_score_adj;
    int64_t points = (int64_t)((pages.resident + pages.tables) / PAGE_SIZE);

    if (adj == -1000) {
        text_printf(t, "0\n");
        return;
    }
    points += adj * total / 1000;
    text_printf(t, "%ld\n", (long)(1000 + points * 1000 / max(total, (int64_t)1)) * 2 / 3);
}
