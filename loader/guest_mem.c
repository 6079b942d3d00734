/* SPDX-License-Identifier: MIT */
/* Guest-physical addresses to pointers, bounds-checked.
 *
 * Owns the table of regions, sorted by gpa.  It changes at set-up and inside hypercalls only, and
 * those run one at a time (hc_serve). */
#include <loader/guest_mem.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <hermit/layout.h>

#define MAX_TRANSFER 0x7ffff000ULL /* Linux's MAX_RW_COUNT */

enum kind { RAM, READONLY, WINDOW };

struct region {
    gpa_t gpa;
    uint64_t bytes;
    uint8_t *host;
    enum kind kind;
};

static struct region *regions;
static size_t count, capacity;
static size_t last; /* index of the region that the last look-up hit */

/* Index of the first region that ends above gpa. */
static size_t region_after(gpa_t gpa) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (regions[mid].gpa + regions[mid].bytes > gpa)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

/* RAM that grows upwards piece by piece stays one region, so that a transfer may span pieces. */
static bool join_previous(size_t at, gpa_t gpa, uint64_t bytes, const uint8_t *host) {
    if (at == 0) return false;
    struct region *r = &regions[at - 1];
    if (r->kind != RAM || r->gpa + r->bytes != gpa || r->host + r->bytes != host) return false;
    r->bytes += bytes;
    return true;
}

static int region_add(gpa_t gpa, uint64_t bytes, void *host, enum kind kind) {
    uint64_t mask = HERMIT_PAGE_SIZE - 1;
    if (bytes == 0 || ((gpa | bytes) & mask) != 0 || gpa + bytes < gpa) return -EINVAL;
    size_t at = region_after(gpa);
    if (at < count && regions[at].gpa < gpa + bytes) return -EEXIST;
    if (kind == RAM && join_previous(at, gpa, bytes, host)) return 0;
    if (count == capacity) {
        size_t wanted = capacity == 0 ? 16 : 2 * capacity;
        struct region *bigger = realloc(regions, wanted * sizeof(*regions));
        if (bigger == NULL) return -ENOMEM;
        regions = bigger;
        capacity = wanted;
    }
    memmove(&regions[at + 1], &regions[at], (count - at) * sizeof(*regions));
    regions[at] = (struct region){gpa, bytes, host, kind};
    count++;
    return 0;
}

int guest_mem_add(gpa_t gpa, uint64_t bytes, void *host) {
    return region_add(gpa, bytes, host, RAM);
}

int guest_mem_add_readonly(gpa_t gpa, uint64_t bytes, void *host) {
    return region_add(gpa, bytes, host, READONLY);
}

int guest_mem_add_window(gpa_t gpa, uint64_t bytes, void *host) {
    return region_add(gpa, bytes, host, WINDOW);
}

int guest_mem_remove_window(gpa_t gpa) {
    size_t at = region_after(gpa);
    if (at == count || regions[at].gpa != gpa || regions[at].kind != WINDOW) return -EINVAL;
    count--;
    memmove(&regions[at], &regions[at + 1], (count - at) * sizeof(*regions));
    return 0;
}

static bool region_holds(const struct region *r, gpa_t gpa, uint64_t len) {
    return gpa >= r->gpa && gpa - r->gpa <= r->bytes && len <= r->bytes - (gpa - r->gpa);
}

/* Memory of the kind `most` or one before it. */
static void *translate(gpa_t gpa, uint64_t len, enum kind most) {
    if (last >= count || !region_holds(&regions[last], gpa, len)) {
        size_t at = region_after(gpa);
        if (at == count || !region_holds(&regions[at], gpa, len)) return NULL;
        last = at;
    }
    const struct region *r = &regions[last];
    if (r->kind > most) return NULL;
    return r->host + (gpa - r->gpa);
}

void *guest_ptr(gpa_t gpa, uint64_t len) { return translate(gpa, len, RAM); }

int guest_copy_in(void *dst, gpa_t src, uint64_t len) {
    const void *from = translate(src, len, READONLY);
    if (from == NULL) return -EFAULT;
    memcpy(dst, from, len);
    return 0;
}

int guest_copy_out(gpa_t dst, const void *src, uint64_t len) {
    void *to = guest_ptr(dst, len);
    if (to == NULL) return -EFAULT;
    memcpy(to, src, len);
    return 0;
}

int64_t guest_iov(gpa_t segs, uint32_t n, struct iovec iov[HC_MAX_SEGS]) {
    struct hc_seg copy[HC_MAX_SEGS];
    if (n > HC_MAX_SEGS) return -EINVAL;
    if (n == 0) return 0;
    if (guest_copy_in(copy, segs, n * sizeof(copy[0])) != 0) return -EFAULT;
    uint64_t total = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (copy[i].len > MAX_TRANSFER - total) return -EINVAL;
        total += copy[i].len;
        /* The host's kernel does the access: what cannot be accessed is -EFAULT. */
        iov[i].iov_base = translate(copy[i].gpa, copy[i].len, WINDOW);
        iov[i].iov_len = copy[i].len;
        if (iov[i].iov_base == NULL) return -EFAULT;
    }
    return (int64_t)total;
}

bool guest_is_ram(const void *host) {
    const uint8_t *p = host;
    for (size_t i = 0; i < count; i++)
        if (p >= regions[i].host && p < regions[i].host + regions[i].bytes)
            return regions[i].kind == RAM;
    return false;
}

uint64_t guest_mem_bytes(void) {
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        if (regions[i].kind != WINDOW) total += regions[i].bytes;
    return total;
}
