/* SPDX-License-Identifier: MIT */
/* Unpacks a cpio archive ("newc": cpio(5)) into the root file system. */
#include <hermit/linux_abi.h>
#include <kernel/heap.h>
#include <kernel/initrd.h>
#include <kernel/log.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>

#define HEADER_BYTES 110
#define FIELD(n) (6 + 8 * (n))
enum { FIELD_MODE = 1, FIELD_MTIME = 5, FIELD_SIZE = 6, FIELD_NAMESIZE = 11 };

struct entry {
    const char *name, *data;
    uint32_t mode, size, mtime;
};

static const char *image;
static uint64_t image_bytes;

void initrd_set(const void *start, uint64_t bytes) {
    image = start;
    image_bytes = bytes;
}

static bool parse_hex(const char *text, uint32_t *value) {
    *value = 0;
    for (unsigned i = 0; i < 8; i++) {
        char c = text[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                                : 16;
        if (digit == 16) return false;
        *value = *value << 4 | digit;
    }
    return true;
}

static uint64_t align4(uint64_t x) { return (x + 3) & ~3ULL; }

/* Reads the entry at `at`; the offset of the next one, or 0 if the archive is damaged. */
static uint64_t parse_entry(uint64_t at, struct entry *e) {
    uint32_t name_size;
    if (at + HEADER_BYTES > image_bytes) return 0;
    const char *h = image + at;
    if (memcmp(h, "070701", 6) != 0 && memcmp(h, "070702", 6) != 0) return 0;
    if (!parse_hex(h + FIELD(FIELD_MODE), &e->mode) ||
        !parse_hex(h + FIELD(FIELD_SIZE), &e->size) ||
        !parse_hex(h + FIELD(FIELD_MTIME), &e->mtime) ||
        !parse_hex(h + FIELD(FIELD_NAMESIZE), &name_size)) {
        return 0;
    }
    uint64_t data = align4(at + HEADER_BYTES + name_size);
    uint64_t next = align4(data + e->size);
    if (name_size == 0 || name_size > HC_MAX_PATH - 1 || data + e->size > image_bytes) return 0;
    e->name = h + HEADER_BYTES;
    e->data = image + data;
    return e->name[name_size - 1] == '\0' ? next : 0;
}

static int create_file(struct vpath *p, const struct entry *e) {
    struct file *f;
    int r = vfs_open(p, O_WRONLY | O_CREAT | O_TRUNC, e->mode & 07777, &f);
    if (r != 0) return r;
    struct iovec v = {(void *)(uint64_t)e->data, e->size};
    struct uio u = {.iov = &v, .count = 1, .kernel = true, .len = e->size};
    int64_t n = e->size > 0 ? file_write(f, &u) : 0;
    file_put(f);
    return n < 0 ? (int)n : n == (int64_t)e->size ? 0 : -ENOSPC;
}

static int create_link(struct vpath *p, const struct entry *e) {
    char *target = kmalloc((uint64_t)e->size + 1);
    if (target == NULL) return -ENOMEM;
    memcpy(target, e->data, e->size);
    target[e->size] = '\0';
    int r = vfs_symlink(target, p);
    kfree(target);
    return r;
}

static int create(const struct entry *e) {
    struct vpath *p = kmalloc(sizeof(*p));
    if (p == NULL) return -ENOMEM;
    int r = vfs_path(p, VFS_AT_CWD, e->name);
    if (r == 0) {
        switch (e->mode & S_IFMT) {
        case S_IFREG:
            r = create_file(p, e);
            break;
        case S_IFDIR:
            r = vfs_mknod(p, e->mode, 0);
            if (r == -EEXIST) r = 0;
            break;
        case S_IFLNK:
            r = create_link(p, e);
            break;
        default:
            break; /* devices are devfs's */
        }
    }
    kfree(p);
    return r;
}

void initrd_unpack(void) {
    struct entry e;
    for (uint64_t at = 0; image != NULL && at < image_bytes;) {
        at = parse_entry(at, &e);
        if (at == 0) panic("the initial RAM disk is not a cpio archive (cpio -o -H newc)");
        if (strcmp(e.name, "TRAILER!!!") == 0) return;
        if (strcmp(e.name, ".") == 0) continue;
        int r = create(&e);
        if (r != 0) panic("initial RAM disk: %s: error %d", e.name, -r);
    }
}
