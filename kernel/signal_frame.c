/* SPDX-License-Identifier: MIT */
/* Signal frames as Linux builds them on x86-64, the alternate stack, rt_sigreturn(2).
 *
 * Downward from the program's stack pointer: its red zone, the XSAVE area (64-byte aligned, with
 * FP_XSTATE_MAGIC2 behind it), struct rt_sigframe.  The stack is the program's: what comes back
 * from it is checked before it reaches a register. */
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <kernel/xstate.h>

#include "signal_internal.h"

#define RED_ZONE 128
#define FRAME_ALIGN 16
#define XSAVE_ALIGN 64

#define FLAG_TF 0x100ULL
#define FLAG_DF 0x400ULL
#define FLAG_RF 0x10000ULL
/* What a program can change with popf, and so with a frame: AC OF DF TF SF ZF AF PF CF. */
#define USER_FLAGS (0x40000ULL | 0x800ULL | FLAG_DF | FLAG_TF | 0xd5ULL)

#define ALT_MODE_BITS (~(uint32_t)SS_FLAG_BITS)

struct rt_sigframe {
    uint64_t pretcode;
    struct ucontext uc;
    siginfo_t info;
};

_Static_assert(sizeof(struct ucontext) == 304, "Linux ABI");
_Static_assert(sizeof(struct rt_sigframe) == 440, "Linux ABI");

uint32_t signal_frame_size(void) {
    uint32_t fp = xstate_size() + FP_XSTATE_MAGIC2_SIZE + XSAVE_ALIGN - 1;
    uint32_t bytes = (uint32_t)sizeof(struct rt_sigframe) + FRAME_ALIGN - 1 + fp;
    return (bytes + FRAME_ALIGN - 1) & ~(FRAME_ALIGN - 1u);
}

static bool within_altstack(const struct thread *t, gva_t rsp) {
    gva_t base = (gva_t)t->altstack.ss_sp;
    return rsp > base && rsp - base <= t->altstack.ss_size;
}

bool signal_on_altstack(const struct thread *t, gva_t rsp) {
    if ((uint32_t)t->altstack.ss_flags & SS_AUTODISARM) return false;
    return within_altstack(t, rsp);
}

int signal_set_altstack(struct thread *t, const stack_t *stack, gva_t rsp) {
    uint32_t mode = (uint32_t)stack->ss_flags & ALT_MODE_BITS;
    if (signal_on_altstack(t, rsp)) return -EPERM;
    if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE) return -EINVAL;
    if (t->altstack.ss_sp == stack->ss_sp && t->altstack.ss_size == stack->ss_size &&
        t->altstack.ss_flags == stack->ss_flags)
        return 0;
    if (mode == SS_DISABLE) {
        t->altstack = (stack_t){.ss_flags = stack->ss_flags};
        return 0;
    }
    if (stack->ss_size < MINSIGSTKSZ) return -ENOMEM;
    t->altstack = *stack;
    return 0;
}

/* Where the parts of a new frame go. */
struct frame_place {
    gva_t frame, fpstate;
};

static int place_frame(const struct thread *t, uint64_t flags, gva_t rsp, struct frame_place *out) {
    bool on_altstack = signal_on_altstack(t, rsp);
    gva_t sp = rsp - RED_ZONE;
    if ((flags & SA_ONSTACK) && t->altstack.ss_size != 0 && !signal_on_altstack(t, sp)) {
        sp = (gva_t)t->altstack.ss_sp + t->altstack.ss_size;
        on_altstack = true;
    }
    uint64_t fp_bytes = xstate_size() + (xstate_features() ? FP_XSTATE_MAGIC2_SIZE : 0);
    out->fpstate = (sp - fp_bytes) & ~(gva_t)(XSAVE_ALIGN - 1);
    /* The handler starts as if called: rsp + 8 is a multiple of 16. */
    out->frame = ((out->fpstate - sizeof(struct rt_sigframe)) & ~(gva_t)(FRAME_ALIGN - 1)) - 8;
    return on_altstack && !within_altstack(t, out->frame) ? -EFAULT : 0;
}

static int save_fpstate(gva_t to) {
    struct _xstate *area = xstate_alloc();
    if (!area) return -ENOMEM;
    uint32_t size = xstate_size(), magic2 = FP_XSTATE_MAGIC2;
    xstate_save(area);
    int r = 0;
    if (xstate_features()) {
        struct _fpx_sw_bytes *sw = &area->fpstate.sw_reserved;
        sw->magic1 = FP_XSTATE_MAGIC1;
        sw->extended_size = size + FP_XSTATE_MAGIC2_SIZE;
        sw->xfeatures = xstate_features();
        sw->xstate_size = size;
        area->xstate_hdr.xfeatures |= XSTATE_FPSSE; /* readers take the legacy part as valid */
        r = put_user(magic2, to + size);
    }
    if (r == 0) r = copy_to_user(to, area, size);
    xstate_free(area);
    return r;
}

static void fill_context(struct sigcontext *c, const struct regs *regs, const struct thread *t) {
    c->r8 = regs->r8, c->r9 = regs->r9, c->r10 = regs->r10, c->r11 = regs->r11;
    c->r12 = regs->r12, c->r13 = regs->r13, c->r14 = regs->r14, c->r15 = regs->r15;
    c->rdi = regs->rdi, c->rsi = regs->rsi, c->rbp = regs->rbp, c->rbx = regs->rbx;
    c->rdx = regs->rdx, c->rax = regs->rax, c->rcx = regs->rcx;
    c->rsp = regs->rsp, c->rip = regs->rip, c->eflags = regs->rflags;
    c->cs = HERMIT_CS3, c->ss = HERMIT_SS3;
    c->trapno = t->trap_nr, c->err = t->trap_error, c->cr2 = t->trap_cr2;
}

