/* SPDX-License-Identifier: MIT */
/* Interrupts between virtual CPUs through their local APICs: one exit, and the other CPU is not
 * made to leave KVM_RUN.  (An ioeventfd that is an irqfd saves the exit, too, but to set up one
 * pair takes the host milliseconds.)  Owns nothing. */
#include <loader/ipi.h>

#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include <hermit/hypercall.h>
#include <hermit/layout.h>

#define APIC_BASE 0xfee00000u
#define APIC_ID_SHIFT 12   /* in an MSI's address */
#define APIC_SPURIOUS 0xf0 /* registers */
#define APIC_LINT0 0x350
#define APIC_ENABLE 0x1ffu
#define APIC_EXTINT 0x700u /* what KVM_INTERRUPT raises comes in there */
#define PINS 24            /* of an I/O APIC that nobody uses */

static bool available;
static int vm_fd = -1;

bool ipi_available(void) { return available; }

void ipi_raise(uint32_t cpu) {
    struct kvm_msi msi = {.address_lo = APIC_BASE | cpu << APIC_ID_SHIFT, .data = HERMIT_VEC_IPI};
    (void)!ioctl(vm_fd, KVM_SIGNAL_MSI, &msi);
}

bool ipi_create(int kvm, int vm) {
    static const int needed[] = {KVM_CAP_SPLIT_IRQCHIP, KVM_CAP_SIGNAL_MSI, KVM_CAP_MP_STATE};
    for (unsigned i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (ioctl(kvm, KVM_CHECK_EXTENSION, needed[i]) <= 0) return false;
    struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {PINS}};
    vm_fd = vm;
    available = ioctl(vm, KVM_ENABLE_CAP, &split) == 0;
    return available;
}

static void set_register(struct kvm_lapic_state *apic, unsigned reg, uint32_t value) {
    memcpy(apic->regs + reg, &value, sizeof(value));
}

const char *ipi_prepare_cpu(int vcpu_fd) {
    struct kvm_lapic_state apic;
    struct kvm_mp_state runs = {.mp_state = KVM_MP_STATE_RUNNABLE};
    /* None where the VM was made without. */
    if (ioctl(vcpu_fd, KVM_GET_LAPIC, &apic) != 0) return NULL;
    set_register(&apic, APIC_SPURIOUS, APIC_ENABLE);
    set_register(&apic, APIC_LINT0, APIC_EXTINT);
    if (ioctl(vcpu_fd, KVM_SET_LAPIC, &apic) != 0) return "KVM_SET_LAPIC";
    return ioctl(vcpu_fd, KVM_SET_MP_STATE, &runs) == 0 ? NULL : "KVM_SET_MP_STATE";
}
