/* SPDX-License-Identifier: MIT */
/* Messages: send(2), recv(2) and their relatives. */
#include <kernel/clock.h>
#include <kernel/heap.h>
#include <syscall/protos.h>
#include <syscall/user_socket.h>
#include <syscall/user_time.h>

#define CONTROL_MAX 20480u /* net.core.optmem_max, bytes */
#define HEADER_AT(base, field) ((base) + offsetof(struct k_msghdr, field))

static uint32_t with_nonblock(const struct file *f, uint32_t flags) {
    return f->flags & O_NONBLOCK ? flags | MSG_DONTWAIT : flags;
}

static int64_t send_on(struct socket *s, struct sock_msg *m) {
    return s->ops->send != NULL ? s->ops->send(s, m) : -EOPNOTSUPP;
}

static int64_t recv_on(struct socket *s, struct sock_msg *m) {
    return s->ops->recv != NULL ? s->ops->recv(s, m) : -EOPNOTSUPP;
}

/* sendto(2) */
int64_t sys_sendto(int fd, gva_t buf, uint64_t len, uint32_t flags, gva_t addr_at,
                   uint32_t addr_len) {
    struct file *f;
    struct socket *s;
    int64_t r = socket_get(fd, &f, &s);
    if (r != 0) return r;
    struct iovec vec;
    struct uio u = uio_one(&vec, buf, len);
    struct sock_addr addr;
    struct sock_msg m = {.data = &u, .flags = with_nonblock(f, flags)};
    if (addr_at != 0) r = sock_addr_get(&addr, addr_at, (int32_t)addr_len);
    if (addr_at != 0 && addr_len != 0) m.addr = &addr;
    if (r == 0) r = send_on(s, &m);
    file_put(f);
    return r;
}

/* recvfrom(2) */
int64_t sys_recvfrom(int fd, gva_t buf, uint64_t len, uint32_t flags, gva_t addr_at, gva_t len_at) {
    struct file *f;
    struct socket *s;
    int64_t r = socket_get(fd, &f, &s);
    if (r != 0) return r;
    struct iovec vec;
    struct uio u = uio_one(&vec, buf, len);
    struct sock_addr addr = {0};
    struct sock_msg m = {
        .data = &u, .flags = with_nonblock(f, flags), .addr = addr_at != 0 ? &addr : NULL};
    r = recv_on(s, &m);
    file_put(f);
    if (r < 0 || addr_at == 0) return r;
    int err = sock_addr_put(&addr, addr_at, len_at);
    return err != 0 ? err : r;
}

/* A message header of the program and what it points to. */
struct message {
    struct k_msghdr header;
    struct user_iov iov;
    struct sock_addr addr;
    uint8_t *control; /* owned */
    struct sock_msg m;
};

/* Reads the header at `at` and the vector, and a sender's address; message_put() frees what this
 * leaves. */
static int message_get(struct message *msg, gva_t at, bool send) {
    struct k_msghdr *h = &msg->header;
    int err = 0;
    if (get_user(*h, at) != 0) return -EFAULT;
    if (h->name == 0) h->name_len = 0;
    if (h->name_len < 0) return -EINVAL;
    h->name_len = min(h->name_len, (int32_t)SOCK_ADDR_MAX);
    if (send && h->name_len > 0) err = sock_addr_get(&msg->addr, h->name, h->name_len);
    if (err != 0) return err;
    if (send ? h->name_len > 0 : h->name != 0) msg->m.addr = &msg->addr;
    if (h->iov_count > UIO_MAXIOV) return -EMSGSIZE;
    err = user_iov_get(&msg->iov, h->iov, h->iov_count);
    if (err == 0) msg->m.data = &msg->iov.uio;
    return err;
}

static void message_put(struct message *msg) {
    kfree(msg->control);
    if (msg->m.data != NULL) user_iov_put(&msg->iov);
}

static int control_get(struct message *msg) {
    uint64_t len = msg->header.control_len;
    if (len == 0) return 0;
    if (len > CONTROL_MAX) return -ENOBUFS;
    msg->control = kmalloc(len);
    if (msg->control == NULL) return -ENOBUFS;
    msg->m.control = msg->control;
    msg->m.control_len = len;
    return copy_from_user(msg->control, msg->header.control, len);
}

static int64_t send_message(struct socket *s, gva_t at, uint32_t flags) {
    struct message msg = {.m = {.flags = flags}};
    int64_t r = message_get(&msg, at, true);
    if (r == 0) r = control_get(&msg);
    if (r == 0) r = send_on(s, &msg.m);
    message_put(&msg);
    return r;
}

