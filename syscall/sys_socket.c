/* SPDX-License-Identifier: MIT */
/* Sockets: socket(2), socketpair(2), names, connections, options. */
#include <syscall/protos.h>
#include <syscall/user_socket.h>

#define NEW_FLAGS (SOCK_CLOEXEC | SOCK_NONBLOCK)

/* A descriptor for s, which is released where there is none. */
static int install(struct socket *s, uint32_t flags) {
    struct file *f = socket_file(s, flags & SOCK_NONBLOCK);
    if (f == NULL) return -ENFILE;
    int fd = fd_install(f, 0, (flags & SOCK_CLOEXEC) != 0);
    if (fd < 0) file_put(f);
    return fd;
}

/* socket(2) */
int64_t sys_socket(int family, uint32_t type, int protocol) {
    uint32_t flags = type & ~(uint32_t)SOCK_TYPE_BITS;
    if (flags & ~(uint32_t)NEW_FLAGS) return -EINVAL;
    struct socket *s;
    int err = socket_create(family, (int)(type & SOCK_TYPE_BITS), protocol, &s);
    return err != 0 ? err : install(s, flags);
}

static int create_pair(int family, int type, int protocol, struct socket *s[2]) {
    int err = socket_create(family, type, protocol, &s[0]);
    if (err != 0) return err;
    err = socket_create(family, type, protocol, &s[1]);
    if (err != 0) {
        s[0]->ops->release(s[0]);
        return err;
    }
    err = s[0]->ops->pair != NULL ? s[0]->ops->pair(s[0], s[1]) : -EOPNOTSUPP;
    if (err == 0) return 0;
    s[0]->ops->release(s[0]);
    s[1]->ops->release(s[1]);
    return err;
}

/* socketpair(2) */
int64_t sys_socketpair(int family, uint32_t type, int protocol, gva_t fds_at) {
    uint32_t flags = type & ~(uint32_t)SOCK_TYPE_BITS;
    if (flags & ~(uint32_t)NEW_FLAGS) return -EINVAL;
    struct socket *s[2];
    int err = create_pair(family, (int)(type & SOCK_TYPE_BITS), protocol, s);
    if (err != 0) return err;
    int fds[2];
    fds[0] = install(s[0], flags);
    if (fds[0] < 0) {
        s[1]->ops->release(s[1]);
        return fds[0];
    }
    fds[1] = install(s[1], flags);
    if (fds[1] >= 0 && put_user(fds, fds_at) == 0) return 0;
    fd_close(fds[0]);
    if (fds[1] < 0) return fds[1];
    fd_close(fds[1]);
    return -EFAULT;
}

/* bind(2) */
int64_t sys_bind(int fd, gva_t addr_at, uint32_t len) {
    struct file *f;
    struct socket *s;
    struct sock_addr addr;
    int err = socket_get(fd, &f, &s);
    if (err != 0) return err;
    err = sock_addr_get(&addr, addr_at, (int32_t)len);
    if (err == 0) err = s->ops->bind != NULL ? s->ops->bind(s, &addr) : -EOPNOTSUPP;
    file_put(f);
    return err;
}

/* listen(2) */
int64_t sys_listen(int fd, int backlog) {
    struct file *f;
    struct socket *s;
    int err = socket_get(fd, &f, &s);
    if (err != 0) return err;
    uint32_t limit = min((uint32_t)backlog, (uint32_t)SOMAXCONN);
    err = s->ops->listen != NULL ? s->ops->listen(s, limit) : -EOPNOTSUPP;
    file_put(f);
    return err;
}

/* connect(2) */
int64_t sys_connect(int fd, gva_t addr_at, uint32_t len) {
    struct file *f;
    struct socket *s;
    struct sock_addr addr;
    int err = socket_get(fd, &f, &s);
    if (err != 0) return err;
    err = sock_addr_get(&addr, addr_at, (int32_t)len);
    if (err == 0 && s->ops->connect == NULL) err = -EOPNOTSUPP;
    if (err == 0) err = s->ops->connect(s, &addr, (f->flags & O_NONBLOCK) != 0);
    file_put(f);
    return err;
}

