/* SPDX-License-Identifier: MIT */
/* /proc and /dev: lookup, links to open files, generated text, devices, random bytes. */
#include <kernel/arch.h>
#include <kernel/creds.h>
#include <kernel/frame.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/mm.h>
#include <kernel/random.h>
#include <kernel/sched.h>
#include <kernel/seccomp.h>
#include <kernel/smp.h>
#include <kernel/string.h>

#include "fake_fs.h"
#include "kernel/inet.h"
#include "ktest.h"

static char buf[65536];
static struct mm mm;
static char tty_line[] = "line";

static int64_t tty_read(struct file *f, const struct uio *u, int64_t *pos) {
    return uio_fill(u, 0, tty_line, 4) ?: 4;
}
static int tty_getattr(struct file *f, struct hc_attr *a) {
    *a = (struct hc_attr){.mode = S_IFCHR | 0620, .rdev = 136 << 8, .nlink = 1};
    return 0;
}
static const struct file_ops tty_ops = {.read = tty_read, .getattr = tty_getattr};

/* Standard output is a terminal, the other two are not. */
struct file *hostfs_stdio(uint32_t handle) {
    static const struct file_ops none;
    return file_new(handle == 1 ? &tty_ops : &none, O_RDWR, S_IFCHR);
}

/* What the trees ask of the rest of the kernel. */
struct mm_pages mm_pages(struct mm *m, gva_t start, gva_t end) {
    return (struct mm_pages){.resident = 3 * PAGE_SIZE, .anon = PAGE_SIZE};
}
struct vma *mm_find(struct mm *m, gva_t addr) {
    return NULL;
}
int mm_protect(struct mm *m, gva_t addr, uint64_t len, uint32_t prot) { return -ENOMEM; }
int mm_translate(struct mm *m, gva_t addr, uint32_t access, gpa_t *out) { return -EFAULT; }
uint64_t *paging_table(gpa_t root, gva_t gva, bool create) { return NULL; }
bool frame_is_ram(gpa_t gpa) { return true; }
void frame_reset_peak(void) {}
uint32_t cpu_count(void) { return 3; }
uint64_t sched_affinity(const struct thread *t) { return 5; }
uint32_t sched_last_cpu(const struct thread *t) { return 0; }
uint32_t seccomp_depth(const struct thread *t) { return 0; }
int64_t sched_cpu_busy_ns(uint32_t cpu) { return 0; }
int32_t thread_last_tid(void) { return 1; }

struct inet_socks inet_all = TAILQ_HEAD_INITIALIZER(inet_all);
void inet_tcp_show(const struct inet_sock *s, struct inet_shown *out) {}
void inet_udp_show(const struct inet_sock *s, struct inet_shown *out) {}
uint32_t inet_iface_count(void) { return 1; }
uint32_t inet_gateway(void) { return 0; }
uint32_t inet_mask(uint8_t prefix) { return 0; }
const struct inet_iface *inet_iface(uint32_t index) {
    static const struct inet_iface lo = {.name = "lo"};
    return index == 1 ? &lo : NULL;
}

/* The C library of the host may have none. */
size_t strlcpy(char *dst, const char *src, size_t n) {
    size_t len = strlen(src);
    if (n > 0) {
        memcpy(dst, src, min(len, n - 1));
        dst[min(len, n - 1)] = '\0';
    }
    return len;
}

int ktest_setup(void) {
    fake_mount("/");
    vfs_mount(&tree_ops, "/proc", "proc", (void *)(uintptr_t)&procfs_tree);
    vfs_mount(&tree_ops, "/sys", "sysfs", (void *)(uintptr_t)&sysfs_tree);
    vfs_mount(&tree_ops, "/sys/fs/cgroup", "cgroup2", (void *)(uintptr_t)&cgroupfs_tree);
    vfs_mount(&devfs_ops, "/dev", "devtmpfs", NULL);
    fake_process.mm = &mm;
    fake_process.exe = kstrdup("/bin/prog");
    __builtin_strcpy(current_thread()->comm, "prog");
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(fd_install(hostfs_stdio(i), 0, false), i);
    return 0;
}

static const char *link_of(const char *path) {
    struct vpath p;
    int64_t n = vfs_path(&p, VFS_AT_CWD, path);
    if (n == 0) n = vfs_readlink(&p, buf, sizeof(buf) - 1);
    if (n < 0) return n == -EINVAL ? "EINVAL" : n == -ENOENT ? "ENOENT" : "error";
    buf[n] = '\0';
    return buf;
}