/* Tells the program what came besides the data. */
static int put_results(const struct message *msg, gva_t at) {
    const struct k_msghdr *h = &msg->header;
    uint64_t control = h->control != 0 ? msg->m.control_at - h->control : 0;
    if (h->name != 0) {
        int err = sock_addr_put(&msg->addr, h->name, HEADER_AT(at, name_len));
        if (err != 0) return err;
    }
    if (put_user(msg->m.result_flags, HEADER_AT(at, flags)) != 0) return -EFAULT;
    return put_user(control, HEADER_AT(at, control_len));
}

static int64_t recv_message(struct socket *s, gva_t at, uint32_t flags) {
    struct message msg = {.m = {.flags = flags, .result_flags = flags & MSG_CMSG_CLOEXEC}};
    int64_t r = message_get(&msg, at, false);
    msg.m.control_at = msg.header.control;
    msg.m.control_room = msg.header.control_len;
    if (r == 0) r = recv_on(s, &msg.m);
    if (r >= 0) {
        int err = put_results(&msg, at);
        if (err != 0) r = err;
    }
    message_put(&msg);
    return r;
}

static int64_t one_message(int fd, gva_t at, uint32_t flags,
                           int64_t (*move)(struct socket *s, gva_t at, uint32_t flags)) {
    if (flags & MSG_CMSG_COMPAT) return -EINVAL;
    struct file *f;
    struct socket *s;
    int64_t r = socket_get(fd, &f, &s);
    if (r != 0) return r;
    r = move(s, at, with_nonblock(f, flags));
    file_put(f);
    return r;
}

/* sendmsg(2) */
int64_t sys_sendmsg(int fd, gva_t at, uint32_t flags) {
    return one_message(fd, at, flags, send_message);
}

/* recvmsg(2) */
int64_t sys_recvmsg(int fd, gva_t at, uint32_t flags) {
    return one_message(fd, at, flags, recv_message);
}

static int put_length(gva_t entry, int64_t bytes) {
    uint32_t len = (uint32_t)bytes;
    return put_user(len, entry + offsetof(struct k_mmsghdr, len));
}

/* sendmmsg(2) */
int64_t sys_sendmmsg(int fd, gva_t at, uint32_t count, uint32_t flags) {
    if (flags & MSG_CMSG_COMPAT) return -EINVAL;
    struct file *f;
    struct socket *s;
    int64_t r = socket_get(fd, &f, &s);
    if (r != 0) return r;
    count = min(count, (uint32_t)UIO_MAXIOV);
    uint32_t done = 0;
    while (done < count) {
        gva_t entry = at + done * sizeof(struct k_mmsghdr);
        r = send_message(s, entry, with_nonblock(f, flags));
        if (r >= 0) r = put_length(entry, r);
        if (r < 0) break;
        done++;
    }
    file_put(f);
    return done > 0 ? done : r;
}

/* Receives up to count messages; the number, or the first one's error.  An error behind others is
 * the next call's. */
static int64_t recv_many(const struct file *f, struct socket *s, gva_t at, uint32_t count,
                         uint32_t flags, int64_t deadline_ns) {
    int64_t r = socket_take_error(s);
    uint32_t done = 0;
    if (r != 0) return r;
    while (done < count) {
        gva_t entry = at + done * sizeof(struct k_mmsghdr);
        r = recv_message(s, entry, with_nonblock(f, flags & ~(uint32_t)MSG_WAITFORONE));
        if (r >= 0) r = put_length(entry, r);
        if (r < 0) break;
        done++;
        if (flags & MSG_WAITFORONE) flags |= MSG_DONTWAIT;
        if (deadline_ns >= 0 && clock_monotonic_ns() >= deadline_ns) break;
    }
    if (done == 0) return r;
    if (r < 0 && r != -EAGAIN && r > -ERESTARTSYS) s->error = (int32_t)-r;
    return done;
}

/* recvmmsg(2): the timeout is looked at between messages. */
int64_t sys_recvmmsg(int fd, gva_t at, uint32_t count, uint32_t flags, gva_t timeout) {
    if (flags & MSG_CMSG_COMPAT) return -EINVAL;
    int64_t ns, deadline_ns = -1;
    if (timeout != 0) {
        int err = user_timespec(timeout, &ns);
        if (err != 0) return err;
        deadline_ns = deadline_after(ns);
    }
    struct file *f;
    struct socket *s;
    int64_t r = socket_get(fd, &f, &s);
    if (r != 0) return r;
    r = recv_many(f, s, at, min(count, (uint32_t)UIO_MAXIOV), flags, deadline_ns);
    file_put(f);
    if (r > 0 && timeout != 0 && put_timespec(timeout, time_left(deadline_ns)) != 0) return -EFAULT;
    return r;
}
