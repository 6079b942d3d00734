/* SPDX-License-Identifier: MIT */
/* loader/parse.c: sizes, durations, volumes, environment files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <loader/options.h>

static void sizes(void **state) {
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0},
                {"4096", 4096},
                {"4k", 4096},
                {"256M", 256ULL << 20},
                {"2g", 2ULL << 30},
                {"1T", 1ULL << 40},
                {"18446744073709551615", UINT64_MAX},
                {"16777215T", 16777215ULL << 40}};
    static const char *const bad[] = {"",
                                      "M",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 M",
                                      "1MB",
                                      "1.5G",
                                      "0x10",
                                      "1e3",
                                      "1MM",
                                      "1P",
                                      "1m ",
                                      "16777216T",
                                      "18446744073709551616",
                                      "99999999999999999999999999M"};
    uint64_t bytes;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(parse_size(good[i].text, &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (parse_size(bad[i], &bytes)) fail_msg("accepted '%s'", bad[i]);
}

static void durations(void **state) {
    static const struct {
        const char *text;
        uint64_t ns;
    } good[] = {{"0", 0},
                {"10", 10000000000},
                {"1.5s", 1500000000},
                {"200ms", 200000000},
                {"7us", 7000},
                {"2m", 120000000000},
                {"1h", 3600000000000},
                {"1d", 86400000000000},
                {"0.5h", 1800000000000},
                {"0.0000000019", 1},
                {"1.25ms", 1250000}};
    static const char *const bad[] = {
        "",   "s",   ".5",   "1.",  "-1",  "1.5.5",       "1 s",
        "1S", "1ns", "1min", "inf", "1ss", "9999999999d", "99999999999999999999"};
    uint64_t ns;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(parse_duration(good[i].text, &ns));
        assert_int_equal(ns, good[i].ns);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (parse_duration(bad[i], &ns)) fail_msg("accepted '%s'", bad[i]);
}

static void volume_ok(const char *text, const char *host, const char *guest, bool writable) {
    struct volume_option v;
    const char *error = parse_volume(text, &v);
    if (error) fail_msg("'%s': %s", text, error);
    assert_string_equal(v.host, host);
    if (guest)
        assert_string_equal(v.guest, guest);
    else
        assert_null(v.guest);
    assert_int_equal(v.writable, writable);
    free(v.host);
    free(v.guest);
}

static void volume_bad(const char *text, const char *part) {
    struct volume_option v;
    const char *error = parse_volume(text, &v);
    if (!error) fail_msg("accepted '%s'", text);
    if (!strstr(error, part)) fail_msg("'%s': %s", text, error);
    assert_null(v.host);
    assert_null(v.guest);
}

static void volumes(void **state) {
    char text[8192];
    volume_ok("data", "data", NULL, false);
    volume_ok("data:rw", "data", NULL, true);
    volume_ok("data:ro", "data", NULL, false);
    volume_ok("/a:/b", "/a", "/b", false);
    volume_ok("/a:/b:rw", "/a", "/b", true);
    volume_ok("./a:/b//c/./d/../e/:ro", "./a", "/b/c/e", false);
    volume_ok("rw", "rw", NULL, false);
    volume_ok(".:/ro", ".", "/ro", false);
    volume_bad("", "host path is empty");
    volume_bad(":/b", "host path is empty");
    volume_bad("a:b", "not absolute");
    volume_bad("a:", "not absolute");
    volume_bad("a:ro:rw", "not absolute");
    volume_bad("a:/b:rx", "ro or rw");
    volume_bad("a:/b:", "ro or rw");
    volume_bad("a:/b:ro:rw", "too many ':'");
    volume_bad("a:/", "cannot be /");
    volume_bad("a:/b/..:rw", "cannot be /");
    memset(text, 'x', sizeof(text));
    memcpy(text, "a:/", 3);
    text[sizeof(text) - 1] = '\0';
    volume_bad(text, "too long");
}

static struct options opt;

static void env_reset(void) {
    for (size_t i = 0; i < opt.env_count; i++)
        free(opt.env[i]);
    free(opt.env);
    opt = (struct options){0};
}

static const char *env_file(const char *content, size_t len) {
    char path[] = "/tmp/test_parse.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, len), len);
    close(fd);
    const char *error = parse_env_file(path, &opt);
    unlink(path);
    return error;
}

static void env_files(void **state) {
    static const char good[] = "\xef\xbb\xbf"
                               "A=file\n"
                               "# comment\n"
                               "\n"
                               "  B= two words # not a comment \r\n"
                               "HERMIT_TEST_HOST\n"
                               "HERMIT_TEST_UNSET\n"
                               "C=\n"
                               "D=a=\"b\"";
    setenv("HERMIT_TEST_HOST", "host", 1);
    unsetenv("HERMIT_TEST_UNSET");
    assert_true(options_set_env(&opt, "A=before"));
    char *before = opt.env[0];
    assert_null(env_file(good, sizeof(good) - 1));
    free(before);
    assert_int_equal(opt.env_count, 5);
    assert_string_equal(opt.env[0], "A=file");
    assert_string_equal(opt.env[1], "B= two words # not a comment ");
    assert_string_equal(opt.env[2], "HERMIT_TEST_HOST=host");
    assert_string_equal(opt.env[3], "C=");
    assert_string_equal(opt.env[4], "D=a=\"b\"");
    assert_null(opt.env[5]);
    env_reset();
    assert_null(env_file("", 0));
    assert_int_equal(opt.env_count, 0);
    assert_string_equal(env_file("A=1\n=x\n", 7), "line 2: no name before '='");
    env_reset();
    assert_string_equal(env_file("A B=1\n", 6), "line 1: blank in the name");
    assert_string_equal(env_file("A\0=1\n", 5), "not an environment file: contains a NUL byte");
    assert_string_equal(parse_env_file("/nonexistent/env", &opt), "No such file or directory");
    assert_string_equal(parse_env_file("/tmp", &opt), "Is a directory");
    assert_string_equal(parse_env_file("/dev/zero", &opt),
                        "not an environment file: 1 MiB or larger");
    env_reset();
}

static void set_env_prefixes(void **state) {
    assert_true(options_set_env(&opt, "AB=1"));
    assert_true(options_set_env(&opt, "A=2"));
    assert_int_equal(opt.env_count, 2);
    char *before = opt.env[0];
    assert_true(options_set_env(&opt, "AB=3"));
    free(before);
    assert_string_equal(opt.env[0], "AB=3");
    assert_string_equal(opt.env[1], "A=2");
    env_reset();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),     cmocka_unit_test(durations),        cmocka_unit_test(volumes),
        cmocka_unit_test(env_files), cmocka_unit_test(set_env_prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
