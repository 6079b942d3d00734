/* SPDX-License-Identifier: MIT */
/* Path resolution beneath a share.  The kernel (openat2) keeps a path inside and free of symbolic
 * links; where it meets one, a walk finds out which, and the guest splices the link's text.
 *
 * Owns the cached parent directory.  Calls are serialised by hc_serve. */
#include <loader/hc_path.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <loader/guest_mem.h>

#define DIR_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define PARENT_MAX_AGE_NS 1000000
#define RESOLVE_TRIES 3 /* someone on the host keeps changing the path */

/* The directory of the last path call, so that a run of calls on the entries of one directory
 * (ls -l, find) resolves it once.  It lives for a millisecond and only until a call that could
 * tell the guest of a change made elsewhere (hc_dispatch.c drops it): what the guest sees is a
 * state that the host had, in an order that the host had. */
static struct parent {
    int fd; /* -1: none */
    uint32_t share;
    uint32_t len;
    bool valid;
    int64_t opened_ns;
    char path[HC_MAX_PATH];
} parent = {.fd = -1};

void path_cache_drop(void) { parent.valid = false; }

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

bool fd_limit_raise(void) {
    static bool raised;
    struct rlimit limit;
    if (raised || getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    raised = true;
    if (limit.rlim_cur == limit.rlim_max) return false;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* No leading '/', no "//", ".", "..", trailing '/' or NUL; no name longer than NAME_MAX. */
static int path_check(const char *path, uint32_t len) {
    if (memchr(path, 0, len) != NULL) return -EINVAL;
    uint32_t start = 0;
    for (uint32_t i = 0; i <= len; i++) {
        if (i < len && path[i] != '/') continue;
        const char *name = path + start;
        uint32_t n = i - start;
        if (n == 0 || (n == 1 && name[0] == '.') || (n == 2 && memcmp(name, "..", 2) == 0))
            return -EINVAL;
        if (n > 255) return -ENAMETOOLONG;
        start = i + 1;
    }
    return 0;
}

static int64_t report_link(struct hc_path *p, int dir, const char *name, uint32_t consumed) {
    char text[HC_MAX_PATH];
    ssize_t n = readlinkat(dir, name, text, sizeof(text));
    if (n < 0) return -errno;
    if (n == sizeof(text)) return -ENAMETOOLONG;
    if (guest_copy_out(p->link, text, (uint64_t)n) != 0) return -EFAULT;
    p->consumed = consumed;
    p->link_len = (uint32_t)n;
    return HC_SYMLINK;
}

/* Opens the directory path[0, len) one name at a time: a descriptor, -errno or HC_SYMLINK. */
static int64_t walk(const struct share *share, const char *path, uint32_t len, struct hc_path *p) {
    char text[HC_MAX_PATH];
    memcpy(text, path, len);
    text[len] = 0;
    int dir = share->fd;
    for (char *name = text; name < text + len;) {
        char *end = strchrnul(name, '/');
        *end = 0;
        int next = openat(dir, name, DIR_FLAGS);
        int64_t error = next < 0 ? -errno : 0;
        if (error == -ENOTDIR || error == -ELOOP) {
            error = report_link(p, dir, name, (uint32_t)(end - text));
            if (error == -EINVAL) error = -ENOTDIR;
        }
        if (dir != share->fd) close(dir);
        if (error != 0) return error;
        dir = next;
        name = end + 1;
    }
    return dir;
}

static int64_t open_dir(const struct share *share, const char *path, uint32_t len,
                        struct hc_path *p) {
    char text[HC_MAX_PATH];
    memcpy(text, path, len);
    text[len] = 0;
    struct open_how how = {
        .flags = DIR_FLAGS,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    int64_t result = -ELOOP;
    for (int i = 0; i < RESOLVE_TRIES; i++) {
        long fd = syscall(SYS_openat2, share->fd, text, &how, sizeof(how));
        if (fd >= 0) return fd;
        result = -errno;
        if (result == -EMFILE && fd_limit_raise()) continue;
        if (result == -EAGAIN || result == -EINTR) continue;
        /* ELOOP, or ENOTDIR (the last name is a link, or really no directory); ENOSYS and EPERM
         * where openat2 is not to be had: the walk is as safe, only slower. */
        if (result != -ELOOP && result != -ENOTDIR && result != -ENOSYS && result != -EPERM) break;
        return walk(share, path, len, p);
    }
    return result;
}

/* The directory path[0, len) from the cache, or into it. */
static int64_t cached_dir(const struct target *t, uint32_t share, uint32_t len, struct hc_path *p) {
    int64_t now = now_ns();
    if (parent.valid && parent.share == share && parent.len == len &&
        now - parent.opened_ns < PARENT_MAX_AGE_NS && memcmp(parent.path, t->path, len) == 0)
        return parent.fd;
    int64_t fd = open_dir(t->share, t->path, len, p);
    if (fd < 0) return fd;
    if (parent.fd >= 0) close(parent.fd);
    parent.fd = (int)fd;
    parent.share = share;
    parent.len = len;
    parent.valid = true;
    parent.opened_ns = now;
    memcpy(parent.path, t->path, len);
    return fd;
}

int64_t target_find(struct target *t, struct hc_path *p, bool may_cache) {
    if (p->share >= shares.count) return -EINVAL;
    if (p->len >= HC_MAX_PATH) return -ENAMETOOLONG;
    t->share = &shares.items[p->share];
    t->len = p->len;
    t->owns_dir = false;
    t->dir = t->share->fd;
    t->name = t->path;
    t->path[0] = 0;
    if (p->len == 0) return 0;
    if (guest_copy_in(t->path, p->path, p->len) != 0) return -EFAULT;
    t->path[p->len] = 0;
    int bad = path_check(t->path, p->len);
    if (bad != 0) return bad;
    char *slash = strrchr(t->path, '/');
    if (slash == NULL) return t->share->is_dir ? 0 : -ENOTDIR;
    uint32_t len = (uint32_t)(slash - t->path);
    t->name = slash + 1;
    int64_t fd = may_cache ? cached_dir(t, p->share, len, p) : open_dir(t->share, t->path, len, p);
    if (fd < 0) return fd;
    t->dir = (int)fd;
    t->owns_dir = !may_cache;
    return 0;
}

int64_t target_find_second(struct target *t, const struct hc_path *p, gpa_t path, uint32_t len) {
    struct hc_path second = {.share = p->share, .path = path, .len = len, .link = p->link};
    int64_t result = target_find(t, &second, false);
    return result == HC_SYMLINK ? -ELOOP : result;
}

void target_done(struct target *t) {
    if (t->owns_dir) close(t->dir);
    t->owns_dir = false;
}

int target_stat(const struct target *t, struct statx *st) {
    int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT;
    if (statx(t->dir, t->name, flags, STATX_BASIC_STATS | STATX_BTIME, st) != 0) return -errno;
    return 0;
}

int64_t target_link(const struct target *t, struct hc_path *p) {
    return report_link(p, t->dir, t->name, t->len);
}

int64_t target_object(const struct target *t, struct hc_path *p) {
    int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    int fd = t->len == 0 ? fcntl(t->share->fd, F_DUPFD_CLOEXEC, 3) : openat(t->dir, t->name, flags);
    if (fd < 0) return -errno;
    if ((p->flags & HC_NOFOLLOW) != 0) return fd;
    struct stat st;
    int64_t result = fd;
    if (fstat(fd, &st) != 0)
        result = -errno;
    else if (S_ISLNK(st.st_mode))
        result = target_link(t, p);
    if (result != fd) close(fd);
    return result;
}
