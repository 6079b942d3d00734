/* SPDX-License-Identifier: MIT */
/* See libs.h.  The rules are those of ld.so(8) and of musl's linker. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rewriter/libs.h>
#include <rewriter/list.h>
#include <rewriter/so_cache.h>

#define FILE_MAX_BYTES (1ULL << 31)

typedef int open_fn(void *ctx, const char *path);

static const char *const default_dirs[] = {"/lib/x86_64-linux-gnu",
                                           "/usr/lib/x86_64-linux-gnu",
                                           "/lib64",
                                           "/usr/lib64",
                                           "/lib",
                                           "/usr/lib",
                                           "/usr/local/lib"};

/* One search: for whom, with what. */
struct search {
    const struct lib_files *files;
    open_fn *open;
    const struct so_cache *cache;
    const struct lib_object *by;
    const char *name;
    char found[PATH_MAX];
};

uint8_t *libs_read_file(int fd, size_t *size, const char **problem) {
    struct stat st;
    *problem = "not readable";
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return NULL;
    *problem = "too large";
    if ((uint64_t)st.st_size > FILE_MAX_BYTES) return NULL;
    uint8_t *bytes = list_must(malloc((size_t)st.st_size + 1));
    *size = 0;
    while (*size < (size_t)st.st_size) {
        ssize_t n = pread(fd, bytes + *size, (size_t)st.st_size - *size, (off_t)*size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        *size += (size_t)n;
    }
    *problem = NULL;
    return bytes;
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static struct lib_object *new_object(const char *path, int fd, const char **problem) {
    struct lib_object *o = list_must(calloc(1, sizeof(*o)));
    o->path = list_must(strdup(path));
    o->name = last_part(o->path);
    o->bytes = libs_read_file(fd, &o->size, problem);
    if (o->bytes != NULL) *problem = elf_in_parse(&o->elf, o->bytes, o->size);
    if (*problem == NULL) return o;
    free(o->bytes);
    free(o->path);
    free(o);
    return NULL;
}

/* DIR/NAME, with $ORIGIN put in; false: not a place to look. */
static bool expand(const struct search *s, const char *dir, size_t len, char *out) {
    size_t n = 0;
    const char *origin_end = strrchr(s->by->path, '/');
    for (size_t i = 0; i < len;) {
        size_t skip = strncmp(dir + i, "$ORIGIN", 7) == 0     ? 7
                      : strncmp(dir + i, "${ORIGIN}", 9) == 0 ? 9
                                                              : 0;
        size_t add = skip != 0 ? (size_t)(origin_end - s->by->path) : 1;
        if (skip == 0 && dir[i] == '$') return false;
        if (n + add >= PATH_MAX) return false;
        memcpy(out + n, skip != 0 ? s->by->path : dir + i, add);
        n += add;
        i += skip != 0 ? skip : 1;
    }
    if (n + strlen(s->name) + 2 > PATH_MAX) return false;
    out[n++] = '/';
    strcpy(out + n, s->name);
    return true;
}

static int try_dir(struct search *s, const char *dir, size_t len) {
    if (len == 0 || !expand(s, dir, len, s->found) || s->found[0] != '/') return -ENOENT;
    return s->open(s->files->ctx, s->found);
}

static int try_list(struct search *s, const char *list) {
    int fd = -ENOENT;
    while (list != NULL && *list != 0 && fd < 0) {
        size_t len = strcspn(list, ":;");
        fd = try_dir(s, list, len);
        list += len + (list[len] != 0);
    }
    return fd;
}

static int try_cache(struct search *s) {
    int fd = -ENOENT;
    for (size_t i = 0; fd < 0; i++) {
        const char *path = so_cache_find(s->cache, s->name, i);
        if (path == NULL || strlen(path) >= PATH_MAX) break;
        strcpy(s->found, path);
        fd = s->open(s->files->ctx, path);
    }
    return fd;
}

static int find_library(struct search *s, const struct lib_object *program) {
    if (strchr(s->name, '/') != NULL) {
        if (strlen(s->name) >= PATH_MAX || s->name[0] != '/') return -ENOENT;
        strcpy(s->found, s->name);
        return s->open(s->files->ctx, s->name);
    }
    int fd = -ENOENT;
    if (s->by->elf.runpath == NULL) {
        fd = try_list(s, s->by->elf.rpath);
        const struct lib_object *by = s->by;
        if (fd < 0 && by != program && program->elf.runpath == NULL) {
            s->by = program;
            fd = try_list(s, program->elf.rpath);
            s->by = by;
        }
    }
    if (fd < 0) fd = try_list(s, s->files->library_path);
    if (fd < 0) fd = try_list(s, s->by->elf.runpath);
    if (fd < 0) fd = try_cache(s);
    for (size_t i = 0; fd < 0 && i < sizeof(default_dirs) / sizeof(default_dirs[0]); i++)
        fd = try_dir(s, default_dirs[i], strlen(default_dirs[i]));
    return fd;
}

static bool is_loaded(const struct libs *l, const char *name) {
    for (size_t i = 0; i < l->objects.count; i++) {
        const struct lib_object *o = l->objects.items[i];
        if (strcmp(o->name, name) == 0 || strcmp(o->path, name) == 0) return true;
        if (o->elf.soname != NULL && strcmp(o->elf.soname, name) == 0) return true;
    }
    return false;
}

static bool is_known_missing(const struct libs *l, const char *name) {
    for (size_t i = 0; i < l->missing.count; i++)
        if (strcmp(l->missing.items[i].name, name) == 0) return true;
    return false;
}

/* musl's linker is its libc, and its other libraries are in it. */
static bool is_musl_own(const struct libs *l, const char *name) {
    static const char *const own[] = {"libc.",  "libpthread.", "librt.",  "libm.",
                                      "libdl.", "libutil.",    "libxnet."};
    if (l->linker == NULL || strncmp(l->linker->name, "ld-musl", 7) != 0) return false;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strncmp(name, own[i], strlen(own[i])) == 0) return true;
    return false;
}

static void note_missing(struct libs *l, struct search *s, const char *problem) {
    struct lib_missing m = {.name = s->name, .needed_by = s->by->name, .problem = problem};
    if (problem == NULL && s->files->open_outside != NULL) {
        s->open = s->files->open_outside;
        int fd = find_library(s, l->objects.items[0]);
        if (fd >= 0) m.outside = list_must(strdup(s->found));
        if (fd >= 0) close(fd);
    }
    LIST_PUSH(&l->missing, m);
}

static void add_library(struct libs *l, const struct lib_files *files, const struct so_cache *cache,
                        const struct lib_object *by, const char *name) {
    struct search s = {.files = files, .open = files->open, .cache = cache, .by = by, .name = name};
    if (is_loaded(l, name) || is_known_missing(l, name) || is_musl_own(l, name)) return;
    /* The linker itself is a library of most programs. */
    if (l->linker != NULL && strcmp(l->linker->name, last_part(name)) == 0) return;
    int fd = find_library(&s, l->objects.items[0]);
    if (fd < 0) return note_missing(l, &s, NULL);
    const char *problem = NULL;
    struct lib_object *o = new_object(s.found, fd, &problem);
    close(fd);
    if (o == NULL)
        note_missing(l, &s, problem);
    else
        LIST_PUSH(&l->objects, o);
}

static void add_preloads(struct libs *l, const struct lib_files *files,
                         const struct so_cache *cache) {
    char *list = list_must(strdup(files->preload));
    char *save = NULL;
    for (char *name = strtok_r(list, ": ", &save); name != NULL; name = strtok_r(NULL, ": ", &save))
        if (!is_loaded(l, name))
            add_library(l, files, cache, l->objects.items[0], list_must(strdup(name)));
    free(list);
}

static void load_linker(struct libs *l, const struct lib_files *files) {
    const char *path = l->objects.items[0]->elf.interp, *problem = NULL;
    int fd = path[0] == '/' ? files->open(files->ctx, path) : -ENOENT;
    if (fd >= 0) l->linker = new_object(path, fd, &problem);
    if (fd >= 0) close(fd);
    if (l->linker != NULL) return;
    struct lib_missing m = {.name = path, .needed_by = l->objects.items[0]->name};
    m.problem = problem;
    if (fd < 0 && files->open_outside != NULL) {
        fd = files->open_outside(files->ctx, path);
        if (fd >= 0) m.outside = list_must(strdup(path));
        if (fd >= 0) close(fd);
    }
    LIST_PUSH(&l->missing, m);
}

const char *libs_load(struct libs *l, const struct lib_files *files, int fd, const char *path) {
    const char *problem = NULL;
    struct so_cache cache = {0};
    *l = (struct libs){0};
    struct lib_object *program = new_object(path, fd, &problem);
    if (program == NULL) return problem;
    LIST_PUSH(&l->objects, program);
    if (program->elf.interp == NULL) return NULL;
    load_linker(l, files);
    int cache_fd = files->open(files->ctx, "/etc/ld.so.cache");
    if (cache_fd >= 0) so_cache_read(&cache, cache_fd);
    if (cache_fd >= 0) close(cache_fd);
    if (files->preload != NULL) add_preloads(l, files, &cache);
    for (size_t i = 0; i < l->objects.count; i++) {
        const struct lib_object *o = l->objects.items[i];
        for (size_t n = 0; n < o->elf.needed.count; n++)
            add_library(l, files, &cache, o, o->elf.needed.items[n]);
    }
    if (l->linker != NULL) LIST_PUSH(&l->objects, l->linker);
    so_cache_free(&cache);
    return NULL;
}

void libs_free(struct libs *l) {
    for (size_t i = 0; i < l->objects.count; i++) {
        struct lib_object *o = l->objects.items[i];
        code_free(&o->code);
        elf_in_free(&o->elf);
        free(o->bytes);
        free(o->path);
        free(o);
    }
    for (size_t i = 0; i < l->missing.count; i++)
        free(l->missing.items[i].outside);
    LIST_FREE(&l->objects);
    LIST_FREE(&l->missing);
    *l = (struct libs){0};
}