static const char *text_of(const char *path) {
    struct file *f;
    int64_t n = do_open(path, O_RDONLY, 0, &f);
    if (n < 0) return "error";
    n = file_read_kernel(f, buf, sizeof(buf) - 1, 0);
    buf[n > 0 ? n : 0] = '\0';
    file_put(f);
    return buf;
}

static int open_error(const char *path, uint32_t flags) {
    struct file *f;
    int r = do_open(path, flags, 0600, &f);
    if (r == 0) file_put(f);
    return r;
}

static void test_lookup(void **state) {
    struct hc_attr a;
    assert_string_equal(link_of("/proc/self"), "2");
    assert_string_equal(link_of("/proc/self/exe"), "/bin/prog");
    assert_string_equal(link_of("/proc/self/cwd"), "/");
    assert_string_equal(link_of("/proc/self/comm"), "EINVAL");
    assert_string_equal(link_of("/proc/self/fd/9"), "ENOENT");
    assert_int_equal(do_stat("/proc/self/", true, &a), 0);
    assert_int_equal(do_stat("/proc/3", true, &a), -ENOENT);
    assert_int_equal(do_stat("/proc/01", true, &a), -ENOENT);
    assert_int_equal(do_stat("/proc/1x", true, &a), -ENOENT);
    assert_int_equal(do_stat("/proc/meminfo/x", true, &a), -ENOTDIR);
    assert_int_equal(do_stat("/proc/self/cwd/proc/self/root/dev/null", true, &a), 0);
    assert_int_equal(a.rdev, 0x103);
    assert_int_equal(open_error("/proc/none", O_RDONLY | O_CREAT), -ENOENT);
    assert_int_equal(open_error("/proc/self", O_RDONLY | O_NOFOLLOW), -ELOOP);
    assert_int_equal(open_error("/proc/self/comm", O_WRONLY), 0);
    assert_int_equal(open_error("/proc/self/stat", O_WRONLY), -EACCES);
    fake_process.fsuid = 1000;
    fake_process.caps.effective = 0;
    assert_int_equal(open_error("/proc/self/clear_refs", O_RDONLY), -EACCES);
    fake_process.fsuid = 0;
    assert_int_equal(open_error("/proc/self/clear_refs", O_WRONLY), 0);
    creds_exec(&fake_process);
    assert_int_equal(open_error("/proc/sys/kernel", O_RDWR), -EISDIR);
    assert_int_equal(do_mkdir("/proc/x", 0755), -EPERM);
}

static void test_text(void **state) {
    static const char *files[] = {"/proc/self/stat",   "/proc/self/statm",
                                  "/proc/self/status", "/proc/self/limits",
                                  "/proc/mounts",      "/proc/self/mountinfo",
                                  "/proc/meminfo",     "/proc/cpuinfo",
                                  "/proc/uptime",      "/proc/version",
                                  "/proc/stat",        "/proc/loadavg",
                                  "/proc/filesystems", "/proc/sys/vm/overcommit_memory"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        const char *text = text_of(files[i]);
        assert_true(strlen(text) > 0 && strcmp(text, "error") != 0);
        assert_int_equal(text[strlen(text) - 1], '\n');
    }
    assert_string_equal(text_of("/proc/self/comm"), "prog\n");
    assert_string_equal(text_of("/proc/2/comm"), "prog\n");
    assert_string_equal(text_of("/proc/sys/kernel/ostype"), "Linux\n");
    assert_true(strstr(text_of("/proc/self/mounts"), "proc /proc proc rw"));
    assert_true(strncmp(text_of("/proc/self/stat"), "2 (prog) R ", 11) == 0);
    int fields = 1;
    for (const char *c = buf; *c; c++)
        fields += *c == ' ';
    assert_int_equal(fields, 52);
}

static void test_fresh_text(void **state) {
    struct file *f, *w;
    assert_int_equal(do_open("/proc/self/comm", O_RDONLY, 0, &f), 0);
    assert_int_equal(do_read(f, buf, 2), 2);
    assert_int_equal(do_open("/proc/self/task/2/comm", O_WRONLY, 0, &w), 0);
    assert_int_equal(do_write(w, "a-name-too-long-for-it", 22), 22);
    file_put(w);
    /* A text once begun is read to its end; at its start there is a new one. */
    assert_int_equal(do_read(f, buf, 10), 3);
    assert_int_equal(file_seek(f, 0, SEEK_SET), 0);
    assert_int_equal(do_read(f, buf, 100), 16);
    assert_memory_equal(buf, "a-name-too-long\n", 16);
    assert_int_equal(file_seek(f, 0, SEEK_END), -EINVAL);
    file_put(f);
    __builtin_strcpy(current_thread()->comm, "prog");
}

