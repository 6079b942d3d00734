/* SPDX-License-Identifier: MIT */
/* FILE_* calls: the handle table, transfers that never block, directories, terminals. */
#include "hc_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <loader/services.h>
#include <loader/vm.h>

#define AT_LISTED (AT_DATA + 0x20000) /* attributes of a listing */

static void bad_handles(void **state) {
    static const uint32_t bad[] = {3, 4, 255, 256, 65535, 65536, UINT32_MAX};
    static const enum hc_nr calls[] = {
        HC_FILE_READ,     HC_FILE_WRITE, HC_FILE_SEEK,     HC_FILE_STAT,  HC_FILE_SETATTR,
        HC_FILE_GETDENTS, HC_FILE_SYNC,  HC_FILE_ALLOCATE, HC_FILE_IOCTL, HC_FILE_POLL,
        HC_FILE_MAP,      HC_FILE_CLOSE, HC_FILE_REWRITTEN};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(handle_fd(bad[i]), -1);
        for (size_t c = 0; c < sizeof(calls) / sizeof(calls[0]); c++) {
            union hc_args a = {.words = {bad[i]}};
            assert_int_equal(call(calls[c], &a), -EBADF);
        }
    }
}

static void reads_and_writes(void **state) {
    int64_t h = fs_open(SHARE_RW, "io", O_RDWR | O_CREAT, 0644);
    assert_int_equal(h, 3);
    char *data = guest_at(AT_DATA);
    memcpy(data, "0123456789", 10);
    assert_int_equal(file_io(HC_FILE_WRITE, h, 10, 0, 0), 10);
    assert_int_equal(file_io(HC_FILE_WRITE, h, 5, 3, HC_IO_APPEND), 5);
    memset(data, 0, 32);
    assert_int_equal(file_io(HC_FILE_READ, h, 32, 0, HC_IO_NOWAIT), 15);
    assert_memory_equal(data, "012345678901234", 15);
    assert_int_equal(file_io(HC_FILE_READ, h, 10, -2, 0), -EINVAL);
    assert_int_equal(file_io(HC_FILE_READ, h, RAM_BYTES, 0, 0), -EFAULT);
    assert_int_equal(file_io(HC_FILE_READ, h, UINT64_MAX, 0, 0), -EINVAL);
    union hc_args s = {.file_seek = {.handle = 3, .whence = SEEK_SET, .offset = 4}};
    assert_int_equal(call(HC_FILE_SEEK, &s), 4);
    struct hc_seg *seg = guest_at(AT_SEGS);
    *seg = (struct hc_seg){AT_DATA, 6};
    union hc_args a = {.file_io = {.handle = 3, .offset = -1, .segs = AT_SEGS, .count = 1}};
    assert_int_equal(call(HC_FILE_READ, &a), 6);
    assert_int_equal(a.file_io.pos, 10);
    s.file_seek.whence = 5;
    assert_int_equal(call(HC_FILE_SEEK, &s), -EINVAL);
    union hc_args m = {.file_map = {.handle = 3, .len = 0}};
    assert_int_equal(call(HC_FILE_MAP, &m), -EINVAL);
    m.file_map = (struct hc_file_map){.handle = 3, .offset = 1, .len = 4096};
    assert_int_equal(call(HC_FILE_MAP, &m), -EINVAL);
    m.file_map = (struct hc_file_map){.handle = 3, .offset = 4096, .len = UINT64_MAX - 4095};
    assert_int_equal(call(HC_FILE_MAP, &m), -EOVERFLOW);
    m.file_map = (struct hc_file_map){.handle = 3, .len = 4096};
    assert_int_equal(call(HC_FILE_MAP, &m), -EOPNOTSUPP);
    assert_int_equal(file_close(h), 0);
    assert_int_equal(file_close(h), -EBADF);
}

