/* SPDX-License-Identifier: MIT */
/* ramfs: data and holes, directories, links, renames, permissions, times. */
#include <kernel/creds.h>
#include <kernel/frame.h>
#include <kernel/string.h>

#include "fake_fs.h"
#include "kernel/ramfs.h"
#include "ktest.h"

static struct ramfs *fs;
static char buf[65536], big[65536];

int ktest_setup(void) {
    fs = fake_mount("/")->priv;
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)(i * 7 + 1);
    return 0;
}

static struct file *must_open(const char *path, uint32_t flags, uint32_t mode) {
    struct file *f = NULL;
    assert_int_equal(do_open(path, flags, mode, &f), 0);
    return f;
}

static struct hc_attr must_stat(const char *path) {
    struct hc_attr a = {0};
    assert_int_equal(do_stat(path, false, &a), 0);
    return a;
}

static void become(uint32_t id) {
    fake_process.euid = fake_process.egid = id;
    creds_exec(&fake_process);
}

static void test_read_write(void **state) {
    struct file *f = must_open("/rw", O_RDWR | O_CREAT, 0666);
    assert_int_equal(must_stat("/rw").mode, S_IFREG | 0644);
    assert_int_equal(do_write(f, big, 10000), 10000);
    assert_int_equal(file_seek(f, 0, SEEK_CUR), 10000);
    assert_int_equal(do_read(f, buf, 10), 0);
    assert_int_equal(file_seek(f, 4000, SEEK_SET), 4000);
    assert_int_equal(do_read(f, buf, sizeof(buf)), 6000);
    assert_memory_equal(buf, big + 4000, 6000);
    assert_int_equal(file_read_kernel(f, buf, 100, 9950), 50);
    assert_memory_equal(buf, big + 9950, 50);
    assert_int_equal(file_seek(f, -1, SEEK_SET), -EINVAL);
    assert_int_equal(file_seek(f, -10, SEEK_END), 9990);
    assert_int_equal(do_unlink("/rw"), 0);
    file_put(f);
    assert_int_equal(fake_frames, 0);
}

static void test_append_and_modes(void **state) {
    assert_int_equal(do_write_file("/app", "one"), 0);
    struct file *f = must_open("/app", O_WRONLY | O_APPEND, 0);
    assert_int_equal(do_write(f, "two", 3), 3);
    assert_int_equal(do_read(f, buf, 1), -EBADF);
    file_put(f);
    f = must_open("/app", O_RDONLY, 0);
    assert_int_equal(do_write(f, "x", 1), -EBADF);
    assert_int_equal(do_read(f, buf, 10), 6);
    assert_memory_equal(buf, "onetwo", 6);
    file_put(f);
    f = must_open("/app", O_WRONLY | O_TRUNC, 0);
    assert_int_equal(must_stat("/app").size, 0);
    file_put(f);
    assert_int_equal(do_unlink("/app"), 0);
}

static void test_sparse(void **state) {
    struct file *f = must_open("/sparse", O_RDWR | O_CREAT, 0600);
    struct hc_attr a = {.size = 1ULL << 40};
    assert_int_equal(file_setattr(f, &a, HC_SET_SIZE), 0);
    assert_int_equal(must_stat("/sparse").blocks, 0);
    assert_int_equal(file_seek(f, 5LL << 30, SEEK_SET), 5LL << 30);
    assert_int_equal(do_write(f, "data", 4), 4);
    assert_int_equal(file_seek(f, 0, SEEK_DATA), 5LL << 30);
    assert_int_equal(file_seek(f, 5LL << 30, SEEK_HOLE), (5LL << 30) + 4096);
    assert_int_equal(file_seek(f, 6LL << 30, SEEK_DATA), -ENXIO);
    assert_int_equal(file_seek(f, 100, SEEK_HOLE), 100);
    assert_int_equal(file_read_kernel(f, buf, 16, (5LL << 30) - 8), 16);
    assert_memory_equal(buf, "\0\0\0\0\0\0\0\0data\0\0\0\0", 16);
    a.size = (5ULL << 30) + 2;
    assert_int_equal(file_setattr(f, &a, HC_SET_SIZE), 0);
    a.size += 10;
    assert_int_equal(file_setattr(f, &a, HC_SET_SIZE), 0);
    assert_int_equal(file_read_kernel(f, buf, 16, 5LL << 30), 12);
    assert_memory_equal(buf, "da\0\0\0\0\0\0\0\0\0\0", 12);
    a.size = 0;
    assert_int_equal(file_setattr(f, &a, HC_SET_SIZE), 0);
    assert_int_equal(fake_frames, 0);
    file_put(f);
    assert_int_equal(do_unlink("/sparse"), 0);
}

