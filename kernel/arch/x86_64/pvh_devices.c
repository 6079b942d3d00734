/* SPDX-License-Identifier: MIT */
/* The two PC devices of the QEMU engine, set up in ring 0 before the kernel starts: the 8259A
 * interrupt controllers and the 16550 serial port. */
#include <kernel/arch.h>
#include <kernel/frame.h>

#include "pc_clock.h"
#include "percpu_offsets.h"
#include "pvh.h"

#define PIC1 0x20
#define PIC2 0xa0
#define SERIAL_IRQ 4
#define APIC_SPURIOUS 0xf0
#define APIC_ENABLE (1u << 8)
#define APIC_SPURIOUS_VECTOR 0x3f
#define APIC_LINT0 0x350
#define APIC_EXTINT 0x700

struct pc_clock pvh_clock;

/* Lets the 8259A's interrupts through the local APIC ("virtual wire"); not every firmware does.
 * Ring 0 only: the mapping is the supervisor's. */
static void wire_pic_through_apic(void) {
    volatile uint32_t *apic = (volatile uint32_t *)LOCAL_APIC_GVA;
    apic[APIC_SPURIOUS / 4] = APIC_ENABLE | APIC_SPURIOUS_VECTOR;
    apic[APIC_LINT0 / 4] = APIC_EXTINT;
}

void pvh_devices(gpa_t info) {
    if (pvh_loader_block(frame_ptr(info)) == NULL) pc_clock_read(&pvh_clock);
    wire_pic_through_apic();
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
