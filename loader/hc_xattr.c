/* SPDX-License-Identifier: MIT */
/* FILE_XATTR: extended attributes of the user on host files.  Other name spaces hold the host's
 * own affairs (capabilities, labels, access lists): a guest neither sees nor changes them. */
#include <loader/hc_handle.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include <loader/guest_mem.h>

#define STDIO 3
#define NAME_MAX_BYTES 255
#define VALUE_MAX 65536
#define PREFIX "user."

static bool is_users(const char *name) { return strncmp(name, PREFIX, strlen(PREFIX)) == 0; }

/* The names of the user's, packed to the front: their size. */
static size_t keep_users(char *names, size_t size) {
    char *to = names;
    for (char *name = names; name < names + size;) {
        size_t len = strlen(name) + 1;
        char *next = name + len;
        if (is_users(name)) {
            memmove(to, name, len);
            to += len;
        }
        name = next;
    }
    return (size_t)(to - names);
}

static int64_t give(const struct hc_file_xattr *a, const char *data, ssize_t size) {
    if (size < 0) return -errno;
    if (a->size == 0) return size;
    if ((uint64_t)size > a->size) return -ERANGE;
    return guest_copy_out(a->value, data, (uint64_t)size) == 0 ? size : -EFAULT;
}

/* path leads to the open object, whatever kind of descriptor it has. */
static int64_t run(const struct hc_file_xattr *a, const char *path, const char *name, char *data) {
    ssize_t n;
    switch (a->what) {
    case HC_XATTR_GET:
        return give(a, data, getxattr(path, name, data, VALUE_MAX));
    case HC_XATTR_LIST:
        n = listxattr(path, data, VALUE_MAX);
        return give(a, data, n > 0 ? (ssize_t)keep_users(data, (size_t)n) : n);
    case HC_XATTR_SET:
        if (a->size != 0 && guest_copy_in(data, a->value, a->size) != 0) return -EFAULT;
        return setxattr(path, name, data, a->size, (int)a->flags) == 0 ? 0 : -errno;
    default:
        return removexattr(path, name) == 0 ? 0 : -errno;
    }
}

int64_t hc_file_xattr(union hc_args *args) {
    const struct hc_file_xattr *a = &args->file_xattr;
    static char data[VALUE_MAX]; /* calls are serialised */
    char path[32], name[NAME_MAX_BYTES + 1] = "";
    const struct handle *h = handle_get(a->handle);
    if (h == NULL) return -EBADF;
    if (a->what > HC_XATTR_REMOVE) return -EINVAL;
    bool change = a->what == HC_XATTR_SET || a->what == HC_XATTR_REMOVE;
    if (change && h->readonly) return -EROFS;
    /* Who redirected a file to the program gave it the contents, not the file. */
    if (change && a->handle < STDIO) return -EPERM;
    if (a->what != HC_XATTR_LIST) {
        if (a->name_len == 0 || a->name_len > NAME_MAX_BYTES) return -ERANGE;
        if (guest_copy_in(name, a->name, a->name_len) != 0) return -EFAULT;
        if (!is_users(name)) return -EOPNOTSUPP;
    }
    if (a->what == HC_XATTR_SET && a->size > VALUE_MAX) return -E2BIG;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", h->fd);
    return run(a, path, name, data);
}
