/* SPDX-License-Identifier: MIT */
/* POSIX message queues.  Owns the names and the queues behind them. */
#include <bsd/sys/queue.h>
#include <kernel/clock.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/mqueue.h>
#include <kernel/process.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>
#include <kernel/wait.h>
#include <kernel/waitq.h>

/* Linux's defaults of /proc/sys/fs/mqueue, and what a privileged process may have. */
#define QUEUES_MAX 256
#define DEFAULT_MESSAGES 10
#define DEFAULT_SIZE 8192
#define HARD_MESSAGES 65536
#define HARD_SIZE (16 << 20)
#define MQUEUE_DEV 0x0f /* st_dev */

struct mq_message {
    TAILQ_ENTRY(mq_message) link;
    uint32_t priority;
    uint64_t size;
    char text[];
};

struct mqueue {
    LIST_ENTRY(mqueue) link;
    struct waitq waitq;                /* of senders, receivers and pollers */
    TAILQ_HEAD(, mq_message) messages; /* the highest priority first */
    uint64_t bytes;
    int64_t max_messages, max_size, count;
    uint32_t refs; /* open files, and one for the name */
    uint32_t mode, uid, gid;
    uint64_t ino;
    int64_t atime, mtime, ctime;
    uint32_t receivers;            /* that wait: a notification does not concern their messages */
    const struct process *notify;  /* NULL: nobody */
    const struct file *registered; /* the open file through which that was asked for */
    struct sigevent event;
    char name[];
};

static LIST_HEAD(, mqueue) names;
static uint32_t queue_count;
static uint64_t last_ino = 1;

static void queue_put(struct mqueue *q) {
    if (--q->refs > 0) return;
    while (!TAILQ_EMPTY(&q->messages)) {
        struct mq_message *m = TAILQ_FIRST(&q->messages);
        TAILQ_REMOVE(&q->messages, m, link);
        kfree(m);
    }
    queue_count--;
    kfree(q);
}

static bool can_send(void *arg) {
    const struct mqueue *q = arg;
    return q->count < q->max_messages;
}

static bool can_receive(void *arg) {
    const struct mqueue *q = arg;
    return q->count > 0;
}

static uint32_t mq_poll(struct file *f) {
    struct mqueue *q = f->priv;
    uint32_t events = 0;
    if (can_receive(q)) events |= POLLIN | POLLRDNORM;
    if (can_send(q)) events |= POLLOUT | POLLWRNORM;
    return events;
}

static struct waitq *mq_waitq(struct file *f) {
    struct mqueue *q = f->priv;
    return &q->waitq;
}

/* What /dev/mqueue shows of a queue. */
static int64_t mq_read(struct file *f, const struct uio *u, int64_t *pos) {
    const struct mqueue *q = f->priv;
    char text[96];
    bool signal = q->notify != NULL && q->event.sigev_notify == SIGEV_SIGNAL;
    int len = ksnprintf(text, sizeof(text), "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
                        (unsigned long)q->bytes, q->notify ? q->event.sigev_notify : 0,
                        signal ? q->event.sigev_signo : 0, q->notify ? q->notify->pid : 0);
    if (*pos >= len) return 0;
    uint64_t n = min(u->len, (uint64_t)(len - *pos));
    if (uio_fill(u, 0, text + *pos, n) != 0) return -EFAULT;
    *pos += (int64_t)n;
    return (int64_t)n;
}

static int mq_getattr(struct file *f, struct hc_attr *attr) {
    const struct mqueue *q = f->priv;
    *attr = (struct hc_attr){.ino = q->ino,
                             .dev = MQUEUE_DEV,
                             .nlink = 1,
                             .mode = S_IFREG | q->mode,
                             .uid = q->uid,
                             .gid = q->gid,
                             .blksize = PAGE_SIZE,
                             .size = 80,
                             .atime_ns = q->atime,
                             .mtime_ns = q->mtime,
                             .ctime_ns = q->ctime};
    return 0;
}

static void mq_release(struct file *f) {
    struct mqueue *q = f->priv;
    if (q->registered == f) q->notify = NULL, q->registered = NULL;
    queue_put(q);
}

static const struct file_ops mq_ops = {
    .read = mq_read,
    .poll = mq_poll,
    .waitq = mq_waitq,
    .getattr = mq_getattr,
    .release = mq_release,
};

