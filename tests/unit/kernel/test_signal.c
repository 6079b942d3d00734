/* SPDX-License-Identifier: MIT */
/* Signal queues and the exit path: coalescing, order, limits, defaults, restarting of calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kernel/rewrite.h>
#include <kernel/rseq.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/wait.h>

#include "fake_cpu.h"
#include "kernel/signal_internal.h"

static jmp_buf died;
static int died_of, reports, frames, waits, push_error;
static int frame_sigs[16];

void process_die(int sig) {
    died_of = sig;
    longjmp(died, 1);
}
void crash_report(const struct regs *regs, int sig, const siginfo_t *info) { reports++; }

int signal_push_frame(struct regs *regs, int sig, const struct k_sigaction *action,
                      const siginfo_t *info) {
    if (push_error) return push_error;
    frame_sigs[frames++ % 16] = sig;
    regs->rax = 0;
    regs->rip = action->handler;
    return 0;
}

/* The wait of a stopped process: SIGCONT comes after a while. */
void wait_sleep(void) {
    if (waits++ == 0)
        signal_send(SIGUSR1, NULL);
    else
        signal_send(SIGCONT, NULL);
    assert_true(waits <= 2);
}

int wait_until_woken(bool (*ready)(void *arg), void *arg, int64_t deadline_ns) {
    return ready(arg) ? 0 : -EINTR;
}

void sched_wake(struct thread *t) {}
void sched_interrupt(struct thread *t) { percpu()->pending = 1; }
int rseq_before_signal(struct regs *regs) { return 0; }
gva_t rewrite_original_pc(struct mm *mm, gva_t pc) { return pc; }

static int setup(void **state) {
    fake_cpu_reset();
    died_of = reports = frames = waits = push_error = 0;
    return 0;
}

static int teardown(void **state) {
    signal_discard(~0ULL);
    assert_int_equal(fake_process.queued_signals, 0);
    return 0;
}

static void handle(int sig, uint64_t flags) {
    fake_process.actions[sig - 1] = (struct k_sigaction){.handler = 0x5000, .flags = flags};
}

static siginfo_t details(int code, int value) {
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_code = code;
    info.si_int = value;
    return info;
}

static void test_coalesce_and_queue(void **state) {
    siginfo_t got, info = details(SI_QUEUE, 0);
    signal_set_mask(~0ULL);
    signal_send(SIGUSR1, NULL);
    signal_send(SIGUSR1, NULL);
    assert_int_equal(fake_process.queued_signals, 1);
    for (int i = 0; i < 3; i++) {
        info.si_int = i;
        assert_int_equal(signal_send(40, &info), 0);
    }
    info.si_int = 9;
    assert_int_equal(signal_send(40, &info), -EAGAIN); /* the limit is 4 */
    assert_int_equal(signal_send(SIGUSR2, NULL), 0);   /* not for kill(2) */
    assert_int_equal(signal_take(~0ULL, &got), SIGUSR1);
    assert_int_equal(got.si_pid, fake_process.pid);
    assert_int_equal(signal_take(SIG_BIT(40), &got), 40);
    assert_int_equal(got.si_int, 0);
    assert_true(signal_pending_set() & SIG_BIT(40));
    assert_int_equal(signal_take(SIG_BIT(40), &got), 40);
    assert_int_equal(signal_take(SIG_BIT(40), &got), 40);
    assert_int_equal(got.si_int, 2);
    assert_int_equal(signal_take(SIG_BIT(40), &got), 0);
    assert_int_equal(signal_take(~0ULL, &got), SIGUSR2);
    assert_int_equal(signal_take(~0ULL, &got), 0);
}

static void test_order(void **state) {
    siginfo_t got, fault = details(SEGV_MAPERR, 0);
    signal_set_mask(~0ULL);
    signal_send(SIGHUP, NULL);
    signal_send(SIGTERM, NULL);
    signal_send_thread(&fake_thread, SIGSEGV, &fault);
    assert_int_equal(signal_take(~0ULL, &got), SIGSEGV); /* faults first */
    assert_int_equal(signal_take(~0ULL, &got), SIGHUP);
    assert_int_equal(signal_take(~0ULL, &got), SIGTERM);
}

static void test_ignored(void **state) {
    signal_send(SIGCHLD, NULL);
    fake_process.actions[SIGUSR1 - 1].handler = (uint64_t)SIG_IGN;
    signal_send(SIGUSR1, NULL);
    assert_int_equal(signal_pending_set(), 0);
    assert_int_equal(fake_percpu.pending, 0);
    signal_set_mask(SIG_BIT(SIGCHLD));
    signal_send(SIGCHLD, NULL); /* blocked: kept, in case a handler comes */
    assert_true(signal_pending_set() & SIG_BIT(SIGCHLD));
    assert_false(signal_pending());
    signal_set_mask(0);
    assert_int_equal(fake_percpu.pending, 1);
    signal_discard(SIG_BIT(SIGCHLD));
    signal_set_mask(~0ULL);
    assert_false(fake_thread.sigmask & SIG_BIT(SIGKILL));
}

