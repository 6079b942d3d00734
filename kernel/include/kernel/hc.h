/* SPDX-License-Identifier: MIT */
/* Issuing hypercalls: the only file that does is kernel/hypercall.c. */
#ifndef KERNEL_HC_H
#define KERNEL_HC_H

#include <kernel/types.h>

struct hermit_boot;

/* Runs one call: copies args in, waits, copies the OUT fields back.  Result or -errno.
 * Without a loader (plain QEMU) every call answers -ENOSYS. */
int64_t hypercall(enum hc_nr nr, union hc_args *args);
/* A call that gives no answer and whose arguments point to nothing: if the host polls, it runs at
 * the same time as the guest.  It is done before this CPU's next call. */
void hypercall_post(enum hc_nr nr, union hc_args *args);
/* Whether hypercall_post() would return at once. */
bool hypercall_posts(void);
bool hypercall_available(void);
/* Ends the virtual machine; status as hc_exit says. */
_Noreturn void hypercall_exit(enum hc_exit_kind kind, uint32_t status);
/* Called once by kernel_main before anything else. */
void hypercall_init(const struct hermit_boot *boot);
/* Kinds of events (1 << enum hc_event) that the loader has posted since the last look, and, for
 * HC_EVENT_SIGNAL, signals (1 << n - 1). */
uint32_t hypercall_take_events(void);
uint64_t hypercall_take_signals(void);
/* Grows with every call that may have changed a host file, or told the program of a change, and
 * with every signal from the host: what was known of files before may be old news after it. */
uint64_t hypercall_news(void);
void hypercall_note_news(void);
/* The pages shared with the loader, or NULL without one. */
struct hc_comm *hypercall_comm(void);
/* The boot block. */
const struct hermit_boot *boot_info(void);
/* String at an offset of the boot block. */
const char *boot_string(uint32_t offset);

#endif
