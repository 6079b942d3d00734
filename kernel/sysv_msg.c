/* SPDX-License-Identifier: MIT */
/* System V message queues: msgget(2), msgop(2), msgctl(2).  Owns the queues. */
#include <kernel/clock.h>
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>
#include <kernel/sysv_ipc.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>
#include <kernel/waitq.h>

#include <bsd/sys/queue.h>

#define QUEUES_MAX 32000 /* MSGMNI */

struct message {
    TAILQ_ENTRY(message) link;
    int64_t type;
    uint64_t size;
    char text[];
};

struct msg_queue {
    struct sysv_object object; /* first */
    struct waitq waitq;        /* of senders and receivers */
    TAILQ_HEAD(, message) messages;
    uint64_t bytes, count;
    uint64_t limit; /* msg_qbytes */
    int64_t stime, rtime, ctime;
    int32_t last_sender, last_receiver;
};

static struct sysv_table queues = {.limit = QUEUES_MAX};

static int64_t now_seconds(void) { return clock_realtime_ns() / NSEC_PER_SEC; }

static void queue_put(struct msg_queue *q) {
    struct message *m, *next;
    if (--q->object.refs > 0) return;
    TAILQ_FOREACH_SAFE(m, &q->messages, link, next) { kfree(m); }
    kfree(q);
}

int64_t sysv_msgget(int32_t key, uint32_t flags) {
    struct sysv_object *o;
    int r = sysv_get(&queues, key, flags, &o);
    if (r <= 0) return r < 0 ? r : o->id;
    struct msg_queue *q = kzalloc(sizeof(*q));
    if (q == NULL) return -ENOMEM;
    waitq_init(&q->waitq);
    TAILQ_INIT(&q->messages);
    q->limit = MSGMNB;
    q->ctime = now_seconds();
    r = sysv_add(&queues, &q->object, key, flags);
    if (r < 0) kfree(q);
    return r;
}

/* A msgsnd(2) or msgrcv(2) that may have to wait. */
struct msg_request {
    struct msg_queue *queue;
    uint64_t size; /* of the message to send */
    int64_t type;  /* of the message to receive */
    uint32_t flags;
};

static bool has_room(void *arg) {
    const struct msg_request *r = arg;
    const struct msg_queue *q = r->queue;
    return q->object.removed || (r->size + q->bytes <= q->limit && q->count + 1 <= q->limit);
}

static int64_t wait_for(struct msg_request *r, bool (*ready)(void *)) {
    int err = waitq_wait(&r->queue->waitq, ready, r, WAIT_FOREVER);
    if (r->queue->object.removed) return -EIDRM;
    return err == -EINTR ? -ERESTARTNOHAND : err;
}

static int64_t send(struct msg_request *r, struct message *m) {
    struct msg_queue *q = r->queue;
    while (!has_room(r)) {
        if ((r->flags & IPC_NOWAIT) != 0) return -EAGAIN;
        int64_t err = wait_for(r, has_room);
        if (err != 0) return err;
    }
    if (q->object.removed) return -EIDRM;
    TAILQ_INSERT_TAIL(&q->messages, m, link);
    q->bytes += m->size;
    q->count++;
    q->last_sender = current_process()->pid;
    q->stime = now_seconds();
    waitq_wake(&q->waitq, 0);
    return 0;
}

int64_t sysv_msgsnd(int32_t id, gva_t msg, uint64_t size, uint32_t flags) {
    struct sysv_object *o;
    int64_t type;
    if (get_user(type, msg) != 0) return -EFAULT;
    if (size > MSGMAX || id < 0 || type < 1) return -EINVAL;
    struct message *m = kmalloc(sizeof(*m) + size);
    if (m == NULL) return -ENOMEM;
    m->type = type;
    m->size = size;
    int64_t err = copy_from_user(m->text, msg + sizeof(type), size) != 0 ? -EFAULT : 0;
    if (err == 0) err = sysv_find(&queues, id, &o);
    if (err == 0) err = sysv_permission(o, 2);
    if (err == 0) {
        struct msg_request r = {.queue = (struct msg_queue *)o, .size = size, .flags = flags};
        o->refs++;
        err = send(&r, m);
        queue_put(r.queue);
    }
    if (err != 0) kfree(m);
    return err;
}

static bool matches(const struct message *m, const struct msg_request *r) {
    if (r->type == 0) return true;
    if (r->type < 0) return m->type <= -r->type;
    return (m->type == r->type) == ((r->flags & MSG_EXCEPT) == 0);
}

/* What msgrcv(2) takes: the first that matches, or the first of the lowest type that does. */
static struct message *choose(const struct msg_request *r) {
    struct message *m, *best = NULL;
    TAILQ_FOREACH(m, &r->queue->messages, link) {
        if (!matches(m, r)) continue;
        if (r->type >= 0) return m;
        if (best == NULL || m->type < best->type) best = m;
    }
    return best;
}

static bool has_message(void *arg) {
    const struct msg_request *r = arg;
    return r->queue->object.removed || choose(r) != NULL;
}

