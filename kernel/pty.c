/* SPDX-License-Identifier: MIT */
/* Pseudo-terminals: pairs of a master (/dev/ptmx) and a slave (/dev/pts/N). pty(7).
 * Owns the table of pairs. */
#include <kernel/clock.h>
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>

#include "pty.h"
#include "treefs.h"

#define CHUNK 256u      /* bytes on the stack */
#define TENTH 100000000 /* ns of c_cc[VTIME]'s unit */

static struct pty *pairs[PTY_MAX];

/* What Linux gives a new terminal: tty_std_termios. */
static const struct termios initial = {
    .c_iflag = ICRNL | IXON,
    .c_oflag = OPOST | ONLCR,
    .c_cflag = B38400 | CS8 | CREAD,
    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .c_cc = {[VINTR] = 3,
             [VQUIT] = 28,
             [VERASE] = 127,
             [VKILL] = 21,
             [VEOF] = 4,
             [VMIN] = 1,
             [VSTART] = 17,
             [VSTOP] = 19,
             [VSUSP] = 26,
             [VREPRINT] = 18,
             [VDISCARD] = 15,
             [VWERASE] = 23,
             [VLNEXT] = 22},
};

struct pty *pty_find(int number) {
    return number >= 0 && number < PTY_MAX ? pairs[number] : NULL;
}

static struct pty *pair_of(const struct file *f) { return (struct pty *)f->priv2; }

static bool nonblock(const struct file *f) { return f->flags & O_NONBLOCK; }

/* A signal ends the wait; whether the call starts over is decided where it is delivered. */
static int wait_for(bool (*ready)(void *), void *arg, int64_t deadline) {
    int r = wait_until(ready, arg, NULL, 0, deadline);

    return r == -EINTR ? -ERESTARTSYS : r;
}

static int64_t stream_seek(struct file *f, int64_t offset, int whence) { return -ESPIPE; }

/* The master: reads what the slave's program writes, writes what a user would type. */

static bool output_or_gone(void *arg) {
    const struct pty *p = arg;

    return p->output.used > 0 || p->slave_gone;
}

static int64_t master_read(struct file *f, const struct uio *u, int64_t *pos) {
    struct pty *p = pair_of(f);
    uint64_t done = 0;
    int r;

    if (u->len == 0) return 0;
    if (!output_or_gone(p)) {
        r = nonblock(f) ? -EAGAIN : wait_for(output_or_gone, p, WAIT_FOREVER);
        if (r) return r;
    }
    if (p->output.used == 0) return -EIO;
    while (done < u->len && p->output.used > 0) {
        uint32_t start = p->output.start;
        uint32_t n = (uint32_t)min(u->len - done, (uint64_t)min(p->output.used, PTY_RING - start));

        r = uio_fill(u, done, p->output.data + start, n);
        if (r) return done ? (int64_t)done : r;
        p->output.start = (start + n) % PTY_RING;
        p->output.used -= n;
        done += n;
    }
    wait_poke();
    return (int64_t)done;
}

static bool input_room(void *arg) {
    const struct pty *p = arg;

    return p->input.used + 1 < PTY_RING || p->slave_gone;
}

/* Feeds the transfer to `take` byte by byte; `room` says when it is worth trying again, `gone`
 * that nobody listens. */
static int64_t feed(struct file *f, const struct uio *u, bool (*take)(struct pty *, char),
                    bool (*room)(void *), const bool *gone) {
    struct pty *p = pair_of(f);
    uint64_t done = 0;
    char chunk[CHUNK];
    int r = 0;

    while (!r && done < u->len) {
        uint64_t n = min(u->len - done, (uint64_t)CHUNK), i;

        r = *gone ? -EIO : uio_drain(u, done, chunk, n);
        for (i = 0; !r && i < n && take(p, chunk[i]); i++)
            continue;
        if (!r) done += i;
        if (i > 0) wait_poke();
        if (!r && i < n) r = nonblock(f) ? -EAGAIN : wait_for(room, p, WAIT_FOREVER);
    }
    return done ? (int64_t)done : r;
}

static int64_t master_write(struct file *f, const struct uio *u, int64_t *pos) {
    static const bool never;

    return feed(f, u, pty_input, input_room, &never);
}

static uint32_t master_poll(struct file *f) {
    struct pty *p = pair_of(f);
    uint32_t events = 0;

    if (p->output.used > 0) events |= POLLIN | POLLRDNORM;
    if (input_room(p)) events |= POLLOUT | POLLWRNORM;
    if (p->slave_gone) events |= POLLHUP;
    return events;
}

static int64_t master_ioctl(struct file *f, uint32_t request, gva_t arg) {
    return pty_ioctl(pair_of(f), true, request, arg);
}

static void put_pair(struct pty *p) {
    wait_poke();
    if (!p->hung_up || p->slaves > 0) return;
    kfree(p);
}

static void master_release(struct file *f) {
    struct pty *p = pair_of(f);

    pairs[p->number] = NULL;
    p->hung_up = true;
    if (p->foreground == current_process()->pgid) signal_send(SIGHUP, NULL);
    put_pair(p);
}

static int master_getattr(struct file *f, struct hc_attr *attr) {
    return f->mnt->ops->stat(f->mnt, "ptmx", false, attr, NULL);
}

static const struct file_ops master_ops = {
    .async = true,
    .read = master_read,
    .write = master_write,
    .seek = stream_seek,
    .getattr = master_getattr,
    .ioctl = master_ioctl,
    .poll = master_poll,
    .release = master_release,
};

