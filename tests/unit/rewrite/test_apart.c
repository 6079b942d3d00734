/* SPDX-License-Identifier: MIT */
/* Work in a process apart: what it may do and may not, and how its end is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rewrite/apart.h>

#define MOST ((size_t)1 << 20)

static struct apart got;

static void write_bytes(void *arg, FILE *out) {
    size_t n = *(size_t *)arg;
    char *bytes = malloc(n + 1);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)i;
    fwrite(bytes, 1, n, out);
    free(bytes);
}

static void test_result(void **state) {
    static size_t sizes[] = {0, 1, 65536, MOST};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_int_equal(apart_run(write_bytes, &sizes[i], MOST, &got), 0);
        assert_int_equal(got.size, sizes[i]);
        for (size_t k = 0; k < got.size; k++)
            if (got.bytes[k] != (uint8_t)k) fail();
        free(got.bytes);
    }
}

static void assert_nothing(int result) {
    assert_int_equal(result, ECANCELED);
    assert_null(got.bytes);
    assert_int_equal(got.size, 0);
}

static void test_too_much(void **state) {
    size_t n = MOST + 1, many = 64 * MOST;
    assert_nothing(apart_run(write_bytes, &n, MOST, &got));
    assert_nothing(apart_run(write_bytes, &many, MOST, &got));
}

static void crash(void *arg, FILE *out) {
    fputs("half of", out);
    fflush(out);
    raise(SIGSEGV);
}
static void leave(void *arg, FILE *out) { _exit(1); }

static void test_bad_end(void **state) {
    assert_nothing(apart_run(crash, NULL, MOST, &got));
    assert_nothing(apart_run(leave, NULL, MOST, &got));
}

static void open_file(void *arg, FILE *out) { fprintf(out, "%d", open("/dev/null", O_RDONLY)); }
static void make_process(void *arg, FILE *out) { fprintf(out, "%d", fork() != 0); }
static void make_socket(void *arg, FILE *out) {
    fprintf(out, "%d", socket(AF_UNIX, SOCK_STREAM, 0));
}
static void execute(void *arg, FILE *out) { fprintf(out, "%d", execl("/bin/true", "true", NULL)); }
static void kill_parent(void *arg, FILE *out) { fprintf(out, "%d", kill(getppid(), 0)); }
static void make_code(void *arg, FILE *out) {
    void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fprintf(out, "%d", at != MAP_FAILED);
}
static void change_code(void *arg, FILE *out) {
    fprintf(out, "%d", mprotect(arg, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
}

static void test_forbidden(void **state) {
#ifdef __SANITIZE_ADDRESS__
    skip(); /* there is no filter */
#endif
    void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_nothing(apart_run(open_file, NULL, MOST, &got));
    assert_nothing(apart_run(make_process, NULL, MOST, &got));
    assert_nothing(apart_run(make_socket, NULL, MOST, &got));
    assert_nothing(apart_run(execute, NULL, MOST, &got));
    assert_nothing(apart_run(kill_parent, NULL, MOST, &got));
    assert_nothing(apart_run(make_code, NULL, MOST, &got));
    assert_nothing(apart_run(change_code, page, MOST, &got));
    munmap(page, 4096);
}

/* Descriptors of this process are not the other's. */
static void write_to(void *arg, FILE *out) { fprintf(out, "%d", write(*(int *)arg, "x", 1) == 1); }

static void test_descriptors(void **state) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(apart_run(write_to, &ends[1], MOST, &got), 0);
    assert_int_equal(got.size, 1);
    assert_int_equal(got.bytes[0], '0');
    free(got.bytes);
    close(ends[0]);
    close(ends[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_result),      cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_bad_end),     cmocka_unit_test(test_forbidden),
        cmocka_unit_test(test_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