static void test_random_offsets(void **state) {
    static char model[3 << 20];
    struct file *f = must_open("/model", O_RDWR | O_CREAT, 0600);
    struct hc_attr a;
    uint64_t seed = 42, size = 0;
    for (int i = 0; i < 400; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        uint64_t at = (seed >> 20) % (sizeof(model) - sizeof(big));
        uint64_t n = (seed >> 45) % 20000 + 1;
        if (i % 10 == 9) {
            a.size = at;
            assert_int_equal(file_setattr(f, &a, HC_SET_SIZE), 0);
            if (at < size) memset(model + at, 0, size - at);
            size = at;
            continue;
        }
        f->pos = (int64_t)at;
        assert_int_equal(do_write(f, big, n), n);
        memcpy(model + at, big, n);
        size = size > at + n ? size : at + n;
    }
    for (uint64_t at = 0; at < size; at += 10007) {
        uint64_t n = size - at < 10007 ? size - at : 10007;
        assert_int_equal(file_read_kernel(f, buf, n, (int64_t)at), n);
        assert_memory_equal(buf, model + at, n);
    }
    assert_int_equal(do_unlink("/model"), 0);
    file_put(f);
    assert_int_equal(fake_frames, 0);
}

static void test_punch_hole(void **state) {
    struct file *f = must_open("/punch", O_RDWR | O_CREAT, 0600);
    assert_int_equal(do_write(f, big, 5 * 4096), 5 * 4096);
    int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    assert_int_equal(file_allocate(f, mode, 100, 3 * 4096), 0);
    assert_int_equal(fake_frames, 4); /* three pages and the index */
    assert_int_equal(file_read_kernel(f, buf, 5 * 4096, 0), 5 * 4096);
    assert_memory_equal(buf, big, 100);
    for (int i = 100; i < 100 + 3 * 4096; i++)
        assert_int_equal(buf[i], 0);
    assert_memory_equal(buf + 100 + 3 * 4096, big + 100 + 3 * 4096, 2 * 4096 - 100);
    assert_int_equal(do_unlink("/punch"), 0);
    file_put(f);
}

static void test_no_space(void **state) {
    struct file *f = must_open("/full", O_RDWR | O_CREAT, 0600);
    fake_limit = fake_frames + 3; /* one index, two pages */
    assert_int_equal(do_write(f, big, 20000), 8192);
    assert_int_equal(do_write(f, big, 20000), -ENOSPC);
    fake_limit = UINT64_MAX;
    assert_int_equal(do_write(f, big + 8192, 100), 100);
    assert_int_equal(file_read_kernel(f, buf, 20000, 0), 8292);
    assert_memory_equal(buf, big, 8292);
    assert_int_equal(do_unlink("/full"), 0);
    file_put(f);
    assert_int_equal(fake_frames, 0);
}

static void test_map(void **state) {
    struct file *f = must_open("/map", O_RDWR | O_CREAT, 0600);
    gpa_t page;
    assert_int_equal(do_write(f, "hello", 5), 5);
    assert_int_equal(f->ops->page(f, 0, true, &page), 0);
    assert_int_equal(f->ops->page(f, 4096, true, &(gpa_t){0}), -ENXIO);
    ((char *)frame_ptr(page))[0] = 'j';
    assert_int_equal(file_read_kernel(f, buf, 5, 0), 5);
    assert_memory_equal(buf, "jello", 5);
    assert_int_equal(do_unlink("/map"), 0);
    file_put(f);
    assert_int_equal(fake_frames, 1); /* the mapping's reference */
    frame_put(page);
    assert_int_equal(fake_frames, 0);
}

