/* SPDX-License-Identifier: MIT */
/* loader/boot_block.c: every offset lies inside, every string is what was given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#include <loader/boot_block.h>

#define GUARD 64

static char *text_of(const struct hermit_boot *b, uint32_t offset) {
    assert_in_range(offset, sizeof(*b), b->size - 1);
    assert_non_null(memchr((const char *)b + offset, '\0', b->size - offset));
    return (char *)(uintptr_t)b + offset;
}

static void list_is(const struct hermit_boot *b, uint32_t offset, uint32_t count,
                    char *const *expected) {
    assert_int_equal(offset % sizeof(uint32_t), 0);
    assert_true(offset + count * sizeof(uint32_t) <= b->size);
    const uint32_t *table = (const uint32_t *)(const void *)((const char *)b + offset);
    for (uint32_t i = 0; i < count; i++)
        assert_string_equal(text_of(b, table[i]), expected[i]);
    assert_null(expected[count]);
}

static struct hermit_boot *write_block(const struct options *o, const struct view *v) {
    size_t size = boot_block_size(o, v, NULL);
    assert_int_equal(size % 8, 0);
    char *block = calloc(1, size + GUARD);
    assert_non_null(block);
    memset(block + size, 0x5a, GUARD);
    boot_block_write(block, size, o, v, HERMIT_ENGINE_QEMU, 7, NULL);
    for (size_t i = 0; i < GUARD; i++)
        assert_int_equal(block[size + i], 0x5a);
    struct hermit_boot *b = (struct hermit_boot *)(void *)block;
    assert_int_equal(b->magic, HERMIT_BOOT_MAGIC);
    assert_int_equal(b->version, HC_VERSION);
    assert_int_equal(b->size, size);
    return b;
}

static void full(void **state) {
    char *argv[] = {(char *)"./app", (char *)"", (char *)"a b", NULL};
    char *env[] = {(char *)"A=1", (char *)"B=", NULL};
    struct share items[] = {{.guest = "/work", .readonly = true, .is_dir = true},
                            {.guest = "/etc/passwd"}};
    struct view_symlink links[] = {{(char *)"/lib", (char *)"usr/lib"},
                                   {(char *)"/a", (char *)"/b"}};
    struct options o = {.argv = argv,
                        .argc = 3,
                        .env = env,
                        .env_count = 2,
                        .cpus = 1,
                        .memory_bytes = 64 << 20,
                        .strace = true,
                        .no_aslr = true,
                        .strace_filter = (char *)"read,write"};
    struct view v = {.symlinks = links,
                     .symlink_count = 2,
                     .cwd = (char *)"/work",
                     .program = (char *)"/work/app",
                     .program_attr = {.ino = 5, .size = 99}};
    struct utsname host;
    mode_t mask = umask(027);
    shares = (struct share_table){items, 2};
    struct hermit_boot *b = write_block(&o, &v);
    assert_int_equal(umask(mask), 027); /* unchanged by the reading */
    assert_int_equal(b->umask, 027);
    assert_int_equal(b->engine, HERMIT_ENGINE_QEMU);
    assert_int_equal(b->flags, HERMIT_BOOT_STRACE | HERMIT_BOOT_NO_ASLR);
    assert_int_equal(b->ram_limit, 64 << 20);
    assert_int_equal(b->cpus, 1);
    assert_int_equal(b->prog_handle, 7);
    assert_int_equal(b->prog_attr.ino, 5);
    assert_int_equal(b->prog_attr.size, 99);
    assert_int_equal(b->uid, getuid());
    assert_int_equal(b->euid, geteuid());
    assert_int_equal(b->gid, getgid());
    assert_int_equal(b->egid, getegid());
    assert_int_equal(b->argc, 3);
    list_is(b, b->argv, b->argc, argv);
    assert_int_equal(b->envc, 2);
    list_is(b, b->envp, b->envc, env);
    assert_string_equal(text_of(b, b->program), "/work/app");
    assert_string_equal(text_of(b, b->cwd), "/work");
    assert_string_equal(text_of(b, b->strace_filter), "read,write");
    uname(&host);
    assert_string_equal(text_of(b, b->hostname), host.nodename);
    assert_int_equal(b->nshares, 2);
    const struct hermit_boot_share *s = (const void *)((const char *)b + b->shares);
    assert_string_equal(text_of(b, s[0].path), "/work");
    assert_string_equal(text_of(b, s[1].path), "/etc/passwd");
    assert_true(s[0].readonly == 1 && s[0].is_dir == 1 && s[1].readonly == 0 && s[1].is_dir == 0);
    assert_int_equal(b->nsymlinks, 2);
    const struct hermit_boot_symlink *l = (const void *)((const char *)b + b->symlinks);
    assert_string_equal(text_of(b, l[0].path), "/lib");
    assert_string_equal(text_of(b, l[0].target), "usr/lib");
    assert_string_equal(text_of(b, l[1].target), "/b");
    free(b);
}

static void empty(void **state) {
    char *argv[] = {(char *)"x", NULL};
    char *env[] = {NULL};
    struct options o = {.argv = argv,
                        .argc = 1,
                        .env = env,
                        .rootfs = (char *)"/r",
                        .stats = true,
                        .verbose = true};
    struct view v = {.cwd = (char *)"/", .program = (char *)"/x"};
    shares = (struct share_table){0};
    struct hermit_boot *b = write_block(&o, &v);
    assert_int_equal(b->flags, HERMIT_BOOT_STATS | HERMIT_BOOT_VERBOSE | HERMIT_BOOT_ROOT_SHARE);
    assert_int_equal(b->envc + b->nshares + b->nsymlinks, 0);
    assert_string_equal(text_of(b, b->strace_filter), "");
    free(b);
}

/* All lengths modulo the alignments. */
static void sizes(void **state) {
    char argument[32], variable[32];
    char *argv[] = {argument, argument, NULL}, *env[] = {variable, variable, variable, NULL};
    struct share items[] = {{.guest = argument}};
    struct options o = {.argv = argv, .env = env};
    struct view v = {.cwd = (char *)"/", .program = (char *)"/x"};
    shares = (struct share_table){items, 1};
    for (size_t i = 0; i < 16; i++) {
        for (size_t j = 0; j < 16; j++) {
            memset(argument, 'a', i);
            memset(variable, 'v', j);
            argument[i] = variable[j] = '\0';
            o.argc = 1 + i % 2;
            o.env_count = j % 4;
            argv[1] = o.argc == 2 ? argument : NULL;
            for (size_t k = 0; k < 3; k++)
                env[k] = k < o.env_count ? variable : NULL;
            struct hermit_boot *b = write_block(&o, &v);
            list_is(b, b->argv, b->argc, argv);
            list_is(b, b->envp, b->envc, env);
            free(b);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full),
        cmocka_unit_test(empty),
        cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
