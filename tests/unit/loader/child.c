/* SPDX-License-Identifier: MIT */
/* Runs code that may exit in a child.  Owns nothing. */
#include "child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Files, not pipes: nobody reads while the child writes. */
static FILE *catch_file(void) {
    FILE *f = tmpfile();
    assert_non_null(f);
    return f;
}

static void take(FILE *f, char *text, size_t size) {
    rewind(f);
    text[fread(text, 1, size - 1, f)] = '\0';
    fclose(f);
}

void child_run(struct child *c, void (*body)(char **argv), char **argv) {
    int status;
    FILE *out = catch_file(), *err = catch_file();
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(fileno(out), STDOUT_FILENO);
        dup2(fileno(err), STDERR_FILENO);
        body(argv);
        fflush(stdout);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    c->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    take(out, c->out, sizeof(c->out));
    take(err, c->err, sizeof(c->err));
}

void child_fails(const struct child *c, int status, const char *line) {
    char expected[8192];
    snprintf(expected, sizeof(expected), "hermit-run: %s\n", line);
    assert_string_equal(c->err, expected);
    assert_int_equal(c->status, status);
}

static const char *find_line(const char *text, const char *start) {
    size_t n = strlen(start);
    for (const char *p = text; p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
        if (strncmp(p, start, n) == 0) return p;
    return NULL;
}

void child_prints(const struct child *c, const char *line) {
    char whole[8192];
    snprintf(whole, sizeof(whole), "%s\n", line);
    assert_string_equal(c->err, "");
    assert_int_equal(c->status, 0);
    if (!find_line(c->out, whole)) fail_msg("no line \"%s\" in:\n%s", line, c->out);
}

void child_does_not_print(const struct child *c, const char *start) {
    if (find_line(c->out, start)) fail_msg("line \"%s...\" in:\n%s", start, c->out);
}
