/* SPDX-License-Identifier: MIT */
/* Build tool: prints the seccomp filter of hermit-run as C.  It holds every system call that the
 * loader makes while a guest runs, and nothing that starts programs, makes code, reaches the
 * network or looks into other processes.  Owns nothing. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FCHMODAT2 452 /* newer than Debian 12's headers */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Requests of ioctl(2): KVM's own and hc_tty.c's table.  Bits that are
 * not in the mask may be any: the fewer instructions a filter has, the sooner it is installed. */
static const struct {
    uint64_t mask, value;
} requests[] = {
    {0xff00, KVMIO << 8},     /* of the VM and its CPUs; more of both come while the guest runs */
    {~0xfULL, TCGETS & ~0xf}, /* TCSETS*, TCSBRK, TCXONC, TCFLSH, TIOCGPGRP; not TIOCSTI */
    {~0x2ULL, TIOCOUTQ},      /* and TIOCGWINSZ */
    {~0ULL, TIOCSWINSZ},         {~0ULL, FIONREAD},
    {0xffffffff, 0x802c542a},    /* TCGETS2; libc passes an int: sign-extended */
    {~0x7ULL, 0x402c542b & ~0x7} /* TCSETS2, TCSETSW2, TCSETSF2 */
};

static const int calls[] = {
    /* transfers and files: hc_file*.c, diag.c */
    SYS_read, SYS_pread64, SYS_write, SYS_writev, SYS_preadv2, SYS_pwritev2, SYS_preadv,
    SYS_pwritev, SYS_lseek, SYS_close, SYS_fcntl, SYS_flock, SYS_dup2, SYS_fsync, SYS_fdatasync,
    SYS_syncfs, SYS_fallocate, SYS_ftruncate, SYS_getdents64, SYS_fstat, SYS_newfstatat, SYS_statx,
    SYS_fstatfs, SYS_poll, SYS_ppoll,
    /* paths: hc_path.c, hc_fs*.c, hc_attr.c */
    SYS_open, SYS_openat, SYS_openat2, SYS_readlinkat, SYS_mkdirat, SYS_mknodat, SYS_unlinkat,
    SYS_symlinkat, SYS_linkat, SYS_renameat2, SYS_fchownat, SYS_utimensat, SYS_chmod, SYS_fchmodat,
    FCHMODAT2, SYS_getxattr, SYS_setxattr, SYS_listxattr, SYS_removexattr,
    /* memory: memory.c, file_window.c, malloc(3), qsort(3) */
    SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk, SYS_getrandom, SYS_sysinfo,
    /* time and signals: event.c, tty.c */
    SYS_timer_create, SYS_timer_settime, SYS_clock_gettime, SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_restart_syscall, SYS_getpid, SYS_gettid, SYS_getpgrp, SYS_getpgid,
    SYS_tgkill, SYS_tkill,
    /* the polling thread: poller.c, pthread_create(3) */
    SYS_futex, SYS_sched_getaffinity, SYS_sched_yield, SYS_set_robust_list, SYS_rseq, SYS_exit,
    /* QEMU's link and its end: qemu.c */
    SYS_sendto, SYS_wait4,
    /* the end: main.c, stats.c */
    SYS_getrusage, SYS_exit_group};

/* With a network besides: net_*.c, hc_net.c.  socket(2) is one of the internet families,
 * a stream or datagrams. */
static const int net_calls[] = {SYS_bind,        SYS_listen,      SYS_accept4,    SYS_connect,
                                SYS_sendmsg,     SYS_recvmsg,     SYS_setsockopt, SYS_getsockopt,
                                SYS_getsockname, SYS_getpeername, SYS_shutdown,   SYS_epoll_ctl,
                                SYS_epoll_wait,  SYS_epoll_pwait, SYS_readv,      SYS_sendfile};

#define TYPE_MASK 0xf /* of socket(2)'s second argument; SOCK_CLOEXEC and the like lie above */

static scmp_filter_ctx ctx;

static void check(int result, const char *what) {
    if (result == 0) return;
    fprintf(stderr, "sandbox_filter: %s: error %d\n", what, result);
    exit(1);
}

/* Allows the call where argument `arg` & mask == value. */
static void allow(int call, unsigned arg, uint64_t mask, uint64_t value) {
    const struct scmp_arg_cmp when = {
        .arg = arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
    check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1, when), "rule");
}

static void add_rules(void) {
    for (size_t i = 0; i < COUNT(calls); i++)
        check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0), "call");
    for (size_t i = 0; i < COUNT(requests); i++)
        allow(SYS_ioctl, 1, requests[i].mask, requests[i].value);
    /* No new code. */
    allow(SYS_mmap, 2, PROT_EXEC, 0);
    allow(SYS_mprotect, 2, PROT_EXEC, 0);
    /* Threads, no processes.  clone3's flags are in memory, out of a filter's sight; pthread_create
     * falls back on clone. */
    const uint64_t thread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
    allow(SYS_clone, 0, thread, thread);
    check(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SYS_clone3, 0), "clone3");
    /* More descriptors, for this process (fd_limit_raise). */
    const struct scmp_arg_cmp self = {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = 0, .datum_b = 0};
    const struct scmp_arg_cmp files = {
        .arg = 1, .op = SCMP_CMP_EQ, .datum_a = RLIMIT_NOFILE, .datum_b = 0};
    check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS_prlimit64, 2, self, files), "prlimit64");
    allow(SYS_kill, 1, UINT32_MAX, SIGKILL); /* QEMU */
}

static void add_net_rules(void) {
    for (size_t i = 0; i < COUNT(net_calls); i++)
        check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, net_calls[i], 0), "call");
    for (unsigned i = 0; i < 4; i++) {
        const struct scmp_arg_cmp family = {
            .arg = 0, .op = SCMP_CMP_EQ, .datum_a = i % 2 ? AF_INET : AF_INET6, .datum_b = 0};
        const struct scmp_arg_cmp type = {.arg = 1,
                                          .op = SCMP_CMP_MASKED_EQ,
                                          .datum_a = TYPE_MASK,
                                          .datum_b = i / 2 ? SOCK_STREAM : SOCK_DGRAM};
        check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SYS_socket, 2, family, type), "socket");
    }
}

static void print_filter(const char *name, bool network) {
    struct sock_filter i;
    ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    FILE *f = tmpfile();
    if (ctx == NULL || f == NULL) check(1, "start");
    check(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "architecture");
    check(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), "binary tree");
    add_rules();
    if (network) add_net_rules();
    check(seccomp_export_bpf(ctx, fileno(f)), "export");
    printf("static const struct sock_filter %s[] = {\n", name);
    rewind(f);
    while (fread(&i, sizeof(i), 1, f) == 1)
        printf("    {0x%x, %u, %u, 0x%x},\n", i.code, i.jt, i.jf, i.k);
    printf("};\n");
    seccomp_release(ctx);
    check(fclose(f), "close");
}

int main(void) {
    puts("/* Made by sandbox_filter.c. */");
    print_filter("filter", false);
    print_filter("net_filter", true);
    return fflush(stdout) != 0;
}
