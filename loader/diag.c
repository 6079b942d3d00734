/* SPDX-License-Identifier: MIT */
/* Messages to the user.  Owns the verbosity switches and the way out on failure. */
#include <loader/diag.h>
#include <loader/tty.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool diag_verbose;
bool diag_quiet;

static const char prefix[] = "hermit-run: ";

/* One write per message, so that messages of several threads do not mix; a path in it may hold
 * any byte, but a message stays one line and cannot send control sequences to the terminal. */
static void emit(const char *fmt, va_list ap) {
    char line[8192];
    size_t used = sizeof(prefix) - 1;
    memcpy(line, prefix, used);
    int n = vsnprintf(line + used, sizeof(line) - used - 1, fmt, ap);
    if (n < 0) n = 0;
    size_t end = used + (size_t)n;
    if (end > sizeof(line) - 2) end = sizeof(line) - 2;
    for (size_t i = used; i < end; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f) line[i] = '?';
    line[end++] = '\n';
    if (write(STDERR_FILENO, line, end) < 0) return; /* nowhere left to say it */
}

void die(int status, const char *fmt, ...) {
    va_list ap;
    tty_restore();
    va_start(ap, fmt);
    emit(fmt, ap);
    va_end(ap);
    _exit(status);
}

void warn_line(const char *fmt, ...) {
    if (diag_quiet) return;
    va_list ap;
    va_start(ap, fmt);
    emit(fmt, ap);
    va_end(ap);
}

void verbose(const char *fmt, ...) {
    if (!diag_verbose) return;
    va_list ap;
    va_start(ap, fmt);
    emit(fmt, ap);
    va_end(ap);
}
