/* SPDX-License-Identifier: MIT */
/* Paths, strings and vectors from program memory, as handlers need them. */
#include <kernel/heap.h>
#include <syscall/user.h>

int path_or_file(struct vpath *p, struct file **f, int dirfd, gva_t path, uint32_t flags) {
    *f = NULL;
    char first = 1;
    if (flags & AT_EMPTY_PATH && get_user(first, path) != 0) return -EFAULT;
    if (first != 0) return vfs_path_user(p, dirfd, path);
    if (dirfd == AT_FDCWD) return vfs_path(p, AT_FDCWD, ".");
    *f = fd_get(dirfd);
    return *f == NULL ? -EBADF : 0;
}

int install_file(struct file *f, bool cloexec) {
    if (f == NULL) return -ENOMEM;
    int fd = fd_install(f, 0, cloexec);
    if (fd < 0) file_put(f);
    return fd;
}

int string_from_user(char **out, gva_t at) {
    char *text = kmalloc(HC_MAX_PATH);
    if (text == NULL) return -ENOMEM;
    int64_t len = strncpy_from_user(text, at, HC_MAX_PATH);
    if (len < 0) {
        kfree(text);
        return (int)len;
    }
    *out = text;
    return 0;
}

int user_iov_get(struct user_iov *v, gva_t iov, uint64_t count) {
    struct iovec *vec = v->inline_vec;
    v->heap = NULL;
    if (count > UIO_MAXIOV) return -EINVAL;
    if (count > IOV_INLINE) {
        vec = v->heap = kmalloc(count * sizeof(*vec));
        if (vec == NULL) return -ENOMEM;
    }
    int err = copy_from_user(vec, iov, count * sizeof(*vec));
    uint64_t total = 0;
    for (uint64_t i = 0; err == 0 && i < count; i++) {
        if ((int64_t)vec[i].iov_len < 0) err = -EINVAL;
        /* What goes beyond the limit of one transfer is a short transfer. */
        vec[i].iov_len = min(vec[i].iov_len, MAX_RW_COUNT - total);
        total += vec[i].iov_len;
    }
    if (err != 0) {
        kfree(v->heap);
        return err;
    }
    v->uio = (struct uio){.iov = vec, .count = (uint32_t)count, .len = total};
    return 0;
}

void user_iov_put(struct user_iov *v) { kfree(v->heap); }