static struct mqueue *queue_of(struct file *f) { return f->ops == &mq_ops ? f->priv : NULL; }

static struct mqueue *find(const char *name) {
    struct mqueue *q;
    LIST_FOREACH(q, &names, link) {
        if (strcmp(q->name, name) == 0) return q;
    }
    return NULL;
}

static int check_attr(const struct mq_attr *a) {
    bool root = process_capable(CAP_SYS_RESOURCE);
    if (a->mq_maxmsg <= 0 || a->mq_msgsize <= 0) return -EINVAL;
    if (a->mq_maxmsg > (root ? HARD_MESSAGES : DEFAULT_MESSAGES)) return -EINVAL;
    if (a->mq_msgsize > (root ? HARD_SIZE : DEFAULT_SIZE)) return -EINVAL;
    /* RLIMIT_MSGQUEUE counts the messages at their largest. */
    uint64_t bytes = (uint64_t)a->mq_maxmsg * (uint64_t)(a->mq_msgsize + 48);
    return bytes > current_process()->limits[RLIMIT_MSGQUEUE].rlim_cur ? -EMFILE : 0;
}

static int queue_new(const char *name, uint32_t mode, const struct mq_attr *attr,
                     struct mqueue **out) {
    size_t len = strlen(name) + 1;
    int r = attr != NULL ? check_attr(attr) : 0;
    if (r != 0) return r;
    if (queue_count >= QUEUES_MAX && !process_capable(CAP_SYS_RESOURCE)) return -ENOSPC;
    struct mqueue *q = kzalloc(sizeof(*q) + len);
    if (q == NULL) return -ENOMEM;
    memcpy(q->name, name, len);
    waitq_init(&q->waitq);
    TAILQ_INIT(&q->messages);
    q->max_messages = attr != NULL ? attr->mq_maxmsg : DEFAULT_MESSAGES;
    q->max_size = attr != NULL ? attr->mq_msgsize : DEFAULT_SIZE;
    q->mode = mode & 0777 & ~current_process()->fs.umask;
    q->uid = current_process()->fsuid;
    q->gid = current_process()->fsgid;
    q->ino = ++last_ino;
    q->atime = q->mtime = q->ctime = clock_realtime_ns();
    q->refs = 1;
    queue_count++;
    LIST_INSERT_HEAD(&names, q, link);
    *out = q;
    return 0;
}

int mqueue_open(const char *name, uint32_t flags, uint32_t mode, const struct mq_attr *attr,
                struct file **out) {
    static const uint8_t amode[] = {4, 2, 6, 0};
    struct mqueue *q = find(name);
    struct hc_attr of;
    bool fresh = q == NULL;
    int r = 0;
    if ((flags & O_ACCMODE) == O_ACCMODE) return -EINVAL;
    if (fresh) {
        if ((flags & O_CREAT) == 0) return -ENOENT;
        r = queue_new(name, mode, attr, &q);
    } else if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
        return -EEXIST;
    } else {
        of = (struct hc_attr){.mode = S_IFREG | q->mode, .uid = q->uid, .gid = q->gid};
        r = vfs_permission(&of, amode[flags & O_ACCMODE]);
    }
    if (r != 0) return r;
    struct file *f = file_new(&mq_ops, flags & (O_ACCMODE | O_NONBLOCK), S_IFREG);
    if (f == NULL) {
        if (fresh) mqueue_unlink(name);
        return -ENFILE;
    }
    f->priv = q;
    q->refs++;
    *out = f;
    return 0;
}

int mqueue_unlink(const char *name) {
    struct mqueue *q = find(name);
    uint32_t euid = current_process()->fsuid;
    if (q == NULL) return -ENOENT;
    /* The directory is sticky: only the owner. */
    if (!process_capable(CAP_FOWNER) && euid != q->uid) return -EACCES;
    LIST_REMOVE(q, link);
    queue_put(q);
    return 0;
}

static int64_t wait_for(struct file *f, bool (*ready)(void *), int64_t deadline_ns) {
    struct mqueue *q = f->priv;
    if (ready(q)) return 0;
    if ((f->flags & O_NONBLOCK) != 0) return -EAGAIN;
    int r = waitq_wait(&q->waitq, ready, q, deadline_ns);
    return r == -EINTR ? -ERESTARTSYS : r;
}

