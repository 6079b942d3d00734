/* SPDX-License-Identifier: MIT */
/* Lines of --strace: the kernel's own objects, with "program memory" being this process. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include <hermit/boot.h>

/* Of kernel/include/kernel/process.h and syscall/include, whose headers exclude libc's. */
struct regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t orig_rax, rip, cs, rflags, rsp, ss;
};
struct strace_call;
void strace_init(const struct hermit_boot *boot);
void strace_wait(struct strace_call *call);
void strace_signal(int32_t tid, int sig, const siginfo_t *info);
void strace_exited(int32_t tid, int status);
void strace_killed(int32_t tid, int sig);
struct strace_call *strace_enter(uint32_t nr, const struct regs *regs, int32_t tid);
void strace_leave(struct strace_call *call, int64_t result);

/* What the objects ask of the kernel. */
int copy_from_user(void *dst, uint64_t src, uint64_t len);
void *kmalloc(size_t bytes);
void kfree(void *p);
void ktrace(const char *text, size_t len);
int64_t clock_monotonic_ns(void);
const char *boot_string(uint32_t offset);

static char output[8192];
static int64_t now_ns;
static const char *filter = "";
static int32_t tid;

int copy_from_user(void *dst, uint64_t src, uint64_t len) {
    struct iovec to = {dst, len}, from = {(void *)src, len};
    return syscall(SYS_process_vm_readv, getpid(), &to, 1L, &from, 1L, 0L) == (long)len ? 0 : -14;
}
void *kmalloc(size_t bytes) { return malloc(bytes); }
void kfree(void *p) { free(p); }
void ktrace(const char *text, size_t len) {
    size_t used = strlen(output);
    assert_true(used + len < sizeof(output));
    memcpy(output + used, text, len);
    output[used + len] = 0;
}
int64_t clock_monotonic_ns(void) { return now_ns; }
const char *boot_string(uint32_t offset) { return filter; }

static void select_calls(const char *list) {
    static const struct hermit_boot boot = {.strace_strings = 32}; /* all offsets 0 */
    filter = list;
    strace_init(&boot);
}

/* One blank before the result, where the line has them up to a column. */
static void squeeze(char *line) {
    char *equals = strstr(line, " = ");
    for (char *blank = equals; blank != NULL && blank > line && blank[-1] == ' '; blank--)
        memmove(blank - 1, blank, strlen(blank) + 1);
}

/* The line of a call with up to six arguments, "" if there was none. */
static const char *trace(long nr, int64_t result, const uint64_t args[6]) {
    struct regs regs = {.orig_rax = (uint64_t)nr,
                        .rdi = args[0],
                        .rsi = args[1],
                        .rdx = args[2],
                        .r10 = args[3],
                        .r8 = args[4],
                        .r9 = args[5]};
    output[0] = 0;
    struct strace_call *call = strace_enter((uint32_t)nr, &regs, tid);
    if (call != NULL) strace_leave(call, result);
    squeeze(output);
    return output;
}
#define P(p) ((uint64_t)(p))
#define EXPECT(text, result, nr, ...)                                                              \
    assert_string_equal(trace(nr, result, (const uint64_t[6]){__VA_ARGS__}), text "\n")

static void open_flags_and_errors(void **state) {
    select_calls("");
    uint64_t cwd = (uint64_t)AT_FDCWD;
    EXPECT("openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 3", 3, SYS_openat, cwd,
           P("/etc/passwd"), O_CLOEXEC, 0666);
    EXPECT("openat(5, \"f\", O_RDWR|O_CREAT|O_SYNC, 0644) = -1 ENOENT (No such file or directory)",
           -2, SYS_openat, 5, P("f"), O_RDWR | O_CREAT | O_SYNC, 0644);
    EXPECT("umask(022) = 077", 077, SYS_umask, 022);
    EXPECT("pause() = ? ERESTARTNOHAND (To be restarted if no handler)", -514, SYS_pause, 0);
    EXPECT("fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)", 2, SYS_fcntl, 3, F_GETFL, 99);
    EXPECT("fcntl(3, F_SETFD, FD_CLOEXEC) = 0", 0, SYS_fcntl, 3, F_SETFD, FD_CLOEXEC);
    EXPECT("dup3(1, 2, 0) = 2", 2, SYS_dup3, 1, 2, 0);
    EXPECT("mknod(\"x\", S_IFIFO|0600, makedev(0x1, 0x103)) = 0", 0, SYS_mknod, P("x"),
           S_IFIFO | 0600, 0x100103);
}

