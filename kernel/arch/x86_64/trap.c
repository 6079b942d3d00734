/* SPDX-License-Identifier: MIT */
/* Exceptions and interrupts, in ring 3 on the thread's kernel stack. */
#include <kernel/arch.h>
#include <kernel/hc.h>
#include <kernel/log.h>
#include <kernel/mm.h>
#include <kernel/process.h>
#include <kernel/rewrite.h>
#include <kernel/rseq.h>
#include <kernel/sched.h>
#include <kernel/serial.h>
#include <kernel/signal.h>
#include <kernel/smp.h>
#include <kernel/stats.h>
#include <kernel/syscall.h>
#include <kernel/vfs.h>
#include <kernel/vvar.h>

#include "cpu.h"
#include "percpu_offsets.h"

_Static_assert(offsetof(struct percpu, kstack_top) == PC_KSTACK_TOP, "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, user_rsp) == PC_USER_RSP, "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, scratch) == PC_SCRATCH, "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, scratch2) == PC_SCRATCH2, "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, pending) == PC_PENDING, "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, full_restore) == PC_FULL_RESTORE, "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, cr2) == PC_CR2, "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, trap_rax) == PC_TRAP_RAX, "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, gate) == PC_GATE, "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, irq_stack) == PC_TRAP_STACK_TOP, "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, id) == PC_IRQ_STACK_TOP, "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, id) == VVAR_GS_CPU, "vvar.h");
_Static_assert(offsetof(struct percpu, root) == PC_ROOT, "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, leaf_stack) == PC_LEAF_STACK, "percpu_offsets.h");
_Static_assert(offsetof(struct percpu, leaf) == PC_LEAF, "percpu_offsets.h");
_Static_assert(sizeof(struct percpu) <= PC_SIZE, "percpu_offsets.h");
_Static_assert(sizeof(struct regs) == REGS_SIZE, "percpu_offsets.h");
_Static_assert(offsetof(struct regs, rbp) == REGS_RBP, "percpu_offsets.h");
_Static_assert(offsetof(struct regs, r10) == REGS_R10, "percpu_offsets.h");
_Static_assert(offsetof(struct regs, r9) == REGS_R9, "percpu_offsets.h");
_Static_assert(offsetof(struct regs, r8) == REGS_R8, "percpu_offsets.h");
_Static_assert(offsetof(struct regs, rax) == REGS_RAX, "percpu_offsets.h");
_Static_assert(offsetof(struct regs, rdx) == REGS_RDX, "percpu_offsets.h");
_Static_assert(offsetof(struct regs, rsi) == REGS_RSI, "percpu_offsets.h");
_Static_assert(offsetof(struct regs, rdi) == REGS_RDI, "percpu_offsets.h");
_Static_assert(offsetof(struct regs, rip) == REGS_RIP, "percpu_offsets.h");
_Static_assert(offsetof(struct regs, rflags) == REGS_RFLAGS, "percpu_offsets.h");
_Static_assert(offsetof(struct regs, rsp) == REGS_RSP, "percpu_offsets.h");

enum {
    VEC_DE = 0,
    VEC_DB = 1,
    VEC_BP = 3,
    VEC_OF = 4,
    VEC_BR = 5,
    VEC_UD = 6,
    VEC_NM = 7,
    VEC_NP = 11,
    VEC_SS = 12,
    VEC_GP = 13,
    VEC_PF = 14,
    VEC_MF = 16,
    VEC_AC = 17,
    VEC_MC = 18,
    VEC_XM = 19
};

#define PF_WRITE 2
#define PF_EXEC 16

struct extable_entry {
    uint64_t at, resume;
};
extern const struct extable_entry __extable_start[], __extable_end[];

static bool fixup(struct regs *regs) {
    for (const struct extable_entry *e = __extable_start; e < __extable_end; e++) {
        if (e->at == regs->rip) {
            regs->rip = e->resume;
            return true;
        }
    }
    return false;
}

static bool from_kernel(const struct regs *regs) {
    return regs->rip - (uint64_t)kernel_code < KERNEL_TEXT_SPAN;
}

/* si_code of an arithmetic fault from its status bits: invalid, -, zero divide, overflow,
 * underflow, precision (SDM vol. 1, 8.5 and 11.5). */
static int fpe_code(uint32_t bits) {
    if (bits & 0x01) return FPE_FLTINV;
    if (bits & 0x04) return FPE_FLTDIV;
    if (bits & 0x08) return FPE_FLTOVF;
    if (bits & 0x12) return FPE_FLTUND;
    return FPE_FLTRES;
}

static int x87_code(void) {
    uint16_t cw, sw;
    __asm__ volatile("fnstcw %0; fnstsw %1" : "=m"(cw), "=m"(sw));
    return fpe_code(sw & ~(uint32_t)cw);
}

static int simd_code(void) {
    uint32_t mxcsr;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    return fpe_code(mxcsr & ~(mxcsr >> 7));
}

static void user_exception(const struct regs *regs, uint64_t vector) {
    gva_t pc = rewrite_original_pc(current_mm(), regs->rip);
    /* Who steps from the site to what follows it does not see the stub; and told of the site again
     * would not get any further. */
    if (vector == VEC_DB && pc != regs->rip) return;
    switch (vector) {
    case VEC_DE:
        return signal_force(SIGFPE, FPE_INTDIV, pc);
    case VEC_DB:
        return signal_force(SIGTRAP, TRAP_TRACE, pc);
    case VEC_BP:
        return signal_force(SIGTRAP, SI_KERNEL, 0);
    case VEC_UD:
        return signal_force(SIGILL, ILL_ILLOPN, pc);
    case VEC_NP:
    case VEC_SS:
        return signal_force(SIGBUS, SI_KERNEL, 0);
    case VEC_MF:
        return signal_force(SIGFPE, x87_code(), pc);
    case VEC_XM:
        return signal_force(SIGFPE, simd_code(), pc);
    case VEC_AC:
        return signal_force(SIGBUS, BUS_ADRALN, 0);
    default:
        return signal_force(SIGSEGV, SI_KERNEL, 0);
    }
}

static void user_page_fault(gva_t addr, int error) {
    switch (error) {
    case -EACCES:
        return signal_force(SIGSEGV, SEGV_ACCERR, addr);
    case -ENXIO:
        return signal_force(SIGBUS, BUS_ADRERR, addr);
    case -ENOMEM:
        kprint("hermit: out of memory (raise it with -m): killing %s\n", current_thread()->comm);
        process_die(SIGKILL);
    default:
        return signal_force(SIGSEGV, SEGV_MAPERR, addr);
    }
}

static bool in_exit_path(const struct regs *regs) {
    return regs->rip - (uint64_t)exit_to_user < (uint64_t)(exit_to_user_end - exit_to_user);
}

/* The way out failed on the program's own registers (a return address that is not canonical):
 * the frame is intact, so this is a fault of the program. */
static bool exit_path_fault(struct regs *regs) {
    if (!in_exit_path(regs)) return false;
    signal_force(SIGSEGV, SI_KERNEL, 0);
    regs->rip = (uint64_t)exit_to_user;
    return true;
}

/* The loader's word that the instruction touched a page which the host does not have any more: a
 * file was truncated.  Run again it faults, which says what to do.  It does not fault where the
 * kernel's own direct map is read: such a copy fails. */
static bool host_page_gone(struct regs *regs) {
    static uint64_t last_rip, last_rcx, last_rsi;
    bool again = from_kernel(regs) && regs->rip == last_rip && regs->rcx == last_rcx &&
                 regs->rsi == last_rsi;
    last_rip = regs->rip;
    last_rcx = regs->rcx;
    last_rsi = regs->rsi;
    hostfs_remap_all();
    if (!again) return true;
    last_rip = 0;
    return fixup(regs);
}

static void handle_exception(struct regs *regs, uint64_t vector, uint64_t error, gva_t cr2) {
    if (vector == VEC_MC && host_page_gone(regs)) return;
    struct thread *t = current_thread();
    t->trap_nr = vector; /* for the signal frame */
    t->trap_error = error;
    if (vector == VEC_PF) t->trap_cr2 = cr2;
    if (vector == VEC_PF && cr2 < HERMIT_USER_TOP) {
        uint32_t access = error & PF_EXEC ? MM_EXEC : error & PF_WRITE ? MM_WRITE : MM_READ;
        hermit_stats.faults++;
        t->process->faults++;
        t->faults++;
        int r = mm_fault(current_mm(), cr2, access);
        if (r == 0) return;
        if (!from_kernel(regs)) return user_page_fault(cr2, r);
    } else if (!from_kernel(regs)) {
        if (vector == VEC_PF) return user_page_fault(cr2, -EFAULT);
        return user_exception(regs, vector);
    }
    if (fixup(regs) || exit_path_fault(regs)) return;
    panic("exception %lu (error %lx) at rip %lx, rsp %lx, cr2 %lx", vector, error, regs->rip,
          regs->rsp, cr2);
}

/* A door's first instructions were interrupted, or stepped through: the call is made from here, and
 * the trap has come after it. */
static void finish_door(struct regs *regs) {
    if (!leaf_finish(regs)) return;
    syscall_dispatch(regs, false);
    percpu()->full_restore = 1;
}

void trap_dispatch(struct regs *regs, uint64_t vector, uint64_t error, gva_t cr2) {
    if (unlikely(regs->rip - HERMIT_KERNEL_GVA < KERNEL_TEXT_SPAN) && !from_kernel(regs))
        finish_door(regs);
    if (vector >= 32) return; /* the monitor set pending; the exit path does the work */
    /* Elsewhere in the kernel the lock is held: a copy from or to the program. */
    bool outside = !from_kernel(regs) || in_exit_path(regs);
    if (outside) kernel_enter();
    handle_exception(regs, vector, error, cr2);
    if (outside) kernel_leave();
}

void exit_work(struct regs *regs) {
    kernel_enter();
    percpu()->pending = 0;
    if (boot_info()->engine == HERMIT_ENGINE_QEMU) serial_drain();
    signal_collect_events();
    sched_leave_kernel();
    signal_deliver(regs);
    rseq_leave(regs);
    kernel_leave();
}

void arch_idle(void) { monitor_halt(); }
