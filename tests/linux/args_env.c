/* SPDX-License-Identifier: MIT */
/* Large argument and environment lists: 128 KiB strings, many strings, E2BIG.
 *
 * "verify COUNT LENGTH ..." checks the arguments that follow, whoever started the program. */
#include "check.h"

#include <sys/auxv.h>

#define LONGEST 131071 /* MAX_ARG_STRLEN less the NUL */

static char *filled(size_t len) {
    char *s = malloc(len + 1);
    CHECK(s != NULL);
    memset(s, 'x', len);
    s[len] = 0;
    return s;
}

static int verify(int argc, char **argv) {
    int count = atoi(argv[2]);
    size_t len = (size_t)atol(argv[3]);
    CHECK_EQ(argc, count + 4);
    CHECK(argv[argc] == NULL);
    for (int i = 4; i < argc; i++) {
        CHECK_EQ(strlen(argv[i]), len);
        CHECK_EQ(strspn(argv[i], "x"), len);
    }
    extern char **environ;
    size_t names = 0;
    for (char **e = environ; *e != NULL; e++)
        names++;
    const char *want = getenv("COUNT");
    if (want != NULL) CHECK_EQ(names, atoi(want));
    const char *big = getenv("BIG");
    if (big != NULL) CHECK_EQ(strlen(big), LONGEST - 4);
    ok("verified");
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 3 && strcmp(argv[1], "verify") == 0) return verify(argc, argv);
    const char *self = (const char *)getauxval(AT_EXECFN);
    char *no_env[] = {NULL};
    char *too_long[] = {argv[0], filled(LONGEST + 1), NULL};
    CHECK_ERR(execve(self, too_long, no_env), E2BIG);
    CHECK_ERR(execve(self, argv, too_long), E2BIG);
    ok("one string too long");

    /* A quarter of the stack limit, 2 MiB of 8, is the most; 6 MiB is too much in any case. */
    enum { MANY = 60 };
    char *many[MANY + 1], *huge = filled(LONGEST);
    for (int i = 0; i < MANY; i++)
        many[i] = huge;
    many[MANY] = NULL;
    CHECK_ERR(execve(self, many, no_env), E2BIG);
    ok("too much in all");

    static char *next[4 + 3000 + 1] = {(char *)"", (char *)"verify", (char *)"3000", (char *)"10"};
    static char *env[502];
    static char text[500][32];
    char *ten = filled(10);
    for (int i = 0; i < 3000; i++)
        next[4 + i] = ten;
    for (int i = 0; i < 499; i++) {
        snprintf(text[i], sizeof text[i], "NAME%d=value%d", i, i);
        env[i] = text[i];
    }
    env[499] = (char *)"COUNT=501";
    env[500] = huge;
    memcpy(huge, "BIG=", 4);
    next[0] = argv[0];
    execve(self, next, env);
    CHECK(!"execve returned");
    return 1;
}