int pty_open_master(struct file *out) {
    struct pty *p;
    int number = 0;

    while (number < PTY_MAX && pairs[number])
        number++;
    if (number == PTY_MAX) return -ENOSPC;
    p = kzalloc(sizeof(*p));
    if (!p) return -ENOMEM;
    p->number = number;
    p->owner = current_process()->fsuid;
    p->locked = true;
    p->modes = initial;
    pairs[number] = p;
    out->ops = &master_ops;
    out->priv2 = (uint64_t)p;
    return 0;
}

/* The slave: a terminal. */

struct reading {
    const struct pty *pty;
    uint32_t need; /* bytes */
};

uint32_t pty_readable(const struct pty *p) {
    return pty_canonical(p) ? p->input.used - p->editing : p->input.used;
}

static bool can_read(void *arg) {
    const struct reading *r = arg;

    return pty_readable(r->pty) >= r->need || r->pty->hung_up;
}

/* Waits as VMIN and VTIME ask where lines do not count.  0 or -errno. */
static int wait_for_input(struct file *f, uint64_t len) {
    const struct pty *p = pair_of(f);
    struct reading w = {.pty = p, .need = 1};
    uint32_t least = pty_canonical(p) ? 1 : (uint32_t)min(len, (uint64_t)p->modes.c_cc[VMIN]);
    int64_t tenths = pty_canonical(p) ? 0 : p->modes.c_cc[VTIME];
    int r;

    if (pty_readable(p) >= max(least, 1u) || p->hung_up) return 0;
    if (nonblock(f)) return pty_readable(p) > 0 ? 0 : -EAGAIN;
    if (least == 0) {
        r = tenths ? wait_for(can_read, &w, clock_monotonic_ns() + tenths * TENTH) : 0;
        return r == -ETIMEDOUT ? 0 : r;
    }
    if (!tenths) w.need = least;
    r = wait_for(can_read, &w, WAIT_FOREVER);
    while (!r && w.need < least && !p->hung_up) { /* VTIME: between two bytes */
        w.need = pty_readable(p) + 1;
        r = wait_for(can_read, &w, clock_monotonic_ns() + tenths * TENTH);
    }
    return r == -ETIMEDOUT || pty_readable(p) > 0 ? 0 : r;
}

static int64_t slave_read(struct file *f, const struct uio *u, int64_t *pos) {
    struct pty *p = pair_of(f);
    uint64_t done = 0;
    bool canonical;
    int r;

    if (u->len == 0) return 0;
    r = wait_for_input(f, u->len);
    if (r || p->hung_up) return r;
    canonical = pty_canonical(p);
    for (uint32_t left = pty_readable(p); done < u->len && left > 0; left--) {
        uint8_t mark = canonical ? p->marks[p->input.start] : PTY_PLAIN;
        char c = p->input.data[p->input.start];

        if (mark != PTY_EOF) {
            r = uio_fill(u, done, &c, 1);
            if (r) return done ? (int64_t)done : r;
            done++;
        }
        p->input.start = (p->input.start + 1) % PTY_RING;
        p->input.used--;
        if (mark != PTY_PLAIN) break;
    }
    /* An end of file right behind what filled the buffer is not another read's. */
    if (canonical && done == u->len && pty_readable(p) > 0 && p->marks[p->input.start] == PTY_EOF) {
        p->input.start = (p->input.start + 1) % PTY_RING;
        p->input.used--;
    }
    wait_poke();
    return (int64_t)done;
}

static bool output_room(void *arg) {
    const struct pty *p = arg;

    return p->output.used + 2 <= PTY_RING || p->hung_up;
}

static int64_t slave_write(struct file *f, const struct uio *u, int64_t *pos) {
    return feed(f, u, pty_output, output_room, &pair_of(f)->hung_up);
}

static uint32_t slave_poll(struct file *f) {
    struct pty *p = pair_of(f);
    struct reading w = {.pty = p, .need = 1};
    uint32_t events = 0;

    if (p->hung_up) return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLHUP | POLLERR;
    if (!pty_canonical(p) && !p->modes.c_cc[VTIME]) w.need = max((uint32_t)p->modes.c_cc[VMIN], 1u);
    if (can_read(&w)) events |= POLLIN | POLLRDNORM;
    if (output_room(p)) events |= POLLOUT | POLLWRNORM;
    return events;
}

static int64_t slave_ioctl(struct file *f, uint32_t request, gva_t arg) {
    return pair_of(f)->hung_up ? -EIO : pty_ioctl(pair_of(f), false, request, arg);
}

static void slave_release(struct file *f) {
    struct pty *p = pair_of(f);

    if (--p->slaves == 0) p->slave_gone = true;
    put_pair(p);
    tree_file_release(f);
}

const struct file_ops pty_slave_ops = {
    .async = true,
    .read = slave_read,
    .write = slave_write,
    .seek = stream_seek,
    .getattr = tree_file_getattr,
    .ioctl = slave_ioctl,
    .poll = slave_poll,
    .statfs = tree_file_statfs,
    .release = slave_release,
};

int pty_open_slave(int number, struct file *out) {
    struct pty *p = pty_find(number);

    if (!p || p->locked) return -EIO;
    p->slaves++;
    p->slave_gone = false;
    out->priv2 = (uint64_t)p;
    return 0;
}
