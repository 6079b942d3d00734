/* SPDX-License-Identifier: MIT */
/* Several virtual CPUs and the one lock under which the kernel runs.
 *
 * Whoever is in the kernel holds the lock; it is given up where a CPU leaves for the program or
 * goes to sleep, never in between.  So kernel data needs no other locks, and nothing changes under
 * the feet of code that does not wait.  With one CPU all this is a flag that is never set. */
#ifndef KERNEL_SMP_H
#define KERNEL_SMP_H

#include <kernel/process.h>

/* The first CPU's (arch/x86_64/tables.S). */
extern struct percpu percpu0;

/* A second CPU was started. */
extern bool smp_active;

void smp_lock_from_user(void);
void smp_unlock_to_user(void);

/* On the doors into the kernel, before anything else; on the way out, after everything else. */
static inline void kernel_enter(void) {
    if (unlikely(smp_active)) smp_lock_from_user();
}
static inline void kernel_leave(void) {
    if (unlikely(smp_active)) smp_unlock_to_user();
}
/* Around a sleep in the loader: other CPUs may use the kernel meanwhile. */
void smp_release(void);
void smp_acquire(void);

/* CPUs that the program may use, their mask (bit n: CPU n), and that of those that run already. */
uint32_t cpu_count(void);
uint64_t cpu_possible_mask(void);
uint64_t cpu_online_mask(void);
/* The CPU of this number, or NULL if it was not started. */
struct percpu *cpu_get(uint32_t id);
/* Starts one more CPU if there may be one. */
void cpu_start_next(void);
/* Makes a CPU look at its pending work, soon: an interrupt if it runs the program, a wake-up if it
 * halts. */
void cpu_kick(struct percpu *cpu);
/* Non-zero while an interrupt is on its way there, until the CPU has the lock again. */
uint32_t *smp_kicked(const struct percpu *cpu);
/* Returns when every other CPU has been in the kernel since the call (or is not in the program):
 * what the program did there before is visible here, and nothing of it goes on until the lock is
 * free. */
void smp_quiesce(void);
/* The other CPUs on these page tables forget cached translations before they touch the program. */
void smp_flush(gpa_t root);
/* The same in two steps: they are told; they are in the kernel.  In between this CPU may do its
 * own part. */
void smp_flush_begin(gpa_t root);
void smp_flush_end(gpa_t root);
/* Does another CPU use these page tables? */
bool smp_root_in_use(gpa_t root);

/* sched.c: where a new CPU's C code begins. */
_Noreturn void sched_cpu_main(void);

#endif
