/* SPDX-License-Identifier: MIT */
/* Structures about files and the system, most of them written by the call. */
#include <hermit/linux_abi.h>
#include <kernel/uaccess.h>
#include <syscall/strace.h>
#include <syscall/strace_table.h>

static bool print_stat(struct strace_line *line, gva_t at) {
    struct stat st;
    if (get_user(st, at) != 0) return false;
    line_put(line, "{st_mode=");
    strace_print_mode(line, st.st_mode);
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
        line_printf(line, ", st_rdev=0x%lx, ...}", (unsigned long)st.st_rdev);
    else
        line_printf(line, ", st_size=%ld, ...}", (long)st.st_size);
    return true;
}

static bool print_statx(struct strace_line *line, gva_t at) {
    struct statx stx;
    if (get_user(stx, at) != 0) return false;
    line_printf(line, "{stx_mask=0x%x, stx_mode=", stx.stx_mask);
    strace_print_mode(line, stx.stx_mode);
    line_printf(line, ", stx_size=%lu, ...}", (unsigned long)stx.stx_size);
    return true;
}

static bool print_statfs(struct strace_line *line, gva_t at) {
    struct statfs st;
    if (get_user(st, at) != 0) return false;
    line_printf(line, "{f_type=0x%lx, f_bsize=%ld, f_blocks=%ld, f_bfree=%ld, ...}",
                (unsigned long)st.f_type, (long)st.f_bsize, (long)st.f_blocks, (long)st.f_bfree);
    return true;
}

static void put_limit(struct strace_line *line, const char *name, uint64_t value) {
    if (value == UINT64_MAX)
        line_printf(line, "%s=RLIM64_INFINITY", name);
    else if (value % 1024 == 0 && value > 1024)
        line_printf(line, "%s=%lu*1024", name, (unsigned long)value / 1024);
    else
        line_printf(line, "%s=%lu", name, (unsigned long)value);
}

static bool print_rlimit(struct strace_line *line, gva_t at) {
    struct rlimit limit;
    if (get_user(limit, at) != 0) return false;
    put_limit(line, "{rlim_cur", limit.rlim_cur);
    put_limit(line, ", rlim_max", limit.rlim_max);
    line_put(line, "}");
    return true;
}

static bool print_rusage(struct strace_line *line, gva_t at) {
    struct rusage u;
    if (get_user(u, at) != 0) return false;
    line_printf(line, "{ru_utime={tv_sec=%ld, tv_usec=%ld}, ru_stime={tv_sec=%ld, tv_usec=%ld}, ",
                (long)u.ru_utime.tv_sec, (long)u.ru_utime.tv_usec, (long)u.ru_stime.tv_sec,
                (long)u.ru_stime.tv_usec);
    line_printf(line, "ru_maxrss=%ld, ...}", (long)u.ru_maxrss);
    return true;
}

static bool print_sysinfo(struct strace_line *line, gva_t at) {
    struct sysinfo info;
    if (get_user(info, at) != 0) return false;
    line_printf(line, "{uptime=%ld, totalram=%lu, freeram=%lu, procs=%u, mem_unit=%u, ...}",
                (long)info.uptime, (unsigned long)info.totalram, (unsigned long)info.freeram,
                info.procs, info.mem_unit);
    return true;
}

static bool print_utsname(struct strace_line *line, gva_t at) {
    line_put(line, "{sysname=");
    strace_print_string(line, at + offsetof(struct new_utsname, sysname), UINT64_MAX);
    line_put(line, ", nodename=");
    strace_print_string(line, at + offsetof(struct new_utsname, nodename), UINT64_MAX);
    line_put(line, ", ...}");
    return true;
}

static bool print_open_how(struct strace_line *line, gva_t at) {
    struct open_how how;
    if (get_user(how, at) != 0) return false;
    line_put(line, "{flags=");
    strace_print_flags(line, TK_oflags, how.flags);
    if (how.mode != 0) {
        line_put(line, ", mode=");
        strace_print_mode(line, (uint32_t)how.mode);
    }
    line_printf(line, ", resolve=0x%lx}", (unsigned long)how.resolve);
    return true;
}

static bool print_fd_pair(struct strace_line *line, gva_t at) {
    int fds[2];
    if (get_user(fds, at) != 0) return false;
    line_printf(line, "[%d, %d]", fds[0], fds[1]);
    return true;
}

static bool print_u32(struct strace_line *line, gva_t at) {
    uint32_t value;
    if (get_user(value, at) != 0) return false;
    line_printf(line, "[%u]", value);
    return true;
}

bool strace_print_results(struct strace_line *line, const struct strace_arg *arg) {
    gva_t at = arg->args[arg->index];
    switch (arg->kind) {
    case TK_obuf:
        strace_print_string(line, at, (uint64_t)arg->result);
        return true;
    case TK_ostr:
        strace_print_string(line, at, UINT64_MAX);
        return true;
    case TK_ostat:
        return print_stat(line, at);
    case TK_ostatx:
        return print_statx(line, at);
    case TK_ostatfs:
        return print_statfs(line, at);
    case TK_rlimit:
    case TK_orlimit:
        return print_rlimit(line, at);
    case TK_orusage:
        return print_rusage(line, at);
    case TK_osysinfo:
        return print_sysinfo(line, at);
    case TK_outsname:
        return print_utsname(line, at);
    case TK_openhow:
        return print_open_how(line, at);
    case TK_ofdpair:
        return print_fd_pair(line, at);
    case TK_ou32:
        return print_u32(line, at);
    default:
        return strace_print_event(line, arg);
    }
}
