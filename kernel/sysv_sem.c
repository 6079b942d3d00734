/* SPDX-License-Identifier: MIT */
/* System V semaphores: semget(2), semop(2), semctl(2).  Owns the sets. */
#include <kernel/clock.h>
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>
#include <kernel/sysv_ipc.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>
#include <kernel/waitq.h>

#include <bsd/sys/queue.h>

struct sem {
    uint16_t value;
    int32_t pid; /* of the last operation */
};

/* What one process's end adds to the semaphores of a set. */
struct sem_undo {
    LIST_ENTRY(sem_undo) link;
    const struct process *process;
    int16_t adjust[];
};

struct sem_set {
    struct sysv_object object; /* first */
    struct waitq waitq;
    LIST_HEAD(, sem_undo) undos;
    TAILQ_HEAD(, sem_request) waiting;
    int64_t otime, ctime; /* seconds */
    uint32_t count;
    struct sem sems[];
};

/* A semop(2) in progress. */
struct sem_request {
    TAILQ_ENTRY(sem_request) link;
    struct sem_set *set;
    const struct sembuf *ops;
    struct sem_undo *undo;
    const struct sembuf *blocked; /* the operation that cannot go on */
    uint32_t count;
    int32_t pid;
};

static struct sysv_table sets = {.limit = SEMMNI};
static uint32_t sem_total;

static int64_t now_seconds(void) { return clock_realtime_ns() / NSEC_PER_SEC; }

static void set_put(struct sem_set *s) {
    struct sem_undo *u, *next;
    if (--s->object.refs > 0) return;
    LIST_FOREACH_SAFE(u, &s->undos, link, next) { kfree(u); }
    kfree(s);
}

int64_t sysv_semget(int32_t key, int32_t count, uint32_t flags) {
    struct sysv_object *o;
    if (count < 0 || count > SEMMSL) return -EINVAL;
    int r = sysv_get(&sets, key, flags, &o);
    if (o != NULL && r != -EEXIST && (uint32_t)count > ((struct sem_set *)o)->count) return -EINVAL;
    if (r <= 0) return r < 0 ? r : o->id;
    if (count == 0) return -EINVAL;
    struct sem_set *s = kzalloc(sizeof(*s) + (uint32_t)count * sizeof(s->sems[0]));
    if (s == NULL) return -ENOMEM;
    waitq_init(&s->waitq);
    TAILQ_INIT(&s->waiting);
    s->count = (uint32_t)count;
    s->ctime = now_seconds();
    r = sysv_add(&sets, &s->object, key, flags);
    if (r < 0)
        kfree(s);
    else
        sem_total += s->count;
    return r;
}

/* Undoes the first n operations of a request that cannot be carried out as a whole. */
static void roll_back(const struct sem_request *q, uint32_t n) {
    while (n-- > 0) {
        const struct sembuf *op = &q->ops[n];
        q->set->sems[op->sem_num].value -= (uint16_t)op->sem_op;
        if ((op->sem_flg & SEM_UNDO) != 0) q->undo->adjust[op->sem_num] += op->sem_op;
    }
}

/* One operation: 0, -ERANGE, or 1 if it has to wait. */
static int apply_one(const struct sem_request *q, const struct sembuf *op) {
    struct sem *sem = &q->set->sems[op->sem_num];
    int value = sem->value + op->sem_op;
    if (op->sem_op == 0) return sem->value != 0;
    if (value < 0) return 1;
    if (value > SEMVMX) return -ERANGE;
    if ((op->sem_flg & SEM_UNDO) != 0) {
        int adjust = q->undo->adjust[op->sem_num] - op->sem_op;
        if (adjust < -SEMAEM - 1 || adjust > SEMAEM) return -ERANGE;
        q->undo->adjust[op->sem_num] = (int16_t)adjust;
    }
    sem->value = (uint16_t)value;
    return 0;
}

/* All operations or none: 0, -ERANGE, -EAGAIN, or 1 if q->blocked has to wait. */
static int apply(struct sem_request *q) {
    for (uint32_t i = 0; i < q->count; i++) {
        int r = apply_one(q, &q->ops[i]);
        if (r == 0) continue;
        roll_back(q, i);
        q->blocked = &q->ops[i];
        return r > 0 && (q->ops[i].sem_flg & IPC_NOWAIT) != 0 ? -EAGAIN : r;
    }
    return 0;
}

