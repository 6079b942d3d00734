/* SPDX-License-Identifier: MIT */
/* Arguments that are numbers, and strings. */
#include <hermit/linux_abi.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <syscall/strace.h>
#include <syscall/strace_table.h>

#define SHOWN_PATH 1024

static void put_char(struct strace_line *line, unsigned char c, unsigned char next) {
    static const char plain[] = "\a\b\t\n\v\f\r\"\\";
    static const char letters[] = "abtnvfr\"\\";
    const char *special = c != 0 ? strchr(plain, c) : NULL;
    if (special != NULL)
        line_printf(line, "\\%c", letters[special - plain]);
    else if (c >= 0x20 && c < 0x7f)
        line_printf(line, "%c", c);
    /* Three digits where a digit follows, or the reader would take it for part of the escape. */
    else if (next >= '0' && next <= '9')
        line_printf(line, "\\%u%u%u", c >> 6, c >> 3 & 7, c & 7);
    else if (c >= 0100)
        line_printf(line, "\\%u%u%u", c >> 6, c >> 3 & 7, c & 7);
    else if (c >= 010)
        line_printf(line, "\\%u%u", c >> 3, c & 7);
    else
        line_printf(line, "\\%u", c);
}

static void put_address(struct strace_line *line, uint64_t value) {
    if (value == 0)
        line_put(line, "NULL");
    else
        line_printf(line, "0x%lx", (unsigned long)value);
}

/* Prints up to `shown` bytes of a string; unterminated: `len` says where it ends. */
static void print_text(struct strace_line *line, gva_t at, uint64_t len, uint64_t shown) {
    char piece[64];
    bool terminated = len == UINT64_MAX;
    uint64_t done = 0, limit = min(len, shown + (terminated ? 1 : 0));
    bool ended = false;
    if (at == 0) return put_address(line, at);
    /* Whether it is readable at all is to be known before the quote is printed. */
    if (limit > 0 && get_user(piece[0], at) != 0) return put_address(line, at);
    line_put(line, "\"");
    while (done < limit && !ended) {
        uint64_t n = min(limit - done, sizeof(piece));
        if (terminated) n = min(n, PAGE_SIZE - ((at + done) & PAGE_MASK));
        if (copy_from_user(piece, at + done, n) != 0) break;
        for (uint64_t i = 0; i < n && done < shown; i++, done++) {
            ended = terminated && piece[i] == 0;
            if (ended) break;
            put_char(line, (unsigned char)piece[i], i + 1 < n ? (unsigned char)piece[i + 1] : 0);
        }
        if (done == shown) {
            ended = terminated && n > 0 && piece[n - 1] == 0;
            break;
        }
    }
    bool cut = terminated ? !ended : done < len;
    line_put(line, cut ? "\"..." : "\"");
}

void strace_print_string(struct strace_line *line, gva_t at, uint64_t len) {
    print_text(line, at, len, strace_shown);
}

void strace_print_signal(struct strace_line *line, int sig) {
    const char *name = strace_signal_name(sig);
    if (name != NULL)
        line_printf(line, "SIG%s", name);
    else if (sig == 32)
        line_put(line, "SIGRTMIN");
    else if (sig >= 32 && sig <= NSIGNALS)
        line_printf(line, "SIGRT_%d", sig - 32);
    else
        line_printf(line, "%d", sig);
}

static void print_id(struct strace_line *line, uint32_t id) {
    if (id == UINT32_MAX)
        line_put(line, "-1");
    else
        line_printf(line, "%u", id);
}

static void print_device(struct strace_line *line, uint32_t dev) {
    line_printf(line, "makedev(0x%x, 0x%x)", dev >> 8 & 0xfff,
                (dev & 0xff) | (dev >> 12 & 0xfff00));
}

static void print_hex(struct strace_line *line, uint64_t value) {
    line_printf(line, value != 0 ? "0x%lx" : "%lx", (unsigned long)value);
}

/* The argument behind an fcntl(2) command. */
static void print_fcntl_arg(struct strace_line *line, int cmd, uint64_t value) {
    switch (cmd) {
    case F_SETFD:
        line_put(line, value & FD_CLOEXEC ? "FD_CLOEXEC" : "0");
        break;
    case F_SETFL:
        strace_print_flags(line, TK_oflags, value);
        break;
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_SETPIPE_SZ:
        line_printf(line, "%d", (int)value);
        break;
    default:
        print_hex(line, value);
    }
}

