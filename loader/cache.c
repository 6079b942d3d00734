/* SPDX-License-Identifier: MIT */
/* The cache of rewritten objects.  What is taken from it was checked: it belongs to this user and
 * nobody else may write to it, it was made for this very file, and its checksum is right.  Owns the
 * directory's descriptor and the list of what was found missing. */
#include <loader/cache.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <loader/diag.h>

#define NS_PER_S 1000000000ULL
#define WANTED_MAX 32768 /* bytes; fits into a pipe */
#define CHUNK (64u << 10)
#define MISSING_MAX 128

static struct {
    bool usable, now; /* now: --rewrite load */
    uid_t uid;        /* whose it must be */
    int dir;          /* -1: nothing is cached yet */
    struct {
        dev_t dev;
        ino_t ino;
    } missing[MISSING_MAX]; /* noted in this run */
    unsigned missing_count;
} cache = {.dir = -1};

bool cache_usable(void) { return cache.usable; }
bool cache_waits(void) { return cache.now; }
unsigned cache_missing(void) { return cache.now ? 0 : cache.missing_count; }

static bool is_trusted(const struct stat *st) {
    return st->st_uid == cache.uid && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool cache_path(char path[PATH_MAX]) {
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (base != NULL && base[0] == '/')
        n = snprintf(path, PATH_MAX, "%s/hermit", base);
    else if (home != NULL && home[0] == '/')
        n = snprintf(path, PATH_MAX, "%s/.cache/hermit", home);
    return n > 0 && n < PATH_MAX;
}

/* The directory and the one that it lies in: what else is missing is no cache's business. */
static bool make_dir(char *path) {
    char *slash = strrchr(path, '/');
    *slash = '\0';
    mkdir(path, 0700);
    *slash = '/';
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static void open_dir(void) {
    char path[PATH_MAX];
    struct stat st;
    if (!cache_path(path)) return;
    const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int dir = open(path, flags);
    if (dir < 0 && errno == ENOENT && make_dir(path)) dir = open(path, flags);
    if (dir < 0) return;
    if (fstat(dir, &st) != 0 || !is_trusted(&st)) {
        verbose("%s is not this user's alone: no cache of rewritten objects", path);
        close(dir);
        return;
    }
    cache.dir = dir;
    cache.usable = true;
}

static unsigned long long ns_of(const struct timespec *t) {
    return (unsigned long long)t->tv_sec * NS_PER_S + (unsigned long long)t->tv_nsec;
}

static void entry_name(char name[HERMIT_CACHE_NAME_BYTES], const struct stat *st) {
    snprintf(name, HERMIT_CACHE_NAME_BYTES, HERMIT_CACHE_NAME, HERMIT_CACHE_VERSION,
             (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
             (unsigned long long)st->st_size, ns_of(&st->st_mtim), ns_of(&st->st_ctim));
}

static bool reads_whole(int fd, void *to, size_t size, uint64_t offset) {
    return pread(fd, to, size, (off_t)offset) == (ssize_t)size;
}

/* The sum over all pages; the first one is there already. */
static bool checksum_fits(int fd, union cache_head *head) {
    static uint64_t chunk[CHUNK / sizeof(uint64_t)];
    uint64_t stated = head->info.checksum, left = head->info.size - HERMIT_CACHE_PAGE;
    head->info.checksum = 0;
    uint64_t sum = hermit_cache_checksum(0, head->page);
    head->info.checksum = stated;
    while (left > 0) {
        size_t n = left < CHUNK ? (size_t)left : CHUNK;
        if (!reads_whole(fd, chunk, n, head->info.size - left)) return false;
        for (size_t at = 0; at < n; at += HERMIT_CACHE_PAGE)
            sum = hermit_cache_checksum(sum, chunk + at / sizeof(chunk[0]));
        left -= n;
    }
    return sum == stated;
}

static bool head_fits(const struct hermit_cached *c, const struct stat *st, off_t original) {
    const uint64_t page = HERMIT_CACHE_PAGE;
    if (memcmp(c->magic, HERMIT_CACHE_MAGIC, sizeof(c->magic)) != 0) return false;
    if (c->version != HERMIT_CACHE_VERSION || c->size != (uint64_t)st->st_size) return false;
    if (c->original_size != (uint64_t)original) return false;
    if (c->npages == 0) return c->size == page;
    if (c->npages > HERMIT_CACHE_PAGES_MAX || c->ntexts > HERMIT_CACHE_TEXTS) return false;
    if (c->stubs_size == 0 || c->stubs_size % page != 0 || c->stubs_addr % page != 0) return false;
    return c->size == page + c->npages * page + c->stubs_size;
}

/* Reads and checks a file of the cache. */
static bool is_good(int fd, union cache_head *head, off_t original) {
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || !is_trusted(&st)) return false;
    if (st.st_size > HERMIT_CACHE_SIZE_MAX || st.st_size % HERMIT_CACHE_PAGE != 0) return false;
    if (!reads_whole(fd, head, sizeof(*head), 0)) return false;
    if (!head_fits(&head->info, &st, original) || !checksum_fits(fd, head)) return false;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec - st.st_mtim.tv_sec > HERMIT_CACHE_TOUCH_S) futimens(fd, NULL);
    return true;
}

int cache_find(int fd, union cache_head *head) {
    char name[HERMIT_CACHE_NAME_BYTES];
    struct stat st;
    if (!cache.usable) return -ENOENT;
    if (fstat(fd, &st) != 0) return -errno;
    if (!S_ISREG(st.st_mode)) return -ENODATA;
    entry_name(name, &st);
    int found = openat(cache.dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (found < 0) return -ENOENT;
    bool good = is_good(found, head, st.st_size);
    if (good && head->info.npages > 0) return found;
    close(found);
    return good ? -ENODATA : -ENOENT;
}

/* First time that it is missing? */
static bool note_missing(int fd) {
    struct stat st;
    if (fstat(fd, &st) != 0 || cache.missing_count == MISSING_MAX) return false;
    for (unsigned i = 0; i < cache.missing_count; i++)
        if (cache.missing[i].dev == st.st_dev && cache.missing[i].ino == st.st_ino) return false;
    cache.missing[cache.missing_count].dev = st.st_dev;
    cache.missing[cache.missing_count++].ino = st.st_ino;
    return true;
}

/* For the process that fills the cache beside a later run. */
static void write_wanted(const char *path) {
    const int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    struct stat st;
    int fd = openat(cache.dir, HERMIT_CACHE_WANTED, flags, 0600);
    if (fd < 0) return;
    size_t n = strlen(path) + 1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size + (off_t)n <= WANTED_MAX)
        (void)!write(fd, path, n);
    close(fd);
}

bool cache_want(int fd) {
    char link[32], path[PATH_MAX];
    if (!cache.usable || !note_missing(fd)) return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlinkat(AT_FDCWD, link, path, sizeof(path) - 1);
    if (n <= 0 || path[0] != '/') return false;
    path[n] = '\0';
    if (filler_runs()) {
        filler_ask(path, cache.now);
        return cache.now;
    }
    if (!cache.now) write_wanted(path);
    return false;
}

/* Takes what earlier runs left. */
static size_t take_wanted(char names[WANTED_MAX]) {
    struct stat st;
    int fd = openat(cache.dir, HERMIT_CACHE_WANTED, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return 0;
    bool good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && is_trusted(&st);
    ssize_t n = good ? read(fd, names, WANTED_MAX) : 0;
    close(fd);
    unlinkat(cache.dir, HERMIT_CACHE_WANTED, 0);
    while (n > 0 && names[n - 1] != '\0') /* of a name that is not whole */
        n--;
    return n > 0 ? (size_t)n : 0;
}

int cache_init(const struct options *o, int program_fd, union cache_head *head) {
    static char names[WANTED_MAX];
    if (o->rewrite != REWRITE_AUTO && o->rewrite != REWRITE_LOAD) return -ENODATA;
    cache.now = o->rewrite == REWRITE_LOAD;
    cache.uid = geteuid();
    open_dir();
    if (!cache.usable && cache.now)
        die(EXIT_HERMIT, "--rewrite load: there is no cache: set HOME or XDG_CACHE_HOME");
    if (!cache.usable) return -ENODATA;
    size_t wanted = take_wanted(names);
    int found = cache_find(program_fd, head);
    if (!cache.now && wanted == 0 && found != -ENOENT) return found;
    if (!filler_start(cache.now, names, wanted)) {
        if (cache.now) die(EXIT_HERMIT, "--rewrite load: hermit-rewrite is not installed");
        cache.usable = cache.dir >= 0 && found != -ENOENT; /* nobody would fill it */
        return found;
    }
    if (found == -ENOENT && cache_want(program_fd)) found = cache_find(program_fd, head);
    return found;
}
