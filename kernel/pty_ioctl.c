/* SPDX-License-Identifier: MIT */
/* ioctl(2) on pseudo-terminals: ioctl_tty(2). */
#include <kernel/process.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>

#include "pty.h"

static void set_modes(struct pty *p, const struct termios *modes) {
    /* What was typed so far is no line to be edited any more, or not yet one. */
    if ((p->modes.c_lflag ^ modes->c_lflag) & ICANON) p->editing = 0;
    p->modes = *modes;
    wait_poke();
}

static int64_t modes_from_user(struct pty *p, gva_t arg, bool flush) {
    struct termios modes;

    if (get_user(modes, arg)) return -EFAULT;
    if (flush) pty_flush_input(p);
    set_modes(p, &modes);
    return 0;
}

static int64_t set_size(struct pty *p, gva_t arg) {
    struct pty_winsize size;

    if (get_user(size, arg)) return -EFAULT;
    if (memcmp(&size, &p->size, sizeof(size)) == 0) return 0;
    p->size = size;
    if (p->foreground == current_process()->pgid) signal_send(SIGWINCH, NULL);
    return 0;
}

static int64_t flush(struct pty *p, bool master, uint64_t which) {
    bool in = which == TCIFLUSH || which == TCIOFLUSH;
    bool out = which == TCOFLUSH || which == TCIOFLUSH;

    if (!in && !out) return -EINVAL;
    if (master ? out : in) pty_flush_input(p);
    if (master ? in : out) p->output.start = p->output.used = 0;
    wait_poke();
    return 0;
}

static int64_t set_foreground(struct pty *p, gva_t arg) {
    int32_t group;

    if (get_user(group, arg)) return -EFAULT;
    if (!p->foreground) return -ENOTTY;
    if (group < 0) return -EINVAL;
    if (group != current_process()->pgid) return -ESRCH;
    p->foreground = group;
    return 0;
}

static int64_t master_request(struct pty *p, uint32_t request, gva_t arg) {
    uint32_t number = (uint32_t)p->number;
    int32_t lock = p->locked;

    switch (request) {
    case TIOCGPTN:
        return put_user(number, arg);
    case TIOCGPTLCK:
        return put_user(lock, arg);
    case TIOCSPTLCK:
        if (get_user(lock, arg)) return -EFAULT;
        p->locked = lock != 0;
        return 0;
    default:
        return -ENOTTY;
    }
}

static int64_t slave_request(struct pty *p, uint32_t request, gva_t arg) {
    int32_t session = current_process()->sid;

    switch (request) {
    case TIOCSCTTY:
        p->foreground = current_process()->pgid;
        return 0;
    case TIOCNOTTY:
        if (!p->foreground) return -ENOTTY;
        p->foreground = 0;
        return 0;
    case TIOCGPGRP:
        return p->foreground ? put_user(p->foreground, arg) : -ENOTTY;
    case TIOCGSID:
        return p->foreground ? put_user(session, arg) : -ENOTTY;
    default:
        return -ENOTTY;
    }
}

int64_t pty_ioctl(struct pty *p, bool master, uint32_t request, gva_t arg) {
    int32_t in = (int32_t)(master ? p->output.used : pty_readable(p)), none = 0;

    switch (request) {
    case TCGETS:
        return put_user(p->modes, arg);
    case TCSETS:
    case TCSETSW:
        return modes_from_user(p, arg, false);
    case TCSETSF:
        return modes_from_user(p, arg, true);
    case TIOCGWINSZ:
        return put_user(p->size, arg);
    case TIOCSWINSZ:
        return set_size(p, arg);
    case TIOCSPGRP:
        return set_foreground(p, arg);
    case FIONREAD:
        return put_user(in, arg);
    case TIOCOUTQ:
        return put_user(none, arg); /* what was written is at the other end at once */
    case TCFLSH:
        return flush(p, master, arg);
    case TCSBRK:
    case TCSBRKP:
        return 0;
    default:
        return master ? master_request(p, request, arg) : slave_request(p, request, arg);
    }
}
