/* SPDX-License-Identifier: MIT */
/* Restartable sequences. rseq(2).  Owns nothing. */
#include <kernel/rseq.h>
#include <kernel/signal.h>
#include <kernel/smp.h>
#include <kernel/uaccess.h>

#define RSEQ_SIZE 32u /* of the area and its alignment */
#define DEPRECATED_FLAGS                                                                           \
    ((uint32_t)(RSEQ_CS_FLAG_NO_RESTART_ON_PREEMPT | RSEQ_CS_FLAG_NO_RESTART_ON_SIGNAL |           \
                RSEQ_CS_FLAG_NO_RESTART_ON_MIGRATE))

/* What the kernel writes, at the start of the area and behind its flags. */
struct place {
    uint32_t cpu_id_start, cpu_id;
};
struct place_more {
    uint32_t node_id, mm_cid; /* bytes that Linux 6.1 reserves */
};
#define MORE_OFFSET 20

_Static_assert(sizeof(struct rseq) == RSEQ_SIZE, "Linux ABI");
_Static_assert(offsetof(struct rseq, flags) + sizeof(uint32_t) == MORE_OFFSET, "Linux ABI");

static int put_place(gva_t area, struct place place, uint32_t cid) {
    const struct place_more more = {.mm_cid = cid};
    int r = put_user(place, area);
    return r != 0 ? r : put_user(more, area + MORE_OFFSET);
}

int rseq_register(gva_t area, uint32_t len, uint32_t sig) {
    struct thread *t = current_thread();
    if (t->rseq != 0) {
        if (t->rseq != area || len != RSEQ_SIZE) return -EINVAL;
        return t->rseq_sig != sig ? -EPERM : -EBUSY;
    }
    if (area % RSEQ_SIZE != 0 || len != RSEQ_SIZE) return -EINVAL;
    if (area >= HERMIT_USER_TOP) return -EFAULT;
    t->rseq = area;
    t->rseq_sig = sig;
    t->rseq_work = area != 0;
    percpu()->pending = 1;
    return 0;
}

int rseq_unregister(gva_t area, uint32_t len, uint32_t sig) {
    struct thread *t = current_thread();
    const struct place none = {.cpu_id = (uint32_t)RSEQ_CPU_ID_UNINITIALIZED};
    if (t->rseq != area || area == 0 || len != RSEQ_SIZE) return -EINVAL;
    if (t->rseq_sig != sig) return -EPERM;
    int r = put_place(area, none, 0);
    if (r == 0) rseq_forget(t);
    return r;
}

void rseq_forget(struct thread *t) {
    t->rseq = 0;
    t->rseq_sig = 0;
    t->rseq_work = false;
}

void rseq_switched(struct thread *t) {
    if (likely(t->rseq == 0)) return;
    bool in_program = t->regs->orig_rax == ~0ULL; /* a sequence contains no system calls */
    if (!in_program && t->rseq_cpu == percpu()->id) return;
    t->rseq_work = true;
    percpu()->pending = 1;
}

/* The descriptor of the sequence that the thread says it is in; address 0: none. */
static int get_sequence(const struct thread *t, gva_t *at, struct rseq_cs *cs) {
    uint32_t sig;
    if (get_user(*at, t->rseq + offsetof(struct rseq, rseq_cs)) != 0) return -EFAULT;
    if (*at == 0) return 0;
    if (*at >= HERMIT_USER_TOP || get_user(*cs, *at) != 0) return -EFAULT;
    uint64_t end = cs->start_ip + cs->post_commit_offset;
    if (cs->version != 0 || cs->start_ip >= HERMIT_USER_TOP || end >= HERMIT_USER_TOP ||
        cs->abort_ip >= HERMIT_USER_TOP || end < cs->start_ip)
        return -EINVAL;
    if (cs->abort_ip - cs->start_ip < cs->post_commit_offset) return -EINVAL;
    if (get_user(sig, cs->abort_ip - sizeof(sig)) != 0) return -EFAULT;
    return sig == t->rseq_sig ? 0 : -EINVAL;
}

/* Aborts the sequence that regs are in, and forgets one that they have left. */
static int abort_sequence(const struct thread *t, struct regs *regs) {
    struct rseq_cs cs;
    gva_t at;
    uint64_t none = 0;
    uint32_t flags;
    int r = get_sequence(t, &at, &cs);
    if (r != 0 || at == 0) return r;
    bool inside = regs->rip - cs.start_ip < cs.post_commit_offset;
    if (inside) {
        if (get_user(flags, t->rseq + offsetof(struct rseq, flags)) != 0) return -EFAULT;
        if ((flags | cs.flags) & DEPRECATED_FLAGS) return -EINVAL;
    }
    if (put_user(none, t->rseq + offsetof(struct rseq, rseq_cs)) != 0) return -EFAULT;
    if (inside) {
        regs->rip = cs.abort_ip;
        percpu()->full_restore = 1;
    }
    return 0;
}

static int update(struct thread *t, struct regs *regs) {
    int r = abort_sequence(t, regs);
    if (r != 0) return r;
    uint32_t cpu = percpu()->id;
    t->rseq_work = false;
    t->rseq_cpu = cpu;
    return put_place(t->rseq, (struct place){cpu, cpu}, cpu);
}

int rseq_before_signal(struct regs *regs) {
    struct thread *t = current_thread();
    return likely(t->rseq == 0) ? 0 : update(t, regs);
}

void rseq_leave(struct regs *regs) {
    struct thread *t = current_thread();
    if (likely(!t->rseq_work) || update(t, regs) == 0) return;
    t->rseq_work = false;
    signal_force(SIGSEGV, SI_KERNEL, 0);
}

void rseq_abort_running(int only) {
    struct percpu *cpu;
    for (uint32_t i = 0; (cpu = cpu_get(i)) != NULL; i++) {
        if ((only >= 0 && (uint32_t)only != i) || cpu->thread->rseq == 0) continue;
        cpu->thread->rseq_work = true;
        cpu->pending = 1;
    }
}