static void strings(void **state) {
    select_calls("");
    EXPECT("write(1, \"a\\n\\t\\\"\\\\\\0001\\0z\\377\", 10) = 10", 10, SYS_write, 1,
           P("a\n\t\"\\\0001\0z\377"), 10);
    EXPECT("write(1, \"01234567890123456789012345678901\"..., 40) = 40", 40, SYS_write, 1,
           P("0123456789012345678901234567890123456789"), 40);
    EXPECT("symlink(\"01234567890123456789012345678901\", \"q\") = 0", 0, SYS_symlink,
           P("01234567890123456789012345678901"), P("q"));
    /* What a call writes is known after it only, and never after an error. */
    char buf[8] = "out";
    char expected[96];
    EXPECT("read(0, \"out\", 8) = 3", 3, SYS_read, 0, P(buf), 8);
    snprintf(expected, sizeof(expected), "read(0, %p, 8) = -1 EINTR (Interrupted system call)\n",
             (void *)buf);
    assert_string_equal(trace(SYS_read, -4, (const uint64_t[6]){0, P(buf), 8}), expected);
}

static void unreadable_memory(void **state) {
    select_calls("");
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(page, MAP_FAILED);
    assert_int_equal(munmap(page + 4096, 4096), 0);
    memset(page, 'y', 4096);
    EXPECT("unlink(\"yyy\"...) = -1 EFAULT (Bad address)", -14, SYS_unlink, P(page + 4093));
    EXPECT("unlink(0x10) = -1 EFAULT (Bad address)", -14, SYS_unlink, 0x10);
    EXPECT("nanosleep(0x10, NULL) = -1 EFAULT (Bad address)", -14, SYS_nanosleep, 0x10, 0);
    munmap(page, 4096);
}

static void long_line_keeps_its_result(void **state) {
    select_calls("");
    static char name[3000];
    memset(name, 'p', sizeof(name) - 1);
    const char *line = trace(SYS_rename, -36, (const uint64_t[6]){P(name), P(name)});
    assert_true(strlen(line) < 4096);
    assert_non_null(strstr(line, ") = -1 ENAMETOOLONG (File name too long)\n"));
}

static void structures(void **state) {
    select_calls("");
    uint64_t all = ~0ULL, some = 1ULL << (SIGINT - 1) | 1ULL << (SIGCHLD - 1);
    EXPECT("rt_sigprocmask(SIG_BLOCK, ~[], NULL, 8) = 0", 0, SYS_rt_sigprocmask, SIG_BLOCK, P(&all),
           0, 8);
    EXPECT("rt_sigprocmask(SIG_SETMASK, [INT CHLD], NULL, 8) = 0", 0, SYS_rt_sigprocmask,
           SIG_SETMASK, P(&some), 0, 8);
    struct iovec v[2] = {{(void *)"abc", 3}, {(void *)"defgh", 5}};
    EXPECT("readv(0, [{iov_base=\"abc\", iov_len=3}, {iov_base=\"d\", iov_len=5}], 2) = 4", 4,
           SYS_readv, 0, P(v), 2);
    int fds[2] = {3, 4};
    EXPECT("pipe2([3, 4], O_CLOEXEC) = 0", 0, SYS_pipe2, P(fds), O_CLOEXEC);
    struct stat st = {.st_mode = S_IFREG | 0644, .st_size = 42};
    EXPECT("fstat(3, {st_mode=S_IFREG|0644, st_size=42, ...}) = 0", 0, SYS_fstat, 3, P(&st));
    EXPECT("mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7000", 0x7000,
           SYS_mmap, 0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0);
    const char *argv[] = {"ls", "-l", NULL};
    EXPECT("execve(\"/bin/ls\", [\"ls\", \"-l\"], NULL) = 0", 0, SYS_execve, P("/bin/ls"), P(argv));
}

