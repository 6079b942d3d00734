/* SPDX-License-Identifier: MIT */
/* Transfers of regular files in two steps, for jobs.c: with the lock of hc_lock(), then without. */
#ifndef LOADER_HC_FILE_IO_H
#define LOADER_HC_FILE_IO_H

#include <sys/uio.h>

#include <loader/hc_handle.h>

struct transfer {
    struct iovec iov[HC_MAX_SEGS];
    int count;
    int64_t offset;
    bool write;
    bool append;
};

/* Validates a; 0 or -errno: -EINVAL if it is not between a regular file and guest RAM, whose host
 * address never changes. */
int64_t transfer_prepare(struct handle *h, const struct hc_file_io *a, bool write,
                         struct transfer *t);
/* Moves; bytes or -errno, *pos as hc_file_io's. */
int64_t transfer_run(const struct handle *h, const struct transfer *t, int64_t *pos);

#endif
