/* SPDX-License-Identifier: MIT */
/* The process and its threads: what Linux keeps in task_struct and its shared parts. */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <hermit/linux_abi.h>
#include <kernel/leaf.h>
#include <kernel/types.h>

struct mm;
struct strace_call;
struct file;

/* Registers of an interrupted or calling program; the order is that of the entry code. */
struct regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t orig_rax; /* system call number, or -1 for a trap */
    uint64_t rip, cs, rflags, rsp, ss;
};

struct fd_table {
    struct file **files;
    uint8_t *cloexec;
    uint32_t size; /* slots */
    uint32_t hint; /* no slot below is free */
};

struct fs_state {
    char *cwd; /* canonical; "" once that directory was removed */
    uint32_t umask;
};

struct signal_node;
struct signal_queue {
    uint64_t pending;         /* SIG_BIT; a bit without a node is a signal without details */
    struct signal_node *head; /* in order of arrival */
};

/* capabilities(7), bits by CAP_*. */
struct capabilities {
    uint64_t effective, permitted, inheritable, bounding, ambient;
};

/* What went through read(2) and write(2): /proc/self/io. */
struct io_account {
    uint64_t rchar, wchar; /* bytes */
    uint64_t syscr, syscw; /* calls */
};

TAILQ_HEAD(thread_list, thread);
RB_HEAD(run_tree, thread);
struct _xstate;
struct seccomp_filter;

/* A timer on a CPU-time clock (cpu_timer.h); part of the object that it is for, all zero with
 * `fire` set while it is not set. */
struct cpu_timer {
    void (*fire)(struct cpu_timer *t);
    struct thread *thread; /* whose clock it is, NULL: the process's */
    bool ended;            /* that thread is no more */
    bool set;
    int64_t deadline_ns, interval_ns; /* of that clock */
    TAILQ_ENTRY(cpu_timer) link;
};

TAILQ_HEAD(posix_timer_list, posix_timer);

/* Process 1 is the program's parent, as in a container with an init: the kernel itself as far as it
 * is a process.  It has no memory and no files, and takes no signals. */
#define INIT_PID 1

struct process {
    int32_t pid;
    struct mm *mm;
    struct thread_list threads; /* in order of creation, zombies included */
    uint32_t thread_count;      /* that have not ended */
    struct thread *leader;      /* the one whose number is the process's */
    int32_t leader_status;      /* exit(2) of the leader, which the last thread answers with */
    struct fd_table fds;
    struct fs_state fs;
    uint32_t uid, gid, euid, egid, suid, sgid, fsuid, fsgid;
    struct capabilities caps;
    uint32_t securebits;
    int32_t pgid, sid;
    char *exe; /* canonical path */
    struct k_sigaction actions[NSIGNALS];
    struct signal_queue signals; /* sent to the process: any thread may take them */
    uint32_t queued_signals;     /* nodes in all queues, bounded by RLIMIT_SIGPENDING */
    bool stopped;                /* by SIGSTOP and the like, until SIGCONT */
    struct rlimit limits[RLIM_NLIMITS];
    int64_t itimer_deadline_ns; /* ITIMER_REAL: CLOCK_MONOTONIC, 0: off */
    int64_t itimer_interval_ns;
    struct cpu_timer itimer_virtual, itimer_prof, cpu_limit;
    struct posix_timer_list timers; /* of timer_create(2), by number */
    int32_t next_timer;
    uint64_t start_ns;
    uint64_t ended_cycles; /* CPU time of threads that have ended */
    uint64_t faults;
    uint32_t *groups; /* supplementary, owned */
    uint32_t group_count;
    int32_t pdeath_signal;
    uint64_t timer_slack_ns;                  /* 0: the default */
    uint32_t membarriers;                     /* membarrier(2) commands that were registered for */
    bool undumpable, subreaper, no_new_privs; /* prctl(2) */
    bool thp_disabled, io_flusher;            /* likewise */
    uint8_t mce_kill;                         /* likewise: PR_MCE_KILL_* */
    int32_t oom_score_adj, oom_score_adj_min; /* what /proc/self/oom_score_adj was set to */
    uint32_t coredump_filter;
    struct io_account io;
};

