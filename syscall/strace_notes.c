/* SPDX-License-Identifier: MIT */
/* Which arguments a call has, where another one decides that, and what strace(1) says about
 * results beyond their number. */
#include <hermit/linux_abi.h>
#include <kernel/uaccess.h>
#include <syscall/strace.h>
#include <syscall/strace_table.h>

#define BIT(n) (1u << (n))

/* futex(2): the arguments behind the operation that it looks at, bit by index. */
static uint32_t futex_args(uint64_t op) {
    switch (op & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
        return BIT(2) | BIT(3);
    case FUTEX_WAKE:
        return BIT(2);
    case FUTEX_REQUEUE:
        return BIT(2) | BIT(3) | BIT(4);
    case FUTEX_WAIT_BITSET:
        return BIT(2) | BIT(3) | BIT(5);
    case FUTEX_WAKE_BITSET:
        return BIT(2) | BIT(5);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
        return BIT(3);
    case FUTEX_UNLOCK_PI:
    case FUTEX_TRYLOCK_PI:
        return 0;
    case FUTEX_WAIT_REQUEUE_PI:
        return BIT(2) | BIT(3) | BIT(4);
    default:
        return BIT(2) | BIT(3) | BIT(4) | BIT(5);
    }
}

/* Commands of fcntl(2) without an argument. */
static bool is_lone_fcntl(int cmd) {
    switch (cmd) {
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

bool strace_is_absent(const struct trace_row *row, const uint64_t *args, uint32_t i) {
    if (i == 0) return false;
    uint32_t before = row->kinds[i - 1];
    if (row->kinds[1] == TK_futexop && i > 1) return (futex_args(args[1]) & BIT(i)) == 0;
    if (before == TK_oflags && row->kinds[i] == TK_mode)
        return (args[i - 1] & (O_CREAT | __O_TMPFILE)) == 0;
    return before == TK_fcntl && is_lone_fcntl((int)args[i - 1]);
}

/* The descriptors of a poll(2) that are ready. */
static void note_poll(struct strace_line *line, const uint64_t *args) {
    bool any = false;
    line_put(line, " ([");
    for (uint64_t i = 0; i < (uint32_t)args[1]; i++) {
        struct k_pollfd p;
        if (get_user(p, args[0] + i * sizeof(p)) != 0) break;
        if (p.revents == 0) continue;
        line_printf(line, "%s{fd=%d, revents=", any ? ", " : "", p.fd);
        strace_print_flags(line, TK_pollevents, (uint16_t)p.revents);
        line_put(line, "}");
        any = true;
    }
    line_put(line, "])");
}

static void note_select(struct strace_line *line, const uint64_t *args) {
    static const char *const names[] = {"in ", "out ", "except "};
    const char *gap = " (";
    for (int set = 0; set < 3; set++) {
        bool any = false;
        for (int fd = 0; args[1 + set] != 0 && fd < (int)args[0] && fd < 1024; fd++) {
            uint8_t byte;
            if (get_user(byte, args[1 + set] + (uint64_t)fd / 8) != 0) break;
            if ((byte >> (fd % 8) & 1) == 0) continue;
            if (any)
                line_printf(line, " %d", fd);
            else
                line_printf(line, "%s%s[%d", gap, names[set], fd);
            gap = ", ";
            any = true;
        }
        if (any) line_put(line, "]");
    }
    line_put(line, *gap == ',' ? ")" : "");
}

void strace_print_note(struct strace_line *line, const struct trace_row *row, const uint64_t *args,
                       int64_t result) {
    bool lone = row->kinds[1] == TK_fcntl;
    if (lone && (int)args[1] == F_GETFL) {
        line_printf(line, "0x%lx (flags ", (unsigned long)result);
        strace_print_flags(line, TK_oflags, (uint64_t)result);
        return line_put(line, ")");
    }
    if (lone && (int)args[1] == F_GETFD) {
        line_printf(line, "0x%lx", (unsigned long)result);
        return line_put(line, result & FD_CLOEXEC ? " (flags FD_CLOEXEC)" : "");
    }
    line_printf(line, "%ld", (long)result);
    bool polls = row->kinds[0] == TK_pollfds, selects = row->kinds[1] == TK_fdset;
    if ((polls || selects) && result == 0) return line_put(line, " (Timeout)");
    if (polls) note_poll(line, args);
    if (selects) note_select(line, args);
    if (row->kinds[0] == TK_sigset && result > 0) {
        line_put(line, " (");
        strace_print_signal(line, (int)result);
        line_put(line, ")");
    }
}
