/* SPDX-License-Identifier: MIT */
/* Guest CPUID, from the host's own cpuid instruction: KVM_GET_SUPPORTED_CPUID says what KVM can
 * virtualise for a ring-0 kernel, which on software KVM is far less than user mode may use.
 * (Intel SDM vol. 2A, CPUID; AMD APM vol. 3, appendix E) */
#include <loader/cpuid.h>

#include <cpuid.h>
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include <loader/diag.h>

#define MAX_ENTRIES 40

struct table {
    struct kvm_cpuid2 header;
    struct kvm_cpuid_entry2 entries[MAX_ENTRIES];
};

/* Leaf 1 ecx: MONITOR, VMX, SMX, EST, TM2, PDCM, PCID, DCA, x2APIC, TSC-deadline are for kernels.
 */
#define LEAF1_ECX_HIDE                                                                             \
    (1u << 3 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 15 | 1u << 17 | 1u << 18 | 1u << 21 | \
     1u << 24)
#define LEAF1_EDX_HTT (1u << 28)
#define LEAF1_ECX_OSXSAVE (1u << 27)
#define LEAF1_ECX_HYPERVISOR (1u << 31)
/* Leaf 7 ebx: TSC_ADJUST, SMEP, INVPCID, RDT, PQE, SMAP, PT; edx: speculation controls. */
#define LEAF7_EBX_HIDE (1u << 1 | 1u << 7 | 1u << 10 | 1u << 12 | 1u << 15 | 1u << 20 | 1u << 25)
#define LEAF7_ECX_HIDE (1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 7 | 1u << 16)
#define LEAF7_EDX_HIDE 0xfc000000u
/* Leaf 80000001 ecx: SVM, extended APIC, SKINIT, WDT, topology extensions, perf counters, MWAITX.
 */
#define LEAF81_ECX_HIDE (1u << 2 | 1u << 3 | 1u << 12 | 1u << 13 | 1u << 22 | 1u << 23 | 1u << 29)

static struct kvm_cpuid_entry2 *add(struct table *t, uint32_t leaf, uint32_t sub, bool indexed) {
    if (t->header.nent == MAX_ENTRIES) return &t->entries[MAX_ENTRIES - 1];
    struct kvm_cpuid_entry2 *e = &t->entries[t->header.nent++];
    e->function = leaf;
    e->index = sub;
    e->flags = indexed ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
    __cpuid_count(leaf, sub, e->eax, e->ebx, e->ecx, e->edx);
    return e;
}

uint64_t cpuid_host_xcr0(void) {
    uint32_t a, b, c, d, lo, hi;
    __cpuid(1, a, b, c, d);
    if (!(c & LEAF1_ECX_OSXSAVE)) return 0;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

static void add_features(struct table *t, uint32_t max_leaf, uint32_t id, uint32_t cpus) {
    struct kvm_cpuid_entry2 *e = add(t, 1, 0, false);
    e->ecx = (e->ecx & ~LEAF1_ECX_HIDE) | LEAF1_ECX_HYPERVISOR;
    e->ebx = (e->ebx & 0x0000ff00u) | cpus << 16 | id << 24; /* one package */
    e->edx = (e->edx & ~LEAF1_EDX_HTT) | (cpus > 1 ? LEAF1_EDX_HTT : 0);
    if (max_leaf >= 7) {
        e = add(t, 7, 0, true);
        uint32_t subleaves = e->eax;
        e->ebx &= ~LEAF7_EBX_HIDE;
        e->ecx &= ~LEAF7_ECX_HIDE;
        e->edx &= ~LEAF7_EDX_HIDE;
        if (subleaves >= 1) add(t, 7, 1, true);
    }
    if (max_leaf >= 0xd) {
        e = add(t, 0xd, 0, true);
        uint64_t states = (uint64_t)e->edx << 32 | e->eax;
        add(t, 0xd, 1, true);
        for (uint32_t i = 2; i < 20; i++) {
            if (states >> i & 1) add(t, 0xd, i, true);
        }
    }
}

static void add_extended(struct table *t) {
    uint32_t max_leaf = add(t, 0x80000000, 0, false)->eax;
    if (max_leaf < 0x80000001 || max_leaf > 0x8000ffff) return;
    struct kvm_cpuid_entry2 *e = add(t, 0x80000001, 0, false);
    e->ecx &= ~LEAF81_ECX_HIDE;
    for (uint32_t leaf = 0x80000002; leaf <= 0x80000008; leaf++) {
        if (leaf <= max_leaf && leaf != 0x80000007) add(t, leaf, 0, false);
    }
}

void cpuid_apply(int kvm_fd, int vcpu_fd, uint32_t id, uint32_t cpus) {
    struct table t;
    memset(&t, 0, sizeof(t));
    uint32_t max_leaf = add(&t, 0, 0, false)->eax;
    add_features(&t, max_leaf, id, cpus);
    if (max_leaf >= 4) {
        for (uint32_t i = 0; i < 4; i++) {
            if ((add(&t, 4, i, true)->eax & 31) == 0) break;
        }
    }
    add_extended(&t);
    if (ioctl(vcpu_fd, KVM_SET_CPUID2, &t) != 0) {
        die(EXIT_HERMIT, "KVM: KVM_SET_CPUID2 failed: %s (try --vmm qemu)", strerror(errno));
    }
}
