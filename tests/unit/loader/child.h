/* SPDX-License-Identifier: MIT */
/* Runs code that may exit in a child and catches what it prints. */
#ifndef TESTS_UNIT_LOADER_CHILD_H
#define TESTS_UNIT_LOADER_CHILD_H

struct child {
    int status; /* exit status, or 128+N */
    char out[65536];
    char err[8192];
};

/* Runs body(argv) in a child; its standard output and error go to *c. */
void child_run(struct child *c, void (*body)(char **argv), char **argv);

/* Asserts that the child failed with `status` and exactly the one line "hermit-run: <line>". */
void child_fails(const struct child *c, int status, const char *line);
/* Asserts success, with a line of output that is exactly `line`. */
void child_prints(const struct child *c, const char *line);
/* Asserts that no line of output starts with `start`. */
void child_does_not_print(const struct child *c, const char *start);

#endif
