/* SPDX-License-Identifier: MIT */
/* --strace: one line per call, as strace(1) prints it.  Arguments that go in are read before the
 * call, those that come out after it.  A line appears in one piece when the call returns; a call
 * that waits shows its begin, and other threads' lines cut it in two.  Owns the filter and the
 * line that is open. */
#include <hermit/boot.h>
#include <hermit/linux_abi.h>
#include <kernel/clock.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/string.h>
#include <syscall/strace.h>
#include <syscall/strace_table.h>
#include <syscall/syscall_names.h>

#define LINE_BYTES 1800 /* of text for one call, beyond what long strings need */
#define TAIL_BYTES 240  /* kept free for the result and what is said about it */
#define ALIGN_RESULT 40 /* column of the '=' */
#define NS_PER_SEC 1000000000

struct strace_call {
    const struct trace_row *row;
    const char *name;
    int32_t tid;
    uint64_t args[6];
    int64_t start_ns;
    uint32_t printed; /* arguments in the line so far */
    uint32_t shown;   /* bytes of the line that are out */
    bool cut;         /* another line came after the begin */
    bool comma;       /* printed already, before the next argument */
    struct strace_line line;
    char text[];
};

/* A number that Linux does not know is shown with all its registers. */
static const struct trace_row unknown_row = {
    6, TR_int, {TK_hex, TK_hex, TK_hex, TK_hex, TK_hex, TK_hex}};

static uint64_t selected[(HERMIT_SYSCALL_COUNT + 63) / 64]; /* bit n: trace call n */
static bool times;                                          /* --strace-times */
static int64_t last_ns;                                     /* of the line before */
static struct strace_call *open_call;                       /* whose begin ends what is out */
uint32_t strace_shown = 32;

static bool is_selected(uint32_t nr) {
    return nr >= HERMIT_SYSCALL_COUNT || (selected[nr / 64] >> (nr % 64) & 1) != 0;
}

static void select_call(const char *name, size_t len) {
    for (uint32_t nr = 0; nr < HERMIT_SYSCALL_COUNT; nr++) {
        const char *known = hermit_syscall_names[nr];
        if (known != NULL && strlen(known) == len && strncmp(known, name, len) == 0)
            selected[nr / 64] |= 1ULL << (nr % 64);
    }
}

void strace_init(const struct hermit_boot *boot) {
    const char *filter = boot_string(boot->strace_filter);
    memset(selected, filter[0] == 0 ? 0xff : 0, sizeof(selected));
    times = (boot->flags & HERMIT_BOOT_STRACE_TIMES) != 0;
    strace_shown = boot->strace_strings;
    last_ns = clock_monotonic_ns();
    while (*filter != 0) {
        const char *end = strchrnul(filter, ',');
        select_call(filter, (size_t)(end - filter));
        filter = *end == ',' ? end + 1 : end;
    }
}

void line_printf(struct strace_line *line, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    uint32_t room = line->size - line->len;
    int n = kvsnprintf(line->text + line->len, room, fmt, ap);
    va_end(ap);
    if (n > 0) line->len += min((uint32_t)n, room - 1);
}

void line_put(struct strace_line *line, const char *text) { line_printf(line, "%s", text); }

/* What all lines begin with: the thread if there are several, the time since the last line. */
static void begin_line(struct strace_line *line, int32_t tid, int64_t now) {
    if (tid != 0) line_printf(line, "[pid %5d] ", tid);
    if (!times) return;
    uint64_t us = (uint64_t)(now - last_ns) / 1000;
    line_printf(line, "%6lu.%06lu ", (unsigned long)(us / 1000000), (unsigned long)(us % 1000000));
    last_ns = now;
}

/* The next line begins in the first column. */
static void close_open_line(void) {
    static const char cut[] = " <unfinished ...>\n";
    if (open_call == NULL) return;
    ktrace(cut, sizeof(cut) - 1);
    open_call->cut = true;
    open_call = NULL;
}

/* Prints arguments up to the first that the call writes; all of them when it has returned. */
static void print_args(struct strace_call *c, bool returned, int64_t result) {
    for (; c->printed < c->row->nargs; c->printed++) {
        uint32_t i = c->printed, kind = c->row->kinds[i];
        if (kind >= TK_FIRST_OUT && !returned) return;
        if (strace_is_absent(c->row, c->args, i)) continue;
        if (i > 0 && !c->comma) line_put(&c->line, ", ");
        c->comma = false;
        strace_print_arg(&c->line, &(struct strace_arg){kind, i, c->args, result});
    }
}

static void print_error(struct strace_line *line, int err) {
    const char *name = strace_errno_name(err);
    line_put(line, err >= ERESTARTSYS ? "? " : "-1 ");
    if (name == NULL)
        line_printf(line, "(errno %d)", err);
    else
        line_printf(line, "%s (%s)", name, strace_errno_text(err));
}

