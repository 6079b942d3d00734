/* SPDX-License-Identifier: MIT */
/* Small reads at one place again and again, as of a database's header: once there were some, the
 * file's window answers, which is the host's page cache.  Owns nothing. */
#include <hermit/linux_abi.h>
#include <kernel/frame.h>
#include <kernel/wait.h>

#include "hostfs.h"

uint64_t user_copy(void *dst, const void *src, uint64_t len); /* entry.S: bytes not copied */

#define SMALL 256u /* bytes */
#define OFTEN 16u  /* reads; then a window pays */

/* The size must be known, and no older than attributes may be (hostfs_stamp): beyond it a window
 * has zeroes. */
static bool lies_within(const struct hostfs_file *hf, int64_t pos, uint64_t len) {
    return hostfs_stamp_good(&hf->opened) && (uint64_t)pos + len <= hf->attr.size;
}

static bool is_often(struct hostfs_file *hf, uint64_t page) {
    if (hf->smalls > 0 && hf->small_page == page) {
        hf->smalls = min(hf->smalls + 1u, OFTEN);
    } else {
        hf->small_page = page;
        hf->smalls = 1;
    }
    return hf->smalls == OFTEN;
}

bool hostfs_read_small(struct file *f, const struct uio *u, int64_t pos, int64_t *n) {
    struct hostfs_file *hf = hostfs_file(f);
    uint64_t page = page_down((uint64_t)pos);
    char bytes[SMALL];
    gpa_t gpa;
    if (u->len > SMALL || hf->stdio || hf->no_windows || hf->handle == NO_HANDLE) return false;
    if (((uint64_t)pos & PAGE_MASK) + u->len > PAGE_SIZE || (f->flags & O_DIRECT)) return false;
    if (!is_often(hf, page) || !lies_within(hf, pos, u->len)) return false;
    if (hostfs_page(f, page, false, &gpa) != 0) return false;
    if (frame_is_ram(gpa)) { /* no window: a copy, which is not the host's */
        frame_put(gpa);
        return false;
    }
    const char *from = (const char *)frame_ptr(gpa) + ((uint64_t)pos & PAGE_MASK);
    if (user_copy(bytes, from, u->len) != 0) return false; /* truncated meanwhile */
    *n = uio_fill(u, 0, bytes, u->len) == 0 ? (int64_t)u->len : -EFAULT;
    return true;
}
