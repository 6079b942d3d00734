/* SPDX-License-Identifier: MIT */
/* The boot block: one pass writes tables and strings behind the header.  Owns nothing. */
#include <loader/boot_block.h>
#include <loader/diag.h>

#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/utsname.h>

struct writer {
    char *base;
    size_t used, size; /* bytes */
};

static size_t align8(size_t n) { return (n + 7) & ~(size_t)7; }

static size_t strings_bytes(char *const *list, size_t count) {
    size_t n = align8(count * sizeof(uint32_t));
    for (size_t i = 0; i < count; i++)
        n += strlen(list[i]) + 1;
    return n + 7; /* the next table's alignment */
}

size_t boot_block_size(const struct options *o, const struct view *v,
                       const union cache_head *cached) {
    size_t n = sizeof(struct hermit_boot) + sizeof(struct utsname);
    n += strings_bytes(o->argv, o->argc) + strings_bytes(o->env, o->env_count);
    n += shares.count * sizeof(struct hermit_boot_share) + 7;
    for (uint32_t i = 0; i < shares.count; i++)
        n += strlen(shares.items[i].guest) + 1;
    n += v->symlink_count * sizeof(struct hermit_boot_symlink) + 7;
    for (size_t i = 0; i < v->symlink_count; i++)
        n += strlen(v->symlinks[i].path) + strlen(v->symlinks[i].target) + 2;
    n += strlen(v->program) + strlen(v->cwd) + 2;
    n += strlen(o->strace_filter ? o->strace_filter : "") + 1;
    n += cached != NULL ? sizeof(*cached) + 7 : 0;
    n = align8(n);
    if (n > UINT32_MAX) die(EXIT_HERMIT, "arguments and environment are too large");
    return n;
}

/* Room for `bytes`; the offset goes to *at. */
static void *reserve(struct writer *w, size_t bytes, uint32_t *at) {
    if (bytes > w->size - w->used) die(EXIT_HERMIT, "the boot block changed while being written");
    *at = (uint32_t)w->used;
    w->used += bytes;
    return w->base + *at;
}

static void *put_table(struct writer *w, size_t bytes, uint32_t *at) {
    uint32_t gap;
    reserve(w, align8(w->used) - w->used, &gap);
    return reserve(w, bytes, at);
}

static uint32_t put_string(struct writer *w, const char *text) {
    uint32_t at;
    size_t bytes = strlen(text) + 1;
    memcpy(reserve(w, bytes, &at), text, bytes);
    return at;
}

static uint32_t put_strings(struct writer *w, char *const *list, size_t count) {
    uint32_t at;
    uint32_t *offsets = put_table(w, count * sizeof(*offsets), &at);
    for (size_t i = 0; i < count; i++)
        offsets[i] = put_string(w, list[i]);
    return at;
}

static void put_shares(struct writer *w, struct hermit_boot *boot) {
    boot->nshares = shares.count;
    struct hermit_boot_share *table = put_table(w, shares.count * sizeof(*table), &boot->shares);
    for (uint32_t i = 0; i < shares.count; i++)
        table[i] = (struct hermit_boot_share){.path = put_string(w, shares.items[i].guest),
                                              .readonly = shares.items[i].readonly,
                                              .is_dir = shares.items[i].is_dir};
}

static void put_symlinks(struct writer *w, struct hermit_boot *boot, const struct view *v) {
    boot->nsymlinks = (uint32_t)v->symlink_count;
    struct hermit_boot_symlink *table =
        put_table(w, v->symlink_count * sizeof(*table), &boot->symlinks);
    for (size_t i = 0; i < v->symlink_count; i++) {
        table[i].path = put_string(w, v->symlinks[i].path);
        table[i].target = put_string(w, v->symlinks[i].target);
    }
}

static uint32_t boot_flags(const struct options *o) {
    uint32_t flags = 0;
    if (o->strace) flags |= HERMIT_BOOT_STRACE;
    if (o->strace_times) flags |= HERMIT_BOOT_STRACE_TIMES;
    if (o->stats || o->strace_summary) flags |= HERMIT_BOOT_STATS;
    if (o->verbose) flags |= HERMIT_BOOT_VERBOSE;
    if (o->no_aslr) flags |= HERMIT_BOOT_NO_ASLR;
    if (o->rewrite == REWRITE_OFF) flags |= HERMIT_BOOT_NO_REWRITE;
    if (o->rewrite == REWRITE_LAZY) flags |= HERMIT_BOOT_NO_STUBS;
    if (o->rewrite == REWRITE_OFFLINE) flags |= HERMIT_BOOT_NO_LAZY;
    if (cache_usable()) flags |= HERMIT_BOOT_CACHE;
    if (o->rootfs) flags |= HERMIT_BOOT_ROOT_SHARE;
    return flags;
}

static void put_identity(struct hermit_boot *boot) {
    boot->uid = (uint32_t)getauxval(AT_UID);
    boot->euid = (uint32_t)getauxval(AT_EUID);
    boot->gid = (uint32_t)getauxval(AT_GID);
    boot->egid = (uint32_t)getauxval(AT_EGID);
    mode_t mask = umask(022); /* there is no call that only reads it */
    umask(mask);
    boot->umask = mask;
}

void boot_block_write(void *dst, size_t size, const struct options *o, const struct view *v,
                      enum hermit_engine engine, uint32_t prog_handle,
                      const union cache_head *cached) {
    struct writer w = {.base = dst, .size = size};
    struct utsname host;
    uint32_t at;
    struct hermit_boot *boot = reserve(&w, sizeof(*boot), &at);
    *boot = (struct hermit_boot){
        .magic = HERMIT_BOOT_MAGIC,
        .version = HC_VERSION,
        .size = (uint32_t)size,
        .engine = engine,
        .flags = boot_flags(o),
        .ram_limit = o->memory_bytes,
        .cpus = o->cpus,
        .prog_handle = prog_handle,
        .strace_strings = o->strace_strings,
        .prog_attr = v->program_attr,
    };
    put_identity(boot);
    boot->argc = (uint32_t)o->argc;
    boot->argv = put_strings(&w, o->argv, o->argc);
    boot->envc = (uint32_t)o->env_count;
    boot->envp = put_strings(&w, o->env, o->env_count);
    put_shares(&w, boot);
    put_symlinks(&w, boot, v);
    boot->program = put_string(&w, v->program);
    boot->cwd = put_string(&w, v->cwd);
    boot->hostname = put_string(&w, uname(&host) == 0 ? host.nodename : "hermit");
    boot->strace_filter = put_string(&w, o->strace_filter ? o->strace_filter : "");
    if (cached != NULL)
        memcpy(put_table(&w, sizeof(*cached), &boot->prog_cached), cached, sizeof(*cached));
}
