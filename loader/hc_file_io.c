/* SPDX-License-Identifier: MIT */
/* FILE_READ and FILE_WRITE: transfers straight between a host file and guest memory. */
#include <loader/hc_file_io.h>

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <loader/guest_mem.h>

/* What a pipe or terminal that is ready for writing takes without blocking. */
#define READY_BYTES 4096

static int64_t move(const struct handle *h, const struct transfer *t, int flags) {
    ssize_t n;
    do {
        n = t->write ? pwritev2(h->fd, t->iov, t->count, t->offset, flags)
                     : preadv2(h->fd, t->iov, t->count, t->offset, flags);
    } while (n < 0 && errno == EINTR && (flags & RWF_NOWAIT) != 0);
    return n >= 0 ? n : -errno;
}

static void shorten(struct transfer *t, uint64_t bytes) {
    for (int i = 0; i < t->count; i++) {
        if (t->iov[i].iov_len >= bytes) {
            t->iov[i].iov_len = bytes;
            t->count = i + 1;
            return;
        }
        bytes -= t->iov[i].iov_len;
    }
}

/* Pipes, terminals, sockets, devices.  Standard streams share their open file with other processes,
 * so O_NONBLOCK cannot be set on them. */
static int64_t move_nowait(struct handle *h, struct transfer *t) {
    if (h->nonblock) return move(h, t, 0);
    if (!h->no_rwf) {
        int64_t n = move(h, t, RWF_NOWAIT);
        if (n != -EOPNOTSUPP) return n;
        h->no_rwf = true;
    }
    struct pollfd p = {.fd = h->fd, .events = t->write ? POLLOUT : POLLIN};
    int ready = poll(&p, 1, 0);
    if (ready <= 0) return -EAGAIN;
    if (t->write) shorten(t, READY_BYTES);
    return move(h, t, 0);
}

static bool positioned(uint32_t type) { return type == S_IFREG || type == S_IFBLK; }

/* 0 or -errno. */
static int64_t prepare(const struct handle *h, const struct hc_file_io *a, bool write,
                       struct transfer *t) {
    if (h == NULL) return -EBADF;
    if (a->offset < -1) return -EINVAL;
    int64_t total = guest_iov(a->segs, a->count, t->iov);
    if (total < 0) return total;
    t->count = (int)a->count;
    t->write = write;
    t->append = write && (a->flags & HC_IO_APPEND) != 0;
    t->offset = t->append ? -1 : a->offset;
    return 0;
}

int64_t transfer_run(const struct handle *h, const struct transfer *t, int64_t *pos) {
    int64_t n = move(h, t, t->append ? RWF_APPEND : 0);
    if (n >= 0 && t->offset == -1) *pos = lseek(h->fd, 0, SEEK_CUR);
    return n;
}

int64_t transfer_prepare(struct handle *h, const struct hc_file_io *a, bool write,
                         struct transfer *t) {
    int64_t r = prepare(h, a, write, t);
    if (r != 0) return r;
    if (handle_type(h) != S_IFREG) return -EINVAL;
    for (int i = 0; i < t->count; i++)
        if (!guest_is_ram(t->iov[i].iov_base)) return -EINVAL;
    return 0;
}

static int64_t run(struct hc_file_io *a, bool write) {
    struct handle *h = handle_get(a->handle);
    struct transfer t;
    int64_t r = prepare(h, a, write, &t);
    if (r != 0) return r;
    uint32_t type = handle_type(h);
    bool nowait = (a->flags & HC_IO_NOWAIT) != 0;
    if (positioned(type)) {
        if (nowait && !write) return move(h, &t, RWF_NOWAIT);
        return transfer_run(h, &t, &a->pos);
    }
    t.append = false;
    return nowait && type != S_IFDIR ? move_nowait(h, &t) : move(h, &t, 0);
}

int64_t hc_file_read(union hc_args *args) { return run(&args->file_io, false); }

int64_t hc_file_write(union hc_args *args) { return run(&args->file_io, true); }
