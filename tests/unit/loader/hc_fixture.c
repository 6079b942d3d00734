/* SPDX-License-Identifier: MIT */
/* A guest for the tests of hypercalls, and stand-ins for the loader's parts that need a VM. */
#include "hc_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <loader/cache.h>
#include <loader/diag.h>
#include <loader/guest_mem.h>
#include <loader/services.h>
#include <loader/thread.h>
#include <loader/tty.h>
#include <loader/vm.h>

uint8_t *guest_ram;
char fixture_dir[] = "/tmp/hermit-hc-XXXXXX";
unsigned cache_wanted;
struct vm_exit vm_exit;
struct hc_comm *vm_comm;

static struct share items[3];
static struct hc_comm comm;

int window_map(int fd, uint64_t offset, uint64_t len, bool writable, gpa_t *gpa) {
    return -EOPNOTSUPP;
}
int window_unmap(gpa_t gpa, uint64_t len) { return -EINVAL; }
int memory_grow(uint64_t bytes, gpa_t *gpa, uint64_t *granted) { return -ENOMEM; }
int memory_release(gpa_t gpa, uint64_t len) { return 0; }
int64_t hc_wait(union hc_args *args) { return -ENOSYS; }
int64_t hc_timer(union hc_args *args) { return -ENOSYS; }
int64_t hc_cpu_start(union hc_args *args) { return -ENOSYS; }
int64_t hc_job_start(union hc_args *args) { return -ENOSYS; }
void tty_note_change(int fd) {}
int thread_start(void *(*main)(void *), void *arg) { return 0; }
void event_post(enum hc_event kind) {}
void warn_line(const char *fmt, ...) {}
void die(int status, const char *fmt, ...) { abort(); }

/* A cache that has a file of one page for a file of CACHED_SIZE bytes, and for no other. */
int cache_find(int fd, union cache_head *head) {
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size != CACHED_SIZE) return -ENOENT;
    memset(head, 0x5a, sizeof(*head));
    head->info.size = sizeof(*head);
    return memfd_create("cached", MFD_CLOEXEC);
}
bool cache_want(int fd) {
    cache_wanted++;
    return false;
}
bool cache_waits(void) { return false; }

static const char *in_dir(const char *name) {
    static char path[4096];
    snprintf(path, sizeof(path), "%s/%s", fixture_dir, name);
    return path;
}

static void put_file(const char *name, const char *text) {
    int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void put_tree(const char *top) {
    char name[64];
    snprintf(name, sizeof(name), "%s", top);
    assert_int_equal(mkdir(in_dir(name), 0755), 0);
    snprintf(name, sizeof(name), "%s/dir", top);
    assert_int_equal(mkdir(in_dir(name), 0755), 0);
    snprintf(name, sizeof(name), "%s/dir/file", top);
    put_file(name, "hello");
    snprintf(name, sizeof(name), "%s/link", top);
    assert_int_equal(symlink("dir/file", in_dir(name)), 0);
    snprintf(name, sizeof(name), "%s/out", top);
    assert_int_equal(symlink("..", in_dir(name)), 0);
    snprintf(name, sizeof(name), "%s/abs", top);
    assert_int_equal(symlink("/etc", in_dir(name)), 0);
    snprintf(name, sizeof(name), "%s/fifo", top);
    assert_int_equal(mkfifo(in_dir(name), 0644), 0);
}

static void put_share(int i, const char *name, bool readonly, bool is_dir) {
    items[i] = (struct share){.host = name, .guest = "/", .readonly = readonly, .is_dir = is_dir};
    items[i].fd = open(in_dir(name), O_PATH | O_CLOEXEC);
    assert_true(items[i].fd >= 0);
}

int fixture_setup(void **state) {
    vm_comm = &comm;
    umask(0);
    guest_ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(guest_ram != MAP_FAILED);
    assert_int_equal(guest_mem_add(RAM_GPA, RAM_BYTES, guest_ram), 0);
    assert_non_null(mkdtemp(fixture_dir));
    put_tree("rw");
    put_tree("ro");
    put_file("secret", "secret");
    put_share(SHARE_RW, "rw", false, true);
    put_share(SHARE_RO, "ro", true, true);
    put_share(SHARE_FILE, "secret", true, false);
    shares = (struct share_table){items, 3};
    return 0;
}

int fixture_teardown(void **state) {
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", fixture_dir);
    return system(command);
}

int64_t call(enum hc_nr nr, union hc_args *args) {
    comm.calls[0].nr = nr;
    comm.calls[0].u = *args;
    comm.calls[0].state = HC_SUBMITTED;
    vm_exit.done = false; /* after it nothing is served */
    assert_true(hc_serve(0, true));
    assert_int_equal(comm.calls[0].state, HC_DONE);
    *args = comm.calls[0].u;
    return comm.calls[0].result;
}

struct hc_path path_arg(uint32_t share, const char *path, uint32_t flags) {
    size_t len = strlen(path);
    memcpy(guest_at(AT_PATH), path, len);
    return (struct hc_path){
        .share = share, .flags = flags, .path = AT_PATH, .len = (uint32_t)len, .link = AT_LINK};
}

int64_t fs_open(uint32_t share, const char *path, uint32_t flags, uint32_t mode) {
    union hc_args a = {
        .fs_open = {.p = path_arg(share, path, 0), .flags = flags, .mode = mode, .attr = AT_ATTR}};
    return call(HC_FS_OPEN, &a);
}

int64_t fs_stat(uint32_t share, const char *path, uint32_t flags) {
    union hc_args a = {.fs_stat = {.p = path_arg(share, path, flags), .attr = AT_ATTR}};
    return call(HC_FS_STAT, &a);
}

int64_t file_close(int64_t handle) {
    union hc_args a = {.file_close = {.handle = (uint32_t)handle}};
    return call(HC_FILE_CLOSE, &a);
}

int64_t file_io(enum hc_nr nr, int64_t handle, uint64_t len, int64_t offset, uint32_t flags) {
    struct hc_seg *seg = guest_at(AT_SEGS);
    *seg = (struct hc_seg){AT_DATA, len};
    union hc_args a = {.file_io = {.handle = (uint32_t)handle,
                                   .flags = flags,
                                   .offset = offset,
                                   .segs = AT_SEGS,
                                   .count = 1}};
    return call(nr, &a);
}
