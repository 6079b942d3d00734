/* SPDX-License-Identifier: MIT */
/* Directory listings: FILE_GETDENTS, and the listing that FS_OPEN brings along.
 *
 * Owns a buffer for records; calls are serialised by hc_serve. */
#include <loader/hc_handle.h>

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <loader/guest_mem.h>
#include <loader/hc_attr.h>
#include <loader/hc_path.h>

/* Longest record: 19 bytes and a name of NAME_MAX with its NUL, rounded up. */
#define DIRENT_MAX 280
#define GETDENTS_MAX 65536

/* Reads records into to[0, room) from the position on: bytes, or -errno if there are none. */
static int64_t read_records(struct handle *h, char *to, uint64_t room, uint32_t *at_end) {
    uint64_t got = 0;
    h->dir_read = true;
    *at_end = 0;
    do {
        ssize_t n = getdents64(h->fd, to + got, room - got);
        if (n < 0) return got > 0 ? (int64_t)got : -errno;
        if (n == 0) *at_end = 1;
        got += (uint64_t)n;
    } while (*at_end == 0 && room - got >= DIRENT_MAX);
    return (int64_t)got;
}

int64_t hc_file_getdents(union hc_args *args) {
    struct hc_file_getdents *a = &args->file_getdents;
    struct handle *h = handle_get(a->handle);
    if (h == NULL) return -EBADF;
    uint64_t room = a->len < GETDENTS_MAX ? a->len : GETDENTS_MAX;
    /* The records go straight to the guest; nothing here reads them back. */
    char *to = guest_ptr(a->buf, room);
    if (to == NULL) return -EFAULT;
    if ((a->offset != 0 || h->dir_read) && lseek(h->fd, a->offset, SEEK_SET) < 0) return -errno;
    return read_records(h, to, room, &a->at_end);
}

int64_t dir_list_check(const struct hc_fs_open *a) {
    if (a->room > GETDENTS_MAX || a->attrs_room > HC_MAX_AHEAD) return -EINVAL;
    if (guest_ptr(a->records, a->room) == NULL) return -EFAULT;
    if (a->attrs_room == 0) return 0;
    return guest_ptr(a->attrs, a->attrs_room * sizeof(struct hc_attr)) != NULL ? 0 : -EFAULT;
}

/* Without a listing the open is still good: the guest asks, and gets the error then. */
void dir_list(struct handle *h, struct hc_fs_open *a) {
    static char records[GETDENTS_MAX] __attribute__((aligned(8)));
    path_cache_drop(); /* as FILE_GETDENTS: it may bring news */
    int64_t n = read_records(h, records, a->room, &a->at_end);
    if (n < 0 || guest_copy_out(a->records, records, (uint64_t)n) != 0) {
        a->at_end = 0;
        return;
    }
    a->len = (uint32_t)n;
    /* From the private copy: the guest may be writing to its own. */
    const struct dirent64 *e;
    for (int64_t at = 0; at < n && a->attrs_count < a->attrs_room; at += e->d_reclen) {
        e = (const struct dirent64 *)(records + at);
        if (attr_put_entry(a->attrs, a->attrs_count, h->fd, e->d_name) != 0) break;
        a->attrs_count++;
    }
}
