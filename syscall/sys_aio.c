/* SPDX-License-Identifier: MIT */
/* Asynchronous I/O: io_setup(2), io_submit(2) and their relatives. */
#include <kernel/aio.h>
#include <kernel/anon_file.h>
#include <kernel/signal.h>
#include <kernel/wait.h>
#include <syscall/protos.h>
#include <syscall/user.h>
#include <syscall/user_time.h>

#include "io.h"
#include "poll_wait.h"

#define REQUEST_KEY 0u

/* io_setup(2) */
int64_t sys_io_setup(uint32_t count, gva_t id_at) {
    gva_t id;
    if (get_user(id, id_at) != 0) return -EFAULT;
    if (id != 0 || count == 0) return -EINVAL;
    int r = aio_create(count, &id);
    if (r == 0 && put_user(id, id_at) != 0) {
        sys_io_destroy(id);
        r = -EFAULT;
    }
    return r;
}

/* io_destroy(2) */
int64_t sys_io_destroy(uint64_t id) {
    struct aio_context *c = aio_get(id);
    if (c == NULL) return -EINVAL;
    int r = aio_destroy(c);
    aio_put(c);
    return r;
}

/* A transfer: < 0 if it could not begin, else *result is what its event says. */
static int transfer(const struct iocb *cb, struct file *f, int64_t *result) {
    bool write = cb->aio_lio_opcode == IOCB_CMD_PWRITE || cb->aio_lio_opcode == IOCB_CMD_PWRITEV;
    bool vector = cb->aio_lio_opcode == IOCB_CMD_PREADV || cb->aio_lio_opcode == IOCB_CMD_PWRITEV;
    uint32_t flags = (uint32_t)cb->aio_rw_flags;
    if (flags & ~IO_RWF_KNOWN) return -EOPNOTSUPP;
    if (write ? !file_writable(f) : !file_readable(f)) return -EBADF;
    if (write ? f->ops->write == NULL : f->ops->read == NULL) return -EINVAL;
    if (cb->aio_offset < 0 && S_ISREG(f->mode)) return -EINVAL;
    struct user_iov v = {0};
    struct iovec one;
    struct uio u;
    if (vector) {
        int err = user_iov_get(&v, cb->aio_buf, cb->aio_nbytes);
        if (err != 0) return err;
        u = v.uio;
    } else {
        u = uio_one(&one, cb->aio_buf, cb->aio_nbytes);
        if (cb->aio_buf > HERMIT_USER_TOP - u.len) return -EFAULT;
    }
    bool positioned = !file_is_stream(f);
    if (write)
        *result = io_write_flags(f, &u, positioned, cb->aio_offset, flags);
    else
        *result = positioned ? file_pread(f, &u, cb->aio_offset) : file_read(f, &u);
    if (vector) user_iov_put(&v);
    return 0;
}

static int sync_file(const struct iocb *cb, struct file *f, int64_t *result) {
    if (cb->aio_buf || cb->aio_offset || cb->aio_nbytes || cb->aio_rw_flags) return -EINVAL;
    *result = file_sync(f, cb->aio_lio_opcode == IOCB_CMD_FDSYNC);
    return *result == -EINVAL ? -EINVAL : 0; /* nothing to write back */
}

/* Takes over f where it succeeds. */
static int wait_ready(const struct iocb *cb, struct aio_request *r, struct file *f) {
    if (cb->aio_buf > UINT16_MAX) return -EINVAL;
    if (cb->aio_offset || cb->aio_nbytes || cb->aio_rw_flags) return -EINVAL;
    return aio_poll(r, f, (uint32_t)cb->aio_buf);
}

static int begin(const struct iocb *cb, struct aio_request *r, struct file *f) {
    int64_t result;
    int err;
    switch (cb->aio_lio_opcode) {
    case IOCB_CMD_PREAD:
    case IOCB_CMD_PWRITE:
    case IOCB_CMD_PREADV:
    case IOCB_CMD_PWRITEV:
        err = transfer(cb, f, &result);
        break;
    case IOCB_CMD_FSYNC:
    case IOCB_CMD_FDSYNC:
        err = sync_file(cb, f, &result);
        break;
    case IOCB_CMD_POLL:
        return wait_ready(cb, r, f);
    default:
        return -EINVAL;
    }
    if (err != 0) return err;
    file_put(f);
    if (result <= -ERESTARTSYS) result = -EINTR;
    aio_complete(r, result);
    return 0;
}

static int eventfd_of(const struct iocb *cb, struct file **out) {
    *out = NULL;
    if (!(cb->aio_flags & IOCB_FLAG_RESFD)) return 0;
    struct file *f = fd_get_io((int)cb->aio_resfd);
    if (f == NULL) return -EBADF;
    if (eventfd_is(f)) {
        *out = f;
        return 0;
    }
    file_put(f);
    return -EINVAL;
}