static void print_result(struct strace_call *c, uint32_t begin, int64_t result) {
    struct strace_line *line = &c->line;
    uint32_t kind = c->row->result, width = line->len - begin + 1;
    line_put(line, ")");
    /* No %*s here: blanks one by one. */
    do
        line_put(line, " ");
    while (++width < ALIGN_RESULT);
    line_put(line, "= ");
    if (kind == TR_noreturn)
        line_put(line, "?");
    else if (result < 0 && result >= -4095)
        print_error(line, (int)-result);
    else if (kind == TR_addr)
        line_printf(line, "0x%lx", (unsigned long)result);
    else if (kind == TR_oct)
        line_printf(line, "0%lo", (unsigned long)result);
    else
        strace_print_note(line, c->row, c->args, result);
}

static void print_duration(struct strace_call *c) {
    uint64_t ns = (uint64_t)(clock_monotonic_ns() - c->start_ns);
    if (times && c->row->result != TR_noreturn)
        line_printf(&c->line, " <%lu.%06lu>", (unsigned long)(ns / NS_PER_SEC),
                    (unsigned long)(ns % NS_PER_SEC / 1000));
}

static void finish_line(struct strace_call *c, int64_t result) {
    uint32_t begin = c->cut ? c->shown : 0;
    c->line.size += TAIL_BYTES;
    print_result(c, begin, result);
    print_duration(c);
    line_put(&c->line, "\n");
    if (open_call == c)
        open_call = NULL;
    else
        close_open_line();
    ktrace(c->line.text + c->shown, c->line.len - c->shown);
}

struct strace_call *strace_enter(uint32_t nr, const struct regs *regs, int32_t tid) {
    if (!is_selected(nr)) return NULL;
    /* A byte may take four in a string, and a call has two at most that are long. */
    uint32_t bytes = LINE_BYTES + 8 * strace_shown;
    struct strace_call *c = kmalloc(sizeof(*c) + bytes);
    if (c == NULL) return NULL;
    const char *name = nr < HERMIT_SYSCALL_COUNT ? hermit_syscall_names[nr] : NULL;
    *c = (struct strace_call){
        .row = name != NULL ? &trace_rows[nr] : &unknown_row,
        .name = name != NULL ? name : "syscall",
        .tid = tid,
        .args = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9},
        .start_ns = times ? clock_monotonic_ns() : 0,
        .line = {.text = c->text, .size = bytes - TAIL_BYTES},
    };
    begin_line(&c->line, tid, c->start_ns);
    if (name != NULL)
        line_printf(&c->line, "%s(", name);
    else
        line_printf(&c->line, "syscall_0x%x(", nr);
    print_args(c, false, 0);
    if (c->row->result != TR_noreturn) return c;
    finish_line(c, 0);
    kfree(c);
    return NULL;
}

void strace_wait(struct strace_call *c) {
    if (c->shown != 0) return;
    close_open_line();
    if (c->printed > 0 && c->printed < c->row->nargs &&
        !strace_is_absent(c->row, c->args, c->printed)) {
        line_put(&c->line, ", ");
        c->comma = true;
    }
    ktrace(c->line.text, c->line.len);
    c->shown = c->line.len;
    open_call = c;
}

void strace_leave(struct strace_call *c, int64_t result) {
    if (c->cut) {
        begin_line(&c->line, c->tid, times ? clock_monotonic_ns() : 0);
        line_printf(&c->line, "<... %s resumed>", c->name);
    }
    print_args(c, true, result);
    finish_line(c, result);
    kfree(c);
}

/* A line that is not a call's. */
static void put_event(struct strace_line *line) {
    line_put(line, "\n");
    close_open_line();
    ktrace(line->text, line->len);
}

void strace_signal(int32_t tid, int sig, const siginfo_t *info) {
    char text[256];
    struct strace_line line = {.text = text, .size = sizeof(text)};
    begin_line(&line, tid, times ? clock_monotonic_ns() : 0);
    line_put(&line, "--- ");
    strace_print_signal(&line, sig);
    line_put(&line, " ");
    strace_print_siginfo(&line, info);
    line_put(&line, " ---");
    put_event(&line);
}

void strace_exited(int32_t tid, int status) {
    char text[128];
    struct strace_line line = {.text = text, .size = sizeof(text)};
    begin_line(&line, tid, times ? clock_monotonic_ns() : 0);
    line_printf(&line, "+++ exited with %d +++", status);
    put_event(&line);
}

void strace_killed(int32_t tid, int sig) {
    char text[128];
    struct strace_line line = {.text = text, .size = sizeof(text)};
    begin_line(&line, tid, times ? clock_monotonic_ns() : 0);
    line_put(&line, "+++ killed by ");
    strace_print_signal(&line, sig);
    line_put(&line, " +++");
    put_event(&line);
}