static int accept_one(struct socket *s, bool nonblock, gva_t addr_at, gva_t len_at,
                      uint32_t flags) {
    struct socket *end;
    int err = s->ops->accept != NULL ? s->ops->accept(s, nonblock, &end) : -EOPNOTSUPP;
    if (err != 0) return err;
    if (addr_at != 0) {
        struct sock_addr addr;
        err = end->ops->getname(end, true, &addr) != 0 ? -ECONNABORTED
                                                       : sock_addr_put(&addr, addr_at, len_at);
    }
    if (err == 0) return install(end, flags);
    end->ops->release(end);
    return err;
}

/* accept4(2): where the last descriptor is taken while it waits, the connection is closed. */
int64_t sys_accept4(int fd, gva_t addr_at, gva_t len_at, uint32_t flags) {
    if (flags & ~(uint32_t)NEW_FLAGS) return -EINVAL;
    struct file *f;
    struct socket *s;
    int err = socket_get(fd, &f, &s);
    if (err == -EBADF) return err;
    if (fd_available() != 0) {
        if (err == 0) file_put(f);
        return -EMFILE;
    }
    if (err != 0) return err;
    err = accept_one(s, (f->flags & O_NONBLOCK) != 0, addr_at, len_at, flags);
    file_put(f);
    return err;
}

/* accept(2) */
int64_t sys_accept(int fd, gva_t addr_at, gva_t len_at) {
    return sys_accept4(fd, addr_at, len_at, 0);
}

static int64_t name_of(int fd, bool peer, gva_t addr_at, gva_t len_at) {
    struct file *f;
    struct socket *s;
    struct sock_addr addr;
    int err = socket_get(fd, &f, &s);
    if (err != 0) return err;
    err = s->ops->getname(s, peer, &addr);
    file_put(f);
    return err != 0 ? err : sock_addr_put(&addr, addr_at, len_at);
}

/* getsockname(2) */
int64_t sys_getsockname(int fd, gva_t addr_at, gva_t len_at) {
    return name_of(fd, false, addr_at, len_at);
}

/* getpeername(2) */
int64_t sys_getpeername(int fd, gva_t addr_at, gva_t len_at) {
    return name_of(fd, true, addr_at, len_at);
}

/* shutdown(2) */
int64_t sys_shutdown(int fd, int how) {
    struct file *f;
    struct socket *s;
    int err = socket_get(fd, &f, &s);
    if (err != 0) return err;
    if (how < SHUT_RD || how > SHUT_RDWR)
        err = -EINVAL;
    else
        err = s->ops->shutdown != NULL ? s->ops->shutdown(s, (uint32_t)how + 1) : -EOPNOTSUPP;
    file_put(f);
    return err;
}

/* setsockopt(2) */
int64_t sys_setsockopt(int fd, int level, int name, gva_t value, uint32_t len) {
    if ((int32_t)len < 0) return -EINVAL;
    struct file *f;
    struct socket *s;
    int err = socket_get(fd, &f, &s);
    if (err != 0) return err;
    if (level == SOL_SOCKET)
        err = socket_setopt(s, name, value, len);
    else
        err = s->ops->setopt != NULL ? s->ops->setopt(s, level, name, value, len) : -EOPNOTSUPP;
    file_put(f);
    return err;
}

static int get_option(struct socket *s, int level, int name, gva_t value, gva_t len_at) {
    if (level != SOL_SOCKET && s->ops->getopt == NULL) return -EOPNOTSUPP;
    int32_t len;
    if (get_user(len, len_at) != 0) return -EFAULT;
    if (len < 0) return -EINVAL;
    uint32_t size = (uint32_t)len;
    int err = level == SOL_SOCKET ? socket_getopt(s, name, value, &size)
                                  : s->ops->getopt(s, level, name, value, &size);
    return err != 0 ? err : put_user(size, len_at);
}

/* getsockopt(2) */
int64_t sys_getsockopt(int fd, int level, int name, gva_t value, gva_t len_at) {
    struct file *f;
    struct socket *s;
    int err = socket_get(fd, &f, &s);
    if (err != 0) return err;
    err = get_option(s, level, name, value, len_at);
    file_put(f);
    return err;
}
