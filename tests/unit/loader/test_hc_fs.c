/* SPDX-License-Identifier: MIT */
/* FS_* calls: resolution beneath a share, hostile arguments, read-only shares. */
#include "hc_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <loader/services.h>

static char host_path[4096];
static const char *host(const char *name) {
    snprintf(host_path, sizeof(host_path), "%s/%s", fixture_dir, name);
    return host_path;
}

static void stats(void **state) {
    assert_int_equal(fs_stat(SHARE_RW, "dir/file", 0), 0);
    assert_int_equal(guest_attr->size, 5);
    assert_true(S_ISREG(guest_attr->mode));
    assert_int_equal(fs_stat(SHARE_RW, "", 0), 0);
    assert_true(S_ISDIR(guest_attr->mode));
    assert_int_equal(fs_stat(SHARE_FILE, "", 0), 0);
    assert_int_equal(guest_attr->size, 6);
    assert_int_equal(fs_stat(SHARE_RW, "none", 0), -ENOENT);
    assert_int_equal(fs_stat(SHARE_RW, "none/file", 0), -ENOENT);
    assert_int_equal(fs_stat(SHARE_RW, "dir/file/x", 0), -ENOTDIR);
    assert_int_equal(fs_stat(SHARE_FILE, "x", 0), -ENOTDIR);
    assert_int_equal(fs_stat(SHARE_FILE, "x/y", 0), -ENOTDIR);
}

static void expect_link(const char *path, uint32_t flags, uint32_t consumed, const char *text) {
    union hc_args a = {.fs_stat = {.p = path_arg(SHARE_RW, path, flags), .attr = AT_ATTR}};
    assert_int_equal(call(HC_FS_STAT, &a), HC_SYMLINK);
    assert_int_equal(a.fs_stat.p.consumed, consumed);
    assert_int_equal(a.fs_stat.p.link_len, strlen(text));
    assert_memory_equal(guest_at(AT_LINK), text, strlen(text));
}

static void reports_links(void **state) {
    expect_link("link", 0, 4, "dir/file");
    assert_int_equal(fs_stat(SHARE_RW, "link", HC_NOFOLLOW), 0);
    assert_true(S_ISLNK(guest_attr->mode));
    expect_link("out", 0, 3, "..");
    expect_link("out/secret", 0, 3, "..");
    expect_link("out/secret", HC_NOFOLLOW, 3, "..");
    expect_link("out/ro/dir/file", 0, 3, "..");
    expect_link("abs/passwd", 0, 3, "/etc");
    assert_int_equal(fs_open(SHARE_RW, "link", O_RDONLY, 0), HC_SYMLINK);
    assert_int_equal(fs_open(SHARE_RW, "link", O_RDONLY | O_NOFOLLOW, 0), -ELOOP);
    assert_int_equal(fs_open(SHARE_RW, "link", O_WRONLY | O_CREAT | O_TRUNC, 0644), HC_SYMLINK);
    assert_int_equal(fs_open(SHARE_RW, "out", O_RDONLY | O_DIRECTORY, 0), HC_SYMLINK);
    assert_int_equal(fs_open(SHARE_RW, "out", O_PATH, 0), HC_SYMLINK);
    assert_int_equal(fs_open(SHARE_RW, "out/secret", O_RDONLY, 0), HC_SYMLINK);
    int64_t h = fs_open(SHARE_RW, "out", O_PATH | O_NOFOLLOW, 0);
    assert_true(h >= 3);
    assert_true(S_ISLNK(guest_attr->mode));
    assert_int_equal(file_close(h), 0);
}

static void link_buffer_must_be_ram(void **state) {
    union hc_args a = {.fs_stat = {.p = path_arg(SHARE_RW, "link", 0), .attr = AT_ATTR}};
    a.fs_stat.p.link = RAM_GPA + RAM_BYTES - 3;
    assert_int_equal(call(HC_FS_STAT, &a), -EFAULT);
}

static void refuses_bad_paths(void **state) {
    static const char *const bad[] = {"..",     ".",     "../secret", "dir/../../secret",
                                      "dir/..", "/etc",  "/",         "dir//file",
                                      "dir/",   "./dir", "dir/./x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(fs_stat(SHARE_RW, bad[i], 0), -EINVAL);
        assert_int_equal(fs_open(SHARE_RW, bad[i], O_RDONLY, 0), -EINVAL);
        union hc_args a = {.fs_unlink = {.p = path_arg(SHARE_RW, bad[i], 0)}};
        assert_int_equal(call(HC_FS_UNLINK, &a), -EINVAL);
    }
    char name[400];
    memset(name, 'x', sizeof(name));
    name[256] = 0;
    assert_int_equal(fs_stat(SHARE_RW, name, 0), -ENAMETOOLONG);
}

