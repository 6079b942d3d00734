/* SPDX-License-Identifier: MIT */
/* Extended attributes: setxattr(2), getxattr(2), listxattr(2), removexattr(2) and their forms for
 * links and descriptors. */
#include <kernel/heap.h>
#include <kernel/string.h>
#include <kernel/xattr.h>
#include <syscall/protos.h>
#include <syscall/user.h>

/* The object: a descriptor, or a path. */
struct object {
    int fd;
    gva_t path; /* 0: fd */
    bool follow;
};

static int object_open(const struct object *o, struct file **out) {
    struct vpath p;
    if (o->path == 0) {
        *out = fd_get_io(o->fd);
        return *out != NULL ? 0 : -EBADF;
    }
    int r = vfs_path_user(&p, AT_FDCWD, o->path);
    return r != 0 ? r : vfs_open(&p, O_PATH | (o->follow ? 0 : O_NOFOLLOW), 0, out);
}

/* Nothing but the user's attributes is ever there (file_xattr), unless the file system keeps
 * trusted ones: no need to open a file that is only asked for others, as ls -l does with each. 1:
 * it may be there. */
static int64_t absent(const struct object *o, const struct xattr_call *c) {
    struct vpath p;
    struct hc_attr attr;
    int r = vfs_path_user(&p, AT_FDCWD, o->path);
    if (r == 0) r = vfs_stat(&p, o->follow, &attr);
    if (r != 0) return r;
    bool trusted = strncmp(c->name, "trusted.", 8) == 0;
    if (trusted && xattr_trusted(p.mnt)) return 1;
    return trusted || strncmp(c->name, "security.", 9) == 0 ? -ENODATA : -EOPNOTSUPP;
}

static int64_t call_object(const struct object *o, const struct xattr_call *c) {
    struct file *f;
    if (c->what == HC_XATTR_GET && o->path != 0 && strncmp(c->name, "user.", 5) != 0) {
        int64_t r = absent(o, c);
        if (r <= 0) return r;
    }
    int r = object_open(o, &f);
    if (r != 0) return r;
    int64_t n = file_xattr(f, c);
    file_put(f);
    return n;
}

static int name_get(char **name, gva_t at) {
    char *text = kmalloc(XATTR_MAX_NAME + 1);
    if (text == NULL) return -ENOMEM;
    int64_t n = strncpy_from_user(text, at, XATTR_MAX_NAME + 1);
    if (n > 0) {
        *name = text;
        return 0;
    }
    kfree(text);
    return n == 0 || n == -ENAMETOOLONG ? -ERANGE : (int)n;
}

/* Gets a name and a block for the value, runs the call and frees both. */
static int64_t run(const struct object *o, struct xattr_call *c, gva_t name_at, gva_t value_at) {
    char *name = NULL;
    int64_t r = c->what != HC_XATTR_LIST ? name_get(&name, name_at) : 0;
    bool in = c->what == HC_XATTR_SET;
    if (r == 0 && in && c->size > XATTR_MAX_SIZE) r = -E2BIG;
    c->size = min(c->size, (uint64_t)XATTR_MAX_SIZE);
    if (r == 0 && c->size != 0 && (c->value = kmalloc(c->size)) == NULL) r = -ENOMEM;
    if (r == 0 && in && c->size != 0 && copy_from_user(c->value, value_at, c->size) != 0)
        r = -EFAULT;
    c->name = name;
    if (r == 0) r = call_object(o, c);
    if (r > 0 && c->size != 0 && copy_to_user(value_at, c->value, (uint64_t)r) != 0) r = -EFAULT;
    kfree(name);
    kfree(c->value);
    return r;
}

static struct object by_path(gva_t path, bool follow) {
    /* A null path is a bad address, not a missing one. */
    return (struct object){.path = path != 0 ? path : UINT64_MAX, .follow = follow};
}
static struct object by_fd(int fd) { return (struct object){.fd = fd}; }

static int64_t set(struct object o, gva_t name, gva_t value, uint64_t size, int flags) {
    struct xattr_call c = {.what = HC_XATTR_SET, .flags = (uint32_t)flags, .size = size};
    if (flags & ~(XATTR_CREATE | XATTR_REPLACE)) return -EINVAL;
    return run(&o, &c, name, value);
}

static int64_t get(struct object o, gva_t name, gva_t value, uint64_t size) {
    struct xattr_call c = {.what = HC_XATTR_GET, .size = size};
    return run(&o, &c, name, value);
}

static int64_t list(struct object o, gva_t at, uint64_t size) {
    struct xattr_call c = {.what = HC_XATTR_LIST, .size = size};
    return run(&o, &c, 0, at);
}

static int64_t remove(struct object o, gva_t name) {
    struct xattr_call c = {.what = HC_XATTR_REMOVE};
    return run(&o, &c, name, 0);
}

/* setxattr(2) */
int64_t sys_setxattr(gva_t path, gva_t name, gva_t value, uint64_t size, int flags) {
    return set(by_path(path, true), name, value, size, flags);
}
int64_t sys_lsetxattr(gva_t path, gva_t name, gva_t value, uint64_t size, int flags) {
    return set(by_path(path, false), name, value, size, flags);
}
int64_t sys_fsetxattr(int fd, gva_t name, gva_t value, uint64_t size, int flags) {
    return set(by_fd(fd), name, value, size, flags);
}

/* getxattr(2) */
int64_t sys_getxattr(gva_t path, gva_t name, gva_t value, uint64_t size) {
    return get(by_path(path, true), name, value, size);
}
int64_t sys_lgetxattr(gva_t path, gva_t name, gva_t value, uint64_t size) {
    return get(by_path(path, false), name, value, size);
}
int64_t sys_fgetxattr(int fd, gva_t name, gva_t value, uint64_t size) {
    return get(by_fd(fd), name, value, size);
}

/* listxattr(2) */
int64_t sys_listxattr(gva_t path, gva_t at, uint64_t size) {
    return list(by_path(path, true), at, size);
}
int64_t sys_llistxattr(gva_t path, gva_t at, uint64_t size) {
    return list(by_path(path, false), at, size);
}
int64_t sys_flistxattr(int fd, gva_t at, uint64_t size) { return list(by_fd(fd), at, size); }

/* removexattr(2) */
int64_t sys_removexattr(gva_t path, gva_t name) { return remove(by_path(path, true), name); }
int64_t sys_lremovexattr(gva_t path, gva_t name) { return remove(by_path(path, false), name); }
int64_t sys_fremovexattr(int fd, gva_t name) { return remove(by_fd(fd), name); }
