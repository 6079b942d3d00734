/* SPDX-License-Identifier: MIT */
/* The final state in which a virtual CPU starts: 64-bit mode, ring 3, on the kernel image's own
 * tables (Intel SDM vol. 3, 2.2 and 4.5).  Owns nothing. */
#include <loader/vcpu_state.h>

#include <linux/kvm.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include <hermit/layout.h>
#include <kernel_symbols.h>
#include <loader/cpuid.h>

static struct kvm_segment segment(uint16_t selector, uint8_t type, bool code) {
    return (struct kvm_segment){.limit = 0xffffffff,
                                .selector = selector,
                                .type = type,
                                .present = 1,
                                .dpl = selector & 3,
                                .db = !code,
                                .s = 1,
                                .l = code,
                                .g = 1};
}

static const char *set_sregs(int fd, const struct vcpu_start *start) {
    struct kvm_sregs s;
    if (ioctl(fd, KVM_GET_SREGS, &s) != 0) return "KVM_GET_SREGS";
    s.cs = segment(HERMIT_CS3, 11, true);
    s.ss = s.ds = s.es = s.fs = s.gs = segment(HERMIT_SS3, 3, false);
    s.gs.base = start->gs_base;
    s.tr = (struct kvm_segment){.base = start->tss,
                                .limit = KSYM_boot_tss_end - KSYM_boot_tss - 1,
                                .selector = HERMIT_TSS_SEL,
                                .type = 11,
                                .present = 1};
    s.ldt = (struct kvm_segment){.type = 2, .unusable = 1};
    s.gdt.base = KSYM_boot_gdt;
    s.gdt.limit = KSYM_boot_gdt_end - KSYM_boot_gdt - 1;
    s.idt.base = KSYM_boot_idt;
    s.idt.limit = KSYM_boot_idt_end - KSYM_boot_idt - 1;
    s.cr0 = HERMIT_CR0;
    s.cr3 = start->cr3;
    s.cr4 = HERMIT_CR4 | HERMIT_CR4_OSXSAVE;
    s.efer = HERMIT_EFER | HERMIT_EFER_LMA;
    if (ioctl(fd, KVM_SET_SREGS, &s) == 0) return NULL;
    s.cr4 = HERMIT_CR4; /* a CPU without XSAVE */
    return ioctl(fd, KVM_SET_SREGS, &s) == 0 ? NULL : "KVM_SET_SREGS";
}

static const char *set_msrs(int fd) {
    struct {
        struct kvm_msrs header;
        struct kvm_msr_entry entries[3];
    } m = {
        {.nmsrs = 3},
        {{.index = 0xc0000081, .data = (uint64_t)HERMIT_STAR_HI << 48 | (uint64_t)HERMIT_CS0 << 32},
         {.index = 0xc0000082, .data = KSYM_syscall_entry},
         {.index = 0xc0000084, .data = HERMIT_FMASK}}};
    return ioctl(fd, KVM_SET_MSRS, &m) == 3 ? NULL : "KVM_SET_MSRS";
}

/* Lets the guest use every vector register that the host's user mode may. */
static void set_xcr0(int fd) {
    uint64_t xcr0 = cpuid_host_xcr0();
    if (xcr0 == 0) return;
    struct kvm_xcrs x = {.nr_xcrs = 1, .xcrs = {{.xcr = 0, .value = xcr0}}};
    /* Software KVM refuses it and runs the guest with the host's own: not an error. */
    (void)!ioctl(fd, KVM_SET_XCRS, &x);
}

const char *vcpu_set_state(int vcpu_fd, const struct vcpu_start *start) {
    const char *failed = set_sregs(vcpu_fd, start);
    if (failed == NULL) failed = set_msrs(vcpu_fd);
    if (failed != NULL) return failed;
    set_xcr0(vcpu_fd);
    struct kvm_regs r = {.rip = start->rip, .rflags = 0x202, .rdi = start->rdi};
    return ioctl(vcpu_fd, KVM_SET_REGS, &r) == 0 ? NULL : "KVM_SET_REGS";
}