/* How a thread is scheduled. sched(7). */
struct sched_policy {
    int32_t policy;   /* SCHED_* */
    int32_t priority; /* of SCHED_FIFO and SCHED_RR, else 0 */
    int32_t nice;
    bool reset_on_fork;
};

enum thread_state {
    THREAD_RUNNABLE, /* running or in the run queue */
    THREAD_WAITING,
    THREAD_ZOMBIE, /* ended; only the leader stays like this, as its number is the process's */
};

/* What a thread in wait_until() waits for. */
struct wait {
    bool (*ready)(void *arg);
    void *arg;
    struct hc_wait_fd *fds;
    uint32_t count;
    int64_t deadline_ns;
    uint32_t watched_at; /* wait.c: where the loader looks at them */
};

struct thread {
    struct process *process;
    int32_t tid;
    char comm[16];
    struct regs *regs; /* the program's registers while the thread is in the kernel */
    uint64_t sigmask;
    uint64_t saved_sigmask; /* restored after the handler by sigsuspend, ppoll, pselect */
    bool restore_sigmask;
    struct signal_queue signals;            /* sent to this thread, and faults */
    stack_t altstack;                       /* ss_size 0: none */
    uint64_t trap_nr, trap_error, trap_cr2; /* of the last fault, for signal frames */
    uint64_t fs_base;
    gva_t clear_tid;
    gva_t robust_list;
    uint32_t mempolicy, mempolicy_nodes; /* set_mempolicy(2) */
    uint32_t personality;                /* personality(2) */
    uint32_t ioprio;                     /* ioprio_set(2): IOPRIO_PRIO_VALUE, 0: not set */
    uint64_t affinity;                   /* CPUs that sched_setaffinity(2) chose, 0: all */
    uint32_t cpu;                        /* where it runs, or ran last */
    int64_t (*restart)(struct thread *); /* restart_syscall(2) */
    uint64_t restart_arg[4];
    gva_t rseq;                     /* its area, 0: none */
    uint32_t rseq_sig, rseq_cpu;    /* rseq_cpu: what the area says */
    bool rseq_work;                 /* rseq_leave() has something to do */
    uint32_t seccomp_mode;          /* SECCOMP_MODE_* */
    struct seccomp_filter *seccomp; /* the newest */
    bool in_fault;                  /* a fault report is being written */
    bool killed; /* by another thread's execve: ends on its way out of the kernel */

    /* Of the scheduler. */
    TAILQ_ENTRY(thread) in_process;
    TAILQ_ENTRY(thread) queued; /* in a list of waiting threads */
    RB_ENTRY(thread) run_node;  /* in a run queue */
    struct sched_policy sched;
    uint64_t vruntime; /* weighted cycles it has had, comparable with those of its CPU's others */
    uint64_t queue_order; /* first come, first served among equals */
    enum thread_state state;
    struct wait wait;
    uint64_t sigwait;          /* signals that rt_sigtimedwait(2) waits for */
    void *kstack;              /* owned; NULL: the boot stack */
    uint64_t kstack_top;       /* percpu's while the thread runs */
    uint64_t kernel_rsp;       /* while it does not */
    uint64_t full_restore;     /* percpu's while it does not */
    struct _xstate *xstate;    /* likewise; owned */
    uint32_t vectors_cpu;      /* whose registers hold the state, if that CPU thinks so too */
    uint64_t cpu_cycles;       /* up to the last switch */
    uint64_t switches;         /* voluntary */
    struct strace_call *trace; /* of --strace: the call that the thread is in, or NULL */
    uint64_t preemptions;
    uint64_t faults;
};

