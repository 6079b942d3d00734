/* SPDX-License-Identifier: MIT */
/* A library whose text may come from a cache of rewritten objects: loaded, unloaded, looked at,
 * protected and moved in every way that a program may.  Argument: the library.  Ends with "ok". */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096
#define ROUNDS 40
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("FAIL line %d: %s\n", __LINE__, #condition);                                    \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

typedef long call_fn(void);

struct range {
    uintptr_t start, end, offset;
};

static const char *path;
static void *library;
static call_fn *call;

/* The n-th mapping whose line ends with `name` and has these permissions; false: there is none. */
static int find_mapping(const char *name, const char *permissions, unsigned n, struct range *r) {
    char line[4352], seen[8];
    FILE *f = fopen("/proc/self/maps", "r");
    int found = 0;
    CHECK(f != NULL);
    while (!found && fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = 0;
        size_t len = strlen(line), want = strlen(name);
        CHECK(sscanf(line, "%lx-%lx %7s %lx", &r->start, &r->end, seen, &r->offset) == 4);
        if (len < want || strcmp(line + len - want, name) != 0) continue;
        found = strcmp(seen, permissions) == 0 && n-- == 0;
    }
    fclose(f);
    return found;
}

static unsigned count_mappings(const char *name, const char *permissions) {
    struct range r;
    unsigned n = 0;
    while (find_mapping(name, permissions, n, &r))
        n++;
    return n;
}

static struct range text(void) {
    struct range r;
    CHECK(find_mapping(path, "r-xp", 0, &r));
    CHECK(r.start <= (uintptr_t)call && (uintptr_t)call < r.end);
    return r;
}

static void load(void) {
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL);
    void *symbol = dlsym(library, "cached_lib_getppid");
    CHECK(symbol != NULL);
    memcpy(&call, &symbol, sizeof(call));
    CHECK(call() == getppid());
}

static void unload(void) { CHECK(dlclose(library) == 0); }

static void pread_all(const char *file, void *to, size_t n, uintptr_t offset) {
    int fd = open(file, O_RDONLY);
    CHECK(fd >= 0 && pread(fd, to, n, (off_t)offset) == (ssize_t)n);
    close(fd);
}

/* The page of the call, as the file has it. */
static void file_page(uint8_t page[PAGE]) {
    struct range r = text();
    pread_all(path, page, PAGE, r.offset + ((uintptr_t)call & -(uintptr_t)PAGE) - r.start);
}

static void seen_by_debugger(void) {
    uint8_t of_file[PAGE], of_memory[PAGE];
    load();
    file_page(of_file);
    pread_all("/proc/self/mem", of_memory, PAGE, (uintptr_t)call & -(uintptr_t)PAGE);
    CHECK(memcmp(of_file, of_memory, PAGE) == 0);
    unload();
}

static void unloaded(void) {
    unsigned before = count_mappings("[hermit]", "r-xp");
    for (unsigned i = 0; i < 3; i++) {
        load();
        unload();
        CHECK(count_mappings(path, "r-xp") == 0);
        CHECK(count_mappings("[hermit]", "r-xp") == before);
    }
}

/* Who may write there sees what the file has, and may write it. */
static void written(void) {
    uint8_t of_file[PAGE];
    load();
    struct range r = text();
    file_page(of_file);
    CHECK(mprotect((void *)r.start, r.end - r.start, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
    CHECK(memcmp((void *)((uintptr_t)call & -(uintptr_t)PAGE), of_file, PAGE) == 0);
    CHECK(call() == getppid());
    memset((void *)(uintptr_t)call, 0xc3, 1); /* ret */
    CHECK(mprotect((void *)r.start, r.end - r.start, PROT_READ | PROT_EXEC) == 0);
    call();
    unload();
}

/* The program puts something else where the stubs are. */
static void covered(void) {
    load();
    struct range t = text(), stubs;
    for (unsigned i = 0; find_mapping("[hermit]", "r-xp", i, &stubs); i++) {
        if (stubs.start < t.end || stubs.start - t.end > 64 * PAGE) continue;
        void *at = mmap((void *)stubs.start, PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        CHECK(at == (void *)stubs.start);
        CHECK(call() == getppid());
        CHECK(*(char *)at == 0);
        CHECK(munmap(at, PAGE) == 0);
        break;
    }
    CHECK(call() == getppid());
    unload();
}

static void moved(void) {
    load();
    struct range t = text();
    size_t len = t.end - t.start;
    void *other = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(other != MAP_FAILED);
    CHECK(mremap((void *)t.start, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, other) == other);
    call_fn *there = (call_fn *)((uintptr_t)other + ((uintptr_t)call - t.start));
    CHECK(there() == getppid());
    CHECK(mremap(other, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)t.start) ==
          (void *)t.start);
    CHECK(call() == getppid());
    unload();
}

static void twice(void) {
    load();
    call_fn *other;
    void *second = dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
    CHECK(second != NULL);
    void *symbol = dlsym(second, "cached_lib_getppid");
    memcpy(&other, &symbol, sizeof(other));
    CHECK(other != call && other() == getppid() && call() == getppid());
    CHECK(dlclose(second) == 0);
    CHECK(call() == getppid());
    unload();
}

static _Atomic int running, stop;

static void *keep_calling(void *arg) {
    long want = getppid();
    do {
        CHECK(call() == want);
        running = 1;
    } while (!stop);
    return arg;
}

/* The text becomes the file's under the feet of a thread that executes it. */
static void under_way(void) {
    for (unsigned i = 0; i < ROUNDS; i++) {
        pthread_t thread;
        load();
        struct range t = text();
        running = stop = 0;
        CHECK(pthread_create(&thread, NULL, keep_calling, NULL) == 0);
        while (!running)
            sched_yield();
        CHECK(mprotect((void *)t.start, t.end - t.start, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
        CHECK(mprotect((void *)t.start, t.end - t.start, PROT_READ | PROT_EXEC) == 0);
        stop = 1;
        CHECK(pthread_join(thread, NULL) == 0);
        unload();
    }
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    path = argv[1];
    seen_by_debugger();
    unloaded();
    written();
    covered();
    moved();
    twice();
    under_way();
    puts("ok");
    return 0;
}