/* rax and rip after delivery of `sig` to a call that ended with `result`. */
static struct regs interrupted(int64_t result, int sig) {
    struct regs r = {.orig_rax = 7, .rax = (uint64_t)result, .rip = 0x1002};
    if (sig) signal_send(sig, NULL);
    signal_deliver(&r);
    return r;
}

static void test_restart(void **state) {
    const int64_t codes[] = {-ERESTARTSYS, -ERESTARTNOINTR, -ERESTARTNOHAND};
    for (unsigned i = 0; i < 3; i++) {
        struct regs r = interrupted(codes[i], 0);
        assert_int_equal(r.rip, 0x1000);
        assert_int_equal(r.rax, 7);
    }
    struct regs r = interrupted(-ERESTART_RESTARTBLOCK, 0);
    assert_int_equal(r.rip, 0x1000);
    assert_int_equal(r.rax, __NR_restart_syscall);
    r = interrupted(-EINTR, 0);
    assert_int_equal(r.rip, 0x1002);
    r = (struct regs){.orig_rax = ~0ULL, .rax = (uint64_t)-ERESTARTSYS, .rip = 0x1002};
    signal_deliver(&r); /* a trap, not a call */
    assert_int_equal(r.rip, 0x1002);
}

static void test_handlers(void **state) {
    handle(SIGUSR1, 0);
    handle(SIGUSR2, SA_RESETHAND | SA_NODEFER);
    signal_set_mask(SIG_BIT(SIGUSR1) | SIG_BIT(SIGUSR2));
    signal_send(SIGUSR1, NULL);
    signal_send(SIGUSR2, NULL);
    signal_set_temporary_mask(0);
    struct regs r = interrupted(-ERESTARTNOHAND, 0);
    assert_int_equal(frames, 2);
    assert_int_equal(frame_sigs[0], SIGUSR1);
    assert_int_equal(r.rip, 0x5000);
    assert_int_equal(fake_thread.sigmask, SIG_BIT(SIGUSR1)); /* USR2 has SA_NODEFER */
    assert_false(fake_thread.restore_sigmask);
    assert_int_equal(fake_process.actions[SIGUSR2 - 1].handler, 0);

    signal_set_mask(0);
    signal_set_temporary_mask(SIG_BIT(SIGHUP));
    interrupted(-ERESTARTNOHAND, 0);
    assert_int_equal(fake_thread.sigmask, 0);
}

static void test_no_stack(void **state) {
    handle(SIGUSR1, 0);
    push_error = -EFAULT;
    if (setjmp(died) == 0) interrupted(0, SIGUSR1);
    assert_int_equal(died_of, SIGSEGV);
    assert_int_equal(reports, 1);
    handle(SIGSEGV, 0); /* its handler has no stack either */
    if (setjmp(died) == 0) interrupted(0, SIGUSR1);
    assert_int_equal(reports, 2);
}

static void test_defaults(void **state) {
    if (setjmp(died) == 0) interrupted(0, SIGTERM);
    assert_int_equal(died_of, SIGTERM);
    if (setjmp(died) == 0) interrupted(0, SIGSEGV); /* kill(2): no report */
    assert_int_equal(died_of, SIGSEGV);
    assert_int_equal(reports, 0);
    fake_thread.sigmask = SIG_BIT(SIGFPE);
    handle(SIGFPE, 0);
    signal_force(SIGFPE, FPE_INTDIV, 0x1234); /* blocked: the handler does not count */
    if (setjmp(died) == 0) interrupted(0, 0);
    assert_int_equal(died_of, SIGFPE);
    assert_int_equal(reports, 1);
}

static void test_stop(void **state) {
    handle(SIGUSR1, 0);
    struct regs r = interrupted(-ERESTARTSYS, SIGTSTP);
    assert_int_equal(waits, 2);
    assert_int_equal(frames, 1); /* the SIGUSR1 that came while it was stopped */
    assert_int_equal(r.rip, 0x5000);
    assert_false(fake_process.stopped);
    signal_set_mask(~0ULL);
    signal_send(SIGTSTP, NULL);
    signal_send(SIGCONT, NULL);
    assert_false(signal_pending_set() & SIG_BIT(SIGTSTP));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_coalesce_and_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ignored, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_handlers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_stack, setup, teardown),
        cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
