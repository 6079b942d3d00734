/* SPDX-License-Identifier: MIT */
/* Host stand-ins for frames, heap, program memory, clock, signals and sleep. */
#include "fake_fs.h"

#include <kernel/aio.h>
#include <kernel/clock.h>
#include <kernel/creds.h>
#include <kernel/epoll.h>
#include <kernel/file_owner.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/mm.h>
#include <kernel/rewrite.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/wait.h>
#include <kernel/waitq.h>

#include <hermit/boot.h>

#include "kernel/ramfs.h"

struct process fake_process;
static struct thread fake_thread = {.process = &fake_process};
int64_t fake_now_ns = 1000;
uint64_t fake_frames, fake_limit = UINT64_MAX;
int fake_last_signal;
void (*fake_wait)(void);

static struct percpu fake_percpu = {.thread = &fake_thread};

/* percpu() reads %gs, which the C library leaves to us. */
__attribute__((constructor)) static void set_gs(void) {
    uint64_t r = __NR_arch_prctl;
    fake_percpu.self = &fake_percpu;
    __asm__ volatile("syscall"
                     : "+a"(r)
                     : "D"(ARCH_SET_GS), "S"(&fake_percpu)
                     : "rcx", "r11", "memory");
}

/* Each frame carries its reference count behind it. */
struct fake_frame {
    char bytes[PAGE_SIZE];
    uint32_t refs;
};

gpa_t frame_alloc(void) {
    if (fake_frames >= fake_limit) return 0;
    struct fake_frame *f = __builtin_malloc(sizeof(*f));
    memset(f, 0, sizeof(*f));
    f->refs = 1;
    fake_frames++;
    return (uint64_t)f - HERMIT_DIRECT_GVA;
}

gpa_t frame_alloc_raw(unsigned order) {
    if (order != 0) __builtin_trap();
    gpa_t g = frame_alloc();
    if (g) memset(frame_ptr(g), 0xa5, PAGE_SIZE);
    return g;
}

uint32_t frame_refs(gpa_t frame) { return ((struct fake_frame *)frame_ptr(frame))->refs; }

void frame_ref(gpa_t g) { ((struct fake_frame *)frame_ptr(g))->refs++; }

void frame_put(gpa_t g) {
    struct fake_frame *f = frame_ptr(g);
    if (--f->refs > 0) return;
    fake_frames--;
    __builtin_free(f);
}

gpa_t frame_gpa(const void *p) { return (uint64_t)p - HERMIT_DIRECT_GVA; }
struct frame_usage frame_usage(void) {
    return (struct frame_usage){.limit = 1 << 20, .used = fake_frames * PAGE_SIZE};
}

void *kmalloc(size_t bytes) { return __builtin_malloc(bytes); }
void *kzalloc(size_t bytes) { return __builtin_calloc(1, bytes); }
void *krealloc(void *p, size_t bytes) { return __builtin_realloc(p, bytes); }
void kfree(void *p) { __builtin_free(p); }
char *kstrdup(const char *s) { return __builtin_strdup(s); }

int copy_from_user(void *dst, gva_t src, uint64_t len) {
    memcpy(dst, (void *)src, len);
    return 0;
}
int copy_to_user(gva_t dst, const void *src, uint64_t len) {
    memcpy((void *)dst, src, len);
    return 0;
}
int64_t strncpy_from_user(char *dst, gva_t src, uint64_t size) {
    size_t len = strnlen((char *)src, size);
    if (len == size) return -ENAMETOOLONG;
    memcpy(dst, (char *)src, len + 1);
    return (int64_t)len;
}
int uio_fill(const struct uio *u, uint64_t at, const void *src, uint64_t n) {
    memcpy((char *)u->iov->iov_base + at, src, n);
    return 0;
}
int uio_drain(const struct uio *u, uint64_t at, void *dst, uint64_t n) {
    memcpy(dst, (char *)u->iov->iov_base + at, n);
    return 0;
}
int uio_clear(const struct uio *u, uint64_t at, uint64_t n) {
    memset((char *)u->iov->iov_base + at, 0, n);
    return 0;
}

int64_t clock_realtime_ns(void) { return ++fake_now_ns; }
int64_t clock_monotonic_ns(void) { return ++fake_now_ns; }
int64_t clock_cpu_ns(void) { return fake_now_ns; }
uint64_t clock_tsc_khz(void) { return 1000000; }
int signal_send(int sig, const siginfo_t *info) {
    fake_last_signal = sig;
    return 0;
}

int wait_until(bool (*ready)(void *arg), void *arg, struct hc_wait_fd *fds, uint32_t count,
               int64_t deadline_ns) {
    if (fake_wait) fake_wait();
    return ready(arg) ? 0 : -EINTR;
}

