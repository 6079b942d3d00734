/* SPDX-License-Identifier: MIT */
/* What handlers share: files from descriptors, paths and vectors from program memory. */
#ifndef SYSCALL_USER_H
#define SYSCALL_USER_H

#include <hermit/linux_abi.h>
#include <kernel/process.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>

/* access(2); libc's, not in the kernel's headers. */
#define F_OK 0
#define X_OK 1
#define W_OK 2
#define R_OK 4

/* As fd_get, but an O_PATH descriptor does not count: it gives no access to data. */
static inline struct file *fd_get_io(int fd) {
    struct file *f = fd_get(fd);
    if (f != NULL && unlikely(f->flags & O_PATH)) {
        file_put(f);
        return NULL;
    }
    return f;
}

/* As fd_install, but the reference is gone whatever comes of it. */
static inline int fd_install_or_put(struct file *f, int from, bool cloexec) {
    int fd = fd_install(f, from, cloexec);
    if (fd < 0) file_put(f);
    return fd;
}

/* A new file of the kernel (NULL: memory was exhausted) as a descriptor; the reference is gone
 * either way. */
int install_file(struct file *f, bool cloexec);

static inline bool file_readable(const struct file *f) {
    return (f->flags & O_ACCMODE) != O_WRONLY;
}
static inline bool file_writable(const struct file *f) {
    return (f->flags & O_ACCMODE) != O_RDONLY;
}

/* The pair (dirfd, path) of an *at call.  With AT_EMPTY_PATH in flags and an empty path *f is the
 * file of dirfd (with a reference, possibly O_PATH); otherwise it is NULL and *p is walked. */
int path_or_file(struct vpath *p, struct file **f, int dirfd, gva_t path, uint32_t flags);

/* A kernel copy of a path or other string of the program, to be freed; < HC_MAX_PATH bytes. */
int string_from_user(char **out, gva_t at);

/* A vector of the program as a transfer. */
#define IOV_INLINE 8
struct user_iov {
    struct uio uio;
    struct iovec *heap; /* NULL: small enough for inline_vec */
    struct iovec inline_vec[IOV_INLINE];
};
int user_iov_get(struct user_iov *v, gva_t iov, uint64_t count);
void user_iov_put(struct user_iov *v);

/* One buffer as a transfer. */
static inline struct uio uio_one(struct iovec *vec, gva_t buf, uint64_t len) {
    len = min(len, MAX_RW_COUNT);
    *vec = (struct iovec){.iov_base = (void *)buf, .iov_len = len};
    return (struct uio){.iov = vec, .count = 1, .len = len};
}
static inline struct uio uio_kernel(struct iovec *vec, void *buf, uint64_t len) {
    struct uio u = uio_one(vec, (gva_t)buf, len);
    u.kernel = true;
    return u;
}

/* The superuser's privileges, where no one capability says it better. */
static inline bool process_privileged(void) { return process_capable(CAP_SYS_ADMIN); }
/* The program, by number; 0 is "myself". */
static inline bool pid_is_self(int pid) { return pid == 0 || pid == current_process()->pid; }
/* Why a call has nothing to act on: nobody changes process 1. */
static inline int no_process(int pid) { return pid == INIT_PID ? -EPERM : -ESRCH; }
/* sys_signal.c: a signal to process 1, or 0 for the question whether it may be sent. */
int64_t send_init(int sig);

#endif
