/* SPDX-License-Identifier: MIT */
/* Hypercalls during which other threads run. */
#ifndef KERNEL_JOB_H
#define KERNEL_JOB_H

#include <kernel/types.h>

/* Would anybody else run meanwhile? */
bool job_worthwhile(void);
/* As hypercall(), for HC_FILE_SYNC, HC_FILE_READ and HC_FILE_WRITE; the current thread sleeps, so
 * everything may have changed.  What the segments name must be pinned. */
int64_t job_run(enum hc_nr nr, union hc_args *args);
/* Keeps the frames of a transfer from being used for something else; false if they are not RAM. */
bool job_pin(const struct hc_seg *segs, uint32_t count);
void job_unpin(const struct hc_seg *segs, uint32_t count);
/* HC_EVENT_JOB came. */
void job_event(void);

#endif
