/* SPDX-License-Identifier: MIT */
/* Arguments that point to structures, printed by their contents. */
#include <hermit/linux_abi.h>
#include <kernel/uaccess.h>
#include <syscall/strace.h>
#include <syscall/strace_table.h>

#define SHOWN_ITEMS 16 /* of a list */

static bool print_timespec(struct strace_line *line, gva_t at) {
    struct timespec ts;
    if (get_user(ts, at) != 0) return false;
    line_printf(line, "{tv_sec=%ld, tv_nsec=%ld}", (long)ts.tv_sec, (long)ts.tv_nsec);
    return true;
}

static bool print_timeval(struct strace_line *line, gva_t at) {
    struct timeval tv;
    if (get_user(tv, at) != 0) return false;
    line_printf(line, "{tv_sec=%ld, tv_usec=%ld}", (long)tv.tv_sec, (long)tv.tv_usec);
    return true;
}

/* utimensat(2): access and modification time. */
static bool print_times(struct strace_line *line, gva_t at) {
    struct timespec ts[2];
    if (get_user(ts, at) != 0) return false;
    line_put(line, "[");
    for (int i = 0; i < 2; i++) {
        if (ts[i].tv_nsec == 0x3fffffff)
            line_put(line, "UTIME_NOW");
        else if (ts[i].tv_nsec == 0x3ffffffe)
            line_put(line, "UTIME_OMIT");
        else
            print_timespec(line, at + (uint64_t)i * sizeof(ts[0]));
        line_put(line, i == 0 ? ", " : "]");
    }
    return true;
}

static bool print_itimerval(struct strace_line *line, gva_t at) {
    struct itimerval it;
    if (get_user(it, at) != 0) return false;
    line_put(line, "{it_interval=");
    print_timeval(line, at + offsetof(struct itimerval, it_interval));
    line_put(line, ", it_value=");
    print_timeval(line, at + offsetof(struct itimerval, it_value));
    line_put(line, "}");
    return true;
}

/* As strace: a set that is more than half full is shown by what is missing. */
static void put_sigset(struct strace_line *line, uint64_t set) {
    bool most = __builtin_popcountll(set) > NSIGNALS / 2;
    const char *gap = "";
    if (most) set = ~set;
    line_put(line, most ? "~[" : "[");
    for (int sig = 1; sig <= NSIGNALS; sig++) {
        if ((set & SIG_BIT(sig)) == 0) continue;
        const char *name = strace_signal_name(sig);
        if (name != NULL)
            line_printf(line, "%s%s", gap, name);
        else if (sig == 32)
            line_printf(line, "%sRTMIN", gap);
        else
            line_printf(line, "%sRT_%d", gap, sig - 32);
        gap = " ";
    }
    line_put(line, "]");
}

static bool print_sigset(struct strace_line *line, gva_t at) {
    uint64_t set;
    if (get_user(set, at) != 0) return false;
    put_sigset(line, set);
    return true;
}

static bool print_sigaction(struct strace_line *line, gva_t at) {
    static const struct {
        uint32_t bit;
        const char *name;
    } flags[] = {{SA_RESTORER, "SA_RESTORER"},   {SA_ONSTACK, "SA_ONSTACK"},
                 {SA_RESTART, "SA_RESTART"},     {SA_NODEFER, "SA_NODEFER"},
                 {SA_RESETHAND, "SA_RESETHAND"}, {SA_SIGINFO, "SA_SIGINFO"},
                 {SA_NOCLDSTOP, "SA_NOCLDSTOP"}, {SA_NOCLDWAIT, "SA_NOCLDWAIT"}};
    struct k_sigaction sa;
    if (get_user(sa, at) != 0) return false;
    line_put(line, "{sa_handler=");
    if (sa.handler <= 1)
        line_put(line, sa.handler == 0 ? "SIG_DFL" : "SIG_IGN");
    else
        line_printf(line, "0x%lx", (unsigned long)sa.handler);
    line_put(line, ", sa_mask=");
    put_sigset(line, sa.mask);
    line_put(line, ", sa_flags=");
    const char *gap = "";
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if ((sa.flags & flags[i].bit) == 0) continue;
        line_printf(line, "%s%s", gap, flags[i].name);
        gap = "|";
    }
    line_put(line, *gap == 0 ? "0" : "");
    if (sa.flags & SA_RESTORER)
        line_printf(line, ", sa_restorer=0x%lx", (unsigned long)sa.restorer);
    line_put(line, "}");
    return true;
}