int signal_push_frame(struct regs *regs, int sig, const struct k_sigaction *action,
                      const siginfo_t *info) {
    struct thread *t = current_thread();
    struct frame_place at;
    struct rt_sigframe f;
    if (!(action->flags & SA_RESTORER)) return -EFAULT;
    if (place_frame(t, action->flags, regs->rsp, &at) < 0) return -EFAULT;
    if (save_fpstate(at.fpstate) < 0) return -EFAULT;

    memset(&f, 0, sizeof(f));
    f.pretcode = action->restorer;
    f.uc.uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
    if (xstate_features()) f.uc.uc_flags |= UC_FP_XSTATE;
    f.uc.uc_stack = t->altstack;
    if (t->altstack.ss_size == 0) f.uc.uc_stack.ss_flags |= SS_DISABLE;
    fill_context(&f.uc.uc_mcontext, regs, t);
    f.uc.uc_mcontext.fpstate = (struct _fpstate *)at.fpstate;
    f.uc.uc_sigmask = t->restore_sigmask ? t->saved_sigmask : t->sigmask;
    f.uc.uc_mcontext.oldmask = f.uc.uc_sigmask;
    f.info = *info;
    if (copy_to_user(at.frame, &f, sizeof(f)) < 0) return -EFAULT;

    if ((uint32_t)t->altstack.ss_flags & SS_AUTODISARM) t->altstack = (stack_t){0};
    regs->rdi = (uint64_t)sig;
    regs->rsi = at.frame + offsetof(struct rt_sigframe, info);
    regs->rdx = at.frame + offsetof(struct rt_sigframe, uc);
    regs->rax = 0;
    regs->rsp = at.frame;
    regs->rip = action->handler;
    regs->rflags &= ~(FLAG_DF | FLAG_TF | FLAG_RF);
    percpu()->full_restore = 1;
    return 0;
}

/* Reads the part beyond the legacy area if the frame says that there is one and its end mark is
 * in place; without it the other components get their initial state, as in Linux. */
static int load_extended(struct _xstate *area, gva_t from) {
    const struct _fpx_sw_bytes sw = area->fpstate.sw_reserved;
    uint64_t legacy = sizeof(area->fpstate), present = XSTATE_FPSSE;
    uint32_t magic2 = 0;
    if (sw.magic1 == FP_XSTATE_MAGIC1 && sw.xstate_size >= offsetof(struct _xstate, ymmh) &&
        sw.xstate_size <= xstate_size() && sw.xstate_size <= sw.extended_size) {
        if (get_user(magic2, from + sw.xstate_size) < 0) return -EFAULT;
    }
    if (magic2 == FP_XSTATE_MAGIC2) {
        if (copy_from_user((char *)area + legacy, from + legacy, sw.xstate_size - legacy) < 0)
            return -EFAULT;
        present = area->xstate_hdr.xfeatures;
        if (!xstate_valid(area)) return -EFAULT;
        present &= sw.xfeatures;
    }
    area->xstate_hdr.xfeatures = present;
    return 0;
}

static int restore_fpstate(gva_t from) {
    struct _xstate *area = xstate_alloc();
    if (!area) return -ENOMEM;
    int r = 0;
    if (from) {
        r = copy_from_user(area, from, sizeof(area->fpstate));
        if (r == 0 && xstate_features()) r = load_extended(area, from);
    } else {
        area->fpstate.cwd = 0x37f; /* the state of a fresh program (SDM vol. 1, 13.6) */
        area->fpstate.mxcsr = 0x1f80;
    }
    if (r == 0 && !xstate_valid(area)) r = -EFAULT;
    if (r == 0) xstate_restore(area);
    xstate_free(area);
    return r;
}

static void restore_context(struct regs *regs, const struct sigcontext *c) {
    regs->r8 = c->r8, regs->r9 = c->r9, regs->r10 = c->r10, regs->r11 = c->r11;
    regs->r12 = c->r12, regs->r13 = c->r13, regs->r14 = c->r14, regs->r15 = c->r15;
    regs->rdi = c->rdi, regs->rsi = c->rsi, regs->rbp = c->rbp, regs->rbx = c->rbx;
    regs->rdx = c->rdx, regs->rax = c->rax, regs->rcx = c->rcx;
    regs->rsp = c->rsp, regs->rip = c->rip;
    regs->cs = HERMIT_CS3, regs->ss = HERMIT_SS3;
    regs->rflags = (regs->rflags & ~USER_FLAGS) | (c->eflags & USER_FLAGS);
    regs->orig_rax = ~0ULL; /* nothing to restart */
    percpu()->full_restore = 1;
}

int64_t signal_return(struct regs *regs) {
    struct thread *t = current_thread();
    gva_t frame = regs->rsp - sizeof(uint64_t); /* the handler's ret took pretcode */
    struct ucontext uc;
    t->restart = NULL;
    if (copy_from_user(&uc, frame + offsetof(struct rt_sigframe, uc), sizeof(uc)) < 0 ||
        restore_fpstate((gva_t)uc.uc_mcontext.fpstate) < 0) {
        signal_force(SIGSEGV, SI_KERNEL, 0);
        return 0;
    }
    restore_context(regs, &uc.uc_mcontext);
    signal_set_mask(uc.uc_sigmask);
    signal_set_altstack(t, &uc.uc_stack, regs->rsp); /* Linux ignores its verdict, too */
    return (int64_t)regs->rax;
}
