/* SPDX-License-Identifier: MIT */
/* Path resolution: dots, slashes, links across mounts, limits, trailing slashes. */
#include <kernel/heap.h>
#include <kernel/string.h>

#include "fake_fs.h"
#include "ktest.h"

static struct vpath p;
static struct mount *ro;

int ktest_setup(void) {
    fake_mount("/");
    fake_mount("/mnt/other");
    assert_int_equal(do_mkdir("/a", 0755), 0);
    assert_int_equal(do_mkdir("/a/b", 0755), 0);
    assert_int_equal(do_mkdir("/a/b/c", 0755), 0);
    assert_int_equal(do_mkdir("/mnt", 0755), 0);
    assert_int_equal(do_write_file("/a/file", "x"), 0);
    assert_int_equal(do_write_file("/mnt/other/file", "y"), 0);
    assert_int_equal(do_symlink("b", "/a/rel"), 0);
    assert_int_equal(do_symlink("/a/b/c", "/abs"), 0);
    assert_int_equal(do_symlink("../mnt/other", "/a/cross"), 0);
    assert_int_equal(do_symlink("/a/cross", "/mnt/other/back"), 0);
    assert_int_equal(do_symlink("loop2", "/loop1"), 0);
    assert_int_equal(do_symlink("loop1", "/loop2"), 0);
    assert_int_equal(do_symlink("nowhere", "/dangling"), 0);
    assert_int_equal(do_symlink("file", "/a/tofile"), 0);
    ro = fake_mount("/ro");
    assert_int_equal(do_mkdir("/ro/dir", 0755), 0);
    assert_int_equal(do_write_file("/ro/file", "z"), 0);
    ro->readonly = true;
    return 0;
}

static const char *text_of(const char *path) {
    return vfs_path(&p, VFS_AT_CWD, path) == 0 ? p.text : "error";
}

static void test_lexical(void **state) {
    assert_string_equal(text_of("/"), "/");
    assert_string_equal(text_of("////"), "/");
    assert_string_equal(text_of("/.."), "/");
    assert_string_equal(text_of("/a//b/./c"), "/a/b/c");
    assert_string_equal(text_of("/a/b/.."), "/a");
    assert_string_equal(text_of("/a/b/../../.."), "/");
    assert_string_equal(text_of("a/b"), "/a/b");
    assert_string_equal(text_of("."), "/");
    assert_int_equal(vfs_path(&p, VFS_AT_CWD, ""), -ENOENT);
    assert_int_equal(vfs_path(&p, VFS_AT_CWD, "/none/.."), -ENOENT);
    assert_int_equal(vfs_path(&p, VFS_AT_CWD, "/a/file/.."), -ENOTDIR);
    assert_int_equal(vfs_path(&p, 77, "x"), -EBADF);
    assert_int_equal(vfs_path(&p, 77, "/a"), 0);
}

static void test_must_be_dir(void **state) {
    struct hc_attr a;
    vfs_path(&p, VFS_AT_CWD, "/a/");
    assert_true(p.must_be_dir && p.last == VPATH_NAME);
    vfs_path(&p, VFS_AT_CWD, "/a/.");
    assert_true(p.must_be_dir && p.last == VPATH_DOT);
    vfs_path(&p, VFS_AT_CWD, "/a");
    assert_false(p.must_be_dir);
    assert_int_equal(do_stat("/a/file/", true, &a), -ENOTDIR);
    assert_int_equal(do_stat("/a/file/.", true, &a), -ENOTDIR);
    assert_int_equal(do_stat("/a/tofile/", false, &a), -ENOTDIR);
    assert_int_equal(do_stat("/a/rel/", false, &a), 0);
    assert_true(S_ISDIR(a.mode));
    assert_int_equal(do_stat("/a/rel", false, &a), 0);
    assert_true(S_ISLNK(a.mode));
}

static void test_links(void **state) {
    struct hc_attr a;
    assert_string_equal(text_of("/a/rel/c/.."), "/a/b");
    assert_string_equal(text_of("/abs/../.."), "/a");
    assert_string_equal(text_of("/a/cross/.."), "/mnt");
    assert_string_equal(text_of("/mnt/other/back/../other/x"), "/mnt/other/x");
    assert_int_equal(do_stat("/mnt/other/back/back/back/file", true, &a), 0);
    assert_int_equal(do_stat("/loop1", true, &a), -ELOOP);
    assert_int_equal(do_stat("/loop1", false, &a), 0);
    assert_int_equal(do_stat("/loop1/x", false, &a), -ELOOP);
    assert_int_equal(vfs_path(&p, VFS_AT_CWD, "/loop1/.."), -ELOOP);
    assert_int_equal(do_stat("/dangling", true, &a), -ENOENT);
    vfs_path(&p, VFS_AT_CWD, "/a/rel/c");
    assert_int_equal(vfs_canonical_dir(&p), 0);
    assert_string_equal(p.text, "/a/b/c");
}

