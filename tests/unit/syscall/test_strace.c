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

/* Of kernel/include/kernel/process.h and syscall/include, whose headers exclude libc's. */
struct regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t orig_rax, rip, cs, rflags, rsp, ss;
};
struct strace_call;
void strace_init(const void *boot);
struct strace_call *strace_enter(uint32_t nr, const struct regs *regs, int32_t tid);
void strace_leave(struct strace_call *call, int64_t result);

/* What the objects ask of the kernel. */
int copy_from_user(void *dst, uint64_t src, uint64_t len);
void *kmalloc(size_t bytes);
void kfree(void *p);
void kwrite(const char *text, size_t len);
void kprint(const char *fmt, ...);
const char *boot_string(uint32_t offset);

static char output[8192];
static char complaint[256];
static const char *filter = "";
static int32_t tid;

int copy_from_user(void *dst, uint64_t src, uint64_t len) {
    struct iovec to = {dst, len}, from = {(void *)src, len};
    return syscall(SYS_process_vm_readv, getpid(), &to, 1L, &from, 1L, 0L) == (long)len ? 0 : -14;
}
void *kmalloc(size_t bytes) { return malloc(bytes); }
void kfree(void *p) { free(p); }
void kwrite(const char *text, size_t len) {
    assert_true(len < sizeof(output));
    memcpy(output, text, len);
    output[len] = 0;
}
void kprint(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(complaint, sizeof(complaint), fmt, ap);
    va_end(ap);
}
const char *boot_string(uint32_t offset) { return filter; }

static void select_calls(const char *list) {
    static const char boot[4096]; /* all offsets 0 */
    filter = list;
    complaint[0] = 0;
    strace_init(boot);
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
    EXPECT("fcntl(3, F_GETFL) = 2", 2, SYS_fcntl, 3, F_GETFL, 99);
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
    assert_null(strace_enter(SYS_exit_group, &regs, tid));
    assert_string_equal(output, "exit_group(3) = ?\n");
}

static void filters(void **state) {
    const uint64_t none[6] = {0};
    select_calls("getpid,getuid");
    assert_string_equal(trace(SYS_getpid, 1, none), "getpid() = 1\n");
    assert_string_equal(trace(SYS_getgid, 1, none), "");
    select_calls("!getpid");
    assert_string_equal(trace(SYS_getpid, 1, none), "");
    assert_string_equal(trace(SYS_getgid, 1, none), "getgid() = 1\n");
    assert_string_equal(complaint, "");
    select_calls("getpid,bogus");
    assert_string_equal(complaint, "hermit-run: --strace: no system call is named 'bogus'\n");
}

static void thread_numbers(void **state) {
    const uint64_t none[6] = {0};
    select_calls("");
    tid = 17;
    assert_string_equal(trace(SYS_getpid, 1, none), "[pid    17] getpid() = 1\n");
    tid = 0;
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
