/* SPDX-License-Identifier: MIT */
/* Messages to the user: one clear line each, on stderr, prefixed "hermit-run: ". */
#ifndef LOADER_DIAG_H
#define LOADER_DIAG_H

#include <stdbool.h>

#define EXIT_HERMIT 125 /* hermit-run itself failed */
#define EXIT_NOEXEC 126 /* found but not executable */
#define EXIT_NOTFOUND 127

extern bool diag_verbose;
extern bool diag_quiet; /* no warn_line */

/* Prints and exits with status, restoring the terminal. */
_Noreturn void die(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void warn_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
