/* SPDX-License-Identifier: MIT */
/* The handle table and the FILE_* calls that are not transfers.
 *
 * Owns the table.  Calls run one at a time; what the network pins it pins outside of them, so the
 * table has a lock, which is the innermost.  Entries live in chunks that never move. */
#include <loader/hc_handle.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hermit/boot.h>
#include <hermit/layout.h>
#include <loader/guest_mem.h>
#include <loader/hc_attr.h>
#include <loader/hc_path.h>
#include <loader/net.h>
#include <loader/vm.h>

#define CHUNK 256
#define STDIO 3
#define NO_FREE UINT32_MAX

/* Handles 0-2 are there from the start. */
static struct handle first[CHUNK] = {
    {.fd = STDIN_FILENO}, {.fd = STDOUT_FILENO}, {.fd = STDERR_FILENO}};
static struct handle *chunks[HANDLE_MAX / CHUNK] = {first};
static uint32_t used = STDIO; /* entries ever handed out */
static uint32_t free_head = NO_FREE;

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;

static struct handle *entry(uint32_t number) { return &chunks[number / CHUNK][number % CHUNK]; }

static struct handle *get(uint32_t number) {
    if (number >= used) return NULL;
    struct handle *h = entry(number);
    return h->fd >= 0 && !h->closing ? h : NULL;
}

struct handle *handle_get(uint32_t number) {
    pthread_mutex_lock(&table);
    struct handle *h = get(number);
    pthread_mutex_unlock(&table);
    return h;
}

int handle_fd(uint32_t handle) {
    const struct handle *h = handle_get(handle);
    return h != NULL ? h->fd : -1;
}

uint32_t handle_type(struct handle *h) {
    struct stat st;
    if (h->mode == 0 && fstat(h->fd, &st) == 0) h->mode = st.st_mode & S_IFMT;
    return h->mode;
}

static int64_t add(int fd, bool readonly, uint32_t mode) {
    uint32_t number = free_head;
    if (number == NO_FREE) {
        if (used == HANDLE_MAX) return -EMFILE;
        struct handle **chunk = &chunks[used / CHUNK];
        if (*chunk == NULL) *chunk = calloc(CHUNK, sizeof(**chunk));
        if (*chunk == NULL) return -ENOMEM;
        number = used++;
    } else {
        free_head = entry(number)->next;
    }
    *entry(number) = (struct handle){.fd = fd, .readonly = readonly, .mode = mode & S_IFMT};
    return number;
}

int64_t handle_add(int fd, bool readonly, uint32_t mode) {
    pthread_mutex_lock(&table);
    int64_t number = add(fd, readonly, mode);
    pthread_mutex_unlock(&table);
    return number;
}

int64_t handle_new(int fd, bool readonly) {
    int64_t number = handle_add(fd, readonly, 0);
    if (number < 0) close(fd);
    return number;
}

void handle_describe_stdio(struct hermit_boot_stdio *out) {
    for (int fd = 0; fd < STDIO; fd++) {
        struct stat st;
        int flags = fcntl(fd, F_GETFL);
        out[fd] = (struct hermit_boot_stdio){0, 0};
        if (flags < 0 || fstat(fd, &st) != 0) continue;
        entry((uint32_t)fd)->mode = st.st_mode & S_IFMT;
        out[fd] = (struct hermit_boot_stdio){st.st_mode & S_IFMT, (uint32_t)flags};
    }
}

/* A standard stream closed by the program: the other end of a pipe must see that, but its number
 * must not be reused in this process, stderr carries hermit-run's own messages, and a terminal's
 * modes are restored through it. */
static void close_stdio(struct handle *h) {
    uint32_t type = handle_type(h);
    if (h->fd == STDERR_FILENO || (type != S_IFIFO && type != S_IFSOCK && type != S_IFREG)) return;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return;
    dup2(null, h->fd);
    close(null);
}

struct handle *handle_pin(uint32_t number) {
    pthread_mutex_lock(&table);
    struct handle *h = get(number);
    if (h != NULL) h->pins++;
    pthread_mutex_unlock(&table);
    return h;
}

int handle_pin_file(uint32_t number) {
    int fd = -1;
    pthread_mutex_lock(&table);
    struct handle *h = get(number);
    if (h != NULL && number >= STDIO && h->mode == S_IFREG) {
        h->pins++;
        fd = h->fd;
    }
    pthread_mutex_unlock(&table);
    return fd;
}

/* Frees the entry: the descriptor that the caller is to close. */
static int release(uint32_t number, struct handle *h) {
    int fd = h->fd;
    *h = (struct handle){.fd = -1, .next = free_head};
    free_head = number;
    return fd;
}

static int64_t close_number(uint32_t number, struct handle *h) {
    pthread_mutex_lock(&table);
    h->closing = h->pins > 0;
    int fd = h->closing ? -1 : release(number, h);
    pthread_mutex_unlock(&table);
    if (fd < 0 || close(fd) == 0 || errno == EINTR) return 0; /* the descriptor is gone anyway */
    return -errno;
}

void handle_unpin(uint32_t number) {
    pthread_mutex_lock(&table);
    struct handle *h = entry(number);
    int fd = --h->pins == 0 && h->closing ? release(number, h) : -1;
    pthread_mutex_unlock(&table);
    if (fd >= 0) close(fd);
}

