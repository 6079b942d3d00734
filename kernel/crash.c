/* SPDX-License-Identifier: MIT */
/* The report of a program's fatal fault: signal, registers, call frames.  Owns nothing.
 *
 * The program's stack may be garbage: every word is read with copy_from_user, loops are bounded,
 * and a frame found by guessing is marked with '?'. */
#include <kernel/log.h>
#include <kernel/mm.h>
#include <kernel/signal.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>

#define WALK_FRAMES 32 /* frames followed */
#define SHOW_FRAMES 14 /* frames printed */
#define SCAN_WORDS 512 /* words of stack looked at for return addresses */
#define NEAR_STACK 8192
#define MAX_FRAME_BYTES (16ULL << 20)

static const char *const signal_names[] = {
    [SIGILL] = "SIGILL", [SIGTRAP] = "SIGTRAP", [SIGBUS] = "SIGBUS",
    [SIGFPE] = "SIGFPE", [SIGSEGV] = "SIGSEGV", [SIGSYS] = "SIGSYS",
};

static const char *segv_reason(const struct regs *regs, int code, gva_t addr) {
    if (code == SEGV_ACCERR) return "access not permitted";
    if (code != SEGV_MAPERR) return "general protection fault, stack or frame not usable";
    /* Pushing and locals touch memory near rsp; stray pointers seldom do. */
    bool near_stack = addr - regs->rsp + NEAR_STACK < 2 * NEAR_STACK;
    return near_stack ? "stack overflow" : "address not mapped";
}

static const char *reason(const struct regs *regs, int sig, const siginfo_t *info) {
    int code = info->si_code;
    switch (sig) {
    case SIGSEGV:
        return segv_reason(regs, code, (gva_t)info->si_addr);
    case SIGBUS:
        if (code == BUS_ADRERR) return "beyond the end of a mapped file";
        return code == BUS_ADRALN ? "misaligned access" : "stack segment fault";
    case SIGFPE:
        return code == FPE_INTDIV ? "integer division" : "floating-point exception";
    case SIGILL:
        return "illegal instruction";
    case SIGTRAP:
        return "breakpoint or trap";
    default:
        return "bad system call";
    }
}

static const struct vma *code_at(gva_t addr) {
    const struct vma *v = addr < HERMIT_USER_TOP ? mm_find(current_mm(), addr) : NULL;
    return v && (v->prot & PROT_EXEC) ? v : NULL;
}

/* The instruction before a return address is a call: e8 rel32, or ff /2 of 2 to 7 bytes. */
static bool follows_call(gva_t addr) {
    uint8_t b[7];
    if (!code_at(addr - 1) || copy_from_user(b, addr - sizeof(b), sizeof(b)) < 0) return false;
    if (b[2] == 0xe8) return true;
    for (unsigned at = 0; at < sizeof(b) - 1; at++)
        if (at != 2 && b[at] == 0xff && (b[at + 1] & 0x38) == 0x10) return true;
    return false;
}

static void print_frame(unsigned nr, gva_t addr, bool sure) {
    const struct vma *v = addr < HERMIT_USER_TOP ? mm_find(current_mm(), addr) : NULL;
    const char *mark = sure ? "" : " ?";
    if (!v)
        kprint("  #%-2u 0x%lx%s\n", nr, addr, mark);
    else if (v->file && v->file->path)
        kprint("  #%-2u 0x%lx %s+0x%lx%s\n", nr, addr, v->file->path, v->offset + addr - v->start,
               mark);
    else
        kprint("  #%-2u 0x%lx %s+0x%lx%s\n", nr, addr, v->name ? v->name : "[anonymous]",
               addr - v->start, mark);
}

/* Guesses: words of the stack that follow a call.  They may be left over from calls that have
 * returned. */
static unsigned scan_stack(gva_t from, unsigned nr) {
    gva_t sp = from & ~7ULL;
    for (unsigned i = 0; i < SCAN_WORDS && nr < SHOW_FRAMES; i++) {
        uint64_t word;
        if (get_user(word, sp + i * sizeof(word)) < 0) break;
        if (code_at(word) && follows_call(word)) print_frame(nr++, word, false);
    }
    return nr;
}

/* One step of the frame-pointer chain: a saved rbp further up, a return address behind a call. */
static bool next_frame(gva_t *fp, gva_t floor, uint64_t *ret) {
    uint64_t pair[2];
    if ((*fp & 7) || *fp < floor || *fp - floor > MAX_FRAME_BYTES) return false;
    if (copy_from_user(pair, *fp, sizeof(pair)) < 0) return false;
    if (!code_at(pair[1]) || !follows_call(pair[1])) return false;
    *fp = pair[0];
    *ret = pair[1];
    return true;
}

static void print_frames(const struct regs *regs) {
    gva_t fp = regs->rbp, floor = regs->rsp;
    uint64_t ret;
    unsigned nr = 0, more = 0;
    print_frame(nr++, regs->rip, true);
    /* A call through a bad pointer: the caller is on top of the stack. */
    if (!code_at(regs->rip) && get_user(ret, regs->rsp) == 0 && follows_call(ret)) {
        print_frame(nr++, ret, true);
        floor += sizeof(ret);
    }
    for (unsigned i = 0; i < WALK_FRAMES; i++) {
        gva_t frame = fp;
        if (!next_frame(&fp, floor, &ret)) break;
        floor = frame + 2 * sizeof(uint64_t);
        if (nr < SHOW_FRAMES)
            print_frame(nr++, ret, true);
        else
            more++;
    }
    if (more)
        kprint("  ... %s%u more\n", more + nr > WALK_FRAMES ? "at least " : "", more);
    else if (nr < 3)
        scan_stack(floor, nr);
}

void crash_report(const struct regs *regs, int sig, const siginfo_t *info) {
    struct thread *t = current_thread();
    if (t->in_fault) return;
    t->in_fault = true;
    kprint("hermit: program died: %s (%s)", signal_names[sig], reason(regs, sig, info));
    if (info->si_code != SI_KERNEL) kprint(" at 0x%lx", (uint64_t)info->si_addr);
    kprint(", rip 0x%lx\n", regs->rip);
    if (t->process->thread_count > 1) kprint("  in thread %d (%.15s)\n", t->tid, t->comm);
    kprint("  rax %016lx  rbx %016lx  rcx %016lx\n", regs->rax, regs->rbx, regs->rcx);
    kprint("  rdx %016lx  rsi %016lx  rdi %016lx\n", regs->rdx, regs->rsi, regs->rdi);
    kprint("  rbp %016lx  rsp %016lx  r8  %016lx\n", regs->rbp, regs->rsp, regs->r8);
    kprint("  r9  %016lx  r10 %016lx  r11 %016lx\n", regs->r9, regs->r10, regs->r11);
    kprint("  r12 %016lx  r13 %016lx  r14 %016lx\n", regs->r12, regs->r13, regs->r14);
    kprint("  r15 %016lx  flags %lx\n", regs->r15, regs->rflags);
    print_frames(regs);
    t->in_fault = false;
}
