/* SPDX-License-Identifier: MIT */
/* Threads from creation to end.  Owns thread numbers, kernel stacks and the list of threads. */
#include <kernel/arch.h>
#include <kernel/cpu_timer.h>
#include <kernel/futex.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/posix_timer.h>
#include <kernel/sched.h>
#include <kernel/seccomp.h>
#include <kernel/signal.h>
#include <kernel/smp.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>
#include <kernel/xstate.h>

#include "sched_internal.h"

/* With the heap's header this is a power of two of frames. */
#define KSTACK_BYTES (0x8000 - 32)
#define IDLE_STACK_BYTES (0x2000 - 32)
#define TID_MAX (4 << 20) /* /proc/sys/kernel/pid_max */
#define SAVED_REGISTERS 6 /* of switch_stacks */

extern const char thread_first_run[];

static int32_t last_tid = INIT_PID + 1;
static struct thread *ended;        /* its stack is in use until the next thread runs */
static struct thread *alone_waiter; /* waits until it is the only thread */

void sched_init(struct process *p, struct thread *t) {
    TAILQ_INIT(&p->threads);
    TAILQ_INSERT_TAIL(&p->threads, t, in_process);
    p->leader = t;
    p->thread_count = 1;
    t->kstack_top = percpu()->kstack_top;
    percpu()->vectors = t;
    percpu()->since = arch_tsc();
    percpu()->thread = t;
    if (!sched_cpu_init(percpu())) panic("out of memory at boot");
    percpu()->thread = t;
    leaf_switched(percpu(), t);
}

struct thread *thread_find(int32_t tid) {
    struct thread *t;
    if (tid == 0) return current_thread();
    TAILQ_FOREACH(t, &current_process()->threads, in_process) {
        if (t->tid == tid) return t;
    }
    return NULL;
}

static int32_t new_tid(void) {
    do {
        last_tid = last_tid >= TID_MAX - 1 ? INIT_PID + 1 : last_tid + 1;
    } while (thread_find(last_tid) != NULL);
    return last_tid;
}

int32_t thread_last_tid(void) { return last_tid; }

static void thread_free(struct thread *t) {
    seccomp_thread_exit(t);
    xstate_free(t->xstate);
    kfree(t->kstack);
    if (t->kstack != NULL) kfree(t); /* the boot stack and its thread are static */
}

/* A frame that leaves to the program, and below it what switch_stacks() takes. */
static void lay_out_stack(struct thread *t, uint64_t bytes, const void *first) {
    *(uint64_t *)t->kstack = KSTACK_MAGIC;
    /* As boot_stack_top: the frame of 21 words ends 16-byte aligned. */
    t->kstack_top = (uint64_t)t->kstack + bytes - 8 - (bytes & 15);
    t->regs = (struct regs *)(t->kstack_top - sizeof(struct regs));
    uint64_t *sp = (uint64_t *)t->regs;
    *--sp = (uint64_t)first;
    for (int i = 0; i < SAVED_REGISTERS; i++)
        *--sp = 0;
    t->kernel_rsp = (uint64_t)sp;
}

static void inherit_policy(struct thread *t, const struct thread *from) {
    t->sched = from->sched;
    if (!from->sched.reset_on_fork) return;
    bool realtime = from->sched.priority > 0;
    t->sched = (struct sched_policy){.nice = realtime ? 0 : max(from->sched.nice, 0)};
    if (!realtime) t->sched.policy = from->sched.policy;
}

