/* SPDX-License-Identifier: MIT */
/* --strace: one line per call, as strace(1) prints it, in one piece.  Arguments that go in are
 * read before the call, those that come out after it.  Owns the filter. */
#include <hermit/boot.h>
#include <hermit/linux_abi.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/string.h>
#include <syscall/strace.h>
#include <syscall/strace_table.h>
#include <syscall/syscall_names.h>

#define BLOCK_BYTES 2048 /* one call on its way, text included */
#define TAIL_BYTES 80    /* of the text, kept free for the result */

struct strace_call {
    const struct trace_row *row;
    uint64_t args[6];
    uint32_t printed; /* arguments in the line so far */
    struct strace_line line;
    char text[];
};

/* A number that Linux does not know is shown with all its registers. */
static const struct trace_row unknown_row = {
    6, TR_int, {TK_hex, TK_hex, TK_hex, TK_hex, TK_hex, TK_hex}};

static uint64_t selected[(HERMIT_SYSCALL_COUNT + 63) / 64]; /* bit n: trace call n */

static bool is_selected(uint32_t nr) {
    return nr >= HERMIT_SYSCALL_COUNT || (selected[nr / 64] >> (nr % 64) & 1) != 0;
}

static void select_call(const char *name, size_t len, bool on) {
    for (uint32_t nr = 0; nr < HERMIT_SYSCALL_COUNT; nr++) {
        const char *known = hermit_syscall_names[nr];
        if (known == NULL || strlen(known) != len || strncmp(known, name, len) != 0) continue;
        if (on)
            selected[nr / 64] |= 1ULL << (nr % 64);
        else
            selected[nr / 64] &= ~(1ULL << (nr % 64));
        return;
    }
    kprint("hermit-run: --strace: no system call is named '%.*s'\n", (int)len, name);
}

void strace_init(const struct hermit_boot *boot) {
    const char *filter = boot_string(boot->strace_filter);
    /* A list that begins by leaving something out begins with everything. */
    bool all = filter[0] == 0 || filter[0] == '!';
    memset(selected, all ? 0xff : 0, sizeof(selected));
    while (*filter != 0) {
        const char *end = strchrnul(filter, ',');
        bool on = *filter != '!';
        if (!on) filter++;
        if (end > filter) select_call(filter, (size_t)(end - filter), on);
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

/* open(2) has a mode only when it may create; fcntl(2) an argument for some commands only. */
static bool is_absent(const struct strace_call *c, uint32_t i) {
    if (i == 0) return false;
    uint32_t before = c->row->kinds[i - 1];
    if (before == TK_oflags && c->row->kinds[i] == TK_mode)
        return (c->args[i - 1] & (O_CREAT | __O_TMPFILE)) == 0;
    if (before != TK_fcntl) return false;
    switch ((int)c->args[i - 1]) {
    case F_GETFD:
    case F_GETFL:
    case F_GETOWN:
    case F_GETSIG:
    case F_GETLEASE:
    case F_GETPIPE_SZ:
    case F_GET_SEALS:
        return true;
    default:
        return false;
    }
}

/* Prints arguments up to the first that the call writes; all of them when it has returned. */
static void print_args(struct strace_call *c, bool returned, int64_t result) {
    for (; c->printed < c->row->nargs; c->printed++) {
        uint32_t i = c->printed, kind = c->row->kinds[i];
        if (kind >= TK_FIRST_OUT && !returned) return;
        if (is_absent(c, i)) continue;
        if (i > 0) line_put(&c->line, ", ");
        strace_print_arg(&c->line, &(struct strace_arg){kind, i, c->args, result});
    }
}

static void print_result(struct strace_line *line, uint32_t kind, int64_t result) {
    line_put(line, ") = ");
    if (kind == TR_noreturn)
        line_put(line, "?");
    else if (result < 0 && result >= -4095) {
        int err = (int)-result;
        const char *name = strace_errno_name(err);
        line_put(line, err >= ERESTARTSYS ? "? " : "-1 ");
        if (name == NULL)
            line_printf(line, "(errno %d)", err);
        else
            line_printf(line, "%s (%s)", name, strace_errno_text(err));
    } else if (kind == TR_addr)
        line_printf(line, "0x%lx", (unsigned long)result);
    else if (kind == TR_oct)
        line_printf(line, "0%lo", (unsigned long)result);
    else
        line_printf(line, "%ld", (long)result);
}

static void write_line(struct strace_call *c, int64_t result) {
    c->line.size += TAIL_BYTES;
    print_result(&c->line, c->row->result, result);
    line_put(&c->line, "\n");
    kwrite(c->line.text, c->line.len);
}

struct strace_call *strace_enter(uint32_t nr, const struct regs *regs, int32_t tid) {
    if (!is_selected(nr)) return NULL;
    struct strace_call *c = kmalloc(BLOCK_BYTES);
    if (c == NULL) return NULL;
    const char *name = nr < HERMIT_SYSCALL_COUNT ? hermit_syscall_names[nr] : NULL;
    *c = (struct strace_call){
        .row = name != NULL ? &trace_rows[nr] : &unknown_row,
        .args = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9},
        .line = {.text = c->text, .size = BLOCK_BYTES - sizeof(*c) - TAIL_BYTES},
    };
    if (tid != 0) line_printf(&c->line, "[pid %5d] ", tid);
    if (name != NULL)
        line_printf(&c->line, "%s(", name);
    else
        line_printf(&c->line, "syscall_0x%x(", nr);
    print_args(c, false, 0);
    if (c->row->result != TR_noreturn) return c;
    write_line(c, 0);
    kfree(c);
    return NULL;
}

void strace_leave(struct strace_call *c, int64_t result) {
    print_args(c, true, result);
    write_line(c, result);
    kfree(c);
}
