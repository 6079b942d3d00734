/* SPDX-License-Identifier: MIT */
/* What the loader uses and musl 1.2.3 does not declare.  Included ahead of every loader source in
 * the static build (cmake/musl.cmake); glibc, which the unit tests and the debug build use, has it
 * all. */
#ifndef LOADER_MUSL_COMPAT_H
#define LOADER_MUSL_COMPAT_H
#ifndef __ASSEMBLER__

#include <dirent.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/stat.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#define RWF_APPEND 16
#endif

static inline int statx(int dir, const char *path, int flags, unsigned mask, struct statx *st) {
    return (int)syscall(SYS_statx, dir, path, flags, mask, st);
}

#undef getdents64 /* musl's takes struct dirent */
static inline ssize_t getdents64(int fd, void *records, size_t bytes) {
    return syscall(SYS_getdents64, fd, records, bytes);
}

static inline ssize_t preadv2(int fd, const struct iovec *v, int n, off_t offset, int flags) {
    return syscall(SYS_preadv2, fd, v, n, offset, 0L, flags);
}

static inline ssize_t pwritev2(int fd, const struct iovec *v, int n, off_t offset, int flags) {
    return syscall(SYS_pwritev2, fd, v, n, offset, 0L, flags);
}

static inline int renameat2(int from_dir, const char *from, int to_dir, const char *to,
                            unsigned flags) {
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

#endif
#endif
