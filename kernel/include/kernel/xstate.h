/* SPDX-License-Identifier: MIT */
/* The program's vector and x87 registers.  The kernel never uses them, so at any time in the
 * kernel they hold the current thread's values. */
#ifndef KERNEL_XSTATE_H
#define KERNEL_XSTATE_H

#include <hermit/linux_abi.h>
#include <kernel/types.h>

#define XSTATE_FPSSE 3ULL /* x87 and SSE: the legacy area */

/* XCR0 components that take part, or 0 if the CPU has only FXSAVE. */
uint64_t xstate_features(void);
/* Bytes of the save area: XSAVE's standard format for those components, or 512. */
uint32_t xstate_size(void);
/* MXCSR bits that may be set. */
uint32_t xstate_mxcsr_mask(void);

/* A zeroed save area, 64-byte aligned; NULL when memory is exhausted.  Freed by xstate_free. */
struct _xstate *xstate_alloc(void);
void xstate_free(struct _xstate *area);
/* Registers to area, and back.  Restoring puts every component whose bit in the header is clear
 * into its initial state; the header and mxcsr must be valid (xstate_valid), or it faults. */
void xstate_save(struct _xstate *area);
void xstate_restore(const struct _xstate *area);
bool xstate_valid(const struct _xstate *area);
/* The same between threads, in whichever format is fastest. */
void xstate_switch_save(struct _xstate *area);
void xstate_switch_restore(const struct _xstate *area);

#endif