/* clone(2): flags and the signal at the end. */
static void print_clone_flags(struct strace_line *line, uint64_t value) {
    int sig = (int)(value & 0xff);
    if ((value & ~0xffULL) != 0 || sig == 0)
        strace_print_flags(line, TK_cloneflags, value & ~0xffULL);
    if (sig == 0) return;
    if ((value & ~0xffULL) != 0) line_put(line, "|");
    strace_print_signal(line, sig);
}

/* Plain numbers by kind; false: not one. */
static bool print_number(struct strace_line *line, const struct strace_arg *arg, uint64_t value) {
    switch (arg->kind) {
    case TK_dirfd:
        if ((int)value == AT_FDCWD) {
            line_put(line, "AT_FDCWD");
            return true;
        }
        break;
    case TK_sig:
        strace_print_signal(line, (int)value);
        return true;
    case TK_mode:
        strace_print_mode(line, (uint32_t)value);
        return true;
    case TK_uid:
    case TK_gid:
        print_id(line, (uint32_t)value);
        return true;
    case TK_dev:
        print_device(line, (uint32_t)value);
        return true;
    case TK_u32:
        line_printf(line, "%u", (uint32_t)value);
        return true;
    case TK_off:
    case TK_long:
        line_printf(line, "%ld", (long)value);
        return true;
    case TK_size:
    case TK_len:
    case TK_u64:
        line_printf(line, "%lu", (unsigned long)value);
        return true;
    case TK_x32:
        print_hex(line, (uint32_t)value);
        return true;
    case TK_hexoff:
        print_hex(line, value);
        return true;
    case TK_hex:
        print_hex(line, value);
        return true;
    case TK_futextime: /* of some operations a number */
        switch (arg->args[1] & FUTEX_CMD_MASK) {
        case FUTEX_REQUEUE:
        case FUTEX_CMP_REQUEUE:
        case FUTEX_WAKE_OP:
        case FUTEX_CMP_REQUEUE_PI:
            line_printf(line, "%u", (uint32_t)value);
            return true;
        default:
            return false;
        }
    case TK_futexbits:
        if ((uint32_t)value == FUTEX_BITSET_MATCH_ANY)
            line_put(line, "FUTEX_BITSET_MATCH_ANY");
        else
            print_hex(line, (uint32_t)value);
        return true;
    case TK_clonewhat:
        print_clone_flags(line, value);
        return true;
    case TK_fcntlarg:
        print_fcntl_arg(line, (int)arg->args[arg->index - 1], value);
        return true;
    case TK_fd:
    case TK_int:
    case TK_pid:
        break;
    default:
        return false;
    }
    line_printf(line, "%d", (int)value);
    return true;
}

/* The names of futex(2) operations have a form of their own for private futexes. */
static void print_futex_op(struct strace_line *line, uint64_t op) {
    strace_print_flags(line, TK_futexop, op & FUTEX_CMD_MASK);
    if (op & FUTEX_PRIVATE_FLAG) line_put(line, "_PRIVATE");
    if (op & FUTEX_CLOCK_REALTIME) line_put(line, "|FUTEX_CLOCK_REALTIME");
}

void strace_print_arg(struct strace_line *line, const struct strace_arg *arg) {
    uint64_t value = arg->args[arg->index];
    if (arg->kind == TK_path) return print_text(line, value, UINT64_MAX, SHOWN_PATH);
    if (arg->kind == TK_str) return strace_print_string(line, value, UINT64_MAX);
    if (arg->kind == TK_buf) return strace_print_string(line, value, arg->args[arg->index + 1]);
    if (arg->kind == TK_futexop) return print_futex_op(line, value);
    /* The names are those of SOL_SOCKET. */
    bool other_level = arg->kind == TK_sockopt && arg->args[arg->index - 1] != SOL_SOCKET;
    if (other_level) return line_printf(line, "%d", (int)value);
    if (strace_print_flags(line, arg->kind, value)) return;
    if (print_number(line, arg, value)) return;
    /* What a failed call would have written is not there. */
    bool readable = value != 0 && (arg->kind < TK_FIRST_OUT || arg->result >= 0);
    if (readable && strace_print_data(line, arg)) return;
    put_address(line, value);
}