static void refuses_bad_arguments(void **state) {
    union hc_args a = {.fs_stat = {.p = path_arg(SHARE_RW, "dir", 0), .attr = AT_ATTR}};
    union hc_args b = a;
    b.fs_stat.p.share = 3;
    assert_int_equal(call(HC_FS_STAT, &b), -EINVAL);
    b.fs_stat.p.share = UINT32_MAX;
    assert_int_equal(call(HC_FS_STAT, &b), -EINVAL);
    b = a;
    b.fs_stat.p.len = HC_MAX_PATH;
    assert_int_equal(call(HC_FS_STAT, &b), -ENAMETOOLONG);
    b.fs_stat.p.len = UINT32_MAX;
    assert_int_equal(call(HC_FS_STAT, &b), -ENAMETOOLONG);
    b = a;
    memcpy(guest_at(AT_PATH), "d\0r", 3);
    assert_int_equal(call(HC_FS_STAT, &b), -EINVAL);
    memcpy(guest_at(AT_PATH), "dir", 3);
    b.fs_stat.p.path = 0;
    assert_int_equal(call(HC_FS_STAT, &b), -EFAULT);
    b.fs_stat.p.path = RAM_GPA + RAM_BYTES - 2;
    assert_int_equal(call(HC_FS_STAT, &b), -EFAULT);
    b = a;
    b.fs_stat.attr = RAM_GPA + RAM_BYTES - 8;
    assert_int_equal(call(HC_FS_STAT, &b), -EFAULT);
    b.fs_stat.attr = UINT64_MAX - 10;
    assert_int_equal(call(HC_FS_STAT, &b), -EFAULT);
    assert_int_equal(call((enum hc_nr)HC_COUNT, &a), -ENOSYS);
    assert_int_equal(call((enum hc_nr)0x7fffffff, &a), -ENOSYS);
}

static int64_t one_path(enum hc_nr nr, uint32_t share, const char *path, uint32_t value) {
    union hc_args a = {.fs_mkdir = {.p = path_arg(share, path, 0), .mode = value}};
    return call(nr, &a);
}

static int64_t two_paths(enum hc_nr nr, uint32_t share, const char *from, const char *to,
                         uint32_t flags) {
    memcpy(guest_at(AT_PATH2), to, strlen(to));
    union hc_args a = {.fs_two = {.p = path_arg(share, from, 0),
                                  .path2 = AT_PATH2,
                                  .len2 = (uint32_t)strlen(to),
                                  .flags = flags}};
    return call(nr, &a);
}

static int64_t set_symlink(uint32_t share, const char *text, const char *path) {
    memcpy(guest_at(AT_PATH2), text, strlen(text));
    union hc_args a = {.fs_symlink = {.p = path_arg(share, path, 0),
                                      .target = AT_PATH2,
                                      .target_len = (uint32_t)strlen(text)}};
    return call(HC_FS_SYMLINK, &a);
}

static int64_t set_attr(uint32_t share, const char *path, struct hc_attr attr, uint32_t mask) {
    memcpy(guest_at(AT_ATTR), &attr, sizeof(attr));
    union hc_args a = {
        .fs_setattr = {.p = path_arg(share, path, 0), .attr = AT_ATTR, .mask = mask}};
    return call(HC_FS_SETATTR, &a);
}

