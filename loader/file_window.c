/* SPDX-License-Identifier: MIT */
/* Host files in guest-physical space.
 *
 * A window is a range of guest-physical space with one memory slot over reserved host memory; a
 * file is mapped into a window by mmap over that memory, which needs no KVM call.  Windows are cut
 * first-fit; a new one is made when none has room. Serialised by hc_serve's claim. */
#include <loader/file_window.h>

#include <errno.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <hermit/layout.h>
#include <loader/diag.h>
#include <loader/guest_mem.h>
#include <loader/kvm.h>
#include <loader/vm.h>

#define MAX_WINDOWS 64
/* Each costs up to two of the 65530 mappings that Linux gives a process. */
#define MAX_PIECES 24576u
#define WINDOW_MIN (64ULL << 20)
#define PAGE_UP(x) (((x) + HERMIT_PAGE_SIZE - 1) & ~(uint64_t)(HERMIT_PAGE_SIZE - 1))

struct window {
    gpa_t gpa;
    uint64_t bytes;
    char *host;
};

/* A mapped range; kept sorted by address. */
struct piece {
    gpa_t gpa;
    uint64_t bytes;
};

static struct window windows[MAX_WINDOWS];
static uint32_t window_count;
static gpa_t next_gpa = HERMIT_FILE_GPA;
static struct piece *pieces;
static uint32_t piece_count, piece_room;

void window_init(gpa_t gpa, uint64_t bytes, void *host) {
    windows[window_count++] = (struct window){gpa, bytes, host};
    guest_mem_add_window(gpa, bytes, host);
}

static int window_new(uint64_t need) {
    uint64_t bytes =
        need > WINDOW_MIN ? (need + (2 << 20) - 1) & ~(uint64_t)((2 << 20) - 1) : WINDOW_MIN;
    if (window_count == MAX_WINDOWS || next_gpa + bytes > HERMIT_GPA_END) return -ENOMEM;
    void *host = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (host == MAP_FAILED) return -ENOMEM;
    int r = kvm_add_slot(next_gpa, bytes, host);
    if (r != 0) {
        munmap(host, bytes);
        return r;
    }
    window_init(next_gpa, bytes, host);
    next_gpa += bytes;
    return 0;
}

/* Finds room in w: the index at which the piece belongs, and its address. */
static bool fit(const struct window *w, uint64_t bytes, uint32_t *index, gpa_t *gpa) {
    gpa_t at = w->gpa;
    uint32_t i = 0;
    while (i < piece_count && pieces[i].gpa < w->gpa)
        i++;
    for (; i < piece_count && pieces[i].gpa < w->gpa + w->bytes; i++) {
        if (pieces[i].gpa - at >= bytes) break;
        at = pieces[i].gpa + pieces[i].bytes;
    }
    if (w->gpa + w->bytes - at < bytes) return false;
    *index = i;
    *gpa = at;
    return true;
}

static int insert_piece(uint32_t index, gpa_t gpa, uint64_t bytes) {
    if (piece_count == MAX_PIECES) return -ENOMEM;
    if (piece_count == piece_room) {
        uint32_t room = piece_room == 0 ? 64 : 2 * piece_room;
        struct piece *more = realloc(pieces, room * sizeof(*pieces));
        if (more == NULL) return -ENOMEM;
        pieces = more;
        piece_room = room;
    }
    for (uint32_t i = piece_count; i > index; i--)
        pieces[i] = pieces[i - 1];
    pieces[index] = (struct piece){gpa, bytes};
    piece_count++;
    return 0;
}

/* Huge pages would make the mapping longer than it was asked to be. */
static bool can_map(int fd) {
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && fs.f_type != HUGETLBFS_MAGIC;
}

int window_map(int fd, uint64_t offset, uint64_t len, bool writable, gpa_t *gpa) {
    if (window_count == 0) return -EOPNOTSUPP;
    if (len == 0 || len > HERMIT_GPA_END - HERMIT_FILE_GPA || offset % HERMIT_PAGE_SIZE != 0) {
        return -EINVAL;
    }
    if (!can_map(fd)) return -ENODEV;
    uint64_t bytes = PAGE_UP(len);
    for (uint32_t i = 0; i <= window_count; i++) {
        uint32_t index;
        if (i == window_count) {
            int r = window_new(bytes);
            if (r != 0) return r;
        }
        const struct window *w = &windows[i];
        if (!fit(w, bytes, &index, gpa)) continue;
        int r = insert_piece(index, *gpa, bytes);
        if (r != 0) return r;
        int prot = PROT_READ | (writable ? PROT_WRITE : 0);
        void *at = w->host + (*gpa - w->gpa);
        if (mmap(at, bytes, prot, MAP_SHARED | MAP_FIXED, fd, (off_t)offset) == at) return 0;
        r = -errno;
        window_unmap(*gpa, bytes);
        return r;
    }
    return -ENOMEM;
}

int window_unmap(gpa_t gpa, uint64_t len) {
    uint64_t bytes = PAGE_UP(len);
    for (uint32_t i = 0; i < piece_count; i++) {
        if (pieces[i].gpa != gpa || pieces[i].bytes != bytes) continue;
        for (uint32_t w = 0; w < window_count; w++) {
            if (gpa - windows[w].gpa >= windows[w].bytes) continue;
            char *at = windows[w].host + (gpa - windows[w].gpa);
            int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
            /* A hole in the slot would be filled by memory of hermit-run's own. */
            if (mmap(at, bytes, PROT_NONE, flags, -1, 0) != at)
                die(EXIT_HERMIT, "cannot unmap a file: %s", strerror(errno));
        }
        piece_count--;
        for (uint32_t k = i; k < piece_count; k++)
            pieces[k] = pieces[k + 1];
        return 0;
    }
    return -EINVAL;
}
