/* SPDX-License-Identifier: MIT */
/* Credentials of the process: what follows when its ids change. credentials(7), capabilities(7). */
#ifndef KERNEL_CREDS_H
#define KERNEL_CREDS_H

#include <kernel/process.h>

#define CAPS_ALL ((1ULL << (CAP_LAST_CAP + 1)) - 1)

/* The user ids before a change. */
struct uid_set {
    uint32_t real, effective, saved, fs;
};

void creds_init(struct process *p);
struct uid_set creds_uids(const struct process *p);
/* Capabilities after the ids were changed from `old`; "fs" alone: setfsuid(2). */
void creds_uids_changed(struct process *p, const struct uid_set *old);
/* Ids and capabilities that a new program starts with. */
void creds_exec(struct process *p);
/* Is gid that of the file-system group or one of the supplementary ones? */
bool creds_in_group(const struct process *p, uint32_t gid);

#endif