static void handles_are_reused(void **state) {
    int64_t h[600];
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 200; /* the table raises it when it needs to */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < 600; i++) {
        h[i] = fs_open(SHARE_RW, "dir/file", O_RDONLY, 0);
        assert_true(h[i] >= 3);
    }
    assert_int_equal(file_close(h[300]), 0);
    assert_int_equal(fs_open(SHARE_RW, "dir/file", O_RDONLY, 0), h[300]);
    for (int i = 0; i < 600; i++)
        assert_int_equal(file_close(h[i]), 0);
}

static void pipes_do_not_block(void **state) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int64_t r = handle_new(ends[0], false), w = handle_new(ends[1], false);
    assert_int_equal(file_io(HC_FILE_READ, r, 10, -1, HC_IO_NOWAIT), -EAGAIN);
    int64_t total = 0, n;
    while ((n = file_io(HC_FILE_WRITE, w, 100000, -1, HC_IO_NOWAIT)) > 0)
        total += n;
    assert_int_equal(n, -EAGAIN);
    assert_int_equal(total, 65536);
    union hc_args p = {.file_poll = {.handle = (uint32_t)w, .events = POLLOUT}};
    assert_int_equal(call(HC_FILE_POLL, &p), 0);
    p.file_poll = (struct hc_file_poll){.handle = (uint32_t)r, .events = POLLIN};
    assert_int_equal(call(HC_FILE_POLL, &p), POLLIN);
    union hc_args i = {.file_ioctl = {.handle = (uint32_t)r, .request = FIONREAD, .arg = AT_DATA}};
    assert_int_equal(call(HC_FILE_IOCTL, &i), 0);
    assert_int_equal(*(int *)guest_at(AT_DATA), 65536);
    i.file_ioctl.request = TCGETS;
    assert_int_equal(call(HC_FILE_IOCTL, &i), -ENOTTY);
    assert_int_equal(file_close(r), 0);
    assert_int_equal(file_io(HC_FILE_WRITE, w, 1, -1, HC_IO_NOWAIT), -EPIPE);
    assert_int_equal(file_close(w), 0);
}

static void terminals(void **state) {
    int master, slave;
    struct winsize size = {.ws_row = 33, .ws_col = 77};
    assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
    int64_t t = handle_new(slave, false);
    assert_int_equal(file_io(HC_FILE_READ, t, 10, -1, HC_IO_NOWAIT), -EAGAIN);
    assert_int_equal(write(master, "hi\n", 3), 3);
    assert_int_equal(file_io(HC_FILE_READ, t, 10, -1, HC_IO_NOWAIT), 3);
    assert_int_equal(file_io(HC_FILE_WRITE, t, 3, -1, HC_IO_NOWAIT), 3);
    union hc_args i = {.file_ioctl = {.handle = (uint32_t)t, .arg = AT_DATA}};
    i.file_ioctl.request = TIOCGWINSZ;
    assert_int_equal(call(HC_FILE_IOCTL, &i), 0);
    assert_memory_equal(guest_at(AT_DATA), &size, sizeof(size));
    i.file_ioctl.request = TCGETS;
    assert_int_equal(call(HC_FILE_IOCTL, &i), 0);
    i.file_ioctl.request = TCSETS;
    assert_int_equal(call(HC_FILE_IOCTL, &i), 0);
    i.file_ioctl.request = 0x802c542a; /* TCGETS2 */
    assert_int_equal(call(HC_FILE_IOCTL, &i), 0);
    i.file_ioctl.request = TIOCSTI; /* would type into the user's shell */
    assert_int_equal(call(HC_FILE_IOCTL, &i), -ENOTTY);
    i.file_ioctl = (struct hc_file_ioctl){.handle = (uint32_t)t, .request = TCGETS, .arg = 8};
    assert_int_equal(call(HC_FILE_IOCTL, &i), -EFAULT);
    assert_int_equal(file_close(t), 0);
    close(master);
}

