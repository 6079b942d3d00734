/* SPDX-License-Identifier: MIT */
/* Host files without a position: pipes, terminals, sockets, devices.  The loader never blocks in
 * them; where the program would, the thread waits for readiness and tries again.  Owns nothing. */
#include <kernel/file_owner.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/log.h>
#include <kernel/signal.h>
#include <kernel/wait.h>

#include "hostfs.h"

#define CONSOLE_PIECE 256

static bool is_ready(void *arg) {
    const struct hc_wait_fd *w = arg;
    return w->revents != 0; /* filled by HC_WAIT */
}

int hostfs_wait(uint32_t handle, uint16_t events) {
    struct hc_wait_fd w = {.handle = handle, .events = events};
    return wait_until(is_ready, &w, &w, 1, WAIT_FOREVER) == 0 ? 0 : -ERESTARTSYS;
}

/* 0: the transfer may be tried again; otherwise what ends it. */
static int64_t wait_for(struct file *f, int64_t error, uint16_t events) {
    if (error != -EAGAIN && error != -EINTR) return error;
    if (error == -EAGAIN && (f->flags & O_NONBLOCK) != 0) return error;
    return hostfs_wait(hostfs_file(f)->handle, events);
}

static int64_t stream_read(struct file *f, const struct uio *u, int64_t *pos) {
    struct hostfs_move m = {.flags = HC_IO_NOWAIT, .offset = -1};
    if (u->len == 0 || !hypercall_available()) return 0;
    for (;;) {
        int64_t n = hostfs_move(f, u, &m);
        if (n > 0 || n == -EAGAIN) file_owner_read(f);
        if (n >= 0) return n;
        n = wait_for(f, n, POLLIN);
        if (n != 0) return n;
    }
}

/* No loader at the other end (plain QEMU): the kernel's console is the program's. */
static int64_t console_write(const struct uio *u) {
    char text[CONSOLE_PIECE];
    uint64_t done = 0;
    while (done < u->len) {
        uint64_t n = min(u->len - done, sizeof(text));
        if (uio_drain(u, done, text, n) != 0) return done > 0 ? (int64_t)done : -EFAULT;
        kwrite(text, n);
        done += n;
    }
    return (int64_t)done;
}

static int64_t stream_write(struct file *f, const struct uio *u, int64_t *pos) {
    struct hostfs_move m = {.write = true, .flags = HC_IO_NOWAIT, .offset = -1};
    int64_t n = 0;
    if (!hypercall_available()) return console_write(u);
    while (m.from < u->len) {
        n = hostfs_move(f, u, &m);
        if (n > 0) {
            m.from += (uint64_t)n;
            continue;
        }
        if (n == 0) break;
        if (n == -EPIPE) signal_send_thread(current_thread(), SIGPIPE, NULL);
        n = wait_for(f, n, POLLOUT);
        if (n != 0) break;
    }
    return m.from > 0 ? (int64_t)m.from : n;
}

static int64_t stream_seek(struct file *f, int64_t offset, int whence) {
    struct hostfs_file *hf = hostfs_file(f);
    if (hf->tty == TTY_YES) return -ESPIPE;
    union hc_args args = {
        .file_seek = {.handle = hf->handle, .whence = (uint32_t)whence, .offset = offset}};
    return hypercall(HC_FILE_SEEK, &args);
}

static uint32_t stream_poll(struct file *f) {
    union hc_args args = {
        .file_poll = {.handle = hostfs_file(f)->handle,
                      .events = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLWRNORM | POLLRDHUP}};
    if (!hypercall_available()) return POLLOUT | POLLWRNORM;
    int64_t r = hypercall(HC_FILE_POLL, &args);
    return r >= 0 ? (uint32_t)r : POLLERR;
}

static uint32_t stream_wait_handle(struct file *f) { return hostfs_file(f)->handle; }

const struct file_ops hostfs_stream_ops = {
    .async = true,
    .read = stream_read,
    .write = stream_write,
    .seek = stream_seek,
    .getattr = hostfs_getattr,
    .xattr = hostfs_xattr,
    .setattr = hostfs_setattr,
    .ioctl = hostfs_ioctl,
    .poll = stream_poll,
    .wait_handle = stream_wait_handle,
    .sync = hostfs_sync,
    .statfs = hostfs_statfs,
    .release = hostfs_release,
};