/* Would apply() do anything else than wait? */
static bool can_go_on(void *arg) {
    struct sem_request *q = arg;
    if (q->set->object.removed) return true;
    int r = apply(q);
    if (r == 0) roll_back(q, q->count);
    return r != 1;
}

static struct sem_undo *undo_of(struct sem_set *s) {
    const struct process *p = current_process();
    struct sem_undo *u;
    LIST_FOREACH(u, &s->undos, link) {
        if (u->process == p) return u;
    }
    u = kzalloc(sizeof(*u) + s->count * sizeof(u->adjust[0]));
    if (u == NULL) return NULL;
    u->process = p;
    LIST_INSERT_HEAD(&s->undos, u, link);
    return u;
}

static int64_t perform(struct sem_request *q, int64_t deadline_ns) {
    struct sem_set *s = q->set;
    int r;
    while ((r = apply(q)) == 1) {
        TAILQ_INSERT_TAIL(&s->waiting, q, link);
        r = waitq_wait(&s->waitq, can_go_on, q, deadline_ns);
        TAILQ_REMOVE(&s->waiting, q, link);
        if (s->object.removed) return -EIDRM;
        if (r != 0) return r == -ETIMEDOUT ? -EAGAIN : r; /* never restarted: signal(7) */
    }
    if (r != 0) return r;
    bool changed = false;
    for (uint32_t i = 0; i < q->count; i++) {
        s->sems[q->ops[i].sem_num].pid = q->pid;
        changed |= q->ops[i].sem_op != 0;
    }
    s->otime = now_seconds();
    if (changed) waitq_wake(&s->waitq, 0);
    return 0;
}

int64_t sysv_semop(int32_t id, const struct sembuf *ops, uint32_t count, int64_t deadline_ns) {
    struct sysv_object *o;
    bool alters = false, undo = false;
    int64_t r = sysv_find(&sets, id, &o);
    if (r != 0) return r;
    struct sem_set *s = (struct sem_set *)o;
    for (uint32_t i = 0; i < count; i++) {
        if (ops[i].sem_num >= s->count) return -EFBIG;
        alters |= ops[i].sem_op != 0;
        undo |= (ops[i].sem_flg & SEM_UNDO) != 0;
    }
    r = sysv_permission(o, alters ? 2 : 4);
    if (r != 0) return r;
    struct sem_request q = {.set = s, .ops = ops, .count = count, .pid = current_process()->pid};
    if (undo) q.undo = undo_of(s);
    if (undo && q.undo == NULL) return -ENOMEM;
    o->refs++;
    r = perform(&q, deadline_ns);
    set_put(s);
    return r;
}

void sysv_sem_exit(const struct process *p) {
    for (uint32_t i = 0; i < sets.size; i++) {
        struct sem_set *s = (struct sem_set *)sets.slots[i];
        struct sem_undo *u, *next;
        if (s == NULL) continue;
        LIST_FOREACH_SAFE(u, &s->undos, link, next) {
            if (u->process != p) continue;
            for (uint32_t n = 0; n < s->count; n++) {
                int value = s->sems[n].value + u->adjust[n];
                s->sems[n].value = (uint16_t)min(max(value, 0), SEMVMX);
                if (u->adjust[n] != 0) s->sems[n].pid = p->pid;
            }
            LIST_REMOVE(u, link);
            kfree(u);
            waitq_wake(&s->waitq, 0);
        }
    }
}

/* Waiters whose operation on the semaphore waits for zero, or for more. */
static int64_t count_waiting(const struct sem_set *s, int32_t index, bool zero) {
    const struct sem_request *q;
    int64_t n = 0;
    TAILQ_FOREACH(q, &s->waiting, link) {
        if (q->blocked->sem_num == index && (q->blocked->sem_op == 0) == zero) n++;
    }
    return n;
}

/* SETVAL and SETALL cancel what was to be undone. */
static void forget_undo(struct sem_set *s, uint32_t index) {
    struct sem_undo *u;
    LIST_FOREACH(u, &s->undos, link) { u->adjust[index] = 0; }
}

static int64_t get_all(const struct sem_set *s, gva_t to) {
    for (uint32_t i = 0; i < s->count; i++) {
        uint16_t value = s->sems[i].value;
        if (put_user(value, to + i * sizeof(value)) != 0) return -EFAULT;
    }
    return 0;
}

