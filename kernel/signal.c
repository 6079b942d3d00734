/* SPDX-License-Identifier: MIT */
/* Signals: generation, queues, masks.  Owns the nodes of all signal queues. signal(7). */
#include <kernel/heap.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/string.h>

#include "signal_internal.h"

#define STOP_SIGNALS (SIG_BIT(SIGSTOP) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGTTIN) | SIG_BIT(SIGTTOU))
#define IGNORED_SIGNALS (SIG_BIT(SIGCHLD) | SIG_BIT(SIGURG) | SIG_BIT(SIGWINCH) | SIG_BIT(SIGCONT))

/* One queued signal with its details. */
struct signal_node {
    struct signal_node *next;
    struct signal_source *source; /* NULL: nobody wants to know */
    siginfo_t info;
};

struct waitq signal_waitq = {TAILQ_HEAD_INITIALIZER(signal_waitq.entries)};

bool signal_default_ignored(int sig) { return (IGNORED_SIGNALS & SIG_BIT(sig)) != 0; }

static bool is_ignored(const struct thread *t, int sig) {
    uint64_t handler = t->process->actions[sig - 1].handler;
    if (t->sigmask & SIG_BIT(sig)) return false; /* it may be unblocked with a handler set */
    if (handler == (uint64_t)SIG_IGN) return true;
    return handler == (uint64_t)SIG_DFL && signal_default_ignored(sig);
}

static void node_free(struct process *p, struct signal_node *n, siginfo_t *info) {
    struct signal_source *s = n->source;
    kfree(n);
    p->queued_signals--;
    if (s == NULL) return;
    s->node = NULL;
    s->taken(s, info);
}

static void queue_discard(struct process *p, struct signal_queue *q, uint64_t set) {
    if (!(q->pending & set)) return;
    q->pending &= ~set;
    for (struct signal_node **link = &q->head; *link;) {
        struct signal_node *n = *link;
        if (set & SIG_BIT(n->info.si_signo)) {
            *link = n->next;
            node_free(p, n, NULL);
        } else {
            link = &n->next;
        }
    }
}

/* Details are kept even beyond the limit where losing them would change what a program sees of
 * the kernel's own signals; only sigqueue(3) can fail. */
static int queue_add(struct process *p, struct signal_queue *q, int sig, const siginfo_t *info,
                     struct signal_source *source) {
    bool realtime = sig >= SIGRTMIN;
    if (!realtime && (q->pending & SIG_BIT(sig)) && source == NULL) return 0;
    struct signal_node *n = NULL;
    bool unbounded = source != NULL || (!realtime && info->si_code >= 0);
    if (unbounded || p->queued_signals < p->limits[RLIMIT_SIGPENDING].rlim_cur)
        n = kmalloc(sizeof(*n));
    if (n) {
        n->next = NULL;
        n->source = source;
        if (source != NULL) source->node = n;
        n->info = *info;
        n->info.si_signo = sig;
        struct signal_node **link = &q->head;
        while (*link)
            link = &(*link)->next;
        *link = n;
        p->queued_signals++;
    } else if (source != NULL || (realtime && info->si_code != SI_USER)) {
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
        node_free(p, n, info);
        for (n = *link; n && n->info.si_signo != sig;)
            n = n->next;
    } else {
        memset(info, 0, sizeof(*info));
        info->si_signo = sig;
    }
    if (!n) q->pending &= ~SIG_BIT(sig);
    return sig;
}

static void discard_all(struct process *p, uint64_t set) {
    struct thread *t;
    queue_discard(p, &p->signals, set);
    TAILQ_FOREACH(t, &p->threads, in_process) { queue_discard(p, &t->signals, set); }
}

/* A stop cancels a waiting SIGCONT and the other way round; SIGCONT works even if ignored. */
static void cancel_opposites(struct process *p, int sig) {
    struct thread *t;
    if (STOP_SIGNALS & SIG_BIT(sig)) discard_all(p, SIG_BIT(SIGCONT));
    if (sig != SIGCONT) return;
    discard_all(p, STOP_SIGNALS);
    if (!p->stopped) return;
    p->stopped = false;
    TAILQ_FOREACH(t, &p->threads, in_process) { sched_wake(t); }
}

