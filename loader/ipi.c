/* SPDX-License-Identifier: MIT */
/* Interrupts between virtual CPUs: a write to a port signals an eventfd, that raises an interrupt
 * in the other CPU's local APIC, all in the host's kernel.  By way of HERMIT_PORT_KICK it takes two
 * exits and a signal.  Owns the eventfds, which stay open. */
#include <loader/ipi.h>

#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
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

bool ipi_available(void) { return available; }

static bool set_routes(int vm, uint32_t cpus) {
    struct kvm_irq_routing *r = calloc(1, sizeof(*r) + cpus * sizeof(r->entries[0]));
    if (r == NULL) return false;
    r->nr = cpus;
    for (uint32_t i = 0; i < cpus; i++) {
        r->entries[i] = (struct kvm_irq_routing_entry){
            .gsi = i,
            .type = KVM_IRQ_ROUTING_MSI,
            .u.msi = {.address_lo = APIC_BASE | i << APIC_ID_SHIFT, .data = HERMIT_VEC_IPI}};
    }
    bool done = ioctl(vm, KVM_SET_GSI_ROUTING, r) == 0;
    free(r);
    return done;
}

static bool connect(int vm, uint32_t cpu) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return false;
    struct kvm_irqfd irq = {.fd = (uint32_t)fd, .gsi = cpu};
    struct kvm_ioeventfd port = {.datamatch = cpu,
                                 .addr = HERMIT_PORT_IPI,
                                 .len = 1,
                                 .fd = fd,
                                 .flags = KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DATAMATCH};
    return ioctl(vm, KVM_IRQFD, &irq) == 0 && ioctl(vm, KVM_IOEVENTFD, &port) == 0;
}

bool ipi_create(int kvm, int vm, uint32_t cpus) {
    static const int needed[] = {KVM_CAP_SPLIT_IRQCHIP, KVM_CAP_IRQFD, KVM_CAP_IOEVENTFD,
                                 KVM_CAP_IRQ_ROUTING, KVM_CAP_MP_STATE};
    for (unsigned i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (ioctl(kvm, KVM_CHECK_EXTENSION, needed[i]) <= 0) return false;
    struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {PINS}};
    if (ioctl(vm, KVM_ENABLE_CAP, &split) != 0) return false;
    available = set_routes(vm, cpus);
    for (uint32_t i = 0; i < cpus && available; i++)
        available = connect(vm, i);
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
