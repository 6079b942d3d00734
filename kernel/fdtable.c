/* SPDX-License-Identifier: MIT */
/* File descriptors of the current process: the table and RLIMIT_NOFILE. */
#include <kernel/filelock.h>
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>
#include <kernel/vfs.h>

#define FIRST_SIZE 64u    /* slots; enough for most programs, one small heap block */
#define MAX_SIZE 1048576u /* Linux's default fs.nr_open */

static struct fd_table *table(void) { return &current_process()->fds; }

static uint32_t fd_limit(void) {
    uint64_t limit = current_process()->limits[RLIMIT_NOFILE].rlim_cur;

    return limit < MAX_SIZE ? (uint32_t)limit : MAX_SIZE;
}

static bool is_open(const struct fd_table *t, int fd) {
    return fd >= 0 && (uint32_t)fd < t->size && t->files[fd];
}

/* Makes room for descriptor fd. */
static int grow(struct fd_table *t, uint32_t fd) {
    uint32_t size = t->size ? t->size : FIRST_SIZE;
    struct file **files;
    uint8_t *cloexec;

    while (size <= fd)
        size *= 2;
    if (size == t->size) return 0;
    files = krealloc(t->files, size * sizeof(files[0]));
    if (!files) return -ENOMEM;
    t->files = files;
    cloexec = krealloc(t->cloexec, size);
    if (!cloexec) return -ENOMEM;
    t->cloexec = cloexec;
    memset(files + t->size, 0, (size - t->size) * sizeof(files[0]));
    memset(cloexec + t->size, 0, size - t->size);
    t->size = size;
    return 0;
}

struct file *fd_get(int fd) {
    struct fd_table *t = table();

    return is_open(t, fd) ? file_ref(t->files[fd]) : NULL;
}

/* Puts f at fd, which has no file and lies below the limit. */
static int put_at(struct fd_table *t, struct file *f, uint32_t fd, bool cloexec) {
    int r = grow(t, fd);

    if (r) return r;
    t->files[fd] = f;
    t->cloexec[fd] = cloexec;
    return (int)fd;
}

static uint32_t lowest_free(const struct fd_table *t, uint32_t from) {
    uint32_t fd = max(from, t->hint);

    while (fd < t->size && t->files[fd])
        fd++;
    return fd;
}

int fd_available(void) { return lowest_free(table(), 0) < fd_limit() ? 0 : -EMFILE; }

int fd_install(struct file *f, int from, bool cloexec) {
    struct fd_table *t = table();
    uint32_t fd = lowest_free(t, (uint32_t)from);
    int r;

    if (from < 0 || fd >= fd_limit()) return -EMFILE;
    r = put_at(t, f, fd, cloexec);
    if (r >= 0 && (uint32_t)from <= t->hint) t->hint = fd + 1;
    return r;
}

int fd_replace(struct file *f, int fd, bool cloexec) {
    struct fd_table *t = table();
    struct file *old;
    int r;

    if (fd < 0 || (uint32_t)fd >= fd_limit()) return -EBADF;
    old = is_open(t, fd) ? t->files[fd] : NULL;
    r = put_at(t, f, (uint32_t)fd, cloexec);
    if (r >= 0 && old) {
        filelock_fd_closed(old);
        file_put(old);
    }
    return r;
}

int fd_close(int fd) {
    struct fd_table *t = table();
    struct file *f;

    if (!is_open(t, fd)) return -EBADF;
    f = t->files[fd];
    t->files[fd] = NULL;
    t->cloexec[fd] = 0;
    t->hint = min(t->hint, (uint32_t)fd);
    filelock_fd_closed(f);
    file_put(f);
    return 0;
}

int fd_get_cloexec(int fd) {
    struct fd_table *t = table();

    return is_open(t, fd) ? t->cloexec[fd] : -EBADF;
}

int fd_set_cloexec(int fd, bool on) {
    struct fd_table *t = table();

    if (!is_open(t, fd)) return -EBADF;
    t->cloexec[fd] = on;
    return 0;
}

void fd_close_range(uint32_t first, uint32_t last, bool mark_cloexec) {
    struct fd_table *t = table();

    for (uint32_t fd = first; fd < t->size && fd <= last; fd++) {
        if (!t->files[fd]) continue;
        if (mark_cloexec)
            t->cloexec[fd] = 1;
        else
            fd_close((int)fd);
    }
}

void fd_close_on_exec(void) {
    struct fd_table *t = table();

    for (uint32_t fd = 0; fd < t->size; fd++)
        if (t->files[fd] && t->cloexec[fd]) fd_close((int)fd);
}