enum cpu_idle { CPU_BUSY, CPU_POLLING, CPU_HALTED };

struct percpu {
    /* The offsets are known to entry.S and monitor.S through percpu_offsets.h. */
    struct percpu *self;
    uint64_t kstack_top;
    uint64_t user_rsp;
    uint64_t scratch;
    uint64_t scratch2;
    uint64_t pending; /* work for the exit path; set on interrupts and by others, under the lock */
    uint64_t full_restore; /* leave with iretq: rcx and r11 are the program's own */
    uint64_t cr2;
    uint64_t trap_rax;
    struct thread *thread;
    uint64_t gate;             /* 1; a division by 0 here has the monitor load CR3, and ends as 1 */
    uint64_t trap_stack[53];   /* ring 0: TSS.RSP0; its top is the mailbox that trap_entry reads */
    uint64_t irq_stack[64];    /* ring 0: IST1 */
    uint32_t id;               /* read by the vDSO, too */
    uint32_t in_user;          /* out of the kernel, or on its way */
    gpa_t root;                /* page tables in CR3 */
    uint64_t leaf_flags;       /* what a leaf call pushes */
    uint64_t leaf_stack;       /* where it does so: the address of this word */
    uint32_t leaf[LEAF_COUNT]; /* what leaf calls answer */
    uint32_t flush;            /* reload CR3 before anything of the program is touched */
    uint32_t idle;             /* enum cpu_idle */
    struct run_tree runnable;  /* threads that wait for the CPU, by vruntime */
    uint32_t queued;           /* their number */
    uint32_t poll_us;          /* how long to poll before halting */
    uint64_t min_vruntime;     /* no waiting thread of this CPU falls much behind it */
    uint64_t since;            /* TSC when the running thread got the CPU or was accounted for */
    uint64_t slice_start;      /* TSC when the running thread was switched to */
    uint64_t slice_end;        /* TSC */
    struct thread *idle_thread;
    uint64_t busy_cycles;   /* up to `since`: of all threads but the idle one */
    struct thread *vectors; /* whose vector registers the CPU holds */
};

static inline struct percpu *percpu(void) {
    struct percpu *p;
    __asm__ volatile("mov %%gs:0, %0" : "=r"(p)); /* another CPU's after a switch */
    return p;
}
/* The thread that runs here. */
static inline struct thread *current_thread(void) {
    struct thread *t;
    __asm__("mov %%gs:%c1, %0" : "=r"(t) : "i"(offsetof(struct percpu, thread)));
    return t;
}
static inline struct process *current_process(void) { return current_thread()->process; }
static inline struct mm *current_mm(void) { return current_process()->mm; }

/* Does the current process have this capability (CAP_*) in effect? */
bool process_capable(int cap);

/* File descriptors of the current process.  fd_get takes a reference (NULL: EBADF). */
struct file *fd_get(int fd);
/* Lowest free descriptor >= from for f, or -EMFILE, -ENOMEM.  Takes over the reference unless it
 * fails; so does fd_replace. */
int fd_install(struct file *f, int from, bool cloexec);
/* 0, or -EMFILE when there is no free descriptor. */
int fd_available(void);
/* dup2(2)'s last step: closes what is there. */
int fd_replace(struct file *f, int fd, bool cloexec);
int fd_close(int fd);
int fd_get_cloexec(int fd);
int fd_set_cloexec(int fd, bool on);
/* Closes [first, last]; cloexec_only: marks them instead of closing when mark is set. */
void fd_close_range(uint32_t first, uint32_t last, bool mark_cloexec);
void fd_close_on_exec(void);

/* Replaces the program: 0 (registers are set up; leave through the exit path) or -errno. */
int exec_program(struct file *exe, const char *path, char *const *argv, uint32_t argc,
                 char *const *envp, uint32_t envc);

/* Ends the virtual machine. */
_Noreturn void process_exit(int status);
_Noreturn void process_die(int sig);

#endif