static int count_entries(uint64_t len, int *calls) {
    int64_t h = fs_open(SHARE_RW, "many", O_RDONLY | O_DIRECTORY, 0);
    int entries = 0;
    union hc_args a = {.file_getdents = {.handle = (uint32_t)h, .buf = AT_DATA, .len = len}};
    for (*calls = 0;; (*calls)++) {
        int64_t n = call(HC_FILE_GETDENTS, &a);
        assert_true(n >= 0);
        for (int64_t at = 0; at < n; entries++) {
            struct dirent64 *e = (struct dirent64 *)((char *)guest_at(AT_DATA) + at);
            a.file_getdents.offset = e->d_off;
            at += e->d_reclen;
        }
        if (n == 0 || a.file_getdents.at_end != 0) break;
    }
    assert_int_equal(file_close(h), 0);
    return entries;
}

static void directories(void **state) {
    char name[32];
    union hc_args a = {.fs_mkdir = {.p = path_arg(SHARE_RW, "many", 0), .mode = 0755}};
    assert_int_equal(call(HC_FS_MKDIR, &a), 0);
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "many/entry%d", i);
        assert_int_equal(file_close(fs_open(SHARE_RW, name, O_WRONLY | O_CREAT, 0644)), 0);
    }
    int calls;
    assert_int_equal(count_entries(65536, &calls), 502);
    assert_int_equal(calls, 0); /* the first one said that it was the last */
    assert_int_equal(count_entries(1000, &calls), 502);
    assert_true(calls > 10);
    int64_t h = fs_open(SHARE_RW, "many", O_RDONLY | O_DIRECTORY, 0);
    a.file_getdents = (struct hc_file_getdents){.handle = (uint32_t)h, .buf = AT_DATA, .len = 5};
    assert_int_equal(call(HC_FILE_GETDENTS, &a), -EINVAL);
    a.file_getdents.buf = 0;
    assert_int_equal(call(HC_FILE_GETDENTS, &a), -EFAULT);
    assert_int_equal(file_close(h), 0);
}

static union hc_args list_args(const char *path, uint32_t room, uint32_t attrs_room) {
    return (union hc_args){.fs_open = {.p = path_arg(SHARE_RW, path, 0),
                                       .flags = O_RDONLY | O_DIRECTORY,
                                       .attr = AT_ATTR,
                                       .records = AT_DATA,
                                       .attrs = AT_LISTED,
                                       .room = room,
                                       .attrs_room = attrs_room}};
}

static void opens_with_listing(void **state) {
    union hc_args a = list_args("many", 65536, HC_MAX_AHEAD);
    int64_t h = call(HC_FS_OPEN, &a);
    assert_true(h >= 3);
    assert_int_equal(a.fs_open.at_end, 1);
    assert_int_equal(a.fs_open.attrs_count, HC_MAX_AHEAD);
    const struct hc_attr *attrs = guest_at(AT_LISTED);
    uint32_t entries = 0;
    for (uint32_t at = 0; at < a.fs_open.len; entries++) {
        struct dirent64 *e = (struct dirent64 *)((char *)guest_at(AT_DATA) + at);
        bool dots = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
        if (entries < HC_MAX_AHEAD) assert_int_equal(attrs[entries].ino, dots ? 0 : e->d_ino);
        at += e->d_reclen;
    }
    assert_int_equal(entries, 502);
    /* The handle itself still lists from the beginning. */
    union hc_args d = {.file_getdents = {.handle = (uint32_t)h, .buf = AT_DATA, .len = 65536}};
    assert_int_equal(call(HC_FILE_GETDENTS, &d), a.fs_open.len);
    /* It is closed by the next open, which may fail; what is no handle does not matter. */
    uint32_t *closes = guest_at(AT_SEGS);
    memcpy(closes, (uint32_t[]){(uint32_t)h, UINT32_MAX, 1, (uint32_t)h}, 4 * sizeof(*closes));
    a = list_args("absent", 0, 0);
    a.fs_open.closes = AT_SEGS;
    a.fs_open.close_count = 4;
    assert_int_equal(call(HC_FS_OPEN, &a), -ENOENT);
    assert_int_equal(handle_fd((uint32_t)h), -1);
    assert_int_equal(handle_fd(1), 1);
}

