/* SPDX-License-Identifier: MIT */
/* FILE_IOCTL: the terminal requests that a program may make of the host.  Owns nothing. */
#include <loader/hc_handle.h>

#include <errno.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <loader/guest_mem.h>
#include <loader/tty.h>

#define KERNEL_TERMIOS 36 /* sizeof the kernel's struct termios, which is not libc's */

#define KERNEL_TERMIOS2 44 /* with the speeds as numbers; not in libc's headers */
#define REQUEST_TCGETS2 0x802c542aU
#define REQUEST_TCSETS2 0x402c542bU
#define REQUEST_TCSETSW2 0x402c542cU
#define REQUEST_TCSETSF2 0x402c542dU

enum argument { IN, OUT, VALUE };

static const struct request {
    uint32_t number;
    uint16_t size; /* bytes at arg */
    uint8_t argument;
    bool any_stream; /* also for pipes and sockets */
    bool changes;    /* modes that must be restored */
} requests[] = {
    {.number = TCGETS, .size = KERNEL_TERMIOS, .argument = OUT},
    {.number = TCSETS, .size = KERNEL_TERMIOS, .argument = IN, .changes = true},
    {.number = TCSETSW, .size = KERNEL_TERMIOS, .argument = IN, .changes = true},
    {.number = TCSETSF, .size = KERNEL_TERMIOS, .argument = IN, .changes = true},
    {.number = REQUEST_TCGETS2, .size = KERNEL_TERMIOS2, .argument = OUT},
    {.number = REQUEST_TCSETS2, .size = KERNEL_TERMIOS2, .argument = IN, .changes = true},
    {.number = REQUEST_TCSETSW2, .size = KERNEL_TERMIOS2, .argument = IN, .changes = true},
    {.number = REQUEST_TCSETSF2, .size = KERNEL_TERMIOS2, .argument = IN, .changes = true},
    {.number = TIOCGWINSZ, .size = sizeof(struct winsize), .argument = OUT},
    {.number = TIOCSWINSZ, .size = sizeof(struct winsize), .argument = IN},
    {.number = FIONREAD, .size = sizeof(int), .argument = OUT, .any_stream = true},
    {.number = TIOCOUTQ, .size = sizeof(int), .argument = OUT},
    {.number = TCFLSH, .argument = VALUE},
    {.number = TCSBRK, .argument = VALUE},
    {.number = TCXONC, .argument = VALUE, .changes = true},
};

static const struct request *find(uint32_t number) {
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        if (requests[i].number == number) return &requests[i];
    return NULL;
}

static bool applies(const struct request *r, struct handle *h) {
    uint32_t type = handle_type(h);
    if (r->any_stream && (type == S_IFIFO || type == S_IFSOCK)) return true;
    /* A character device that is no terminal could read these numbers differently. */
    return type == S_IFCHR && isatty(h->fd);
}

int64_t tty_request(struct handle *h, struct hc_file_ioctl *a) {
    union {
        char bytes[KERNEL_TERMIOS2];
        long aligned;
    } copy = {{0}};
    const struct request *r = find(a->request);
    if (r == NULL || !applies(r, h)) return -ENOTTY;
    if (r->argument == IN && guest_copy_in(copy.bytes, a->arg, r->size) != 0) return -EFAULT;
    if (r->changes) tty_note_change(h->fd);
    int n = r->argument == VALUE ? ioctl(h->fd, r->number, (unsigned long)(uint32_t)a->value)
                                 : ioctl(h->fd, r->number, copy.bytes);
    if (n < 0) return -errno;
    if (r->argument == OUT && guest_copy_out(a->arg, copy.bytes, r->size) != 0) return -EFAULT;
    return n;
}