struct thread *thread_create(void) {
    struct thread *self = current_thread();
    if (self->xstate == NULL) self->xstate = xstate_alloc();
    struct thread *t = self->xstate != NULL ? kzalloc(sizeof(*t)) : NULL;
    if (t == NULL) return NULL;
    t->kstack = kmalloc(KSTACK_BYTES);
    t->xstate = xstate_alloc();
    if (t->kstack == NULL || t->xstate == NULL) {
        xstate_free(t->xstate);
        kfree(t->kstack);
        kfree(t);
        return NULL;
    }
    t->process = self->process;
    t->tid = new_tid();
    memcpy(t->comm, self->comm, sizeof(t->comm));
    t->sigmask = self->sigmask;
    t->altstack.ss_flags = SS_DISABLE;
    t->affinity = self->affinity;
    t->personality = self->personality;
    t->ioprio = self->ioprio;
    seccomp_inherit(t, self);
    inherit_policy(t, self);
    t->full_restore = 1;
    xstate_switch_save(t->xstate);
    __asm__ volatile("rdfsbase %0" : "=r"(t->fs_base));
    t->cpu = self->cpu;
    t->vruntime = self->vruntime; /* not as one that waited long, which ends the creator's slice */
    t->vectors_cpu = UINT32_MAX;
    lay_out_stack(t, KSTACK_BYTES, thread_first_run);
    *t->regs = *self->regs;
    t->regs->rax = 0;
    return t;
}

struct thread *thread_create_idle(struct percpu *cpu, void (*main)(void)) {
    struct thread *t = kzalloc(sizeof(*t));
    if (t == NULL) return NULL;
    t->kstack = kmalloc(IDLE_STACK_BYTES);
    if (t->kstack == NULL) {
        kfree(t);
        return NULL;
    }
    t->process = current_process();
    t->cpu = cpu->id;
    lay_out_stack(t, IDLE_STACK_BYTES, (const void *)(uint64_t)main);
    if (cpu->kstack_top == 0) cpu->kstack_top = t->kstack_top;
    return t;
}

void thread_start(struct thread *t) {
    TAILQ_INSERT_TAIL(&t->process->threads, t, in_process);
    t->process->thread_count++;
    cpu_start_next();
    sched_enqueue(t);
}

void thread_discard(struct thread *t) { thread_free(t); }

void thread_reap(void) {
    if (ended == NULL || ended == current_thread()) return;
    thread_free(ended);
    ended = NULL;
}

static void clear_tid(struct thread *t) {
    uint32_t zero = 0;
    if (t->clear_tid == 0 || put_user(zero, t->clear_tid) != 0) return;
    futex_wake(t->clear_tid, true, 1, FUTEX_BITSET_MATCH_ANY);
}

void thread_exit(int status) {
    struct thread *t = current_thread();
    struct process *p = t->process;
    futex_thread_exit(t);
    clear_tid(t);
    t->killed = false;
    if (t == p->leader) p->leader_status = status;
    if (--p->thread_count == 0) process_exit(p->leader_status);
    t->state = THREAD_ZOMBIE;
    posix_timers_thread_exit(t);
    cpu_timer_thread_exit(t);
    signal_thread_exit(t);
    sched_account();
    p->ended_cycles += t->cpu_cycles;
    t->cpu_cycles = 0;
    if (t != p->leader) {
        TAILQ_REMOVE(&p->threads, t, in_process);
        ended = t;
    }
    if (alone_waiter != NULL && p->thread_count == 1) sched_wake(alone_waiter);
    sched_switch_away();
    __builtin_unreachable();
}

void thread_kill_others(void) {
    struct thread *self = current_thread(), *t;
    struct process *p = self->process;
    if (self->killed) thread_exit(0); /* another execve was first */
    TAILQ_FOREACH(t, &p->threads, in_process) {
        if (t == self || t->state == THREAD_ZOMBIE) continue;
        t->killed = true;
        sched_wake(t);
        sched_interrupt(t);
    }
    alone_waiter = self;
    while (p->thread_count > 1)
        wait_sleep();
    alone_waiter = NULL;
    if (self == p->leader) return;
    TAILQ_REMOVE(&p->threads, p->leader, in_process);
    thread_free(p->leader);
    p->leader = self;
    self->tid = p->pid;
    leaf_changed();
}