/* A message came to the empty queue, and nobody was waiting for it. */
static void notify(struct mqueue *q) {
    const struct process *self = current_process();
    if (q->notify == NULL) return;
    if (q->event.sigev_notify == SIGEV_SIGNAL) {
        siginfo_t info = {.si_signo = q->event.sigev_signo, .si_code = SI_MESGQ};
        info.si_value = q->event.sigev_value;
        info.si_pid = self->pid;
        info.si_uid = self->uid;
        signal_send(q->event.sigev_signo, &info);
    }
    q->notify = NULL;
    q->registered = NULL;
}

static void insert(struct mqueue *q, struct mq_message *m) {
    struct mq_message *at;
    TAILQ_FOREACH(at, &q->messages, link) {
        if (at->priority < m->priority) break;
    }
    if (at != NULL)
        TAILQ_INSERT_BEFORE(at, m, link);
    else
        TAILQ_INSERT_TAIL(&q->messages, m, link);
    q->bytes += m->size;
    q->mtime = q->ctime = clock_realtime_ns();
    if (q->count++ == 0 && q->receivers == 0) notify(q);
    waitq_wake(&q->waitq, POLLIN | POLLRDNORM);
}

int64_t mqueue_send(struct file *f, gva_t text, uint64_t len, uint32_t priority,
                    int64_t deadline_ns) {
    struct mqueue *q = queue_of(f);
    if (q == NULL || (f->flags & O_ACCMODE) == O_RDONLY) return -EBADF;
    if (len > (uint64_t)q->max_size) return -EMSGSIZE;
    struct mq_message *m = kmalloc(sizeof(*m) + len);
    if (m == NULL) return -ENOMEM;
    m->priority = priority;
    m->size = len;
    int64_t r = copy_from_user(m->text, text, len) != 0 ? -EFAULT : 0;
    while (r == 0 && !can_send(q))
        r = wait_for(f, can_send, deadline_ns);
    if (r != 0)
        kfree(m);
    else
        insert(q, m);
    return r;
}

int64_t mqueue_receive(struct file *f, gva_t text, uint64_t len, uint32_t *priority,
                       int64_t deadline_ns) {
    struct mqueue *q = queue_of(f);
    int64_t r = 0;
    if (q == NULL || (f->flags & O_ACCMODE) == O_WRONLY) return -EBADF;
    if (len < (uint64_t)q->max_size) return -EMSGSIZE;
    q->receivers++;
    while (r == 0 && !can_receive(q))
        r = wait_for(f, can_receive, deadline_ns);
    q->receivers--;
    if (r != 0) return r;
    struct mq_message *m = TAILQ_FIRST(&q->messages);
    TAILQ_REMOVE(&q->messages, m, link);
    q->count--;
    q->bytes -= m->size;
    q->atime = clock_realtime_ns();
    waitq_wake(&q->waitq, POLLOUT | POLLWRNORM);
    *priority = m->priority;
    r = copy_to_user(text, m->text, m->size) != 0 ? -EFAULT : (int64_t)m->size;
    kfree(m);
    return r;
}

int mqueue_notify(struct file *f, const struct sigevent *event) {
    struct mqueue *q = queue_of(f);
    if (q == NULL) return -EBADF;
    if (event == NULL) {
        if (q->notify == current_process()) q->notify = NULL, q->registered = NULL;
        return 0;
    }
    if (q->notify != NULL) return -EBUSY;
    q->notify = current_process();
    q->registered = f;
    q->event = *event;
    return 0;
}

int mqueue_attr(struct file *f, const struct mq_attr *new, struct mq_attr *old) {
    struct mqueue *q = queue_of(f);
    if (q == NULL) return -EBADF;
    if (old != NULL)
        *old = (struct mq_attr){.mq_flags = f->flags & O_NONBLOCK,
                                .mq_maxmsg = q->max_messages,
                                .mq_msgsize = q->max_size,
                                .mq_curmsgs = q->count};
    if (new != NULL)
        f->flags = (f->flags & ~(uint32_t)O_NONBLOCK) | ((uint32_t) new->mq_flags &O_NONBLOCK);
    return 0;
}