static int submit_one(struct aio_context *c, gva_t at) {
    struct iocb cb;
    struct aio_request *r;
    struct file *eventfd;
    const uint32_t key = REQUEST_KEY;
    if (get_user(cb, at) != 0) return -EFAULT;
    if (cb.aio_reserved2 != 0 || (int64_t)cb.aio_nbytes < 0) return -EINVAL;
    int err = aio_request_new(c, &r);
    if (err != 0) return err;
    struct file *f = fd_get_io((int)cb.aio_fildes);
    err = f == NULL ? -EBADF : eventfd_of(&cb, &eventfd);
    if (err == 0) {
        aio_request_describe(r, cb.aio_data, at, eventfd);
        err = put_user(key, at + offsetof(struct iocb, aio_key));
    }
    if (err == 0) err = begin(&cb, r, f);
    if (err == 0) return 0;
    if (f != NULL) file_put(f);
    aio_request_free(r);
    return err;
}

/* io_submit(2): transfers are over when it returns, as in Linux where the file is not opened for
 * direct I/O; the other threads run meanwhile. */
int64_t sys_io_submit(uint64_t id, int64_t count, gva_t list) {
    if (count < 0) return -EINVAL;
    struct aio_context *c = aio_get(id);
    if (c == NULL) return -EINVAL;
    int64_t done = 0;
    int err = 0;
    for (; done < count; done++) {
        gva_t at;
        err = get_user(at, list + (uint64_t)done * sizeof(at)) != 0 ? -EFAULT : submit_one(c, at);
        if (err != 0) break;
    }
    aio_put(c);
    return done > 0 ? done : err;
}

/* io_cancel(2): only a request that waits for a file can still be stopped. */
int64_t sys_io_cancel(uint64_t id, gva_t iocb, gva_t result) {
    uint32_t key;
    if (get_user(key, iocb + offsetof(struct iocb, aio_key)) != 0) return -EFAULT;
    if (key != REQUEST_KEY) return -EINVAL;
    struct aio_context *c = aio_get(id);
    if (c == NULL) return -EINVAL;
    int r = aio_cancel(c, iocb);
    aio_put(c);
    return r;
}

static int64_t take_events(struct aio_context *c, int64_t most, gva_t events) {
    struct io_event event;
    int64_t n = 0;
    for (; n < most && aio_take(c, &event); n++)
        if (put_user(event, events + (uint64_t)n * sizeof(event)) != 0) return -EFAULT;
    return n;
}

static int64_t get_events(uint64_t id, int64_t least, int64_t most, gva_t events,
                          int64_t deadline_ns) {
    struct aio_context *c = aio_get(id);
    if (c == NULL) return -EINVAL;
    int64_t n = -EINVAL;
    if (least >= 0 && least <= most) {
        const int64_t all = UINT32_MAX;
        int r = least > 0 ? aio_wait(c, (uint32_t)min(least, all), deadline_ns) : 0;
        n = r == -EINVAL ? r : take_events(c, most, events);
        if (n == 0 && r == -EINTR) n = r;
    }
    aio_put(c);
    return n;
}

/* The timeout of these calls may be any number. */
static int deadline_from(gva_t at, int64_t *deadline_ns) {
    struct timespec ts;
    *deadline_ns = WAIT_FOREVER;
    if (at == 0) return 0;
    if (get_user(ts, at) != 0) return -EFAULT;
    int64_t ns;
    if (__builtin_mul_overflow(ts.tv_sec, NSEC_PER_SEC, &ns) ||
        __builtin_add_overflow(ns, ts.tv_nsec, &ns))
        ns = ts.tv_sec < 0 ? 0 : INT64_MAX;
    *deadline_ns = ns <= 0 ? 0 : deadline_after(ns);
    return 0;
}

/* io_getevents(2) */
int64_t sys_io_getevents(uint64_t id, int64_t least, int64_t most, gva_t events, gva_t timeout) {
    int64_t deadline_ns;
    int r = deadline_from(timeout, &deadline_ns);
    return r != 0 ? r : get_events(id, least, most, events, deadline_ns);
}

/* io_pgetevents(2): the last argument points at the mask's address and size. */
int64_t sys_io_pgetevents(uint64_t id, int64_t least, int64_t most, gva_t events, gva_t timeout,
                          gva_t mask_arg) {
    struct {
        gva_t mask;
        uint64_t size;
    } arg = {0};
    int64_t deadline_ns;
    int r = deadline_from(timeout, &deadline_ns);
    if (r == 0 && mask_arg != 0 && get_user(arg, mask_arg) != 0) r = -EFAULT;
    if (r == 0) r = poll_mask_get(arg.mask, arg.size);
    if (r != 0) return r;
    int64_t n = get_events(id, least, most, events, deadline_ns);
    if (n == -EINTR) return -ERESTARTNOHAND;
    signal_restore_mask();
    return n;
}