static void hostile_listings(void **state) {
    union hc_args a = list_args("many", 65537, 0);
    assert_int_equal(call(HC_FS_OPEN, &a), -EINVAL);
    a = list_args("many", 4096, HC_MAX_AHEAD + 1);
    assert_int_equal(call(HC_FS_OPEN, &a), -EINVAL);
    a = list_args("many", 4096, 1);
    a.fs_open.attrs = RAM_GPA + RAM_BYTES - 8;
    assert_int_equal(call(HC_FS_OPEN, &a), -EFAULT);
    a = list_args("many", 4096, 1);
    a.fs_open.records = UINT64_MAX - 16;
    assert_int_equal(call(HC_FS_OPEN, &a), -EFAULT);
    a = list_args("many", 4096, 1);
    a.fs_open.close_count = HC_MAX_CLOSE + 1;
    assert_int_equal(call(HC_FS_OPEN, &a), -EINVAL);
    a = list_args("many", 8, 1); /* too small for a record: no listing, but an open directory */
    int64_t h = call(HC_FS_OPEN, &a);
    assert_true(h >= 3);
    assert_int_equal(a.fs_open.len, 0);
    union hc_args c = {.file_close = {.handle = (uint32_t)h, .more_count = 1, .more = 8}};
    assert_int_equal(call(HC_FILE_CLOSE, &c), -EFAULT);
    assert_int_equal(file_close(h), 0);
}

static void stats_ahead(void **state) {
    static const char names[] = "entry1\0absent\0../secret\0..\0\0entry2";
    const struct hc_attr *attrs = guest_at(AT_LISTED);
    memcpy(guest_at(AT_DATA), names, sizeof(names));
    union hc_args a = {.fs_stat = {.p = path_arg(SHARE_RW, "many/entry0", 0),
                                   .attr = AT_ATTR,
                                   .names = AT_DATA,
                                   .attrs = AT_LISTED,
                                   .names_len = sizeof(names),
                                   .attrs_room = HC_MAX_AHEAD}};
    union hc_args b = a;
    assert_int_equal(call(HC_FS_STAT, &a), 0);
    assert_int_equal(a.fs_stat.attrs_count, 6);
    assert_true(attrs[0].ino != 0 && attrs[5].ino != 0);
    for (int i = 1; i < 5; i++)
        assert_int_equal(attrs[i].ino, 0);
    a = b;
    a.fs_stat.names_len = sizeof(names) - 1; /* the last name has no end */
    assert_int_equal(call(HC_FS_STAT, &a), 0);
    assert_int_equal(a.fs_stat.attrs_count, 5);
    a = b;
    a.fs_stat.names_len = UINT32_MAX;
    assert_int_equal(call(HC_FS_STAT, &a), 0);
    assert_int_equal(a.fs_stat.attrs_count, 0);
    a = b;
    a.fs_stat.attrs = RAM_GPA + RAM_BYTES - 8;
    assert_int_equal(call(HC_FS_STAT, &a), 0);
    assert_int_equal(a.fs_stat.attrs_count, 0);
    a = b;
    a.fs_stat.attrs_room = UINT32_MAX;
    assert_int_equal(call(HC_FS_STAT, &a), -EINVAL);
}

