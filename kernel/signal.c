/* SPDX-License-Identifier: MIT */
/* Signals: generation, queues, masks.  Owns the nodes of all signal queues. signal(7). */
#include <kernel/heap.h>
#include <kernel/signal.h>
#include <kernel/string.h>

#include "signal_internal.h"

#define STOP_SIGNALS (SIG_BIT(SIGSTOP) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGTTIN) | SIG_BIT(SIGTTOU))
#define IGNORED_SIGNALS (SIG_BIT(SIGCHLD) | SIG_BIT(SIGURG) | SIG_BIT(SIGWINCH) | SIG_BIT(SIGCONT))

/* One queued signal with its details. */
struct signal_node {
    struct signal_node *next;
    siginfo_t info;
};

bool signal_default_ignored(int sig) { return (IGNORED_SIGNALS & SIG_BIT(sig)) != 0; }

static bool is_ignored(const struct thread *t, int sig) {
    uint64_t handler = t->process->actions[sig - 1].handler;
    if (t->sigmask & SIG_BIT(sig)) return false; /* it may be unblocked with a handler set */
    if (handler == (uint64_t)SIG_IGN) return true;
    return handler == (uint64_t)SIG_DFL && signal_default_ignored(sig);
}

static void queue_discard(struct process *p, struct signal_queue *q, uint64_t set) {
    if (!(q->pending & set)) return;
    q->pending &= ~set;
    for (struct signal_node **link = &q->head; *link;) {
        struct signal_node *n = *link;
        if (set & SIG_BIT(n->info.si_signo)) {
            *link = n->next;
            kfree(n);
            p->queued_signals--;
        } else {
            link = &n->next;
        }
    }
}

/* Details are kept even beyond the limit where losing them would change what a program sees of
 * the kernel's own signals; only sigqueue(3) can fail. */
static int queue_add(struct process *p, struct signal_queue *q, int sig, const siginfo_t *info) {
    bool realtime = sig >= SIGRTMIN;
    if (!realtime && (q->pending & SIG_BIT(sig))) return 0;
    struct signal_node *n = NULL;
    bool unbounded = !realtime && info->si_code >= 0;
    if (unbounded || p->queued_signals < p->limits[RLIMIT_SIGPENDING].rlim_cur)
        n = kmalloc(sizeof(*n));
    if (n) {
        n->next = NULL;
        n->info = *info;
        n->info.si_signo = sig;
        struct signal_node **link = &q->head;
        while (*link)
            link = &(*link)->next;
        *link = n;
        p->queued_signals++;
    } else if (realtime && info->si_code != SI_USER) {
        return -EAGAIN;
    }
    q->pending |= SIG_BIT(sig);
    return 0;
}

static int queue_take(struct process *p, struct signal_queue *q, uint64_t set, siginfo_t *info) {
    uint64_t ready = q->pending & set;
    if (ready & SYNCHRONOUS_SIGNALS) ready &= SYNCHRONOUS_SIGNALS;
    if (!ready) return 0;
    int sig = __builtin_ctzll(ready) + 1;
    struct signal_node **link = &q->head;
    while (*link && (*link)->info.si_signo != sig)
        link = &(*link)->next;
    struct signal_node *n = *link;
    if (n) {
        *info = n->info;
        *link = n->next;
        kfree(n);
        p->queued_signals--;
        for (n = *link; n && n->info.si_signo != sig;)
            n = n->next;
    } else {
        memset(info, 0, sizeof(*info));
        info->si_signo = sig;
    }
    if (!n) q->pending &= ~SIG_BIT(sig);
    return sig;
}

/* A stop cancels a waiting SIGCONT and the other way round; SIGCONT works even if ignored. */
static void cancel_opposites(struct thread *t, int sig) {
    struct process *p = t->process;
    uint64_t opposite = 0;
    if (sig == SIGCONT) opposite = STOP_SIGNALS;
    if (STOP_SIGNALS & SIG_BIT(sig)) opposite = SIG_BIT(SIGCONT);
    queue_discard(p, &p->signals, opposite);
    queue_discard(p, &t->signals, opposite);
    if (sig == SIGCONT) p->stopped = false;
}

static int send(struct thread *t, struct signal_queue *q, int sig, const siginfo_t *info) {
    siginfo_t user;
    if (!info) {
        memset(&user, 0, sizeof(user));
        user.si_pid = t->process->pid;
        user.si_uid = t->process->uid;
        info = &user;
    }
    cancel_opposites(t, sig);
    if (is_ignored(t, sig)) return 0;
    int r = queue_add(t->process, q, sig, info);
    if (signal_pending()) percpu()->pending = 1;
    return r;
}

int signal_send(int sig, const siginfo_t *info) {
    struct thread *t = current_thread();
    return send(t, &t->process->signals, sig, info);
}

int signal_send_thread(struct thread *t, int sig, const siginfo_t *info) {
    return send(t, &t->signals, sig, info);
}

void signal_force(int sig, int code, gva_t addr) {
    struct thread *t = current_thread();
    struct k_sigaction *action = &t->process->actions[sig - 1];
    bool blocked = (t->sigmask & SIG_BIT(sig)) != 0;
    if (blocked || action->handler == (uint64_t)SIG_IGN) {
        action->handler = (uint64_t)SIG_DFL;
        t->sigmask &= ~SIG_BIT(sig);
    }
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_code = code;
    if (code != SI_KERNEL) {
        info.si_addr = (void *)addr;
        if (sig == SIGSEGV || sig == SIGBUS) t->trap_cr2 = addr;
    }
    send(t, &t->signals, sig, &info);
}

uint64_t signal_pending_set(void) {
    const struct thread *t = current_thread();
    return t->signals.pending | t->process->signals.pending;
}

bool signal_pending(void) { return (signal_pending_set() & ~current_thread()->sigmask) != 0; }

int signal_take(uint64_t set, siginfo_t *info) {
    struct thread *t = current_thread();
    int sig = queue_take(t->process, &t->signals, set, info);
    return sig ? sig : queue_take(t->process, &t->process->signals, set, info);
}

void signal_discard(uint64_t set) {
    struct thread *t = current_thread();
    queue_discard(t->process, &t->signals, set);
    queue_discard(t->process, &t->process->signals, set);
}

void signal_set_mask(uint64_t mask) {
    current_thread()->sigmask = mask & ~UNBLOCKABLE_SIGNALS;
    if (signal_pending()) percpu()->pending = 1;
}

void signal_set_temporary_mask(uint64_t mask) {
    struct thread *t = current_thread();
    t->saved_sigmask = t->sigmask;
    t->restore_sigmask = true;
    signal_set_mask(mask);
}

void signal_restore_mask(void) {
    struct thread *t = current_thread();
    if (!t->restore_sigmask) return;
    t->restore_sigmask = false;
    signal_set_mask(t->saved_sigmask);
}

void signal_reset_handlers(void) {
    struct thread *t = current_thread();
    for (int i = 0; i < NSIGNALS; i++) {
        struct k_sigaction *a = &t->process->actions[i];
        uint64_t handler = a->handler == (uint64_t)SIG_IGN ? a->handler : (uint64_t)SIG_DFL;
        *a = (struct k_sigaction){.handler = handler};
    }
    t->altstack = (stack_t){0};
    t->restart = NULL;
}
