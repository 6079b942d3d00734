/* SPDX-License-Identifier: MIT */
/* inotify_init1(2), inotify_add_watch(2), inotify_rm_watch(2).  Only what the guest itself does to
 * files is seen: the host tells nobody of what its other processes do. */
#include <kernel/notify.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define ADD_FLAGS                                                                                  \
    (IN_ALL_EVENTS | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | \
     IN_ONESHOT)

/* inotify_init1(2) */
int64_t sys_inotify_init1(uint32_t flags) {
    struct file *f;
    if (flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK)) return -EINVAL;
    int r = inotify_create(flags, &f);
    if (r != 0) return r;
    return fd_install_or_put(f, 0, (flags & O_CLOEXEC) != 0);
}

/* inotify_init(2) */
int64_t sys_inotify_init(void) { return sys_inotify_init1(0); }

/* inotify_add_watch(2) */
int64_t sys_inotify_add_watch(int fd, gva_t path, uint32_t mask) {
    struct vpath p;
    if (!(mask & ADD_FLAGS)) return -EINVAL;
    if (mask & IN_MASK_ADD && mask & IN_MASK_CREATE) return -EINVAL;
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    int64_t r = vfs_path_user(&p, AT_FDCWD, path);
    if (r == 0) r = inotify_add(f, &p, mask);
    file_put(f);
    return r;
}

/* inotify_rm_watch(2) */
int64_t sys_inotify_rm_watch(int fd, int wd) {
    struct file *f = fd_get_io(fd);
    if (f == NULL) return -EBADF;
    int64_t r = inotify_remove(f, wd);
    file_put(f);
    return r;
}
