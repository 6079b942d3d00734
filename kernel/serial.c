/* SPDX-License-Identifier: MIT */
/* The 16550 UART.  With a loader it is only the link's bell; without one it is the console: polled
 * output, and input kept in a ring that the interrupt's bytes go to. */
#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/hc.h>
#include <kernel/process.h>
#include <kernel/serial.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>
#include <kernel/wait.h>

#define LINE_STATUS (HERMIT_PORT_SERIAL + 5)
#define DATA_READY 0x01
#define TRANSMIT_READY 0x20
#define RING_BYTES 1024u /* a power of two */

static char ring[RING_BYTES];
static uint32_t ring_in, ring_out;

void serial_drain(void) {
    while (arch_inb(LINE_STATUS) & DATA_READY) {
        char c = (char)arch_inb(HERMIT_PORT_SERIAL);
        if (ring_in - ring_out < RING_BYTES) ring[ring_in++ % RING_BYTES] = c;
    }
    if (hypercall_available()) ring_out = ring_in; /* bells, not text */
}

void serial_write(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        while (!(arch_inb(LINE_STATUS) & TRANSMIT_READY))
            arch_pause();
        arch_outb(HERMIT_PORT_SERIAL, (uint8_t)text[i]);
    }
}

void serial_power_off(uint32_t status) {
    arch_outb(HERMIT_PORT_QEMU_EXIT, (uint8_t)status);
    for (;;) {
        percpu()->pending = 0;
        arch_idle(); /* no exit device: the user ends QEMU */
    }
}

static bool input_ready(void *arg) {
    percpu()->pending = 0;
    serial_drain();
    return ring_in != ring_out;
}

static int64_t console_read(struct file *f, const struct uio *u, int64_t *pos) {
    if (u->len == 0) return 0;
    if (!input_ready(NULL)) {
        if (f->flags & O_NONBLOCK) return -EAGAIN;
        int r = wait_until(input_ready, NULL, NULL, 0, WAIT_FOREVER);
        if (r != 0) return r == -EINTR ? -ERESTARTSYS : r;
    }
    uint64_t n = 0;
    while (n < u->len && ring_in != ring_out) {
        char c = ring[ring_out % RING_BYTES];
        if (c == '\r') c = '\n'; /* what a terminal sends for Enter; ICRNL */
        int r = uio_fill(u, n, &c, 1);
        if (r != 0) return n > 0 ? (int64_t)n : r;
        ring_out++;
        n++;
    }
    return (int64_t)n;
}

static int64_t console_write(struct file *f, const struct uio *u, int64_t *pos) {
    char text[256];
    for (uint64_t at = 0; at < u->len;) {
        uint64_t n = min(u->len - at, sizeof(text));
        int r = uio_drain(u, at, text, n);
        if (r != 0) return at > 0 ? (int64_t)at : r;
        serial_write(text, n);
        at += n;
    }
    return (int64_t)u->len;
}

static int console_getattr(struct file *f, struct hc_attr *attr) {
    *attr = (struct hc_attr){
        .mode = S_IFCHR | 0620, .nlink = 1, .ino = 3, .rdev = 0x440, .blksize = 1024};
    return 0;
}

static uint32_t console_poll(struct file *f) { return POLLOUT | (input_ready(NULL) ? POLLIN : 0u); }

static const struct file_ops console_ops = {
    .read = console_read,
    .write = console_write,
    .getattr = console_getattr,
    .poll = console_poll,
};

struct file *serial_stdio(uint32_t which) {
    return file_new(&console_ops, which == 0 ? O_RDONLY : O_WRONLY, S_IFCHR);
}
