/* SPDX-License-Identifier: MIT */
/* ioctl(2) on host files: terminal requests go to the loader, job control stays in the guest.
 * Owns the foreground process group of the terminal. */
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/process.h>

#include "hostfs.h"

#define TERMIOS_BYTES sizeof(struct termios)
#define TERMIOS2_BYTES sizeof(struct termios2)
#define WINSIZE_BYTES 8 /* struct winsize: four shorts */

static int32_t foreground; /* process group, 0: the first process's */

static int64_t host_request(struct file *f, uint32_t request, void *arg, uint64_t value) {
    union hc_args args = {.file_ioctl = {.handle = hostfs_file(f)->handle,
                                         .request = request,
                                         .arg = arg != NULL ? frame_gpa(arg) : 0,
                                         .value = value}};
    for (;;) {
        int64_t r = hypercall(HC_FILE_IOCTL, &args);
        if (r != -EINTR) return r;
        if (hostfs_interrupted()) return -ERESTARTSYS;
    }
}

static bool is_tty(struct file *f) {
    struct hostfs_file *hf = hostfs_file(f);
    struct termios modes;
    if (hf->tty == TTY_UNKNOWN)
        hf->tty = S_ISCHR(f->mode) && host_request(f, TCGETS, &modes, 0) == 0 ? TTY_YES : TTY_NO;
    return hf->tty == TTY_YES;
}

static int64_t request_out(struct file *f, uint32_t request, gva_t arg, uint64_t bytes) {
    union {
        struct termios2 largest;
        char bytes[sizeof(struct termios2)];
    } copy;
    int64_t r = host_request(f, request, &copy, 0);
    if (r == 0 && (request == TCGETS || request == TIOCGWINSZ)) hostfs_file(f)->tty = TTY_YES;
    if (r < 0) return r;
    return copy_to_user(arg, copy.bytes, bytes) == 0 ? r : -EFAULT;
}

static int64_t request_in(struct file *f, uint32_t request, gva_t arg, uint64_t bytes) {
    union {
        struct termios2 largest;
        char bytes[sizeof(struct termios2)];
    } copy;
    if (copy_from_user(copy.bytes, arg, bytes) != 0) return -EFAULT;
    return host_request(f, request, &copy, 0);
}

static int32_t foreground_group(void) {
    return foreground != 0 ? foreground : current_process()->pgid;
}

static int64_t set_foreground(gva_t arg) {
    int32_t group;
    if (get_user(group, arg) != 0) return -EFAULT;
    if (group < 0) return -EINVAL;
    if (group != current_process()->pgid) return -ESRCH;
    foreground = group;
    return 0;
}

/* What concerns sessions and process groups: the guest's own, whatever those of hermit-run are. */
static int64_t job_control(struct file *f, uint32_t request, gva_t arg) {
    if (!is_tty(f)) return -ENOTTY;
    int32_t group = foreground_group(), session = current_process()->sid;
    switch (request) {
    case TIOCGPGRP:
        return put_user(group, arg);
    case TIOCGSID:
        return put_user(session, arg);
    case TIOCSPGRP:
        return set_foreground(arg);
    default:
        return 0; /* TIOCSCTTY: it already is */
    }
}

/* Bytes from the position to the end. */
static int64_t readable_of_regular(struct file *f, gva_t arg) {
    struct hc_attr attr;
    int r = hostfs_getattr(f, &attr);
    if (r != 0) return r;
    int64_t left = (int64_t)attr.size - f->pos;
    int32_t n = (int32_t)left;
    return put_user(n, arg);
}

int64_t hostfs_ioctl(struct file *f, uint32_t request, gva_t arg) {
    if (request == FIONREAD && S_ISREG(f->mode)) return readable_of_regular(f, arg);
    if (request == FIONREAD) return request_out(f, request, arg, sizeof(int32_t));
    if (!S_ISCHR(f->mode)) return -ENOTTY;
    switch (request) {
    case TCGETS:
        return request_out(f, request, arg, TERMIOS_BYTES);
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return request_in(f, request, arg, TERMIOS_BYTES);
    case TCGETS2:
        return request_out(f, request, arg, TERMIOS2_BYTES);
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
        return request_in(f, request, arg, TERMIOS2_BYTES);
    case TIOCGWINSZ:
        return request_out(f, request, arg, WINSIZE_BYTES);
    case TIOCSWINSZ:
        return request_in(f, request, arg, WINSIZE_BYTES);
    case TIOCOUTQ:
        return request_out(f, request, arg, sizeof(int32_t));
    case TCFLSH:
    case TCSBRK:
    case TCXONC:
        return host_request(f, request, NULL, arg);
    case TIOCGPGRP:
    case TIOCSPGRP:
    case TIOCGSID:
    case TIOCSCTTY:
        return job_control(f, request, arg);
    default:
        return -ENOTTY;
    }
}