static void readonly_share(void **state) {
    const uint32_t create = O_WRONLY | O_CREAT;
    assert_int_equal(fs_open(SHARE_RO, "dir/file", O_WRONLY, 0), -EROFS);
    assert_int_equal(fs_open(SHARE_RO, "dir/file", O_RDWR, 0), -EROFS);
    assert_int_equal(fs_open(SHARE_RO, "dir/file", 3, 0), -EROFS);
    assert_int_equal(fs_open(SHARE_RO, "dir/file", O_RDONLY | O_TRUNC, 0), -EROFS);
    assert_int_equal(fs_open(SHARE_RO, "new", create, 0644), -EROFS);
    assert_int_equal(fs_open(SHARE_RO, "new", O_RDONLY | O_CREAT, 0644), -EROFS);
    assert_int_equal(fs_open(SHARE_RO, "none/new", create, 0644), -ENOENT);
    assert_int_equal(fs_open(SHARE_RO, "dir/file", create | O_EXCL, 0644), -EEXIST);
    assert_int_equal(fs_open(SHARE_RO, "dir", O_TMPFILE | O_RDWR, 0600), -EROFS);
    assert_int_equal(fs_open(SHARE_RO, "new", O_CREAT | O_DIRECTORY, 0644), -EINVAL);
    assert_int_equal(access(host("ro/new"), F_OK), -1);
    assert_int_equal(fs_open(SHARE_RO, "dir", O_WRONLY, 0), -EISDIR);
    assert_int_equal(fs_open(SHARE_FILE, "", O_WRONLY | O_TRUNC, 0), -EROFS);
    int64_t h = fs_open(SHARE_RO, "dir/file", O_RDONLY | O_CREAT, 0644);
    assert_true(h >= 3);
    union hc_args a = {.file_attr = {.handle = (uint32_t)h, .mask = HC_SET_MODE, .attr = AT_ATTR}};
    assert_int_equal(call(HC_FILE_SETATTR, &a), -EROFS);
    assert_int_equal(file_close(h), 0);
    assert_int_equal(one_path(HC_FS_MKDIR, SHARE_RO, "new", 0755), -EROFS);
    assert_int_equal(one_path(HC_FS_MKDIR, SHARE_RO, "dir", 0755), -EEXIST);
    assert_int_equal(one_path(HC_FS_UNLINK, SHARE_RO, "dir/file", 0), -EROFS);
    assert_int_equal(one_path(HC_FS_UNLINK, SHARE_RO, "none", 0), -ENOENT);
    assert_int_equal(two_paths(HC_FS_RENAME, SHARE_RO, "dir/file", "x", 0), -EROFS);
    assert_int_equal(two_paths(HC_FS_LINK, SHARE_RO, "dir/file", "x", 0), -EROFS);
    assert_int_equal(set_symlink(SHARE_RO, "x", "y"), -EROFS);
    assert_int_equal(set_attr(SHARE_RO, "dir/file", (struct hc_attr){.mode = 0}, HC_SET_MODE),
                     -EROFS);
    assert_int_equal(set_attr(SHARE_RO, "dir/file", (struct hc_attr){.size = 0}, HC_SET_SIZE),
                     -EROFS);
    assert_int_equal(set_attr(SHARE_RO, "", (struct hc_attr){.mode = 0}, HC_SET_MODE), -EROFS);
    struct stat st;
    assert_int_equal(stat(host("ro/dir/file"), &st), 0);
    assert_int_equal(st.st_size, 5);
}