static void unusual_calls(void **state) {
    select_calls("");
    EXPECT("syscall_0x14f(0x1, 0, 0, 0, 0, 0) = -1 ENOSYS (Function not implemented)", -38, 335, 1);
    /* Printed before the call, which does not return. */
    struct regs regs = {.orig_rax = SYS_exit_group, .rdi = 3};
    output[0] = 0;
    assert_null(strace_enter(SYS_exit_group, &regs, tid));
    assert_string_equal(output, "exit_group(3)                           = ?\n");
}

static void filters(void **state) {
    const uint64_t none[6] = {0};
    select_calls("getpid,getuid");
    assert_string_equal(trace(SYS_getpid, 1, none), "getpid() = 1\n");
    assert_string_equal(trace(SYS_getgid, 1, none), "");
    select_calls(",");
    assert_string_equal(trace(SYS_getpid, 1, none), "");
}

static void thread_numbers(void **state) {
    const uint64_t none[6] = {0};
    select_calls("");
    tid = 17;
    assert_string_equal(trace(SYS_getpid, 1, none), "[pid    17] getpid() = 1\n");
    tid = 0;
}

static struct strace_call *enter(long nr, int32_t as, uint64_t a, uint64_t b, uint64_t c) {
    struct regs regs = {.orig_rax = (uint64_t)nr, .rdi = a, .rsi = b, .rdx = c};
    return strace_enter((uint32_t)nr, &regs, as);
}

/* Lines of calls that wait, and of what happens meanwhile. */
static void waiting(void **state) {
    char buf[] = "abc";
    select_calls("");
    output[0] = 0;
    struct strace_call *one = enter(SYS_read, 1, 0, P(buf), 3);
    strace_wait(one);
    strace_wait(one); /* again: nothing new */
    assert_string_equal(output, "[pid     1] read(0, ");
    strace_leave(one, 3);
    assert_string_equal(output, "[pid     1] read(0, \"abc\", 3)           = 3\n");
    output[0] = 0;
    one = enter(SYS_read, 1, 0, P(buf), 3);
    strace_wait(one);
    struct strace_call *two = enter(SYS_pause, 2, 0, 0, 0);
    strace_wait(two);
    strace_signal(2, SIGSEGV, &(siginfo_t){.si_signo = SIGSEGV, .si_code = SEGV_MAPERR});
    strace_leave(one, 1);
    strace_leave(two, -4);
    strace_exited(2, 7);
    strace_killed(0, SIGKILL);
    assert_string_equal(output,
                        "[pid     1] read(0,  <unfinished ...>\n"
                        "[pid     2] pause( <unfinished ...>\n"
                        "[pid     2] --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, "
                        "si_addr=NULL} ---\n"
                        "[pid     1] <... read resumed>\"a\", 3)   = 1\n"
                        "[pid     2] <... pause resumed>)        = -1 EINTR (Interrupted system "
                        "call)\n"
                        "[pid     2] +++ exited with 7 +++\n"
                        "+++ killed by SIGKILL +++\n");
}