static void test_dirfd(void **state) {
    struct file *f;
    struct hc_attr a;
    assert_int_equal(do_open("/a/rel", O_RDONLY | O_DIRECTORY, 0, &f), 0);
    assert_string_equal(f->path, "/a/b");
    int fd = fd_install(f, 0, false);
    assert_int_equal(vfs_path(&p, fd, "c"), 0);
    assert_string_equal(p.text, "/a/b/c");
    assert_int_equal(vfs_path(&p, fd, "../rel"), 0);
    assert_string_equal(p.text, "/a/rel");
    assert_int_equal(vfs_stat(&p, true, &a), 0);
    fd_close(fd);
    assert_int_equal(do_open("/a/file", O_RDONLY, 0, &f), 0);
    fd = fd_install(f, 0, false);
    assert_int_equal(vfs_path(&p, fd, "c"), -ENOTDIR);
    fd_close(fd);
}

static void test_too_long(void **state) {
    static char name[HC_MAX_PATH];
    struct hc_attr a;
    memset(name, 'n', 300);
    name[0] = '/';
    assert_int_equal(do_stat(name, true, &a), -ENAMETOOLONG);
    for (size_t i = 0; i < sizeof(name) - 1; i++)
        name[i] = i % 2 ? 'a' : '/';
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(vfs_path(&p, VFS_AT_CWD, name), 0);
    assert_int_equal(do_symlink(name, "/a/long"), 0);
    assert_int_equal(do_stat("/a/long/more", true, &a), -ENAMETOOLONG);
}

static void test_open_flags(void **state) {
    struct file *f;
    assert_int_equal(do_open("/a/rel", O_RDONLY | O_NOFOLLOW, 0, &f), -ELOOP);
    assert_int_equal(do_open("/a/rel", O_PATH | O_NOFOLLOW, 0, &f), 0);
    assert_true(S_ISLNK(f->mode));
    char byte;
    assert_int_equal(do_read(f, &byte, 1), -EBADF);
    file_put(f);
    assert_int_equal(do_open("/a", O_WRONLY, 0, &f), -EISDIR);
    assert_int_equal(do_open("/a/file", O_RDONLY | O_DIRECTORY, 0, &f), -ENOTDIR);
    assert_int_equal(do_open("/a/file", O_CREAT | O_EXCL | O_RDWR, 0, &f), -EEXIST);
    assert_int_equal(do_open("/dangling", O_CREAT | O_EXCL | O_RDWR, 0, &f), -EEXIST);
    assert_int_equal(do_open("/a/new/", O_CREAT | O_RDWR, 0, &f), -EISDIR);
    assert_int_equal(do_open("/a/none", O_RDONLY, 0, &f), -ENOENT);
    assert_int_equal(do_open("/a/file/x", O_RDONLY, 0, &f), -ENOTDIR);
    assert_int_equal(do_open("/dangling", O_CREAT | O_RDWR, 0666, &f), 0);
    assert_string_equal(f->path, "/nowhere");
    file_put(f);
    assert_int_equal(do_unlink("/nowhere"), 0);
}

static void test_readonly(void **state) {
    struct file *f;
    struct hc_attr a = {.mode = 0600};
    assert_int_equal(do_open("/ro/file", O_RDONLY, 0, &f), 0);
    assert_int_equal(file_setattr(f, &a, HC_SET_MODE), -EROFS);
    file_put(f);
    assert_int_equal(do_open("/ro/file", O_RDONLY | O_CREAT, 0, &f), 0);
    file_put(f);
    assert_int_equal(do_open("/ro/file", O_WRONLY, 0, &f), -EROFS);
    assert_int_equal(do_open("/ro/file", O_RDONLY | O_TRUNC, 0, &f), -EROFS);
    assert_int_equal(do_open("/ro/new", O_CREAT | O_WRONLY, 0, &f), -EROFS);
    assert_int_equal(do_open("/ro/none/new", O_CREAT | O_WRONLY, 0, &f), -ENOENT);
    assert_int_equal(do_open("/ro/dir", O_WRONLY, 0, &f), -EISDIR);
    assert_int_equal(do_mkdir("/ro/new", 0755), -EROFS);
    assert_int_equal(do_mkdir("/ro/dir", 0755), -EEXIST);
    assert_int_equal(do_mkdir("/ro/none/new", 0755), -ENOENT);
    assert_int_equal(do_unlink("/ro/file"), -EROFS);
    assert_int_equal(do_rename("/ro/file", "/ro/other", 0), -EROFS);
    assert_int_equal(do_symlink("x", "/ro/link"), -EROFS);
    vfs_path(&p, VFS_AT_CWD, "/ro/file");
    assert_int_equal(vfs_access(&p, 4, true), 0);
    vfs_path(&p, VFS_AT_CWD, "/ro/file");
    assert_int_equal(vfs_access(&p, 2, true), -EROFS);
}

