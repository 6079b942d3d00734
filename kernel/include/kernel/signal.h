/* SPDX-License-Identifier: MIT */
/* Signals: generation, masks, delivery on the exit path, frames. signal(7). */
#ifndef KERNEL_SIGNAL_H
#define KERNEL_SIGNAL_H

#include <kernel/process.h>
#include <kernel/waitq.h>

/* Woken when a signal starts to wait for delivery (signalfd). */
extern struct waitq signal_waitq;

/* Queues sig for the process.  info NULL: SI_USER from ourselves.  0, or -EAGAIN when a real-time
 * signal does not fit within RLIMIT_SIGPENDING. */
int signal_send(int sig, const siginfo_t *info);
/* As signal_send, for one thread. */
int signal_send_thread(struct thread *t, int sig, const siginfo_t *info);
/* Something that has one signal at most in the queues and hears when it leaves them: part of the
 * object that it is for, all zero with `taken` set to begin with. */
struct signal_source {
    struct signal_node *node; /* NULL: not queued */
    /* info: about to be given to the program, may be changed; NULL: it was dropped. */
    void (*taken)(struct signal_source *s, siginfo_t *info);
};
/* Queues sig, whatever the limits are; t NULL: for the process.  false: it is ignored, or memory is
 * exhausted.  s must not be queued. */
bool signal_send_source(struct signal_source *s, struct thread *t, int sig, const siginfo_t *info);
/* A queued signal of s stays, but s does not hear of it any more. */
void signal_source_detach(struct signal_source *s);
/* A fault of the current instruction: cannot be blocked or ignored (force_sig in Linux).  The
 * caller sets the thread's trap_nr and trap_error first. */
void signal_force(int sig, int code, gva_t addr);
/* The same with details of another kind. */
void signal_force_info(int sig, const siginfo_t *info);
/* A signal that the current mask lets through is waiting. */
bool signal_pending(void);
/* Signals of the current thread or its process that wait for delivery. */
uint64_t signal_pending_set(void);
/* Removes one waiting signal of `set`: its number with *info filled, or 0. */
int signal_take(uint64_t set, siginfo_t *info);
/* Drops every waiting signal of `set`. */
void signal_discard(uint64_t set);
/* What happens to sig without a handler is nothing. */
bool signal_default_ignored(int sig);
/* Waits for a signal of `set` (its number with *info filled), the deadline (-ETIMEDOUT) or a
 * signal that interrupts (-EINTR). */
int signal_wait(uint64_t set, siginfo_t *info, int64_t deadline_ns);
/* Returns when the process is not stopped, or has to end. */
void signal_wait_while_stopped(void);
/* Drops what waits for a thread that ends; what waits for the process goes to another. */
void signal_thread_exit(struct thread *t);
/* Takes events that the loader posted (signals sent to hermit-run, the timer). */
void signal_collect_events(void);
/* Exit path: delivers what is pending, restarts or fails an interrupted call. */
void signal_deliver(struct regs *regs);
/* rt_sigreturn(2). */
int64_t signal_return(struct regs *regs);
/* Replaces the mask (SIGKILL and SIGSTOP stay unblockable). */
void signal_set_mask(uint64_t mask);
/* Replaces the mask until the call ends: a handler sees `mask`, the program the old one
 * (sigsuspend, ppoll, pselect).  To be followed by -ERESTARTNOHAND or signal_restore_mask(). */
void signal_set_temporary_mask(uint64_t mask);
void signal_restore_mask(void);
/* True if rsp lies on the thread's alternate stack. */
bool signal_on_altstack(const struct thread *t, gva_t rsp);
/* sigaltstack(2)'s checks and effect, for a program at rsp. */
int signal_set_altstack(struct thread *t, const stack_t *stack, gva_t rsp);
/* Arms ITIMER_REAL for deadline_ns (CLOCK_MONOTONIC, 0: off). */
void signal_set_itimer(int64_t deadline_ns, int64_t interval_ns);
/* execve: handlers go back to default. */
void signal_reset_handlers(void);
/* Size of the state that the CPU's XSAVE needs in a frame, bytes (AT_MINSIGSTKSZ). */
uint32_t signal_frame_size(void);

/* Writes the report of a fatal fault: signal, address, registers, frames as module+offset. */
void crash_report(const struct regs *regs, int sig, const siginfo_t *info);

#endif
