/* SPDX-License-Identifier: MIT */
/* Signal frames: layout, round trip, alternate stack, hostile frames at sigreturn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/xstate.h>

#include "fake_cpu.h"
#include "kernel/signal_internal.h"

#define FRAME_UC 8
#define FRAME_INFO 312

static int forced;

void signal_force(int sig, int code, gva_t addr) {
    assert_int_equal(sig, SIGSEGV);
    forced++;
}
void signal_set_mask(uint64_t mask) { fake_thread.sigmask = mask; }

static struct k_sigaction action;
static siginfo_t info;

static int setup(void **state) {
    fake_cpu_reset();
    forced = 0;
    action = (struct k_sigaction){
        .handler = 0x401000, .flags = SA_RESTORER | SA_SIGINFO, .restorer = 0x402000};
    memset(&info, 0x5a, sizeof(info));
    return 0;
}

static struct regs sample_regs(void) {
    struct regs r;
    uint64_t *words = (uint64_t *)&r;
    for (size_t i = 0; i < sizeof(r) / sizeof(*words); i++)
        words[i] = 0x1000 + i;
    r.rsp = (uint64_t)fake_user + FAKE_USER_BYTES - 13;
    r.rflags = 0x202 | 0x400 | 0x1;
    r.cs = HERMIT_CS3;
    r.ss = HERMIT_SS3;
    return r;
}

/* What the handler's ret does. */
static void return_from_handler(struct regs *r) { r->rsp += 8; }

static void test_round_trip(void **state) {
    struct regs r = sample_regs(), before = r;
    fake_thread.sigmask = 0x1234;
    assert_int_equal(signal_push_frame(&r, 10, &action, &info), 0);
    assert_int_equal(r.rip, 0x401000);
    assert_int_equal(r.rdi, 10);
    assert_int_equal(r.rax, 0);
    assert_int_equal(r.rdx, r.rsp + FRAME_UC);
    assert_int_equal(r.rsi, r.rsp + FRAME_INFO);
    assert_int_equal((r.rsp + 8) % 16, 0);
    assert_int_equal(*(uint64_t *)r.rsp, 0x402000);
    assert_int_equal(r.rflags & 0x400, 0);
    assert_memory_equal((void *)r.rsi, &info, sizeof(info));
    assert_true(fake_percpu.full_restore == 1);
    const struct ucontext *uc = (const void *)r.rdx;
    assert_int_equal((uint64_t)uc->uc_mcontext.fpstate % 64, 0);
    assert_true((uint64_t)uc->uc_mcontext.fpstate + xstate_size() + 4 <= before.rsp - 128);
    assert_true((uint64_t)fake_user + FAKE_USER_BYTES - r.rsp < signal_frame_size() + 128 + 16);

    fake_thread.sigmask = 0;
    return_from_handler(&r);
    assert_int_equal(signal_return(&r), before.rax);
    assert_int_equal(forced, 0);
    assert_int_equal(fake_thread.sigmask, 0x1234);
    assert_int_equal(r.orig_rax, ~0ULL);
    r.orig_rax = before.orig_rax;
    assert_memory_equal(&r, &before, sizeof(r));
}

static void test_altstack(void **state) {
    struct regs r = sample_regs();
    stack_t st = {.ss_sp = fake_user, .ss_size = 8192};
    assert_int_equal(signal_set_altstack(&fake_thread, &st, r.rsp), 0);
    action.flags |= SA_ONSTACK;
    assert_int_equal(signal_push_frame(&r, 10, &action, &info), 0);
    assert_true(r.rsp > (uint64_t)fake_user && r.rsp < (uint64_t)fake_user + 8192);
    assert_int_equal(signal_set_altstack(&fake_thread, &st, r.rsp), -EPERM);
    /* Nested frames go below, until there is no room. */
    uint64_t sp = r.rsp;
    assert_int_equal(signal_push_frame(&r, 10, &action, &info), 0);
    assert_true(r.rsp < sp);
    assert_int_equal(signal_push_frame(&r, 10, &action, &info), -EFAULT);

    r = sample_regs();
    st.ss_flags = (int)SS_AUTODISARM;
    assert_int_equal(signal_set_altstack(&fake_thread, &st, r.rsp), 0);
    assert_int_equal(signal_push_frame(&r, 10, &action, &info), 0);
    assert_int_equal(fake_thread.altstack.ss_size, 0);
    return_from_handler(&r);
    signal_return(&r);
    assert_int_equal(fake_thread.altstack.ss_size, 8192);
}