int signal_send_thread(struct thread *t, int sig, const siginfo_t *info) {
    return signal_send(sig, info);
}
void epoll_file_closed(struct file *f) {}
void epoll_file_used(struct file *f) {}
void file_owner_release(struct file *f) {}
uint32_t aio_total(void) { return 0; }
void waitq_init(struct waitq *q) {}
void waitq_wake(struct waitq *q, uint32_t events) {}
int waitq_wait(struct waitq *q, bool (*ready)(void *arg), void *arg, int64_t deadline_ns) {
    return wait_until(ready, arg, NULL, 0, deadline_ns);
}
void wait_poke(void) {}
int64_t sched_cpu_ns(const struct thread *t) { return fake_now_ns; }
struct thread *thread_find(int32_t tid) {
    return tid == 0 || tid == fake_thread.tid ? &fake_thread : NULL;
}

/* weak: a test may link the real one. */
__attribute__((weak)) struct vma *mm_next(struct mm *mm, gva_t addr) { return NULL; }
void mm_file_gone(bool (*is)(const struct file *f, const void *arg), const void *arg,
                  uint64_t start, uint64_t end, bool keep_private) {}
bool mm_file_written(bool (*is)(const struct file *f, const void *arg), const void *arg) {
    return false;
}
void panic(const char *fmt, ...) { __builtin_trap(); }

static struct {
    struct hermit_boot boot;
    char text[16];
} fake_boot = {.boot = {.cpus = 1}, .text = "fake"};

const struct hermit_boot *boot_info(void) { return &fake_boot.boot; }
const char *boot_string(uint32_t offset) { return fake_boot.text; }

struct mount *fake_mount(const char *path) {
    for (int i = 0; i < RLIM_NLIMITS; i++)
        fake_process.limits[i] = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    fake_process.pid = fake_thread.tid = 2;
    TAILQ_INIT(&fake_process.threads);
    TAILQ_INSERT_TAIL(&fake_process.threads, &fake_thread, in_process);
    fake_process.leader = &fake_thread;
    fake_process.thread_count = 1;
    fake_process.fs.umask = 022;
    creds_init(&fake_process);
    kfree(fake_process.fs.cwd);
    fake_process.fs.cwd = kstrdup("/");
    struct ramfs *fs = ramfs_create();
    fs->root_mode = 0777;
    return vfs_mount(&ramfs_ops, path, "tmpfs", fs);
}

int do_stat(const char *path, bool follow, struct hc_attr *a) {
    struct vpath p;
    int r = vfs_path(&p, VFS_AT_CWD, path);
    return r ? r : vfs_stat(&p, follow, a);
}

int do_open(const char *path, uint32_t flags, uint32_t mode, struct file **f) {
    struct vpath p;
    int r = vfs_path(&p, VFS_AT_CWD, path);
    return r ? r : vfs_open(&p, flags, mode, f);
}

int do_mkdir(const char *path, uint32_t mode) {
    struct vpath p;
    int r = vfs_path(&p, VFS_AT_CWD, path);
    return r ? r : vfs_mknod(&p, S_IFDIR | mode, 0);
}

int do_symlink(const char *target, const char *path) {
    struct vpath p;
    int r = vfs_path(&p, VFS_AT_CWD, path);
    return r ? r : vfs_symlink(target, &p);
}

int do_unlink(const char *path) {
    struct vpath p;
    int r = vfs_path(&p, VFS_AT_CWD, path);
    return r ? r : vfs_unlink(&p, false);
}

int do_rmdir(const char *path) {
    struct vpath p;
    int r = vfs_path(&p, VFS_AT_CWD, path);
    return r ? r : vfs_unlink(&p, true);
}

int do_link(const char *from, const char *to) {
    struct vpath a, b;
    int r = vfs_path(&a, VFS_AT_CWD, from);
    if (!r) r = vfs_path(&b, VFS_AT_CWD, to);
    return r ? r : vfs_link(&a, &b, false);
}

int do_rename(const char *from, const char *to, uint32_t flags) {
    struct vpath a, b;
    int r = vfs_path(&a, VFS_AT_CWD, from);
    if (!r) r = vfs_path(&b, VFS_AT_CWD, to);
    return r ? r : vfs_rename(&a, &b, flags);
}

int64_t do_write(struct file *f, const void *data, uint64_t len) {
    struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
    struct uio u = {.iov = &iov, .count = 1, .len = len};
    return file_write(f, &u);
}

int64_t do_read(struct file *f, void *data, uint64_t len) {
    struct iovec iov = {.iov_base = data, .iov_len = len};
    struct uio u = {.iov = &iov, .count = 1, .len = len};
    return file_read(f, &u);
}

int do_write_file(const char *path, const char *text) {
    struct file *f;
    int r = do_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666, &f);
    if (r) return r;
    int64_t n = do_write(f, text, strlen(text));
    file_put(f);
    return n < 0 ? (int)n : 0;
}

int wait_until_woken(bool (*ready)(void *arg), void *arg, int64_t deadline_ns) {
    return -ETIMEDOUT;
}

void rewrite_show_original(struct mm *mm, gva_t at, uint8_t *bytes, uint64_t n) {}
void hostfs_close_handle(uint32_t handle) {}
