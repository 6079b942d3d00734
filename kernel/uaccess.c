/* SPDX-License-Identifier: MIT */
/* Access to the program's memory; the copies themselves are in entry.S, with fault fix-ups. */
#include <hermit/linux_abi.h>
#include <kernel/frame.h>
#include <kernel/mm.h>
#include <kernel/process.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

uint64_t user_copy(void *dst, const void *src, uint64_t len);
uint64_t user_clear(void *dst, uint64_t len);
int user_cmpxchg(void *at, uint32_t *expected, uint32_t value);

static bool range_ok(gva_t at, uint64_t len) {
    return len <= HERMIT_USER_TOP && at <= HERMIT_USER_TOP - len;
}

int copy_from_user(void *dst, gva_t src, uint64_t len) {
    if (!range_ok(src, len) || user_copy(dst, (const void *)src, len) != 0) return -EFAULT;
    return 0;
}

int copy_to_user(gva_t dst, const void *src, uint64_t len) {
    if (!range_ok(dst, len) || user_copy((void *)dst, src, len) != 0) return -EFAULT;
    return 0;
}

int clear_user(gva_t dst, uint64_t len) {
    if (!range_ok(dst, len) || user_clear((void *)dst, len) != 0) return -EFAULT;
    return 0;
}

int cmpxchg_user(gva_t at, uint32_t *expected, uint32_t value) {
    if (!range_ok(at, sizeof(value))) return -EFAULT;
    return user_cmpxchg((void *)at, expected, value) == 0 ? 0 : -EFAULT;
}

int64_t strncpy_from_user(char *dst, gva_t src, uint64_t size) {
    uint64_t at = 0;
    while (at < size) {
        /* Page by page: what lies behind the string's page need not be mapped. */
        uint64_t piece = min(size - at, min(PAGE_SIZE - ((src + at) & PAGE_MASK), 256UL));
        if (copy_from_user(dst + at, src + at, piece) != 0) return -EFAULT;
        const char *nul = memchr(dst + at, 0, piece);
        if (nul != NULL) return nul - dst;
        at += piece;
    }
    return -ENAMETOOLONG;
}

enum uio_op { UIO_FILL, UIO_DRAIN, UIO_CLEAR };

static int uio_piece(const struct uio *u, enum uio_op op, gva_t at, char *buf, uint64_t n) {
    if (!u->kernel) {
        if (op == UIO_FILL) return copy_to_user(at, buf, n);
        if (op == UIO_DRAIN) return copy_from_user(buf, at, n);
        return clear_user(at, n);
    }
    if (op == UIO_FILL)
        memcpy((void *)at, buf, n);
    else if (op == UIO_DRAIN)
        memcpy(buf, (const void *)at, n);
    else
        memset((void *)at, 0, n);
    return 0;
}

static int uio_each(const struct uio *u, enum uio_op op, uint64_t at, char *buf, uint64_t n) {
    for (uint32_t i = 0; i < u->count && n > 0; i++) {
        uint64_t len = u->iov[i].iov_len;
        if (at >= len) {
            at -= len;
            continue;
        }
        uint64_t piece = min(n, len - at);
        int r = uio_piece(u, op, (gva_t)u->iov[i].iov_base + at, buf, piece);
        if (r != 0) return r;
        if (buf != NULL) buf += piece;
        n -= piece;
        at = 0;
    }
    return n == 0 ? 0 : -EFAULT;
}

int uio_fill(const struct uio *u, uint64_t at, const void *src, uint64_t n) {
    return uio_each(u, UIO_FILL, at, (char *)(uint64_t)src, n);
}

int uio_drain(const struct uio *u, uint64_t at, void *dst, uint64_t n) {
    return uio_each(u, UIO_DRAIN, at, dst, n);
}

int uio_clear(const struct uio *u, uint64_t at, uint64_t n) {
    return uio_each(u, UIO_CLEAR, at, NULL, n);
}

static int translate(const struct uio *u, gva_t at, bool to_user, gpa_t *gpa) {
    if (u->kernel) {
        *gpa = frame_gpa((const void *)at);
        return 0;
    }
    if (!range_ok(at, 1)) return -EFAULT;
    return mm_translate(current_mm(), at, to_user ? MM_WRITE : MM_READ, gpa);
}

/* Appends [gpa, gpa+len), joining it to the last segment where it can; false when full. */
static bool add_seg(struct hc_seg *segs, uint32_t max, uint32_t *n, gpa_t gpa, uint64_t len) {
    if (*n > 0 && segs[*n - 1].gpa + segs[*n - 1].len == gpa) {
        segs[*n - 1].len += len;
        return true;
    }
    if (*n == max) return false;
    segs[(*n)++] = (struct hc_seg){gpa, len};
    return true;
}

int64_t uio_segments(const struct uio *u, uint64_t at, uint64_t want, bool to_user,
                     struct hc_seg *segs, uint32_t max, uint32_t *nsegs) {
    uint64_t got = 0;
    *nsegs = 0;
    for (uint32_t i = 0; i < u->count && got < want; i++) {
        uint64_t len = u->iov[i].iov_len;
        if (at >= len) {
            at -= len;
            continue;
        }
        gva_t base = (gva_t)u->iov[i].iov_base;
        while (at < len && got < want) {
            uint64_t piece = PAGE_SIZE - ((base + at) & PAGE_MASK);
            piece = min(piece, min(len - at, want - got));
            gpa_t gpa;
            if (translate(u, base + at, to_user, &gpa) != 0)
                return got > 0 ? (int64_t)got : -EFAULT;
            if (!add_seg(segs, max, nsegs, gpa, piece)) return (int64_t)got;
            got += piece;
            at += piece;
        }
        at = 0;
    }
    return (int64_t)got;
}