static void test_last_component(void **state) {
    assert_int_equal(do_rmdir("/a/."), -EINVAL);
    assert_int_equal(do_rmdir("/a/b/.."), -ENOTEMPTY);
    assert_int_equal(do_rmdir("/"), -EBUSY);
    assert_int_equal(do_rmdir("/mnt/other"), -EBUSY);
    assert_int_equal(do_unlink("/a/."), -EISDIR);
    assert_int_equal(do_unlink("/a/file/"), -ENOTDIR);
    assert_int_equal(do_unlink("/a/b/"), -EISDIR);
    assert_int_equal(do_rmdir("/a/rel/"), -ENOTDIR);
    assert_int_equal(do_mkdir("/a/.", 0755), -EEXIST);
    assert_int_equal(do_rename("/a/.", "/x", 0), -EBUSY);
    assert_int_equal(do_rename("/a/file", "/mnt/other/f", 0), -EXDEV);
    assert_int_equal(do_link("/a/file", "/mnt/other/f"), -EXDEV);
    assert_int_equal(do_rename("/a/file", "/a/file2/", 0), -ENOTDIR);
    assert_int_equal(do_rename("/a", "/a/b/x", 0), -EINVAL);
    assert_int_equal(do_rename("/a/b", "/a", 0), -ENOTEMPTY);
    assert_int_equal(do_symlink("x", "/a/new/"), -ENOENT);
    assert_int_equal(do_mkdir("/a/slash/", 0755), 0);
    assert_int_equal(do_rmdir("/a/slash/"), 0);
}

static void test_rename_moves_paths(void **state) {
    struct file *f;
    assert_int_equal(do_mkdir("/m", 0755), 0);
    assert_int_equal(do_write_file("/m/f", "t"), 0);
    assert_int_equal(do_open("/m/f", O_RDONLY, 0, &f), 0);
    int fd = fd_install(f, 0, false);
    kfree(fake_process.fs.cwd);
    fake_process.fs.cwd = kstrdup("/m");
    assert_int_equal(do_rename("/m", "/moved", 0), 0);
    assert_string_equal(f->path, "/moved/f");
    assert_string_equal(fake_process.fs.cwd, "/moved");
    assert_string_equal(text_of("f"), "/moved/f");
    fd_close(fd);
    assert_int_equal(do_unlink("/moved/f"), 0);
    assert_int_equal(do_rmdir("/moved"), 0);
    assert_int_equal(do_mkdir("/moved", 0755), 0);
    assert_int_equal(vfs_path(&p, VFS_AT_CWD, "x"), -ENOENT);
    assert_int_equal(do_rmdir("/moved"), 0);
    kfree(fake_process.fs.cwd);
    fake_process.fs.cwd = kstrdup("/");
}

static void test_fsize_limit(void **state) {
    static char big[150];
    struct file *f;
    assert_int_equal(do_open("/limit", O_WRONLY | O_CREAT, 0600, &f), 0);
    fake_process.limits[RLIMIT_FSIZE].rlim_cur = 100;
    assert_int_equal(do_write(f, big, 150), 100);
    fake_last_signal = 0;
    assert_int_equal(do_write(f, big, 1), -EFBIG);
    assert_int_equal(fake_last_signal, SIGXFSZ);
    fake_process.limits[RLIMIT_FSIZE].rlim_cur = RLIM_INFINITY;
    file_put(f);
    assert_int_equal(do_unlink("/limit"), 0);
}

const struct ktest ktests[] = {
    KTEST(test_lexical),
    KTEST(test_must_be_dir),
    KTEST(test_links),
    KTEST(test_dirfd),
    KTEST(test_open_flags),
    KTEST(test_readonly),
    KTEST(test_too_long),
    KTEST(test_last_component),
    KTEST(test_fsize_limit),
    KTEST(test_rename_moves_paths),
    {0},
};
