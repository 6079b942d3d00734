/* SPDX-License-Identifier: MIT */
/* Sockets as open files, and the table of address families. */
#include <kernel/clock.h>
#include <kernel/file_owner.h>
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/socket.h>
#include <kernel/wait.h>

#define SOCKET_DEV 0x08       /* st_dev of every socket */
#define DEFAULT_BUFFER 212992 /* net.core.wmem_default and rmem_default */

static const struct socket_family *const families[] = {&unix_family, &inet_family, &inet6_family,
                                                       &netlink_family};

static uint64_t next_ino = 8192;

void socket_init(struct socket *s, const struct socket_ops *ops, int family, int type,
                 int protocol) {
    const struct process *p = current_process();

    s->ops = ops;
    s->family = (uint16_t)family;
    s->type = (uint16_t)type;
    s->protocol = protocol;
    waitq_init(&s->waitq);
    s->peer_cred = (struct k_ucred){0, UINT32_MAX, UINT32_MAX};
    s->ino = next_ino++;
    s->mode = S_IFSOCK | 0777;
    s->uid = p->euid;
    s->gid = p->egid;
    s->time_ns = clock_realtime_ns();
    s->sndbuf = s->rcvbuf = DEFAULT_BUFFER;
    s->rcvlowat = 1;
    s->send_timeout_ns = s->recv_timeout_ns = WAIT_FOREVER;
    s->peek_offset = -1;
}

int socket_create(int family, int type, int protocol, struct socket **out) {
    if (family < 0 || family >= AF_COUNT) return -EAFNOSUPPORT;
    if (type < 0 || type >= SOCK_TYPE_COUNT) return -EINVAL;
    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        if (families[i]->family == family) return families[i]->create(type, protocol, out);
    return -EAFNOSUPPORT;
}

int socket_take_error(struct socket *s) {
    int error = s->error;

    s->error = 0;
    return -error;
}

int64_t socket_deadline(int64_t timeout_ns, bool nonblock) {
    int64_t at;

    if (nonblock || timeout_ns == 0) return 0;
    if (timeout_ns < 0) return WAIT_FOREVER;
    if (__builtin_add_overflow(clock_monotonic_ns(), timeout_ns, &at)) return INT64_MAX;
    return at;
}

int socket_wait(struct waitq *q, bool (*ready)(void *arg), void *arg, int64_t deadline_ns) {
    int r;

    if (deadline_ns == 0) return -EAGAIN;
    r = waitq_wait(q, ready, arg, deadline_ns);
    if (r == -ETIMEDOUT) return -EAGAIN;
    return r == -EINTR && deadline_ns < 0 ? -ERESTARTSYS : r;
}

/* The file. */

static uint32_t io_flags(const struct file *f) { return f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0; }

static int64_t file_recv(struct file *f, const struct uio *u, int64_t *pos) {
    struct socket *s = f->priv;
    struct sock_msg m = {.data = u, .flags = io_flags(f)};

    if (u->len == 0) return 0;
    return s->ops->recv ? s->ops->recv(s, &m) : -EOPNOTSUPP;
}

static int64_t file_send(struct file *f, const struct uio *u, int64_t *pos) {
    struct socket *s = f->priv;
    struct sock_msg m = {.data = u, .flags = io_flags(f)};

    if (s->type == SOCK_SEQPACKET) m.flags |= MSG_EOR;
    return s->ops->send ? s->ops->send(s, &m) : -EOPNOTSUPP;
}

static uint32_t file_events(struct file *f) {
    struct socket *s = f->priv;

    return s->ops->poll(s);
}

static struct waitq *file_queue(struct file *f) {
    struct socket *s = f->priv;

    return &s->waitq;
}

static int64_t file_request(struct file *f, uint32_t request, gva_t arg) {
    struct socket *s = f->priv;
    int owner;

    if (request == FIOSETOWN || request == SIOCSPGRP)
        return get_user(owner, arg) ? -EFAULT : file_owner_fcntl(f, F_SETOWN, (uint64_t)owner);
    if (request == FIOGETOWN || request == SIOCGPGRP) {
        owner = (int)file_owner_fcntl(f, F_GETOWN, 0);
        return put_user(owner, arg);
    }
    int64_t r = s->ops->ioctl ? s->ops->ioctl(s, request, arg) : -ENOTTY;

    return r == -ENOTTY ? socket_ioctl_interface(request, arg) : r;
}

static int file_attr(struct file *f, struct hc_attr *attr) {
    const struct socket *s = f->priv;

    *attr = (struct hc_attr){
        .ino = s->ino,
        .dev = SOCKET_DEV,
        .nlink = 1,
        .mode = s->mode,
        .uid = s->uid,
        .gid = s->gid,
        .blksize = PAGE_SIZE,
        .atime_ns = s->time_ns,
        .mtime_ns = s->time_ns,
        .ctime_ns = s->time_ns,
    };
    return 0;
}

/* fchmod(2) and fchown(2): bind(2) gives the mode to the name that it makes. */
static int file_change(struct file *f, const struct hc_attr *attr, uint32_t mask) {
    uint32_t euid = current_process()->euid;
    struct socket *s = f->priv;

    if (euid != 0 && euid != s->uid) return -EPERM;
    if (euid != 0 && (mask & HC_SET_UID) && attr->uid != s->uid) return -EPERM;
    if (euid != 0 && (mask & HC_SET_GID) && attr->gid != current_process()->egid) return -EPERM;
    if (mask & HC_SET_MODE) s->mode = S_IFSOCK | (attr->mode & 07777);
    if (mask & HC_SET_UID) s->uid = attr->uid;
    if (mask & HC_SET_GID) s->gid = attr->gid;
    return 0;
}

static int file_reopen(struct file *f, struct file *out) { return -ENXIO; }

static void file_release(struct file *f) {
    struct socket *s = f->priv;

    s->file = NULL;
    s->ops->release(s);
}

static const struct file_ops socket_file_ops = {
    .async = true,
    .read = file_recv,
    .write = file_send,
    .poll = file_events,
    .waitq = file_queue,
    .ioctl = file_request,
    .getattr = file_attr,
    .setattr = file_change,
    .reopen = file_reopen,
    .release = file_release,
};

struct file *socket_file(struct socket *s, uint32_t flags) {
    struct file *f = file_new(&socket_file_ops, (flags & O_NONBLOCK) | O_RDWR, S_IFSOCK);

    if (!f) {
        s->ops->release(s);
        return NULL;
    }
    f->priv = s;
    s->file = f;
    return f;
}

int64_t socket_send_file(struct file *out, struct file *in, int64_t pos, uint64_t len) {
    struct socket *s = socket_of(out);
    uint32_t handle;

    if (s == NULL || s->ops->send_file == NULL || in->ops->host_piece == NULL) return -EOPNOTSUPP;
    int64_t n = in->ops->host_piece(in, pos, &handle);
    if (n <= 0) return n;
    return s->ops->send_file(s, handle, pos, min(len, (uint64_t)n), out->flags & O_NONBLOCK);
}

struct socket *socket_of(const struct file *f) {
    return f->ops == &socket_file_ops ? f->priv : NULL;
}
