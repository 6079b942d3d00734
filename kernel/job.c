/* SPDX-License-Identifier: MIT */
/* Hypercalls that wait for a disk: a thread of the loader runs them, other threads of the program
 * go on.  Owns the blocks of hc_comm.jobs. */
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/job.h>
#include <kernel/sched.h>
#include <kernel/wait.h>

_Static_assert(HC_MAX_JOBS <= 32, "one word of bits");

static uint32_t taken; /* bit n: jobs[n] */
static struct thread *owners[HC_MAX_JOBS];

static bool done(const struct hc_call *call) {
    return __atomic_load_n(&call->state, __ATOMIC_ACQUIRE) == HC_DONE;
}

bool job_worthwhile(void) { return current_process()->thread_count > 1 && hypercall_available(); }

int64_t job_run(enum hc_nr nr, union hc_args *args) {
    uint32_t n = (uint32_t)__builtin_ctz(~taken);
    if (!job_worthwhile() || n >= HC_MAX_JOBS) return hypercall(nr, args);
    struct hc_call *call = &hypercall_comm()->jobs[n];
    taken |= 1u << n;
    owners[n] = current_thread();
    call->nr = nr;
    call->u = *args;
    call->state = HC_SUBMITTED;
    union hc_args start = {.job_start = {.job = n}};
    bool started = hypercall(HC_JOB_START, &start) == 0;
    /* Not even a signal ends this: the host uses the buffers. */
    while (started && !done(call))
        wait_sleep();
    int64_t result = call->result;
    if (started) *args = call->u;
    taken &= ~(1u << n);
    return started ? result : hypercall(nr, args);
}

void job_event(void) {
    for (uint32_t bits = taken; bits != 0; bits &= bits - 1) {
        uint32_t n = (uint32_t)__builtin_ctz(bits);
        if (done(&hypercall_comm()->jobs[n])) sched_wake(owners[n]);
    }
}

/* The frames of a transfer; false if some of it is not RAM. */
bool job_pin(const struct hc_seg *segs, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (!frame_is_ram(page_down(segs[i].gpa))) return false;
    for (uint32_t i = 0; i < count; i++)
        for (gpa_t at = page_down(segs[i].gpa); at < segs[i].gpa + segs[i].len; at += PAGE_SIZE)
            frame_ref(at);
    return true;
}

void job_unpin(const struct hc_seg *segs, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        for (gpa_t at = page_down(segs[i].gpa); at < segs[i].gpa + segs[i].len; at += PAGE_SIZE)
            frame_put(at);
}
