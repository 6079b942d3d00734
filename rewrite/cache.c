/* SPDX-License-Identifier: MIT */
/* The directory of the cache: finding, publishing and forgetting its files.  Whoever changes it
 * holds its lock; readers need none, because files appear whole and never change.  Owns the
 * descriptors of the directory and the lock. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <rewrite/apart.h>
#include <rewrite/cached.h>
#include <rewrite/sha256.h>
#include <rewriter/list.h>

#define ORIGINAL_MAX ((off_t)1 << 30) /* larger files are not rewritten */
#define NS_PER_S 1000000000LL
#define TICK_NS 20000000LL       /* clocks of file systems are no coarser than that, */
#define COARSE_NS (2 * NS_PER_S) /* or else than that, and show whole seconds */

static int cache_dir = -1, cache_lock = -1;

static bool is_trusted(const struct stat *st) {
    return st->st_uid == geteuid() && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Where it is, or NULL; malloc'ed. */
static char *cache_path(void) {
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int n = -1;
    if (base != NULL && base[0] == '/')
        n = asprintf(&path, "%s/hermit", base);
    else if (home != NULL && home[0] == '/')
        n = asprintf(&path, "%s/.cache/hermit", home);
    return n >= 0 ? path : NULL;
}

bool cache_open(void) {
    char *path = cache_path();
    struct stat st;
    if (path == NULL) {
        errno = ENOENT;
        return false;
    }
    for (char *p = path + 1; (p = strchr(p, '/')) != NULL; *p++ = '/') {
        *p = 0;
        mkdir(path, 0700); /* what fails shows below */
    }
    mkdir(path, 0700);
    cache_dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    free(path);
    if (cache_dir < 0 || fstat(cache_dir, &st) != 0) return false;
    errno = EPERM;
    if (!is_trusted(&st)) return false;
    cache_lock =
        openat(cache_dir, HERMIT_CACHE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    return cache_lock >= 0;
}

/* Is the cache's file of that name what it should be? */
static bool is_good(const char *name, off_t original_size) {
    struct stat st;
    struct hermit_cached *c = MAP_FAILED;
    int fd = openat(cache_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool good = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && is_trusted(&st) &&
                st.st_size >= HERMIT_CACHE_PAGE && st.st_size <= HERMIT_CACHE_SIZE_MAX &&
                st.st_size % HERMIT_CACHE_PAGE == 0;
    size_t size = good ? (size_t)st.st_size : 0;
    if (good) c = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    good = good && c != MAP_FAILED && memcmp(c->magic, HERMIT_CACHE_MAGIC, 8) == 0 &&
           c->version == HERMIT_CACHE_VERSION && c->size == size &&
           c->original_size == (uint64_t)original_size;
    if (good) {
        uint64_t sum = c->checksum;
        c->checksum = 0;
        good = sum == cached_checksum(c, size);
    }
    if (c != MAP_FAILED) munmap(c, size);
    if (fd >= 0) close(fd);
    return good;
}

static int write_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno != EINTR) return errno;
        if (n > 0) bytes += n, size -= (size_t)n;
    }
    return 0;
}

/* Publishes a file of the cache, whole or not at all. */
static int publish(const char *name, const struct hermit_cached *c) {
    static const char temporary[] = "new"; /* one at a time: the lock is held */
    unlinkat(cache_dir, temporary, 0);
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(cache_dir, temporary, flags, 0600), error = fd < 0 ? errno : 0;
    if (error == 0) error = write_all(fd, (const char *)c, c->size);
    if (fd >= 0 && close(fd) != 0 && error == 0) error = errno;
    if (error == 0 && renameat(cache_dir, temporary, cache_dir, name) != 0) error = errno;
    if (error != 0) unlinkat(cache_dir, temporary, 0);
    return error;
}

static uint64_t ns_of(const struct timespec *t) {
    return (uint64_t)t->tv_sec * (uint64_t)NS_PER_S + (uint64_t)t->tv_nsec;
}

static void entry_name(char name[HERMIT_CACHE_NAME_BYTES], const struct stat *st) {
    snprintf(name, HERMIT_CACHE_NAME_BYTES, HERMIT_CACHE_NAME, HERMIT_CACHE_VERSION,
             (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
             (unsigned long long)st->st_size, (unsigned long long)ns_of(&st->st_mtim),
             (unsigned long long)ns_of(&st->st_ctim));
}

/* A change that comes within the clock's tick of the last one would leave no trace. */
static void wait_settled(const struct stat *st) {
    struct timespec now;
    bool coarse = st->st_mtim.tv_nsec == 0 && st->st_ctim.tv_nsec == 0;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t age = (int64_t)(ns_of(&now) - ns_of(&st->st_ctim));
    int64_t left = (coarse ? COARSE_NS : TICK_NS) - age;
    if (age < 0 || left <= 0) return;
    nanosleep(&(struct timespec){left / NS_PER_S, left % NS_PER_S}, NULL);
}

static int read_all(int fd, uint8_t *bytes, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(fd, bytes + done, size - done, (off_t)done);
        if (n == 0) return EAGAIN; /* it has become shorter */
        if (n < 0 && errno != EINTR) return errno;
        if (n > 0) done += (size_t)n;
    }
    return 0;
}

struct task {
    const uint8_t *bytes;
    size_t size;
};

static void make(void *arg, FILE *out) {
    const struct task *t = arg;
    const struct hermit_cached *c = cached_make(t->bytes, t->size);
    fwrite(c, 1, c->size, out);
}

