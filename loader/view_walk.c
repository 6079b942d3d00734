/* SPDX-License-Identifier: MIT */
/* Resolves guest paths over the shares, before the guest runs.  Owns nothing. */
#include <loader/path.h>
#include <loader/view_parts.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Directories that the guest has without a share. */
static const char *const built_in[] = {"/", "/tmp", "/dev", "/proc"};

struct guest_walk {
    const struct view_builder *b;
    bool missing_ok;
};

int view_covering(const char *path) {
    int best = -1;
    size_t best_len = 0;
    for (uint32_t i = 0; i < shares.count; i++) {
        size_t len = strlen(shares.items[i].guest);
        if (len < best_len || !path_beneath(shares.items[i].guest, path)) continue;
        best = (int)i;
        best_len = len;
    }
    return best;
}

bool view_shows_host(const struct view_builder *b, const char *path) {
    int share = view_covering(path);
    if (share < 0 || !b->notes[share].same_path) return false;
    return shares.items[share].is_dir || strcmp(shares.items[share].guest, path) == 0;
}

/* A directory that exists because something is mounted, or linked, beneath it. */
static bool is_ancestor(const struct view_builder *b, const char *path) {
    for (uint32_t i = 0; i < shares.count; i++)
        if (path_beneath(path, shares.items[i].guest)) return true;
    for (size_t i = 0; i < b->v->symlink_count; i++)
        if (path_beneath(path, b->v->symlinks[i].path)) return true;
    for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++)
        if (strcmp(path, built_in[i]) == 0) return true;
    return false;
}

static const char *symlink_at(const struct view_builder *b, const char *path) {
    for (size_t i = 0; i < b->v->symlink_count; i++)
        if (strcmp(b->v->symlinks[i].path, path) == 0) return b->v->symlinks[i].target;
    return NULL;
}

static ssize_t guest_link(void *ctx, const char *path, char *text, size_t size) {
    const struct guest_walk *w = ctx;
    int share = view_covering(path);
    if (share >= 0) {
        const char *rel = path_beneath(shares.items[share].guest, path);
        if (!*rel) return 0;
        ssize_t n = readlinkat(shares.items[share].fd, rel, text, size);
        if (n >= 0) return n;
        if (errno == EINVAL) return 0;
        if (errno != ENOENT) return -errno;
    } else {
        const char *target = symlink_at(w->b, path);
        if (target) {
            size_t len = strnlen(target, size);
            memcpy(text, target, len);
            return (ssize_t)len;
        }
    }
    return w->missing_ok || is_ancestor(w->b, path) ? 0 : -ENOENT;
}

int view_resolve(const struct view_builder *b, const char *path, bool missing_ok, char *out) {
    struct guest_walk w = {.b = b, .missing_ok = missing_ok};
    return path_walk(path, out, guest_link, &w);
}

int view_open(const char *canonical, int flags) {
    int share = view_covering(canonical);
    if (share < 0) return -ENOENT;
    int dir = shares.items[share].fd;
    const char *rel = path_beneath(shares.items[share].guest, canonical);
    int fd;
    if (!*rel) { /* the descriptor itself, opened anew: it is O_PATH */
        char proc[32];
        snprintf(proc, sizeof(proc), "/proc/self/fd/%d", dir);
        fd = open(proc, flags | O_CLOEXEC);
    } else {
        /* The walk found no links; one that appears now must not lead anywhere. */
        struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
                               .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
        fd = (int)syscall(SYS_openat2, dir, rel, &how, sizeof(how));
    }
    return fd < 0 ? -errno : fd;
}

int view_mode(const struct view_builder *b, const char *canonical, mode_t *mode) {
    struct stat st;
    int share = view_covering(canonical);
    if (share >= 0) {
        const char *rel = path_beneath(shares.items[share].guest, canonical);
        int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
        if (fstatat(shares.items[share].fd, rel, &st, flags) == 0) {
            *mode = st.st_mode;
            return 0;
        }
        if (errno != ENOENT) return -errno;
    }
    if (!is_ancestor(b, canonical)) return -ENOENT;
    *mode = S_IFDIR | 0755;
    return 0;
}