/* The guest learns nothing but the head of the cache's file, and gets a handle that only reads. */
static void rewritten(void **state) {
    int64_t other = fs_open(SHARE_RW, "other", O_RDWR | O_CREAT, 0644);
    int64_t fixed = fs_open(SHARE_RO, "dir/file", O_RDONLY, 0);
    int64_t h = fs_open(SHARE_RW, "object", O_RDWR | O_CREAT, 0644);
    int64_t dir = fs_open(SHARE_RW, "dir", O_RDONLY | O_DIRECTORY, 0);
    assert_int_equal(ftruncate(handle_fd((uint32_t)h), CACHED_SIZE), 0);
    union hc_args a = {.file_rewritten = {.handle = (uint32_t)other, .head = AT_DATA}};
    assert_int_equal(call(HC_FILE_REWRITTEN, &a), -ENOENT);
    assert_int_equal(cache_wanted, 0);
    a.file_rewritten.executed = 1;
    assert_int_equal(call(HC_FILE_REWRITTEN, &a), -ENOENT);
    assert_int_equal(cache_wanted, 0); /* the guest could have written it */
    a.file_rewritten.handle = (uint32_t)fixed;
    assert_int_equal(call(HC_FILE_REWRITTEN, &a), -ENOENT);
    assert_int_equal(cache_wanted, 1);
    assert_int_equal(file_close(fixed), 0);
    a.file_rewritten.handle = (uint32_t)dir;
    assert_int_equal(call(HC_FILE_REWRITTEN, &a), -ENODATA);
    a.file_rewritten.handle = (uint32_t)h;
    a.file_rewritten.head = RAM_GPA + RAM_BYTES - 8;
    assert_int_equal(call(HC_FILE_REWRITTEN, &a), -EFAULT);
    a.file_rewritten.head = AT_DATA;
    assert_int_equal(call(HC_FILE_REWRITTEN, &a), 0);
    assert_int_equal(a.file_rewritten.gpa, 0);
    uint32_t cached = a.file_rewritten.cached;
    assert_int_not_equal(cached, HC_NO_HANDLE);
    union hc_args w = {.file_attr = {.handle = cached, .mask = HC_SET_SIZE, .attr = AT_DATA}};
    assert_int_equal(call(HC_FILE_SETATTR, &w), -EROFS);
    assert_int_equal(file_close(cached), 0);
    assert_int_equal(file_close(dir), 0);
    assert_int_equal(file_close(other), 0);
    assert_int_equal(file_close(h), 0);
}

static void other_calls(void **state) {
    union hc_args a = {.exit = {.kind = 7}};
    assert_int_equal(call(HC_EXIT, &a), -EINVAL);
    assert_false(vm_exit.done);
    a.exit = (struct hc_exit){.kind = HC_EXIT_SIGNAL, .status = 65};
    assert_int_equal(call(HC_EXIT, &a), -EINVAL);
    a.exit = (struct hc_exit){.kind = HC_EXIT_PROGRAM, .status = 0x1234};
    assert_int_equal(call(HC_EXIT, &a), 0);
    assert_int_equal(vm_exit.status, 0x34);
    a.log = (struct hc_log){.text = AT_DATA, .len = HC_MAX_LOG + 1};
    assert_int_equal(call(HC_LOG, &a), -EINVAL);
    a.log = (struct hc_log){.text = RAM_GPA + RAM_BYTES - 1, .len = 2};
    assert_int_equal(call(HC_LOG, &a), -EFAULT);
    struct hc_seg *seg = guest_at(AT_SEGS);
    *seg = (struct hc_seg){RAM_GPA + RAM_BYTES, 4096};
    a.mem_release = (struct hc_mem_release){.segs = AT_SEGS, .count = 1};
    assert_int_equal(call(HC_MEM_RELEASE, &a), -EFAULT);
    *seg = (struct hc_seg){RAM_GPA + 1, 4096};
    assert_int_equal(call(HC_MEM_RELEASE, &a), -EINVAL);
    a.mem_release.count = UINT32_MAX;
    assert_int_equal(call(HC_MEM_RELEASE, &a), -EINVAL);
    a.mem_grow = (struct hc_mem_grow){.bytes = 100};
    assert_int_equal(call(HC_MEM_GROW, &a), -EINVAL);
}

static void nothing_submitted(void **state) {
    struct hc_call *idle = &vm_comm->calls[1];
    idle->state = HC_DONE;
    assert_false(hc_serve(1, true));
    idle->state = HC_CLAIMED;
    assert_false(hc_serve(1, true));
    assert_int_equal(idle->state, HC_CLAIMED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_handles),        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(handles_are_reused), cmocka_unit_test(pipes_do_not_block),
        cmocka_unit_test(terminals),          cmocka_unit_test(directories),
        cmocka_unit_test(opens_with_listing), cmocka_unit_test(hostile_listings),
        cmocka_unit_test(stats_ahead),        cmocka_unit_test(rewritten),
        cmocka_unit_test(other_calls),        cmocka_unit_test(nothing_submitted),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
