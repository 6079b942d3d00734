/* SPDX-License-Identifier: MIT */
/* AF_UNIX: names.  Owns the table of bound sockets: by abstract name, or by the object in a file
 * system that bind(2) made. */
#include <kernel/process.h>
#include <kernel/string.h>

#include "unix.h"

#define BUCKETS 64u
#define NAME_AT offsetof(struct sockaddr_un, sun_path)
#define AUTO_NAMES 0x100000u /* five hexadecimal digits */
#define AUTO_LEN (NAME_AT + 6)

static struct unix_sock *buckets[BUCKETS];

static struct unix_sock **bucket_of(const struct sock_addr *name, uint64_t dev, uint64_t ino) {
    uint32_t hash = 2166136261u;

    if (ino != 0) return &buckets[(ino ^ dev) % BUCKETS];
    for (uint32_t i = NAME_AT; i < name->len; i++)
        hash = (hash ^ name->bytes[i]) * 16777619u;
    return &buckets[hash % BUCKETS];
}

static void insert(struct unix_sock *u, uint64_t dev, uint64_t ino) {
    struct unix_sock **bucket = bucket_of(&u->name, dev, ino);

    u->dev = dev;
    u->ino = ino;
    u->bound = true;
    u->bound_next = *bucket;
    *bucket = u;
}

void unix_unbind(struct unix_sock *u) {
    struct unix_sock **at;

    if (!u->bound) return;
    at = bucket_of(&u->name, u->dev, u->ino);
    while (*at != u)
        at = &(*at)->bound_next;
    *at = u->bound_next;
    u->bound = false;
}

static struct unix_sock *find_abstract(const struct sock_addr *name, int type) {
    struct unix_sock *u = *bucket_of(name, 0, 0);

    while (u != NULL && !(u->ino == 0 && u->sock.type == type && u->name.len == name->len &&
                          memcmp(u->name.bytes, name->bytes, name->len) == 0))
        u = u->bound_next;
    return u;
}

static struct unix_sock *find_object(uint64_t dev, uint64_t ino) {
    struct unix_sock *u = *bucket_of(NULL, dev, ino);

    while (u != NULL && !(u->ino == ino && u->dev == dev))
        u = u->bound_next;
    return u;
}

int unix_check_addr(const struct sock_addr *addr) {
    if (addr->len <= NAME_AT || addr->len > sizeof(struct sockaddr_un)) return -EINVAL;
    return addr->family == AF_UNIX ? 0 : -EINVAL;
}

/* An unused abstract name. */
static int autobind(struct unix_sock *u) {
    static const char digits[] = "0123456789abcdef";
    static uint32_t next;
    struct sock_addr name = {.len = AUTO_LEN, .family = AF_UNIX};

    if (u->name.len > 0) return 0;
    for (uint32_t tries = 0; tries < AUTO_NAMES; tries++) {
        uint32_t n = next++ % AUTO_NAMES;

        for (int i = 0; i < 5; i++)
            name.un.sun_path[1 + i] = digits[n >> (16 - 4 * i) & 15];
        if (find_abstract(&name, u->sock.type)) continue;
        u->name = name;
        insert(u, 0, 0);
        return 0;
    }
    return -ENOSPC;
}

int unix_autobind_sender(struct unix_sock *u) {
    return socket_has(&u->sock, SO_PASSCRED) ? autobind(u) : 0;
}

static int bind_abstract(struct unix_sock *u, const struct sock_addr *addr) {
    if (u->name.len > 0) return -EINVAL;
    if (find_abstract(addr, u->sock.type)) return -EADDRINUSE;
    u->name = *addr;
    insert(u, 0, 0);
    return 0;
}

/* The path in an address, with the NUL that the program may have left out. */
static void path_of(char path[UNIX_PATH_MAX + 1], const struct sock_addr *addr) {
    size_t len = strnlen(addr->un.sun_path, addr->len - NAME_AT);

    memcpy(path, addr->un.sun_path, len);
    path[len] = '\0';
}

static int bind_path(struct unix_sock *u, const struct sock_addr *addr) {
    char path[UNIX_PATH_MAX + 1];
    struct unix_sock *stale;
    struct hc_attr attr;
    struct vpath p;
    int r;

    path_of(path, addr);
    r = vfs_path(&p, VFS_AT_CWD, path);
    if (r == 0) r = vfs_mknod(&p, S_IFSOCK | (u->sock.mode & 07777), 0);
    if (r) return r == -EEXIST ? -EADDRINUSE : r;
    r = u->name.len > 0 ? -EINVAL : vfs_stat(&p, false, &attr);
    if (r) {
        vfs_unlink(&p, false);
        return r;
    }
    /* The file system gave the number of a removed object to a new one. */
    while ((stale = find_object(attr.dev, attr.ino)) != NULL)
        unix_unbind(stale);
    u->name.len = (uint32_t)(NAME_AT + strlen(path) + 1);
    u->name.family = AF_UNIX;
    memcpy(u->name.un.sun_path, path, strlen(path) + 1);
    insert(u, attr.dev, attr.ino);
    return 0;
}

int unix_bind(struct socket *s, const struct sock_addr *addr) {
    struct unix_sock *u = unix_of(s);
    int r;

    if (addr->len == NAME_AT && addr->family == AF_UNIX) return autobind(u);
    r = unix_check_addr(addr);
    if (r) return r;
    return addr->un.sun_path[0] ? bind_path(u, addr) : bind_abstract(u, addr);
}

static int find_path(const struct sock_addr *addr, int type, struct unix_sock **out) {
    char path[UNIX_PATH_MAX + 1];
    struct hc_attr attr;
    struct vpath p;
    int r;

    path_of(path, addr);
    r = vfs_path(&p, VFS_AT_CWD, path);
    if (r == 0) r = vfs_stat(&p, true, &attr);
    if (r == 0) r = vfs_permission(&attr, 2); /* W_OK */
    if (r) return r;
    *out = S_ISSOCK(attr.mode) ? find_object(attr.dev, attr.ino) : NULL;
    if (*out == NULL) return -ECONNREFUSED;
    return (*out)->sock.type == type ? 0 : -EPROTOTYPE;
}

int unix_find(const struct sock_addr *addr, int type, struct unix_sock **out) {
    int r = 0;

    if (addr->un.sun_path[0]) {
        r = find_path(addr, type, out);
    } else {
        *out = find_abstract(addr, type);
        if (*out == NULL) r = -ECONNREFUSED;
    }
    if (r == 0) unix_ref(*out);
    return r;
}