static void times(void **state) {
    static const struct hermit_boot boot = {.strace_strings = 2, .flags = HERMIT_BOOT_STRACE_TIMES};
    filter = "";
    now_ns = 1000000000;
    strace_init(&boot);
    now_ns += 1500000000;
    output[0] = 0;
    struct strace_call *c = enter(SYS_unlink, 0, P("abc"), 0, 0);
    struct strace_call *w = enter(SYS_write, 0, 1, P("xyz"), 3);
    now_ns += 2000;
    strace_leave(c, 0);
    strace_leave(w, 3);
    assert_string_equal(output, "     1.500000 unlink(\"abc\")             = 0 <0.000002>\n"
                                "     0.000000 write(1, \"xy\"..., 3)      = 3 <0.000002>\n");
    now_ns = 0;
}

static void decoded(void **state) {
    select_calls("");
    uint64_t wait_bits = 0x189, cmp_requeue = 0x84; /* WAIT_BITSET|CLOCK_REALTIME, private */
    EXPECT("futex(0x10, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 7, NULL, "
           "FUTEX_BITSET_MATCH_ANY) = 0",
           0, SYS_futex, 0x10, wait_bits, 7, 0, 0, UINT32_MAX);
    EXPECT("futex(0x10, FUTEX_WAKE_PRIVATE, 1) = 1", 1, SYS_futex, 0x10, 0x81, 1, 5, 6, 7);
    EXPECT("futex(0x10, FUTEX_CMP_REQUEUE_PRIVATE, 1, 2147483647, 0x20, 0x3) = 1", 1, SYS_futex,
           0x10, cmp_requeue, 1, INT32_MAX, 0x20, 3);
    EXPECT("clone(CLONE_VM|CLONE_VFORK|SIGCHLD, NULL, NULL, NULL, 0) = 9", 9, SYS_clone, 0x4111, 0,
           0, 0, 0);
    int status = 3 << 8;
    EXPECT("wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], WNOHANG, NULL) = 5", 5, SYS_wait4,
           (uint64_t)-1, P(&status), 1, 0);
    status = SIGKILL;
    EXPECT("wait4(-1, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], 0, NULL) = 5", 5, SYS_wait4,
           (uint64_t)-1, P(&status), 0, 0);
    uint16_t window[4] = {24, 80, 0, 0};
    EXPECT("ioctl(1, TIOCGWINSZ, {ws_row=24, ws_col=80, ws_xpixel=0, ws_ypixel=0}) = 0", 0,
           SYS_ioctl, 1, 0x5413, P(window));
    struct {
        int fd;
        short events, revents;
    } fds[2] = {{3, 1, 0}, {4, 4, 4}};
    EXPECT("poll([{fd=3, events=POLLIN}, {fd=4, events=POLLOUT}], 2, -1) = 1 "
           "([{fd=4, revents=POLLOUT}])",
           1, SYS_poll, P(fds), 2, (uint64_t)-1);
    EXPECT("poll([{fd=3, events=POLLIN}], 1, 0) = 0 (Timeout)", 0, SYS_poll, P(fds), 1, 0);
    uint64_t in = 1 << 3, out = 1 << 4;
    EXPECT("select(5, [3], [4], NULL, NULL) = 2 (in [3], out [4])", 2, SYS_select, 5, P(&in),
           P(&out), 0, 0);
    uint64_t cpus = 5;
    EXPECT("sched_getaffinity(0, 8, [0 2]) = 8", 8, SYS_sched_getaffinity, 0, 8, P(&cpus));
    EXPECT("statx(5, \"f\", AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS|STATX_BTIME, 0x10) = -1 "
           "EFAULT (Bad address)",
           -14, SYS_statx, 5, P("f"), 0, 0xfff, 0x10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_flags_and_errors),
        cmocka_unit_test(strings),
        cmocka_unit_test(unreadable_memory),
        cmocka_unit_test(long_line_keeps_its_result),
        cmocka_unit_test(structures),
        cmocka_unit_test(unusual_calls),
        cmocka_unit_test(filters),
        cmocka_unit_test(thread_numbers),
        cmocka_unit_test(waiting),
        cmocka_unit_test(times),
        cmocka_unit_test(decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