/* What cached_make() makes where it can do no harm; NULL: it cannot be found out now.  A file that
 * it does not get through is not rewritten. */
static struct hermit_cached *make_apart(const uint8_t *bytes, size_t size) {
    struct task task = {bytes, size};
    struct apart a;
    int error = apart_run(make, &task, HERMIT_CACHE_SIZE_MAX, &a);
    struct hermit_cached *c = (struct hermit_cached *)a.bytes;
    if (error == 0 && a.size >= HERMIT_CACHE_PAGE && a.size == c->size) return c;
    free(a.bytes);
    return error == 0 || error == ECANCELED ? cached_nothing(size) : NULL;
}

/* Makes `entry` the name of what is known about these bytes, which are the file's. */
static int add_entry(const char *entry, const uint8_t *bytes, size_t size) {
    uint8_t hash[SHA256_BYTES];
    char name[2 * SHA256_BYTES + 16];
    int error = 0, n = snprintf(name, sizeof(name), "o%u-", HERMIT_CACHE_VERSION);
    sha256(bytes, size, hash);
    for (unsigned i = 0; i < SHA256_BYTES; i++)
        n += snprintf(name + n, sizeof(name) - (size_t)n, "%02x", hash[i]);
    if (!is_good(name, (off_t)size)) {
        struct hermit_cached *c = make_apart(bytes, size);
        error = c != NULL ? publish(name, c) : EAGAIN;
        free(c);
    }
    if (error != 0) return error;
    unlinkat(cache_dir, entry, 0);
    if (linkat(cache_dir, name, cache_dir, entry, 0) == 0) return 0;
    /* No links there: the entry is the file itself. */
    return renameat(cache_dir, name, cache_dir, entry) == 0 ? 0 : errno;
}

/* With a copy of the file's bytes: nobody can change them while they are looked at. */
static int add_file(int fd, const struct stat *st, const char *entry) {
    struct stat now;
    size_t size = (size_t)st->st_size;
    uint8_t *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED) return errno;
    int error = read_all(fd, bytes, size);
    if (error == 0 && fstat(fd, &now) != 0) error = errno;
    char name[HERMIT_CACHE_NAME_BYTES];
    if (error == 0) entry_name(name, &now);
    if (error == 0 && strcmp(name, entry) != 0) error = EAGAIN; /* it changed meanwhile */
    if (error == 0) error = add_entry(entry, bytes, size);
    munmap(bytes, size);
    return error;
}

static int add_locked(int fd) {
    struct stat st;
    char entry[HERMIT_CACHE_NAME_BYTES];
    if (fstat(fd, &st) != 0) return errno;
    if (!S_ISREG(st.st_mode) || st.st_size == 0) return EINVAL;
    if (st.st_size > ORIGINAL_MAX) return EFBIG;
    entry_name(entry, &st);
    if (is_good(entry, st.st_size)) return 0;
    wait_settled(&st);
    return add_file(fd, &st, entry);
}

int cache_file(const char *path) {
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return errno;
    int error = flock(cache_lock, LOCK_EX) == 0 ? add_locked(fd) : errno;
    flock(cache_lock, LOCK_UN);
    close(fd);
    return error;
}

struct cached_name {
    char *name;
    ino_t ino;
    uint64_t bytes, used; /* when, ns */
};
struct cached_names {
    struct cached_name *items;
    size_t count, room;
};

static int by_use(const void *a, const void *b) {
    const struct cached_name *x = a, *y = b;
    if (x->used != y->used) return x->used < y->used ? -1 : 1;
    return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static bool is_entry(const char *name) {
    return (name[0] == 'o' || name[0] == 'i') && name[1] >= '0' && name[1] <= '9';
}

/* All names, the names of one file beside each other; the sum of the files' sizes. */
static uint64_t list_names(struct cached_names *names) {
    int copy = openat(cache_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    uint64_t sum = 0;
    struct stat st;
    for (struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;) {
        if (!is_entry(d->d_name)) continue;
        if (fstatat(cache_dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
        struct cached_name n = {.name = list_must(strdup(d->d_name)),
                                .ino = st.st_ino,
                                .bytes = (uint64_t)st.st_blocks * 512,
                                .used = ns_of(&st.st_mtim)};
        LIST_PUSH(names, n);
    }
    if (dir != NULL) closedir(dir);
    if (names->count > 0) qsort(names->items, names->count, sizeof(names->items[0]), by_use);
    for (size_t i = 0; i < names->count; i++)
        if (i == 0 || names->items[i].ino != names->items[i - 1].ino) sum += names->items[i].bytes;
    return sum;
}

void cache_bound(uint64_t bytes) {
    struct cached_names names = {0};
    if (flock(cache_lock, LOCK_EX) != 0) return;
    uint64_t sum = list_names(&names);
    uint64_t goal = sum > bytes ? bytes - bytes / 8 : sum; /* not again for the next one */
    for (size_t i = 0; i < names.count; i++) {
        bool further = i > 0 && names.items[i].ino == names.items[i - 1].ino;
        if (!further && sum <= goal) break;
        unlinkat(cache_dir, names.items[i].name, 0);
        if (!further) sum -= names.items[i].bytes;
    }
    flock(cache_lock, LOCK_UN);
    for (size_t i = 0; i < names.count; i++)
        free(names.items[i].name);
    LIST_FREE(&names);
}
