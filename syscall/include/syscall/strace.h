/* SPDX-License-Identifier: MIT */
/* Tracing of calls as strace(1) prints them; private to syscall/. */
#ifndef SYSCALL_STRACE_H
#define SYSCALL_STRACE_H

#include <kernel/process.h>

struct hermit_boot;
struct strace_call;
struct trace_row;
extern uint32_t strace_shown; /* bytes of a string */

/* Reads the filter of --strace=call,!call. */
void strace_init(const struct hermit_boot *boot);
/* Notes a call and what it passes in; NULL: not traced.  tid: of the thread, 0 if it is alone. */
struct strace_call *strace_enter(uint32_t nr, const struct regs *regs, int32_t tid);
/* The call is about to wait: prints what is known so far, once. */
void strace_wait(struct strace_call *call);
/* Prints the line, or the rest of it, and frees the call. */
void strace_leave(struct strace_call *call, int64_t result);
/* Lines that are not calls. */
void strace_signal(int32_t tid, int sig, const siginfo_t *info);
void strace_exited(int32_t tid, int status);
void strace_killed(int32_t tid, int sig);

/* A line that grows; what does not fit is cut. */
struct strace_line {
    char *text;
    uint32_t len, size;
};
void line_printf(struct strace_line *line, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void line_put(struct strace_line *line, const char *text);

/* One argument of a call; args and index give access to its neighbours (lengths, commands).
 * result: of the call, for kinds that it writes. */
struct strace_arg {
    uint32_t kind; /* enum trace_kind */
    uint32_t index;
    const uint64_t *args;
    int64_t result;
};
void strace_print_arg(struct strace_line *line, const struct strace_arg *arg);
/* Kinds that are pointers to data, printed by what they point to; false: not one of them, or not
 * readable.  Each calls the next (strace_data.c, strace_results.c, strace_event.c,
 * strace_socket.c). */
bool strace_print_data(struct strace_line *line, const struct strace_arg *arg);
bool strace_print_results(struct strace_line *line, const struct strace_arg *arg);
bool strace_print_event(struct strace_line *line, const struct strace_arg *arg);
bool strace_print_socket(struct strace_line *line, const struct strace_arg *arg);
/* The same for threads, terminals and the like (strace_system.c). */
bool strace_print_system(struct strace_line *line, const struct strace_arg *arg);
void strace_print_siginfo(struct strace_line *line, const siginfo_t *info);
void strace_print_signal(struct strace_line *line, int sig);
/* Does another argument say that the call does not look at argument i? */
bool strace_is_absent(const struct trace_row *row, const uint64_t *args, uint32_t i);
/* Prints a result that is no error, and in parentheses what strace says about it. */
void strace_print_note(struct strace_line *line, const struct trace_row *row, const uint64_t *args,
                       int64_t result);
/* [{iov_base=..., iov_len=...}, ...]: count entries at `at`, `bytes` of data in all. */
bool strace_print_iov(struct strace_line *line, gva_t at, uint64_t count, uint64_t bytes);
/* A quoted, escaped, abbreviated string of known length, or up to NUL with len UINT64_MAX. */
void strace_print_string(struct strace_line *line, gva_t at, uint64_t len);

/* Decoded flags and names (strace_flags.c). Each prints nothing and returns false where the kind
 * has no names. */
bool strace_print_flags(struct strace_line *line, uint32_t kind, uint64_t value);
void strace_print_mode(struct strace_line *line, uint32_t mode);
const char *strace_errno_name(int err);
const char *strace_errno_text(int err);
const char *strace_signal_name(int sig); /* NULL: a real-time signal or none at all */

#endif
