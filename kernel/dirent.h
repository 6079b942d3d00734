/* SPDX-License-Identifier: MIT */
/* Writing linux_dirent64 records into a program's getdents64 buffer. */
#ifndef DIRENT_H
#define DIRENT_H

#include <kernel/types.h>

struct dirent_sink {
    gva_t buf;
    uint64_t len;  /* bytes */
    uint64_t done; /* bytes written */
    int error;     /* -EFAULT */
};

/* Adds one entry; false when it does not fit or faults.  next: the position that reads on behind
 * this entry.  mode: S_IF* bits. */
bool dirent_emit(struct dirent_sink *s, const char *name, size_t name_len, uint64_t ino,
                 uint32_t mode, int64_t next);
/* What getdents64 returns; more: entries were left. */
int64_t dirent_result(const struct dirent_sink *s, bool more);

#endif
