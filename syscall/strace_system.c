/* SPDX-License-Identifier: MIT */
/* Structures about threads, signals, terminals and CPUs. */
#include <hermit/linux_abi.h>
#include <kernel/uaccess.h>
#include <syscall/strace.h>
#include <syscall/strace_table.h>

static const char *code_name(int sig, int code) {
    static const char *const segv[] = {NULL, "SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR",
                                       "SEGV_PKUERR"};
    static const char *const fpe[] = {NULL,         "FPE_INTDIV", "FPE_INTOVF",
                                      "FPE_FLTDIV", "FPE_FLTOVF", "FPE_FLTUND",
                                      "FPE_FLTRES", "FPE_FLTINV", "FPE_FLTSUB"};
    static const char *const ill[] = {NULL,         "ILL_ILLOPC", "ILL_ILLOPN",
                                      "ILL_ILLADR", "ILL_ILLTRP", "ILL_PRVOPC",
                                      "ILL_PRVREG", "ILL_COPROC", "ILL_BADSTK"};
    static const char *const bus[] = {NULL, "BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR"};
    static const char *const trap[] = {NULL, "TRAP_BRKPT", "TRAP_TRACE"};
    static const char *const chld[] = {NULL,          "CLD_EXITED",  "CLD_KILLED",   "CLD_DUMPED",
                                       "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"};
    static const struct {
        int sig;
        const char *const *names;
        int count;
    } own[] = {{SIGSEGV, segv, ARRAY_LEN(segv)}, {SIGFPE, fpe, ARRAY_LEN(fpe)},
               {SIGILL, ill, ARRAY_LEN(ill)},    {SIGBUS, bus, ARRAY_LEN(bus)},
               {SIGTRAP, trap, ARRAY_LEN(trap)}, {SIGCHLD, chld, ARRAY_LEN(chld)}};
    switch (code) {
    case SI_USER:
        return "SI_USER";
    case SI_KERNEL:
        return "SI_KERNEL";
    case SI_QUEUE:
        return "SI_QUEUE";
    case SI_TIMER:
        return "SI_TIMER";
    case SI_MESGQ:
        return "SI_MESGQ";
    case SI_ASYNCIO:
        return "SI_ASYNCIO";
    case SI_TKILL:
        return "SI_TKILL";
    default:
        break;
    }
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (own[i].sig == sig && code > 0 && code < own[i].count) return own[i].names[code];
    return NULL;
}

void strace_print_siginfo(struct strace_line *line, const siginfo_t *info) {
    int sig = info->si_signo, code = info->si_code;
    const char *name = code_name(sig, code);
    line_put(line, "{si_signo=");
    strace_print_signal(line, sig);
    if (name != NULL)
        line_printf(line, ", si_code=%s", name);
    else
        line_printf(line, ", si_code=%d", code);
    bool fault =
        sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE || sig == SIGTRAP;
    if (sig == SIGCHLD && code > 0)
        line_printf(line, ", si_pid=%d, si_uid=%u, si_status=%d", info->si_pid, info->si_uid,
                    info->si_status);
    else if (fault && code > 0 && code != SI_KERNEL && info->si_addr != NULL)
        line_printf(line, ", si_addr=0x%lx", (unsigned long)info->si_addr);
    else if (fault && code > 0)
        line_put(line, ", si_addr=NULL");
    else if (code == SI_TIMER)
        line_printf(line, ", si_timerid=%d, si_overrun=%d", info->si_tid, info->si_overrun);
    else if (code <= 0)
        line_printf(line, ", si_pid=%d, si_uid=%u", info->si_pid, info->si_uid);
    if (code == SI_QUEUE)
        line_printf(line, ", si_value={sival_int=%d, sival_ptr=0x%lx}", info->si_int,
                    (unsigned long)info->si_ptr);
    line_put(line, "}");
}

static bool print_siginfo_at(struct strace_line *line, gva_t at) {
    siginfo_t info;
    if (get_user(info, at) != 0) return false;
    strace_print_siginfo(line, &info);
    return true;
}

static bool print_clone_args(struct strace_line *line, gva_t at, uint64_t size) {
    struct clone_args a = {0};
    if (copy_from_user(&a, at, min(size, sizeof(a))) != 0) return false;
    line_put(line, "{flags=");
    strace_print_flags(line, TK_cloneflags, a.flags);
    if (a.child_tid != 0) line_printf(line, ", child_tid=0x%lx", (unsigned long)a.child_tid);
    if (a.parent_tid != 0) line_printf(line, ", parent_tid=0x%lx", (unsigned long)a.parent_tid);
    line_put(line, ", exit_signal=");
    if (a.exit_signal != 0)
        strace_print_signal(line, (int)a.exit_signal);
    else
        line_put(line, "0");
    line_printf(line, ", stack=0x%lx, stack_size=0x%lx", (unsigned long)a.stack,
                (unsigned long)a.stack_size);
    if (a.tls != 0) line_printf(line, ", tls=0x%lx", (unsigned long)a.tls);
    line_put(line, "}");
    return true;
}