static bool takes(const struct thread *t, int sig) {
    if (t->state == THREAD_ZOMBIE || t->killed) return false;
    return !(t->sigmask & SIG_BIT(sig)) || (t->sigwait & SIG_BIT(sig));
}

/* Who gets a signal for the process: the leader if it lets it through, as in Linux. */
static struct thread *taker(struct process *p, int sig) {
    struct thread *t;
    TAILQ_FOREACH(t, &p->threads, in_process) {
        if (takes(t, sig)) return t;
    }
    return NULL;
}

/* Makes t look at its signals. */
static void notify(struct thread *t, int sig) {
    if (!takes(t, sig)) return;
    sched_wake(t);
    sched_interrupt(t);
}

static int send(struct thread *t, struct signal_queue *q, int sig, const siginfo_t *info,
                struct signal_source *source) {
    struct process *p = t->process;
    siginfo_t user;
    if (!info) {
        memset(&user, 0, sizeof(user));
        user.si_pid = p->pid;
        user.si_uid = p->uid;
        info = &user;
    }
    cancel_opposites(p, sig);
    if (is_ignored(t, sig)) return 0;
    int r = queue_add(p, q, sig, info, source);
    if (q == &p->signals) t = taker(p, sig);
    if (t != NULL) notify(t, sig);
    waitq_wake(&signal_waitq, POLLIN);
    return r;
}

int signal_send(int sig, const siginfo_t *info) {
    struct process *p = current_process();
    return send(p->leader, &p->signals, sig, info, NULL);
}

int signal_send_thread(struct thread *t, int sig, const siginfo_t *info) {
    return send(t, &t->signals, sig, info, NULL);
}

bool signal_send_source(struct signal_source *s, struct thread *t, int sig, const siginfo_t *info) {
    struct process *p = current_process();
    if (t == NULL)
        send(p->leader, &p->signals, sig, info, s);
    else
        send(t, &t->signals, sig, info, s);
    return s->node != NULL;
}

void signal_source_detach(struct signal_source *s) {
    if (s->node != NULL) s->node->source = NULL;
    s->node = NULL;
}

void signal_force_info(int sig, const siginfo_t *info) {
    struct thread *t = current_thread();
    struct k_sigaction *action = &t->process->actions[sig - 1];
    bool blocked = (t->sigmask & SIG_BIT(sig)) != 0;
    if (blocked || action->handler == (uint64_t)SIG_IGN) {
        action->handler = (uint64_t)SIG_DFL;
        t->sigmask &= ~SIG_BIT(sig);
    }
    send(t, &t->signals, sig, info, NULL);
}

void signal_force(int sig, int code, gva_t addr) {
    struct thread *t = current_thread();
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_code = code;
    if (code != SI_KERNEL) {
        info.si_addr = (void *)addr;
        if (sig == SIGSEGV || sig == SIGBUS) t->trap_cr2 = addr;
    }
    signal_force_info(sig, &info);
}

uint64_t signal_pending_set(void) {
    const struct thread *t = current_thread();
    return t->signals.pending | t->process->signals.pending;
}

bool signal_pending(void) {
    const struct thread *t = current_thread();
    return t->killed || (signal_pending_set() & ~t->sigmask) != 0;
}

int signal_take(uint64_t set, siginfo_t *info) {
    struct thread *t = current_thread();
    int sig = queue_take(t->process, &t->signals, set, info);
    return sig ? sig : queue_take(t->process, &t->process->signals, set, info);
}

void signal_discard(uint64_t set) { discard_all(current_process(), set); }

/* The current thread no longer takes these: others may. */
static void pass_to_others(uint64_t set) {
    struct process *p = current_process();
    for (set &= p->signals.pending; set; set &= set - 1) {
        int sig = __builtin_ctzll(set) + 1;
        struct thread *t = taker(p, sig);
        if (t != NULL) notify(t, sig);
    }
}

void signal_set_mask(uint64_t mask) {
    struct thread *t = current_thread();
    uint64_t blocked = mask & ~t->sigmask;
    t->sigmask = mask & ~UNBLOCKABLE_SIGNALS;
    pass_to_others(blocked);
    if (signal_pending()) percpu()->pending = 1;
}

void signal_thread_exit(struct thread *t) {
    queue_discard(t->process, &t->signals, ~0ULL);
    pass_to_others(~0ULL);
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