static void changes(void **state) {
    struct stat st;
    assert_int_equal(one_path(HC_FS_MKDIR, SHARE_RW, "d", 0750), 0);
    assert_int_equal(one_path(HC_FS_MKDIR, SHARE_RW, "d", 0750), -EEXIST);
    assert_int_equal(one_path(HC_FS_MKDIR, SHARE_RW, "", 0750), -EEXIST);
    assert_int_equal(one_path(HC_FS_MKDIR, SHARE_RW, "d/p", S_IFIFO | 0600), 0);
    assert_int_equal(one_path(HC_FS_MKDIR, SHARE_RW, "d/dev", S_IFCHR | 0600), -EPERM);
    int64_t h = fs_open(SHARE_RW, "d/f", O_RDWR | O_CREAT | O_EXCL, 0640);
    assert_true(h >= 3);
    assert_int_equal(file_close(h), 0);
    assert_int_equal(stat(host("rw/d/f"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    struct hc_attr attr = {.mode = 04711, .size = 9, .mtime_ns = -1500000000LL};
    assert_int_equal(set_attr(SHARE_RW, "d/f", attr, HC_SET_MODE | HC_SET_SIZE | HC_SET_MTIME), 0);
    assert_int_equal(stat(host("rw/d/f"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 04711);
    assert_int_equal(st.st_size, 9);
    assert_int_equal(st.st_mtim.tv_sec, -2);
    assert_int_equal(st.st_mtim.tv_nsec, 500000000);
    assert_int_equal(set_attr(SHARE_RW, "d/f", attr, 256), -EINVAL);
    attr.size = UINT64_MAX;
    assert_int_equal(set_attr(SHARE_RW, "d/f", attr, HC_SET_SIZE), -EINVAL);
    assert_int_equal(set_attr(SHARE_RW, "link", attr, HC_SET_MODE), HC_SYMLINK);
    assert_int_equal(two_paths(HC_FS_LINK, SHARE_RW, "d/f", "d/g", 0), 0);
    assert_int_equal(two_paths(HC_FS_RENAME, SHARE_RW, "d/f", "d/g", RENAME_NOREPLACE), -EEXIST);
    assert_int_equal(two_paths(HC_FS_RENAME, SHARE_RW, "d/g", "h", 0), 0);
    assert_int_equal(two_paths(HC_FS_RENAME, SHARE_RW, "h", "out/h", 0), -ELOOP);
    assert_int_equal(two_paths(HC_FS_RENAME, SHARE_RW, "h", "../h", 0), -EINVAL);
    assert_int_equal(two_paths(HC_FS_RENAME, SHARE_RW, "", "x", 0), -EBUSY);
    assert_int_equal(two_paths(HC_FS_RENAME, SHARE_RW, "h", "x", RENAME_WHITEOUT), -EINVAL);
    assert_int_equal(one_path(HC_FS_UNLINK, SHARE_RW, "out/secret", 0), HC_SYMLINK);
    assert_int_equal(set_symlink(SHARE_RW, "/any/where", "d/l"), 0);
    union hc_args a = {
        .fs_readlink = {.p = path_arg(SHARE_RW, "d/l", 0), .buf = AT_DATA, .len = 4}};
    assert_int_equal(call(HC_FS_READLINK, &a), 4);
    assert_memory_equal(guest_at(AT_DATA), "/any", 4);
    assert_int_equal(access(host("secret"), F_OK), 0);
}

static void opens(void **state) {
    assert_int_equal(fs_open(SHARE_RW, "fifo", O_WRONLY, 0), -ENXIO); /* and does not wait */
    int64_t h = fs_open(SHARE_RW, "fifo", O_RDONLY, 0);
    assert_true(h >= 3);
    assert_int_equal(file_io(HC_FILE_READ, h, 10, -1, HC_IO_NOWAIT), 0);
    assert_int_equal(file_close(h), 0);
    assert_int_equal(fs_open(SHARE_RW, "dir/file", O_RDONLY | O_DIRECTORY, 0), -ENOTDIR);
    h = fs_open(SHARE_FILE, "", O_RDONLY, 0);
    assert_true(h >= 3);
    assert_int_equal(file_io(HC_FILE_READ, h, 10, 0, 0), 6);
    assert_int_equal(fcntl(handle_fd((uint32_t)h), F_GETFD), FD_CLOEXEC);
    assert_int_equal(file_close(h), 0);
    h = fs_open(SHARE_RW, "dir", O_TMPFILE | O_RDWR, 0600);
    assert_true(h >= 3 || h == -EOPNOTSUPP);
    if (h >= 3) assert_int_equal(file_close(h), 0);
    if (mknod(host("rw/null"), S_IFCHR | 0666, 0x103) == 0) {
        assert_int_equal(fs_open(SHARE_RW, "null", O_RDWR, 0), -EACCES);
        assert_true((h = fs_open(SHARE_RW, "null", O_PATH, 0)) >= 3);
        assert_int_equal(file_close(h), 0);
    }
    union hc_args a = {.fs_statfs = {.p = path_arg(SHARE_RW, "dir", 0), .buf = AT_DATA}};
    assert_int_equal(call(HC_FS_STATFS, &a), 0);
    assert_true(((struct statfs *)guest_at(AT_DATA))->f_bsize > 0);
}

/* A directory that the host replaces is seen at once after a call that could tell of it. */
/* A share that holds a mounted /proc must not give this process away. */
static void no_process_files(void **state) {
    char path[32];
    int rw = shares.items[SHARE_RW].fd;
    shares.items[SHARE_RW].fd = open("/proc", O_PATH | O_CLOEXEC);
    snprintf(path, sizeof(path), "%d/mem", (int)getpid());
    assert_int_equal(fs_open(SHARE_RW, path, O_RDWR, 0), -EACCES);
    assert_int_equal(fs_open(SHARE_RW, path, O_RDONLY, 0), -EACCES);
    assert_int_equal(fs_open(SHARE_RW, "cpuinfo", O_RDONLY, 0), -EACCES);
    close(shares.items[SHARE_RW].fd);
    shares.items[SHARE_RW].fd = rw;
}

static void sees_host_changes(void **state) {
    union hc_args a = {0};
    char from[4096], to[4096];
    assert_int_equal(fs_stat(SHARE_RW, "dir/file", 0), 0);
    snprintf(from, sizeof(from), "%s", host("rw/dir"));
    snprintf(to, sizeof(to), "%s", host("rw/moved"));
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(symlink("../..", host("rw/dir")), 0);
    assert_int_equal(call(HC_CLOCK, &a), 0);
    assert_int_equal(fs_stat(SHARE_RW, "dir/file", 0), HC_SYMLINK);
    assert_int_equal(unlink(host("rw/dir")), 0);
    snprintf(from, sizeof(from), "%s", host("rw/moved"));
    snprintf(to, sizeof(to), "%s", host("rw/dir"));
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(fs_stat(SHARE_RW, "dir/file", 0), 0);
    assert_int_equal(two_paths(HC_FS_RENAME, SHARE_RW, "dir", "dir2", 0), 0);
    assert_int_equal(fs_stat(SHARE_RW, "dir/file", 0), -ENOENT);
    assert_int_equal(two_paths(HC_FS_RENAME, SHARE_RW, "dir2", "dir", 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stats),
        cmocka_unit_test(reports_links),
        cmocka_unit_test(link_buffer_must_be_ram),
        cmocka_unit_test(refuses_bad_paths),
        cmocka_unit_test(refuses_bad_arguments),
        cmocka_unit_test(readonly_share),
        cmocka_unit_test(changes),
        cmocka_unit_test(opens),
        cmocka_unit_test(no_process_files),
        cmocka_unit_test(sees_host_changes),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