static bool print_wait_status(struct strace_line *line, gva_t at, int64_t pid) {
    int status;
    if (pid == 0 || get_user(status, at) != 0) return false;
    int sig = status & 0x7f;
    if (status == 0xffff) {
        line_put(line, "[{WIFCONTINUED(s)}]");
    } else if (sig == 0) {
        line_printf(line, "[{WIFEXITED(s) && WEXITSTATUS(s) == %d}]", status >> 8 & 0xff);
    } else {
        bool stopped = sig == 0x7f;
        line_put(line, stopped ? "[{WIFSTOPPED(s) && WSTOPSIG(s) == "
                               : "[{WIFSIGNALED(s) && WTERMSIG(s) == ");
        strace_print_signal(line, stopped ? status >> 8 & 0xff : sig);
        line_put(line, !stopped && (status & 0x80) ? " && WCOREDUMP(s)}]" : "}]");
    }
    return true;
}

static bool print_entries(struct strace_line *line, gva_t at, int64_t bytes) {
    uint32_t count = 0;
    for (int64_t off = 0; off < bytes; count++) {
        uint16_t length;
        if (get_user(length, at + (uint64_t)off + 16) != 0 || length == 0) break;
        off += length;
    }
    line_printf(line, "0x%lx /* %u entries */", (unsigned long)at, count);
    return true;
}

static bool print_cpus(struct strace_line *line, gva_t at, uint64_t bytes) {
    const char *gap = "";
    line_put(line, "[");
    for (uint64_t i = 0; i < min(bytes, (uint64_t)128); i++) {
        uint8_t byte;
        if (get_user(byte, at + i) != 0) break;
        for (uint32_t bit = 0; bit < 8; bit++) {
            if ((byte >> bit & 1) == 0) continue;
            line_printf(line, "%s%lu", gap, (unsigned long)(i * 8 + bit));
            gap = " ";
        }
    }
    line_put(line, "]");
    return true;
}

static bool print_tms(struct strace_line *line, gva_t at) {
    struct tms t;
    if (get_user(t, at) != 0) return false;
    line_printf(line, "{tms_utime=%ld, tms_stime=%ld, tms_cutime=%ld, tms_cstime=%ld}",
                (long)t.tms_utime, (long)t.tms_stime, (long)t.tms_cutime, (long)t.tms_cstime);
    return true;
}

static bool print_termios(struct strace_line *line, gva_t at) {
    struct termios t;
    if (get_user(t, at) != 0) return false;
    line_put(line, "{c_iflag=");
    strace_print_flags(line, TK_termiflag, t.c_iflag);
    line_put(line, ", c_oflag=");
    strace_print_flags(line, TK_termoflag, t.c_oflag);
    line_put(line, ", c_cflag=");
    strace_print_flags(line, TK_termcflag, t.c_cflag & ~(uint32_t)CBAUD);
    line_put(line, ", c_lflag=");
    strace_print_flags(line, TK_termlflag, t.c_lflag);
    line_put(line, ", ...}");
    return true;
}

static bool print_ioctl(struct strace_line *line, gva_t at, uint32_t request) {
    struct {
        uint16_t row, col, xpixel, ypixel;
    } w;
    int value;
    switch (request) {
    case TCGETS:
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return print_termios(line, at);
    case TIOCGWINSZ:
    case TIOCSWINSZ:
        if (get_user(w, at) != 0) return false;
        line_printf(line, "{ws_row=%u, ws_col=%u, ws_xpixel=%u, ws_ypixel=%u}", w.row, w.col,
                    w.xpixel, w.ypixel);
        return true;
    case FIONREAD:
    case FIONBIO:
    case FIOASYNC:
    case TIOCGPGRP:
    case TIOCSPGRP:
    case TIOCGSID:
    case TIOCGPTN:
    case TIOCSPTLCK:
        if (get_user(value, at) != 0) return false;
        line_printf(line, "[%d]", value);
        return true;
    default:
        return false;
    }
}

bool strace_print_system(struct strace_line *line, const struct strace_arg *arg) {
    gva_t at = arg->args[arg->index];
    uint64_t next = arg->index < 5 ? arg->args[arg->index + 1] : 0;
    switch (arg->kind) {
    case TK_cloneargs:
        return print_clone_args(line, at, next);
    case TK_oioctl:
        return print_ioctl(line, at, (uint32_t)arg->args[1]);
    case TK_siginfo:
    case TK_osiginfo:
        return print_siginfo_at(line, at);
    case TK_owait:
        return print_wait_status(line, at, arg->result);
    case TK_odirents:
        return print_entries(line, at, arg->result);
    case TK_cpus:
        return print_cpus(line, at, arg->args[1]);
    case TK_ocpus:
        return print_cpus(line, at, (uint64_t)arg->result);
    case TK_otms:
        return print_tms(line, at);
    default:
        return false;
    }
}