int64_t handle_close_many(gpa_t at, uint32_t count) {
    uint32_t numbers[HC_MAX_CLOSE];
    if (count == 0) return 0;
    if (count > HC_MAX_CLOSE) return -EINVAL;
    if (guest_copy_in(numbers, at, count * sizeof(numbers[0])) != 0) return -EFAULT;
    net_note_files(); /* what is to be sent from them keeps them open */
    for (uint32_t i = 0; i < count; i++) {
        struct handle *h = handle_get(numbers[i]);
        if (h != NULL && numbers[i] >= STDIO) close_number(numbers[i], h);
    }
    return 0;
}

int64_t hc_file_close(union hc_args *args) {
    const struct hc_file_close *a = &args->file_close;
    int64_t r = handle_close_many(a->more, a->more_count);
    if (r != 0) return r;
    struct handle *h = handle_get(a->handle);
    if (h == NULL) return -EBADF;
    net_note_files();
    if (a->handle >= STDIO) return close_number(a->handle, h);
    close_stdio(h);
    h->fd = -1;
    return 0;
}

int64_t hc_file_seek(union hc_args *args) {
    struct hc_file_seek *a = &args->file_seek;
    struct handle *h = handle_get(a->handle);
    if (h == NULL) return -EBADF;
    if (a->whence > SEEK_HOLE) return -EINVAL;
    h->dir_read = true;
    off_t pos = lseek(h->fd, a->offset, (int)a->whence);
    return pos >= 0 ? pos : -errno;
}

int64_t hc_file_stat(union hc_args *args) {
    struct hc_file_attr *a = &args->file_attr;
    const struct handle *h = handle_get(a->handle);
    struct statx st;
    if (h == NULL) return -EBADF;
    int64_t r = attr_of_fd(h->fd, &st);
    if (r == 0) r = attr_put(a->attr, &st);
    if (r != 0) return r;
    int flags = fcntl(h->fd, F_GETFL);
    return flags >= 0 ? flags : -errno;
}

int64_t hc_file_setattr(union hc_args *args) {
    struct hc_file_attr *a = &args->file_attr;
    const struct handle *h = handle_get(a->handle);
    struct hc_attr attr;
    if (h == NULL) return -EBADF;
    if (guest_copy_in(&attr, a->attr, sizeof(attr)) != 0) return -EFAULT;
    int r = attr_check(&attr, a->mask);
    if (r != 0) return r;
    if (h->readonly) return -EROFS;
    /* Who redirected a file to the program gave it the contents, not the file. */
    if (a->handle < STDIO && a->mask != HC_SET_SIZE) return -EPERM;
    if ((a->mask & HC_SET_SIZE) != 0) net_keep_files();
    if ((a->mask & HC_SET_SIZE) != 0 && ftruncate(h->fd, (off_t)attr.size) != 0) return -errno;
    return a->mask != HC_SET_SIZE ? attr_apply(h->fd, &attr, a->mask) : 0;
}

int64_t handle_sync_check(const struct handle *h, uint32_t what) {
    if (h == NULL) return -EBADF;
    if (what > HC_SYNC_FS) return -EINVAL;
    return what == HC_SYNC_FS && h->readonly ? -EROFS : 0;
}

int64_t handle_sync(const struct handle *h, uint32_t what) {
    int r = what == HC_SYNC_FS     ? syncfs(h->fd)
            : what == HC_SYNC_DATA ? fdatasync(h->fd)
                                   : fsync(h->fd);
    return r == 0 ? 0 : -errno;
}

int64_t hc_file_sync(union hc_args *args) {
    const struct handle *h = handle_get(args->file_sync.handle);
    int64_t r = handle_sync_check(h, args->file_sync.what);
    return r == 0 ? handle_sync(h, args->file_sync.what) : r;
}

int64_t hc_file_allocate(union hc_args *args) {
    const struct hc_file_allocate *a = &args->file_allocate;
    const struct handle *h = handle_get(a->handle);
    const uint32_t known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE |
                           FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE |
                           FALLOC_FL_UNSHARE_RANGE;
    if (h == NULL) return -EBADF;
    if ((a->mode & ~known) != 0) return -EOPNOTSUPP;
    if (h->readonly) return -EROFS;
    if (a->mode != 0) net_keep_files();
    return fallocate(h->fd, (int)a->mode, a->offset, a->len) == 0 ? 0 : -errno;
}

int64_t hc_file_ioctl(union hc_args *args) {
    struct handle *h = handle_get(args->file_ioctl.handle);
    return h != NULL ? tty_request(h, &args->file_ioctl) : -EBADF;
}

int64_t hc_file_poll(union hc_args *args) {
    const struct hc_file_poll *a = &args->file_poll;
    const struct handle *h = handle_get(a->handle);
    if (h == NULL) return -EBADF;
    struct pollfd p = {.fd = h->fd, .events = (short)(a->events & INT16_MAX)};
    int n = poll(&p, 1, 0);
    return n >= 0 ? (int64_t)(uint16_t)p.revents : -errno;
}

int64_t hc_file_map(union hc_args *args) {
    struct hc_file_map *a = &args->file_map;
    struct handle *h = handle_get(a->handle);
    if (h == NULL) return -EBADF;
    if (a->len == 0 || a->offset % HERMIT_PAGE_SIZE != 0) return -EINVAL;
    if (a->len > HERMIT_GPA_END - HERMIT_FILE_GPA || a->offset > INT64_MAX - a->len)
        return -EOVERFLOW;
    if (handle_type(h) != S_IFREG) return -ENODEV;
    if (a->writable != 0 && h->readonly) return -EACCES;
    return window_map(h->fd, a->offset, a->len, a->writable != 0, &a->gpa);
}

int64_t hc_file_unmap(union hc_args *args) {
    return window_unmap(args->file_unmap.gpa, args->file_unmap.len);
}
