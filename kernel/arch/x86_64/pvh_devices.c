/* SPDX-License-Identifier: MIT */
/* The two PC devices of the QEMU engine, set up in ring 0 before the kernel starts: the 8259A
 * interrupt controllers and the 16550 serial port. */
#include <kernel/arch.h>
#include <kernel/frame.h>

#include "apic.h"
#include "pc_clock.h"
#include "pvh.h"

#define PIC1 0x20
#define PIC2 0xa0
#define SERIAL_IRQ 4

struct pc_clock pvh_clock;

void pvh_devices(gpa_t info) {
    if (pvh_loader_block(frame_ptr(info)) == NULL) pc_clock_read(&pvh_clock);
    apic_enable(true);     /* lets the 8259A's interrupts through; not every firmware does */
    arch_outb(PIC1, 0x11); /* ICW1: initialise, ICW4 follows */
    arch_outb(PIC2, 0x11);
    arch_outb(PIC1 + 1, HERMIT_VEC_PIC_BASE);
    arch_outb(PIC2 + 1, HERMIT_VEC_PIC_BASE + 8);
    arch_outb(PIC1 + 1, 4);
    arch_outb(PIC2 + 1, 2);
    arch_outb(PIC1 + 1, 1);
    arch_outb(PIC2 + 1, 1);
    arch_outb(PIC1 + 1, (uint8_t) ~(1u << SERIAL_IRQ));
    arch_outb(PIC2 + 1, 0xff);

    arch_outb(HERMIT_PORT_SERIAL + 3, 0x80); /* divisor latch */
    arch_outb(HERMIT_PORT_SERIAL + 0, 1);    /* 115200 baud */
    arch_outb(HERMIT_PORT_SERIAL + 1, 0);
    arch_outb(HERMIT_PORT_SERIAL + 3, 3);    /* 8N1 */
    arch_outb(HERMIT_PORT_SERIAL + 2, 7);    /* FIFOs on, cleared, interrupt at one byte */
    arch_outb(HERMIT_PORT_SERIAL + 4, 0x0b); /* DTR, RTS, interrupt line on */
    arch_outb(HERMIT_PORT_SERIAL + 1, 1);    /* interrupt when a byte is there */
}
