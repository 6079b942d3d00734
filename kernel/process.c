/* SPDX-License-Identifier: MIT */
/* The first process and thread, and the end of the virtual machine. */
#include <hermit/boot.h>
#include <kernel/clock.h>
#include <kernel/creds.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/hostnet.h>
#include <kernel/process.h>
#include <kernel/process_init.h>
#include <kernel/sched.h>
#include <kernel/sysv_ipc.h>

#define PROGRAM_PID (INIT_PID + 1)

static struct process first_process;
static struct thread first_thread;

static struct process init_process = {.pid = INIT_PID, .pgid = INIT_PID, .sid = INIT_PID};
static struct thread init_thread = {
    .process = &init_process, .tid = INIT_PID, .comm = "init", .state = THREAD_WAITING};

const struct thread *thread_seen(int32_t tid) {
    return tid == INIT_PID ? &init_thread : thread_find(tid);
}

static void init_limits(struct rlimit *limits) {
    for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
        limits[i].rlim_cur = limits[i].rlim_max = RLIM_INFINITY;
    }
    limits[RLIMIT_STACK].rlim_cur = 8ULL << 20;
    limits[RLIMIT_CORE].rlim_cur = 0;
    limits[RLIMIT_NOFILE] = (struct rlimit){1024, 1048576};
    limits[RLIMIT_NPROC] = (struct rlimit){32768, 32768};
    limits[RLIMIT_SIGPENDING] = (struct rlimit){4096, 4096};
    limits[RLIMIT_MEMLOCK] = (struct rlimit){8ULL << 20, 8ULL << 20};
    limits[RLIMIT_MSGQUEUE] = (struct rlimit){819200, 819200};
    limits[RLIMIT_NICE] = (struct rlimit){0, 0};
    limits[RLIMIT_RTPRIO] = (struct rlimit){0, 0};
}

void process_init(const struct hermit_boot *boot) {
    struct process *p = &first_process;
    struct thread *t = &first_thread;
    p->pid = p->pgid = t->tid = PROGRAM_PID; /* a job of its own in the session of its parent */
    p->sid = INIT_PID;
    p->uid = boot->uid;
    p->gid = boot->gid;
    p->euid = p->suid = p->fsuid = boot->euid;
    p->egid = p->sgid = p->fsgid = boot->egid;
    creds_init(p);
    creds_init(&init_process);
    p->mce_kill = PR_MCE_KILL_DEFAULT;
    p->coredump_filter = 0x33; /* MMF_DUMP_FILTER_DEFAULT and ELF headers, as core(5) says */
    p->fs.umask = boot->umask;
    p->start_ns = (uint64_t)clock_monotonic_ns();
    init_limits(p->limits);
    t->process = p;
    sched_init(p, t);
    t->altstack.ss_flags = SS_DISABLE;
    t->regs = (struct regs *)(percpu()->kstack_top - sizeof(struct regs));
}

void process_exit(int status) {
    sysv_sem_exit(current_process());
    hostnet_finish();
    hypercall_exit(HC_EXIT_PROGRAM, (uint32_t)status & 0xff);
}

void process_die(int sig) {
    hostnet_finish();
    hypercall_exit(HC_EXIT_SIGNAL, (uint32_t)sig);
}
