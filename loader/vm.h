/* SPDX-License-Identifier: MIT */
/* What the two engines offer to the rest of the loader. */
#ifndef LOADER_VM_H
#define LOADER_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hermit/boot.h>

/* file_window.c: host files in guest-physical space.  0 or -errno; -EOPNOTSUPP without KVM. */
int window_map(int fd, uint64_t offset, uint64_t len, bool writable, gpa_t *gpa);
int window_unmap(gpa_t gpa, uint64_t len);

/* memory.c: more RAM up to the -m limit.  0 or -errno. */
int memory_grow(uint64_t bytes, gpa_t *gpa, uint64_t *granted);
/* Gives pages back to the host. */
int memory_release(gpa_t gpa, uint64_t len);

/* event.c: signals and timers that the guest must hear of.  event_post is async-signal-safe. */
struct hc_comm;
void event_post(enum hc_event kind);

/* How the guest ended, filled by hc_exit. */
struct vm_exit {
    bool done;
    enum hc_exit_kind kind;
    uint32_t status;
    gpa_t stats;
};
extern struct vm_exit vm_exit;
extern struct hc_comm *vm_comm;

#endif