static void test_sysfs(void **state) {
    struct hc_attr a;
    assert_string_equal(text_of("/sys/devices/system/cpu/online"), "0-2\n");
    assert_string_equal(text_of("/sys/devices/system/cpu/cpu2/topology/package_cpus"), "7\n");
    assert_string_equal(text_of("/sys/devices/system/cpu/cpu2/node0/cpu1/topology/core_id"), "1\n");
    assert_int_equal(do_stat("/sys/devices/system/cpu/cpu3", true, &a), -ENOENT);
    assert_int_equal(do_stat("/sys/devices/system/cpu/cpu", true, &a), -ENOENT);
    assert_int_equal(do_stat("/sys/devices/system/cpu/cpu01", true, &a), -ENOENT);
    assert_int_equal(do_stat("/sys/devices/system/cpu/cpu99999999999", true, &a), -ENOENT);
    assert_int_equal(do_stat("/sys/devices/system/cpu", true, &a), 0);
    assert_int_equal(a.nlink, 2 + 1 + 3);
    assert_int_equal(do_stat("/sys/devices/system/cpu/online", true, &a), 0);
    assert_int_equal(a.size, PAGE_SIZE);
    assert_string_equal(text_of("/sys/fs/cgroup/memory.max"), "1048576\n");
    assert_true(
        strstr(text_of("/proc/self/status"), "Cpus_allowed:\t5\nCpus_allowed_list:\t0,2\n"));
}

static void test_fd_links(void **state) {
    struct file *f, *again;
    struct hc_attr a, b;
    char path[32];
    assert_int_equal(do_open("/file", O_RDWR | O_CREAT, 0600, &f), 0);
    assert_int_equal(do_write(f, "hello", 5), 5);
    int fd = fd_install(f, 0, false);
    ksnprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    assert_string_equal(link_of(path), "/file");
    assert_int_equal(do_unlink("/file"), 0);
    assert_string_equal(link_of(path), "/file (deleted)");
    /* The object is opened again although it has no name: its own position and mode. */
    assert_int_equal(do_open(path, O_RDONLY, 0, &again), 0);
    assert_int_equal(do_read(again, buf, 10), 5);
    assert_int_equal(do_write(again, "x", 1), -EBADF);
    assert_int_equal(file_getattr(f, &a), 0);
    assert_int_equal(do_stat(path, true, &b), 0);
    assert_int_equal(a.ino, b.ino);
    assert_int_equal(do_stat(path, false, &b), 0);
    assert_true(S_ISLNK(b.mode));
    file_put(again);
    ksnprintf(path, sizeof(path), "/dev/fd/%d", fd);
    assert_int_equal(do_open(path, O_WRONLY | O_TRUNC, 0, &again), 0);
    assert_int_equal(file_getattr(f, &a), 0);
    assert_int_equal(a.size, 0);
    file_put(again);
    fd_close(fd);
    assert_int_equal(open_error(path, O_RDONLY), -ENOENT);
    assert_int_equal(fake_frames, 0);
}

/* How open(2) tells to give an O_TMPFILE file its name. */
static void test_fd_link_tmpfile(void **state) {
    struct file *f;
    struct hc_attr a;
    struct vpath from, to;
    char path[32];
    assert_int_equal(do_open("/", O_TMPFILE | O_RDWR, 0600, &f), 0);
    int fd = fd_install(f, 0, false);
    ksnprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    assert_int_equal(vfs_path(&from, VFS_AT_CWD, path), 0);
    assert_int_equal(vfs_path(&to, VFS_AT_CWD, "/named"), 0);
    assert_int_equal(vfs_link(&from, &to, true), 0);
    assert_int_equal(do_stat("/named", false, &a), 0);
    assert_int_equal(a.nlink, 1);
    assert_int_equal(do_unlink("/named"), 0);
    fd_close(fd);
}

