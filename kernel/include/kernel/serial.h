/* SPDX-License-Identifier: MIT */
/* The 16550 UART of the QEMU engine: doorbell to the loader, or plain console without one. */
#ifndef KERNEL_SERIAL_H
#define KERNEL_SERIAL_H

#include <kernel/types.h>

struct file;

/* Takes the bytes that have come in, so that the next one interrupts again. */
void serial_drain(void);
void serial_write(const char *text, size_t len);
/* Standard stream 0, 1 or 2 on the plain console. */
struct file *serial_stdio(uint32_t which);
/* Ends a virtual machine that has no loader. */
_Noreturn void serial_power_off(uint32_t status);

#endif