static int64_t set_all(struct sem_set *s, gva_t from) {
    uint16_t *values = kmalloc(s->count * sizeof(values[0]));
    int64_t r = 0;
    if (values == NULL) return -ENOMEM;
    if (copy_from_user(values, from, s->count * sizeof(values[0])) != 0) r = -EFAULT;
    for (uint32_t i = 0; i < s->count && r == 0; i++)
        if (values[i] > SEMVMX) r = -ERANGE;
    for (uint32_t i = 0; i < s->count && r == 0; i++) {
        s->sems[i] = (struct sem){values[i], current_process()->pid};
        forget_undo(s, i);
    }
    kfree(values);
    if (r != 0) return r;
    s->ctime = now_seconds();
    waitq_wake(&s->waitq, 0);
    return 0;
}

/* The commands that concern one semaphore. */
static int64_t control_one(struct sem_set *s, int32_t index, int32_t cmd, uint64_t arg) {
    if (index < 0 || (uint32_t)index >= s->count) return -EINVAL;
    struct sem *sem = &s->sems[index];
    switch (cmd) {
    case GETVAL:
        return sem->value;
    case GETPID:
        return sem->pid;
    case GETNCNT:
        return count_waiting(s, index, false);
    case GETZCNT:
        return count_waiting(s, index, true);
    default:
        if ((int32_t)arg < 0 || (int32_t)arg > SEMVMX) return -ERANGE;
        *sem = (struct sem){(uint16_t)arg, current_process()->pid};
        forget_undo(s, (uint32_t)index);
        s->ctime = now_seconds();
        waitq_wake(&s->waitq, 0);
        return 0;
    }
}

static int64_t stat_set(const struct sem_set *s, gva_t to) {
    struct semid64_ds ds = {.sem_otime = s->otime, .sem_ctime = s->ctime, .sem_nsems = s->count};
    sysv_perm_out(&s->object, &ds.sem_perm);
    return put_user(ds, to);
}

static int64_t change_set(struct sem_set *s, int32_t cmd, gva_t from) {
    struct semid64_ds ds;
    int r;
    if (cmd == IPC_SET) {
        if (get_user(ds, from) != 0) return -EFAULT;
        r = sysv_perm_set(&s->object, &ds.sem_perm);
        if (r == 0) s->ctime = now_seconds();
        return r;
    }
    r = sysv_owner(&s->object);
    if (r != 0) return r;
    sysv_remove(&sets, &s->object);
    sem_total -= s->count;
    waitq_wake(&s->waitq, 0);
    set_put(s);
    return 0;
}

static int64_t info(int32_t cmd, gva_t to) {
    struct seminfo i = {
        .semmap = SEMMAP,
        .semmni = SEMMNI,
        .semmns = SEMMNS,
        .semmnu = SEMMNU,
        .semmsl = SEMMSL,
        .semopm = SEMOPM,
        .semume = SEMUME,
        .semusz = cmd == SEM_INFO ? (int)sets.used : SEMUSZ,
        .semvmx = SEMVMX,
        .semaem = cmd == SEM_INFO ? (int)sem_total : SEMAEM,
    };
    int32_t last = sysv_max_index(&sets);
    return put_user(i, to) != 0 ? -EFAULT : max(last, 0);
}

int64_t sysv_semctl(int32_t id, int32_t index, int32_t cmd, uint64_t arg) {
    struct sysv_object *o;
    bool by_index = cmd == SEM_STAT || cmd == SEM_STAT_ANY;
    if (id < 0) return -EINVAL;
    if (cmd == IPC_INFO || cmd == SEM_INFO) return info(cmd, arg);
    bool known = by_index || cmd == IPC_STAT || cmd == IPC_SET || cmd == IPC_RMID ||
                 (cmd >= GETPID && cmd <= SETALL);
    if (!known) return -EINVAL;
    int64_t r = by_index ? sysv_find_index(&sets, id, &o) : sysv_find(&sets, id, &o);
    if (r != 0) return r;
    struct sem_set *s = (struct sem_set *)o;
    if (cmd == IPC_SET || cmd == IPC_RMID) return change_set(s, cmd, arg);
    r = cmd == SEM_STAT_ANY ? 0 : sysv_permission(o, cmd == SETVAL || cmd == SETALL ? 2 : 4);
    if (r != 0) return r;
    switch (cmd) {
    case IPC_STAT:
        return stat_set(s, arg);
    case SEM_STAT:
    case SEM_STAT_ANY:
        r = stat_set(s, arg);
        return r == 0 ? o->id : r;
    case GETALL:
        return get_all(s, arg);
    case SETALL:
        return set_all(s, arg);
    default:
        return control_one(s, index, cmd, arg);
    }
}