static void test_fd_dir_link(void **state) {
    struct file *d;
    struct hc_attr a;
    char path[48];
    do_mkdir("/dir", 0755);
    do_write_file("/dir/x", "1");
    assert_int_equal(do_open("/dir", O_RDONLY, 0, &d), 0);
    int fd = fd_install(d, 0, false);
    ksnprintf(path, sizeof(path), "/proc/self/fd/%d/x", fd);
    assert_int_equal(do_stat(path, true, &a), 0);
    assert_int_equal(a.size, 1);
    ksnprintf(path, sizeof(path), "/proc/self/fd/%d/../dir/x", fd);
    assert_int_equal(do_stat(path, true, &a), 0);
    fd_close(fd);
}

static void test_fd_pipe_and_tty(void **state) {
    struct file *ends[2], *w, *t;
    char path[32];
    assert_int_equal(pipe_create(ends, 0), 0);
    int fd = fd_install(ends[0], 0, false);
    ksnprintf(path, sizeof(path), "/dev/fd/%d", fd);
    assert_int_equal(do_open(path, O_WRONLY, 0, &w), 0);
    assert_int_equal(do_write(w, "pipe", 4), 4);
    assert_int_equal(do_read(ends[0], buf, 10), 4);
    file_put(w);
    file_put(ends[1]);
    assert_int_equal(do_read(ends[0], buf, 10), 0);
    fd_close(fd);
    assert_int_equal(do_open("/dev/stdout", O_RDWR, 0, &t), 0);
    assert_int_equal(do_read(t, buf, 10), 4);
    file_put(t);
    assert_int_equal(do_open("/dev/tty", O_RDWR, 0, &t), 0);
    assert_int_equal(do_read(t, buf, 10), 4);
    file_put(t);
}

static void test_fd_listing(void **state) {
    struct file *f;
    assert_int_equal(do_open("/proc/self/fd", O_RDONLY | O_DIRECTORY, 0, &f), 0);
    int fd = fd_install(f, 0, false), count = 0;
    int64_t n;
    while ((n = file_getdents(f, (gva_t)buf, 60)) > 0)
        for (int64_t at = 0; at < n; count++)
            at += ((struct linux_dirent64 *)(buf + at))->d_reclen;
    assert_int_equal(n, 0);
    assert_int_equal(count, 2 + 4);
    fd_close(fd);
}

static void test_devices(void **state) {
    struct file *f;
    assert_int_equal(do_open("/dev/null", O_RDWR | O_CREAT | O_TRUNC, 0666, &f), 0);
    assert_int_equal(do_write(f, buf, 4000), 4000);
    assert_int_equal(do_read(f, buf, 10), 0);
    assert_int_equal(file_seek(f, 100, SEEK_SET), 0);
    file_put(f);
    assert_int_equal(do_open("/dev/full", O_RDWR, 0, &f), 0);
    assert_int_equal(do_write(f, buf, 1), -ENOSPC);
    memset(buf, 1, 100);
    assert_int_equal(do_read(f, buf, 100), 100);
    assert_int_equal(buf[99], 0);
    file_put(f);
    assert_int_equal(open_error("/dev/ptmx", O_RDWR), 0);
    assert_int_equal(open_error("/dev/none", O_RDWR), -ENOENT);
    assert_int_equal(open_error("/dev/new", O_RDWR | O_CREAT), -EACCES);
    assert_int_equal(open_error("/dev/null/x", O_RDWR), -ENOTDIR);
    assert_int_equal(open_error("/dev/zero", O_RDONLY | O_DIRECTORY), -ENOTDIR);
    assert_string_equal(link_of("/dev/stdin"), "/proc/self/fd/0");
}

static void test_random(void **state) {
    uint8_t a[100], b[100];
    uint32_t ones = 0;
    random_bytes(a, sizeof(a));
    random_bytes(b, sizeof(b));
    assert_true(memcmp(a, b, sizeof(a)) != 0);
    random_bytes(buf, sizeof(buf));
    for (size_t i = 0; i < sizeof(buf); i++)
        ones += (uint32_t)__builtin_popcount((uint8_t)buf[i]);
    assert_true(ones > 4 * sizeof(buf) - 2000 && ones < 4 * sizeof(buf) + 2000);
    random_mix("more", 4);
    random_bytes(a, 0);
}

const struct ktest ktests[] = {
    KTEST(test_lookup),          KTEST(test_text),        KTEST(test_fd_links),
    KTEST(test_fd_link_tmpfile), KTEST(test_fd_dir_link), KTEST(test_fd_listing),
    KTEST(test_fd_pipe_and_tty), KTEST(test_devices),     KTEST(test_random),
    KTEST(test_fresh_text),      KTEST(test_sysfs),       {0},
};
