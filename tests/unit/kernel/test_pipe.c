/* SPDX-License-Identifier: MIT */
/* Pipes and FIFOs: capacity, atomic writes, end of file, EPIPE, sleeping. */
#include <kernel/string.h>

#include "fake_fs.h"
#include "ktest.h"

static char buf[65536], big[65536];

int ktest_setup(void) {
    fake_mount("/");
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)(i * 7 + 1);
    return 0;
}

static void test_pipe(void **state) {
    struct file *ends[2];
    assert_int_equal(pipe_create(ends, O_NONBLOCK), 0);
    assert_int_equal(do_read(ends[0], buf, 10), -EAGAIN);
    assert_int_equal(file_poll(ends[0]), 0);
    assert_int_equal(do_write(ends[1], big, sizeof(big)), 65536);
    assert_int_equal(do_write(ends[1], big, 1), -EAGAIN);
    assert_int_equal(file_poll(ends[1]), 0);
    assert_int_equal(do_read(ends[0], buf, 4000), 4000);
    assert_int_equal(do_write(ends[1], big, 4096), -EAGAIN); /* room is counted in pages */
    assert_int_equal(do_read(ends[0], buf, 96), 96);
    assert_int_equal(do_write(ends[1], big, 5000), 4096);
    assert_int_equal(do_read(ends[0], buf, sizeof(buf)), 65536);
    assert_memory_equal(buf, big + 4096, 61440);
    assert_memory_equal(buf + 61440, big, 4096);
    assert_int_equal(file_seek(ends[0], 0, SEEK_SET), -ESPIPE);
    file_put(ends[0]);
    fake_last_signal = 0;
    assert_int_equal(do_write(ends[1], "x", 1), -EPIPE);
    assert_int_equal(fake_last_signal, SIGPIPE);
    assert_int_equal(file_poll(ends[1]) & POLLERR, POLLERR);
    file_put(ends[1]);
    assert_int_equal(fake_frames, 0);
}

static struct file *pipe_writer;
static void close_writer(void) { file_put(pipe_writer); }

static void test_pipe_blocking(void **state) {
    struct file *ends[2];
    assert_int_equal(pipe_create(ends, 0), 0);
    assert_int_equal(do_read(ends[0], buf, 1), -ERESTARTSYS);
    pipe_writer = ends[1];
    fake_wait = close_writer;
    assert_int_equal(do_read(ends[0], buf, 1), 0); /* end of file */
    fake_wait = NULL;
    file_put(ends[0]);
}

static void test_fifo(void **state) {
    struct vpath p;
    struct file *r, *w;
    vfs_path(&p, VFS_AT_CWD, "/fifo");
    assert_int_equal(vfs_mknod(&p, S_IFIFO | 0666, 0), 0);
    assert_int_equal(do_open("/fifo", O_WRONLY | O_NONBLOCK, 0, &w), -ENXIO);
    assert_int_equal(do_open("/fifo", O_RDONLY, 0, &r), -ERESTARTSYS);
    assert_int_equal(do_open("/fifo", O_RDONLY | O_NONBLOCK, 0, &r), 0);
    assert_int_equal(do_read(r, buf, 1), 0);
    assert_int_equal(do_open("/fifo", O_WRONLY, 0, &w), 0);
    assert_int_equal(do_write(w, "hi", 2), 2);
    assert_int_equal(do_read(r, buf, 10), 2);
    assert_int_equal(do_unlink("/fifo"), 0);
    file_put(w);
    file_put(r);
    assert_int_equal(fake_frames, 0);
}

const struct ktest ktests[] = {
    KTEST(test_pipe),
    KTEST(test_pipe_blocking),
    KTEST(test_fifo),
    {0},
};