static void test_bad_stack(void **state) {
    struct regs r = sample_regs();
    r.rsp = 64;
    assert_int_equal(signal_push_frame(&r, 10, &action, &info), -EFAULT);
    r.rsp = 0x8000000000000000;
    assert_int_equal(signal_push_frame(&r, 10, &action, &info), -EFAULT);
    action.flags &= ~(uint64_t)SA_RESTORER;
    r = sample_regs();
    assert_int_equal(signal_push_frame(&r, 10, &action, &info), -EFAULT);
}

/* Privileged flags and segments of the frame have no effect. */
static void test_flags(void **state) {
    struct regs r = sample_regs();
    assert_int_equal(signal_push_frame(&r, 10, &action, &info), 0);
    struct ucontext *uc = (void *)r.rdx;
    uc->uc_mcontext.eflags = ~0ULL;
    uc->uc_mcontext.cs = HERMIT_CS0;
    uc->uc_mcontext.ss = 0;
    return_from_handler(&r);
    signal_return(&r);
    assert_int_equal(r.rflags, 0x202 | 0x40dd5);
    assert_int_equal(r.cs, HERMIT_CS3);
    assert_int_equal(r.ss, HERMIT_SS3);

    r = sample_regs();
    assert_int_equal(signal_push_frame(&r, 10, &action, &info), 0);
    uc = (void *)r.rdx;
    uc->uc_mcontext.eflags = 0;
    return_from_handler(&r);
    signal_return(&r);
    assert_int_equal(r.rflags, 0x202); /* interrupts stay on */
}

/* One change of the saved vector state, and whether sigreturn takes it. */
static void try_state(void (*change)(struct _xstate *x), bool accepted) {
    struct regs r = sample_regs();
    forced = 0;
    assert_int_equal(signal_push_frame(&r, 10, &action, &info), 0);
    struct ucontext *uc = (void *)r.rdx;
    change((struct _xstate *)uc->uc_mcontext.fpstate);
    return_from_handler(&r);
    struct _xstate *keep = xstate_alloc();
    xstate_save(keep);
    signal_return(&r);
    xstate_restore(keep);
    xstate_free(keep);
    assert_int_equal(forced, accepted ? 0 : 1);
}

static void bad_mxcsr(struct _xstate *x) { x->fpstate.mxcsr |= 0x80000000; }
static void bad_feature(struct _xstate *x) { x->xstate_hdr.xfeatures |= 1ULL << 62; }
static void compacted(struct _xstate *x) { x->xstate_hdr.reserved1[0] = 1ULL << 63; }
static void reserved(struct _xstate *x) { x->xstate_hdr.reserved2[4] = 1; }
static void no_magic(struct _xstate *x) {
    x->fpstate.sw_reserved.magic1 = 0;
    bad_feature(x); /* not looked at */
}
static void huge(struct _xstate *x) { x->fpstate.sw_reserved.xstate_size = 0xfffffff0; }
static void fewer(struct _xstate *x) { x->fpstate.sw_reserved.xfeatures = 1; }

static void test_hostile_state(void **state) {
    try_state(bad_mxcsr, false);
    if (xstate_features() == 0) return;
    try_state(bad_feature, false);
    try_state(compacted, false);
    try_state(reserved, false);
    try_state(no_magic, true);
    try_state(huge, true);
    try_state(fewer, true);
}

/* Random damage never faults the kernel.  PKRU is left alone: it would hit the test itself. */
static void test_random_frames(void **state) {
    uint32_t seed = 1;
    struct _xstate *keep = xstate_alloc();
    xstate_save(keep);
    for (int round = 0; round < 5000; round++) {
        struct regs r = sample_regs();
        assert_int_equal(signal_push_frame(&r, 10, &action, &info), 0);
        struct ucontext *uc = (void *)r.rdx;
        struct _xstate *x = (struct _xstate *)uc->uc_mcontext.fpstate;
        for (int i = 0; i < 1 + round % 8; i++) {
            seed = seed * 1664525 + 1013904223;
            unsigned char *area = round & 1 ? (unsigned char *)x : (unsigned char *)uc;
            area[(seed >> 8) % 600] = (unsigned char)(seed >> 24);
        }
        x->fpstate.sw_reserved.xfeatures &= 0xff;
        return_from_handler(&r);
        signal_return(&r);
        xstate_restore(keep);
        fake_thread.altstack = (stack_t){0};
    }
    xstate_free(keep);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_round_trip, setup),
        cmocka_unit_test_setup(test_altstack, setup),
        cmocka_unit_test_setup(test_bad_stack, setup),
        cmocka_unit_test_setup(test_flags, setup),
        cmocka_unit_test_setup(test_hostile_state, setup),
        cmocka_unit_test_setup(test_random_frames, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