/* Reads a directory; names joined by spaces in `buf`, without the dots. */
static int list(struct file *f, uint64_t chunk) {
    static char records[4096];
    int count = 0;
    buf[0] = '\0';
    for (;;) {
        int64_t n = file_getdents(f, (gva_t)records, chunk);
        if (n <= 0) return n < 0 ? (int)n : count;
        for (int64_t at = 0; at < n; count++) {
            struct linux_dirent64 *d = (struct linux_dirent64 *)(records + at);
            if (d->d_name[0] != '.') __builtin_strcat(__builtin_strcat(buf, d->d_name), " ");
            at += d->d_reclen;
        }
    }
}

static void test_getdents(void **state) {
    static const char *names[] = {"/d/one", "/d/two", "/d/three"};
    assert_int_equal(do_mkdir("/d", 0755), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(do_write_file(names[i], ""), 0);
    struct file *f = must_open("/d", O_RDONLY | O_DIRECTORY, 0);
    assert_int_equal(list(f, 4096), 5);
    assert_string_equal(buf, "one two three ");
    assert_int_equal(file_seek(f, 0, SEEK_SET), 0);
    assert_int_equal(file_getdents(f, (gva_t)buf, 10), -EINVAL);
    assert_int_equal(list(f, 32), 5);
    /* Positions survive removal of what was read and of what comes. */
    assert_int_equal(file_seek(f, 0, SEEK_SET), 0);
    static char record[4096];
    for (int i = 0; i < 3; i++)
        assert_int_equal(file_getdents(f, (gva_t)record, 24), 24);
    assert_int_equal(do_unlink("/d/one"), 0);
    assert_int_equal(do_unlink("/d/two"), 0);
    assert_int_equal(list(f, 4096), 1);
    assert_string_equal(buf, "three ");
    assert_int_equal(do_rmdir("/d"), -ENOTEMPTY);
    assert_int_equal(do_unlink("/d/three"), 0);
    assert_int_equal(do_rmdir("/d"), 0);
    assert_int_equal(list(f, 4096), -ENOENT);
    struct hc_attr a;
    assert_int_equal(file_getattr(f, &a), 0);
    assert_int_equal(a.nlink, 0);
    file_put(f);
}

static void test_many_names(void **state) {
    static char path[] = "/many/n0000";
    assert_int_equal(do_mkdir("/many", 0755), 0);
    for (int i = 0; i < 2000; i++) {
        for (int d = 0, v = i; d < 4; d++, v /= 10)
            path[10 - d] = (char)('0' + v % 10);
        assert_int_equal(do_write_file(path, ""), 0);
    }
    struct file *f = must_open("/many", O_RDONLY, 0);
    assert_int_equal(list(f, 4096), 2002);
    file_put(f);
    for (int i = 0; i < 2000; i++) {
        for (int d = 0, v = i; d < 4; d++, v /= 10)
            path[10 - d] = (char)('0' + v % 10);
        assert_int_equal(do_unlink(path), 0);
    }
    assert_int_equal(do_rmdir("/many"), 0);
}

static void test_links_and_unlink(void **state) {
    uint64_t nodes = fs->nodes;
    assert_int_equal(do_write_file("/l1", "text"), 0);
    assert_int_equal(do_link("/l1", "/l2"), 0);
    assert_int_equal(must_stat("/l2").nlink, 2);
    assert_int_equal(must_stat("/l2").ino, must_stat("/l1").ino);
    assert_int_equal(do_link("/l1", "/l2"), -EEXIST);
    assert_int_equal(do_mkdir("/ld", 0755), 0);
    assert_int_equal(do_link("/ld", "/ld2"), -EPERM);
    assert_int_equal(must_stat("/ld").nlink, 2);
    assert_int_equal(do_mkdir("/ld/sub", 0755), 0);
    assert_int_equal(must_stat("/ld").nlink, 3);
    struct file *f = must_open("/l1", O_RDONLY, 0);
    assert_int_equal(do_unlink("/l1"), 0);
    assert_int_equal(do_unlink("/l2"), 0);
    assert_int_equal(file_read_kernel(f, buf, 10, 0), 4);
    file_put(f);
    assert_int_equal(do_unlink("/ld"), -EISDIR);
    assert_int_equal(do_rmdir("/ld/sub"), 0);
    assert_int_equal(do_rmdir("/ld"), 0);
    assert_int_equal(fs->nodes, nodes);
    assert_int_equal(fake_frames, 0);
}

static void test_tmpfile(void **state) {
    struct file *f = must_open("/", O_TMPFILE | O_RDWR, 0600);
    struct vpath p;
    struct hc_attr a;
    assert_int_equal(do_write(f, "tmp", 3), 3);
    file_getattr(f, &a);
    assert_int_equal(a.nlink, 0);
    assert_int_equal(vfs_path(&p, VFS_AT_CWD, "/named"), 0);
    assert_int_equal(vfs_link_file(f, &p), 0);
    file_put(f);
    assert_int_equal(must_stat("/named").size, 3);
    assert_int_equal(do_unlink("/named"), 0);
    assert_int_equal(do_open("/", O_TMPFILE, 0600, &f), -EINVAL);
}

static void test_rename(void **state) {
    uint64_t nodes = fs->nodes;
    assert_int_equal(do_mkdir("/r", 0755), 0);
    assert_int_equal(do_write_file("/r/a", "A"), 0);
    assert_int_equal(do_write_file("/r/b", "BB"), 0);
    assert_int_equal(do_rename("/r/a", "/r/b", RENAME_NOREPLACE), -EEXIST);
    assert_int_equal(do_rename("/r/a", "/r/b", RENAME_EXCHANGE), 0);
    assert_int_equal(must_stat("/r/a").size, 2);
    assert_int_equal(do_rename("/r/a", "/r/b", 0), 0);
    assert_int_equal(must_stat("/r/b").size, 2);
    assert_int_equal(must_stat("/r").size, 3 * 20);
    assert_int_equal(do_mkdir("/r/d", 0755), 0);
    assert_int_equal(do_mkdir("/r/e", 0755), 0);
    assert_int_equal(do_rename("/r/b", "/r/d", 0), -EISDIR);
    assert_int_equal(do_rename("/r/d", "/r/b", 0), -ENOTDIR);
    assert_int_equal(do_rename("/r/d", "/r/e", 0), 0);
    assert_int_equal(must_stat("/r").nlink, 3);
    assert_int_equal(do_rename("/r/b", "/r/e/b", 0), 0);
    assert_int_equal(do_rename("/r/e", "/e", 0), 0);
    assert_int_equal(must_stat("/r").nlink, 2);
    assert_int_equal(do_rename("/r", "/e", 0), -ENOTEMPTY);
    assert_int_equal(do_rename("/r", "/e", RENAME_EXCHANGE), 0);
    assert_int_equal(must_stat("/r/b").size, 2);
    assert_int_equal(do_link("/r/b", "/r/c"), 0);
    assert_int_equal(do_rename("/r/b", "/r/c", 0), 0);
    assert_int_equal(must_stat("/r/b").nlink, 2);
    assert_int_equal(do_rename("/none", "/x", 0), -ENOENT);
    assert_int_equal(do_unlink("/r/b"), 0);
    assert_int_equal(do_unlink("/r/c"), 0);
    assert_int_equal(do_rmdir("/r"), 0);
    assert_int_equal(do_rmdir("/e"), 0);
    assert_int_equal(fs->nodes, nodes);
}

static void test_permissions(void **state) {
    struct file *f;
    struct hc_attr a = {.mode = 01777};
    struct vpath p;
    assert_int_equal(do_mkdir("/perm", 0755), 0);
    assert_int_equal(do_write_file("/perm/mine", "x"), 0);
    become(1000);
    assert_int_equal(do_open("/perm/mine", O_WRONLY, 0, &f), -EACCES);
    assert_int_equal(do_open("/perm/new", O_WRONLY | O_CREAT, 0600, &f), -EACCES);
    assert_int_equal(do_unlink("/perm/mine"), -EACCES);
    vfs_path(&p, VFS_AT_CWD, "/perm");
    assert_int_equal(vfs_setattr(&p, true, &a, HC_SET_MODE), -EPERM);
    become(0);
    vfs_path(&p, VFS_AT_CWD, "/perm");
    assert_int_equal(vfs_setattr(&p, true, &a, HC_SET_MODE), 0);
    become(1000);
    assert_int_equal(do_write_file("/perm/theirs", "y"), 0);
    assert_int_equal(must_stat("/perm/theirs").uid, 1000);
    assert_int_equal(do_unlink("/perm/mine"), -EPERM); /* sticky */
    assert_int_equal(do_rename("/perm/mine", "/perm/x", 0), -EPERM);
    become(1001);
    assert_int_equal(do_unlink("/perm/theirs"), -EPERM);
    become(1000);
    assert_int_equal(do_unlink("/perm/theirs"), 0);
    become(0);
    assert_int_equal(do_unlink("/perm/mine"), 0);
    vfs_path(&p, VFS_AT_CWD, "/perm");
    a.mode = 0;
    assert_int_equal(vfs_setattr(&p, true, &a, HC_SET_MODE), 0);
    become(1000);
    assert_int_equal(do_stat("/perm/x", true, &a), -EACCES);
    become(0);
    assert_int_equal(do_rmdir("/perm"), 0);
}

static void test_times(void **state) {
    struct hc_attr a, b;
    struct vpath p;
    assert_int_equal(do_write_file("/times", "x"), 0);
    a = must_stat("/times");
    struct file *f = must_open("/times", O_RDWR, 0);
    assert_int_equal(do_read(f, buf, 1), 1);
    b = must_stat("/times");
    assert_true(b.atime_ns > a.atime_ns && b.mtime_ns == a.mtime_ns);
    assert_int_equal(do_write(f, "y", 1), 1);
    a = must_stat("/times");
    assert_true(a.mtime_ns > b.mtime_ns && a.ctime_ns == a.mtime_ns);
    file_put(f);
    a.atime_ns = 5;
    a.mtime_ns = 6;
    vfs_path(&p, VFS_AT_CWD, "/times");
    assert_int_equal(vfs_setattr(&p, true, &a, HC_SET_ATIME | HC_SET_MTIME), 0);
    b = must_stat("/times");
    assert_int_equal(b.atime_ns, 5);
    assert_int_equal(b.mtime_ns, 6);
    assert_true(b.ctime_ns > a.ctime_ns);
    assert_int_equal(do_unlink("/times"), 0);
}

static void test_plant(void **state) {
    struct mount *m = vfs_first_mount();
    become(1000);
    assert_int_equal(ramfs_plant(m, "usr/lib/x", false, NULL), 0);
    assert_int_equal(ramfs_plant(m, "usr/bin", false, NULL), 0);
    assert_int_equal(ramfs_plant(m, "lib", false, "usr/lib"), 0);
    assert_int_equal(ramfs_plant(m, "usr/bin/prog", true, NULL), 0);
    become(0);
    assert_int_equal(must_stat("/lib/x").mode, S_IFDIR | 0755);
    assert_int_equal(must_stat("/usr/bin/prog").mode, S_IFREG | 0444);
    assert_int_equal(must_stat("/usr").uid, 0);
}

const struct ktest ktests[] = {
    KTEST(test_read_write),  KTEST(test_append_and_modes),
    KTEST(test_sparse),      KTEST(test_random_offsets),
    KTEST(test_punch_hole),  KTEST(test_no_space),
    KTEST(test_map),         KTEST(test_getdents),
    KTEST(test_many_names),  KTEST(test_links_and_unlink),
    KTEST(test_tmpfile),     KTEST(test_rename),
    KTEST(test_permissions), KTEST(test_times),
    KTEST(test_plant),       {0},
};
