/* SPDX-License-Identifier: MIT */
/* The handle table, for the FILE_* calls.  Under hc_lock(), but for pinning. */
#ifndef LOADER_HC_HANDLE_H
#define LOADER_HC_HANDLE_H

#include <loader/services.h>

#define HANDLE_MAX 65536

struct handle {
    int fd;        /* -1: free */
    bool readonly; /* of a read-only share: nothing about the file may change */
    bool dir_read; /* getdents has moved the position */
    bool no_rwf;   /* the file does not know RWF_NOWAIT */
    bool nonblock; /* opened with O_NONBLOCK here, shared with nobody */
    uint32_t mode; /* S_IF* type bits; 0: not asked yet */
    uint32_t next; /* of the free list */
    uint32_t pins; /* jobs and sockets that use it: its closing waits for them */
    bool closing;
};

/* A handle that stays open until it is unpinned, or NULL. */
struct handle *handle_pin(uint32_t number);
void handle_unpin(uint32_t number);
/* Pins a regular file that a path call opened: its descriptor, or -1. */
int handle_pin_file(uint32_t number);

/* FILE_SYNC in two steps: may it be done (0 or -errno), and the doing, which needs no lock. */
int64_t handle_sync_check(const struct handle *h, uint32_t what);
int64_t handle_sync(const struct handle *h, uint32_t what);

/* The open handle, or NULL.  Valid until it is closed. */
struct handle *handle_get(uint32_t number);
/* As handle_new, with what is known of the file's type.  fd stays the caller's on failure. */
int64_t handle_add(int fd, bool readonly, uint32_t mode);
/* S_IF* type bits, or 0 if they cannot be had. */
uint32_t handle_type(struct handle *h);

/* Closes `count` handles whose numbers are at `at` in guest memory: 0, -EINVAL or -EFAULT.  Numbers
 * that are not open, and the standard streams, are passed over. */
int64_t handle_close_many(gpa_t at, uint32_t count);

/* hc_dir.c: the listing that FS_OPEN brings along.  Check before the open: 0 or -errno. */
int64_t dir_list_check(const struct hc_fs_open *a);
void dir_list(struct handle *h, struct hc_fs_open *a);

/* hc_tty.c: the requests that FILE_IOCTL passes on. */
int64_t tty_request(struct handle *h, struct hc_file_ioctl *a);

#endif