static bool print_sigstack(struct strace_line *line, gva_t at) {
    stack_t ss;
    if (get_user(ss, at) != 0) return false;
    line_printf(line, "{ss_sp=%p, ss_flags=0x%x, ss_size=%lu}", ss.ss_sp, (unsigned)ss.ss_flags,
                (unsigned long)ss.ss_size);
    return true;
}

static bool print_pollfds(struct strace_line *line, gva_t at, uint64_t count) {
    line_put(line, "[");
    for (uint64_t i = 0; i < count; i++) {
        struct k_pollfd p;
        if (i > 0) line_put(line, ", ");
        if (i == SHOWN_ITEMS || get_user(p, at + i * sizeof(p)) != 0) {
            line_put(line, "...");
            break;
        }
        line_printf(line, "{fd=%d, events=", p.fd);
        strace_print_flags(line, TK_pollevents, (uint16_t)p.events);
        line_put(line, "}");
    }
    line_put(line, "]");
    return true;
}

static bool print_fdset(struct strace_line *line, gva_t at, int count) {
    const char *gap = "";
    line_put(line, "[");
    for (int fd = 0; fd < count && fd < 1024; fd++) {
        uint8_t byte;
        if (get_user(byte, at + (uint64_t)fd / 8) != 0) break;
        if ((byte >> (fd % 8) & 1) == 0) continue;
        line_printf(line, "%s%d", gap, fd);
        gap = " ";
    }
    line_put(line, "]");
    return true;
}

/* bytes: what a read brought altogether; UINT64_MAX: all that the vector holds. */
bool strace_print_iov(struct strace_line *line, gva_t at, uint64_t count, uint64_t bytes) {
    line_put(line, "[");
    for (uint64_t i = 0; i < count; i++) {
        struct iovec v;
        if (i > 0) line_put(line, ", ");
        if (i == SHOWN_ITEMS || get_user(v, at + i * sizeof(v)) != 0) {
            line_put(line, "...");
            break;
        }
        line_put(line, "{iov_base=");
        strace_print_string(line, (gva_t)v.iov_base, v.iov_len < bytes ? v.iov_len : bytes);
        line_printf(line, ", iov_len=%lu}", (unsigned long)v.iov_len);
        bytes -= v.iov_len < bytes ? v.iov_len : bytes;
    }
    line_put(line, "]");
    return true;
}

static bool print_strings(struct strace_line *line, gva_t at) {
    line_put(line, "[");
    for (uint32_t i = 0;; i++) {
        gva_t item;
        if (get_user(item, at + i * sizeof(item)) != 0 || item == 0) break;
        if (i > 0) line_put(line, ", ");
        if (i == SHOWN_ITEMS) {
            line_put(line, "...");
            break;
        }
        strace_print_string(line, item, UINT64_MAX);
    }
    line_put(line, "]");
    return true;
}

static bool print_environment(struct strace_line *line, gva_t at) {
    uint32_t count = 0;
    gva_t item;
    while (get_user(item, at + count * sizeof(item)) == 0 && item != 0)
        count++;
    line_printf(line, "0x%lx /* %u vars */", (unsigned long)at, count);
    return true;
}

bool strace_print_data(struct strace_line *line, const struct strace_arg *arg) {
    const uint64_t *args = arg->args;
    gva_t at = args[arg->index];
    uint64_t next = arg->index < 5 ? args[arg->index + 1] : 0;
    switch (arg->kind) {
    case TK_strv:
        return print_strings(line, at);
    case TK_envv:
        return print_environment(line, at);
    case TK_iov:
        return strace_print_iov(line, at, next, UINT64_MAX);
    case TK_oiov:
        return strace_print_iov(line, at, next, (uint64_t)arg->result);
    case TK_timespec:
    case TK_otimespec:
        return print_timespec(line, at);
    case TK_timespec2:
        return print_times(line, at);
    case TK_timeval:
    case TK_otimeval:
        return print_timeval(line, at);
    case TK_itimerval:
    case TK_oitimerval:
        return print_itimerval(line, at);
    case TK_sigset:
    case TK_osigset:
        return print_sigset(line, at);
    case TK_sigact:
    case TK_osigact:
        return print_sigaction(line, at);
    case TK_sigstack:
    case TK_osigstack:
        return print_sigstack(line, at);
    case TK_pollfds:
        return print_pollfds(line, at, (uint32_t)next);
    case TK_fdset:
        return print_fdset(line, at, (int)args[0]);
    case TK_futextime:
        return print_timespec(line, at);
    default:
        return strace_print_results(line, arg) || strace_print_system(line, arg);
    }
}
