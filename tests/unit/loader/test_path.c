/* SPDX-License-Identifier: MIT */
/* loader/path.c: path arithmetic and the walk over symbolic links. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <loader/path.h>

static void clean_is(const char *path, const char *expected) {
    char *clean = path_clean(path);
    assert_non_null(clean);
    assert_string_equal(clean, expected);
    free(clean);
}

static void clean(void **state) {
    char text[PATH_MAX + 16];
    clean_is("/", "/");
    clean_is("//", "/");
    clean_is("/..", "/");
    clean_is("/../../a", "/a");
    clean_is("/a/b/", "/a/b");
    clean_is("/a//./b/../c/.", "/a/c");
    clean_is("/a/...", "/a/...");
    assert_null(path_clean("a"));
    assert_null(path_clean(""));
    memset(text, 'a', sizeof(text));
    text[0] = '/';
    text[PATH_MAX] = '\0';
    assert_null(path_clean(text));
    text[PATH_MAX - 1] = '\0';
    clean_is(text, text);
}

static void beneath(void **state) {
    assert_string_equal(path_beneath("/", "/a/b"), "a/b");
    assert_string_equal(path_beneath("/", "/"), "");
    assert_string_equal(path_beneath("/a", "/a/b"), "b");
    assert_string_equal(path_beneath("/a", "/a"), "");
    assert_null(path_beneath("/a", "/ab"));
    assert_null(path_beneath("/a/b", "/a"));
    assert_null(path_beneath("/a", "/"));
}

/* A small tree of links: pairs of path and text. */
static ssize_t fake_link(void *ctx, const char *path, char *text, size_t size) {
    if (strcmp(path, "/gone") == 0) return -ENOENT;
    for (const char *const *pair = ctx; *pair; pair += 2) {
        if (strcmp(pair[0], path) != 0) continue;
        size_t n = strlen(pair[1]);
        assert_true(n <= size);
        memcpy(text, pair[1], n);
        return (ssize_t)n;
    }
    return 0;
}

static void walk(void **state) {
    static const char *links[] = {"/bin",      "usr/bin", "/usr/bin/sh", "dash",  "/abs",
                                  "/bin/sh",   "/loop",   "/loop",       "/up",   "../../x",
                                  "/usr/dots", ".././a",  "/to-gone",    "/gone", NULL};
    static const struct {
        const char *path, *out;
        int error;
    } cases[] = {{"/bin/sh", "/usr/bin/dash", 0},  {"/abs", "/usr/bin/dash", 0},
                 {"//bin/../etc/", "/usr/etc", 0}, {"/up/y", "/x/y", 0},
                 {"/usr/dots/b/..", "/a", 0},      {"/loop/x", NULL, -ELOOP},
                 {"/to-gone", NULL, -ENOENT},      {"/", "/", 0}};
    char out[PATH_MAX], text[PATH_MAX + 1];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(path_walk(cases[i].path, out, fake_link, links), cases[i].error);
        if (cases[i].out) assert_string_equal(out, cases[i].out);
    }
    memset(text, '/', sizeof(text));
    memcpy(text + sizeof(text) - 5, "bin/", 5);
    assert_int_equal(path_walk(text, out, fake_link, links), -ENAMETOOLONG);
    memset(text, 'a', sizeof(text)); /* fits, but not behind the link's text */
    memcpy(text, "/bin/", 5);
    text[PATH_MAX - 1] = '\0';
    assert_int_equal(path_walk(text, out, fake_link, links), -ENAMETOOLONG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean),
        cmocka_unit_test(beneath),
        cmocka_unit_test(walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