/* Takes a message off the queue: 0 or -errno. */
static int64_t receive(struct msg_request *r, uint64_t size, struct message **out) {
    struct msg_queue *q = r->queue;
    struct message *m = NULL;
    while ((m = choose(r)) == NULL) {
        if ((r->flags & IPC_NOWAIT) != 0) return -ENOMSG;
        int64_t err = wait_for(r, has_message);
        if (err != 0) return err;
    }
    if (m->size > size && (r->flags & MSG_NOERROR) == 0) return -E2BIG;
    TAILQ_REMOVE(&q->messages, m, link);
    q->bytes -= m->size;
    q->count--;
    q->last_receiver = current_process()->pid;
    q->rtime = now_seconds();
    waitq_wake(&q->waitq, 0);
    *out = m;
    return 0;
}

int64_t sysv_msgrcv(int32_t id, gva_t msg, uint64_t size, int64_t type, uint32_t flags) {
    struct sysv_object *o;
    struct message *m = NULL;
    if (id < 0 || (int64_t)size < 0) return -EINVAL;
    if ((flags & MSG_COPY) != 0) return -ENOSYS; /* as a Linux without checkpoint/restore */
    int64_t err = sysv_find(&queues, id, &o);
    if (err == 0) err = sysv_permission(o, 4);
    if (err != 0) return err;
    struct msg_request r = {(struct msg_queue *)o, 0, max(type, -INT64_MAX), flags};
    o->refs++;
    err = receive(&r, size, &m);
    queue_put(r.queue);
    if (err != 0) return err;
    uint64_t n = min(size, m->size);
    bool bad = put_user(m->type, msg) != 0 || copy_to_user(msg + sizeof(m->type), m->text, n) != 0;
    kfree(m);
    return bad ? -EFAULT : (int64_t)n;
}

static int64_t stat_queue(const struct msg_queue *q, gva_t to) {
    struct msqid64_ds ds = {
        .msg_stime = q->stime,
        .msg_rtime = q->rtime,
        .msg_ctime = q->ctime,
        .msg_cbytes = q->bytes,
        .msg_qnum = q->count,
        .msg_qbytes = q->limit,
        .msg_lspid = q->last_sender,
        .msg_lrpid = q->last_receiver,
    };
    sysv_perm_out(&q->object, &ds.msg_perm);
    return put_user(ds, to);
}

static int64_t change_queue(struct msg_queue *q, int32_t cmd, gva_t from) {
    struct msqid64_ds ds;
    if (cmd == IPC_SET && get_user(ds, from) != 0) return -EFAULT;
    int r = sysv_owner(&q->object);
    if (r != 0) return r;
    if (cmd == IPC_SET) {
        if (ds.msg_qbytes > MSGMNB && !process_capable(CAP_SYS_RESOURCE)) return -EPERM;
        r = sysv_perm_set(&q->object, &ds.msg_perm);
        if (r != 0) return r;
        q->limit = ds.msg_qbytes;
        q->ctime = now_seconds();
    } else {
        sysv_remove(&queues, &q->object);
    }
    waitq_wake(&q->waitq, 0);
    if (cmd == IPC_RMID) queue_put(q);
    return 0;
}

static int64_t info(int32_t cmd, gva_t to) {
    struct msginfo i = {
        .msgpool = MSGPOOL,
        .msgmap = MSGMAP,
        .msgmax = MSGMAX,
        .msgmnb = MSGMNB,
        .msgmni = QUEUES_MAX,
        .msgssz = MSGSSZ,
        .msgtql = MSGTQL,
        .msgseg = (unsigned short)MSGSEG,
    };
    if (cmd == MSG_INFO) {
        i.msgpool = (int)queues.used;
        i.msgmap = i.msgtql = 0;
        for (uint32_t n = 0; n < queues.size; n++) {
            const struct msg_queue *q = (const struct msg_queue *)queues.slots[n];
            if (q == NULL) continue;
            i.msgmap += (int)q->count;
            i.msgtql += (int)q->bytes;
        }
    }
    int32_t last = sysv_max_index(&queues);
    return put_user(i, to) != 0 ? -EFAULT : max(last, 0);
}

int64_t sysv_msgctl(int32_t id, int32_t cmd, gva_t arg) {
    struct sysv_object *o;
    bool by_index = cmd == MSG_STAT || cmd == MSG_STAT_ANY;
    if (id < 0 || cmd < 0) return -EINVAL;
    if (cmd == IPC_INFO || cmd == MSG_INFO) return info(cmd, arg);
    if (!by_index && cmd != IPC_STAT && cmd != IPC_SET && cmd != IPC_RMID) return -EINVAL;
    int64_t r = by_index ? sysv_find_index(&queues, id, &o) : sysv_find(&queues, id, &o);
    if (r != 0) return r;
    struct msg_queue *q = (struct msg_queue *)o;
    if (cmd == IPC_SET || cmd == IPC_RMID) return change_queue(q, cmd, arg);
    r = cmd == MSG_STAT_ANY ? 0 : sysv_permission(o, 4);
    if (r == 0) r = stat_queue(q, arg);
    return r == 0 && by_index ? o->id : r;
}
