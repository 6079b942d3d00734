/* SPDX-License-Identifier: MIT */
/* Host services: what a hypercall may reach. */
#ifndef LOADER_SERVICES_H
#define LOADER_SERVICES_H

#include <stdbool.h>
#include <stdint.h>

#include <hermit/hypercall.h>

/* A host file or directory that the guest may see. */
struct share {
    const char *host;  /* host path, as given */
    const char *guest; /* guest path, absolute and canonical */
    int fd;            /* O_PATH, close-on-exec; paths resolve beneath it */
    bool readonly;
    bool is_dir;
};

struct share_table {
    struct share *items;
    uint32_t count;
};
extern struct share_table shares;

/* One handler a hypercall.  args is the host's private copy; the handler validates it, acts and
 * writes OUT fields into it.  Result as hypercall.h says. */
#define X(NAME, fn) int64_t hc_##fn(union hc_args *args);
HC_LIST(X)
#undef X

/* Claims and runs the call of virtual CPU `cpu` if one is submitted; false if there was none.
 * may_sleep: this is that CPU's thread, which kicks reach; elsewhere the calls that sleep by design
 * (HC_WAIT, HC_EXIT) answer -EDEADLK. */
bool hc_serve(uint32_t cpu, bool may_sleep);
/* For handlers: the CPU that called. */
uint32_t hc_caller(void);
/* HC_WAIT alone runs without the lock that serialises handlers; for what it shares with them. */
void hc_lock(void);
void hc_unlock(void);
/* Waits until no call is being served: whoever claimed one holds the lock until it is done, while
 * the state word is the guest's and must not be waited for. */
void hc_wait_served(void);
/* Number of calls served, by hc_nr, for --stats. */
extern uint64_t hc_counts[HC_COUNT];

/* Handles: small integers that stand for open host files (hc_file.c).  0-2 are the standard
 * streams.  handle_fd: the descriptor, or -1.  handle_new takes over fd; -EMFILE when full. */
int handle_fd(uint32_t handle);
int64_t handle_new(int fd, bool readonly);
/* Fills the boot block's three entries about the standard streams. */
struct hermit_boot_stdio;
void handle_describe_stdio(struct hermit_boot_stdio *out);

#endif
