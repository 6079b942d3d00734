/* SPDX-License-Identifier: MIT */
/* The bare-VM floor: the least that a program must do to run one line of output in a virtual
 * machine of its own.
 *
 * One VM, one 64 KiB memory slot, one vCPU started in 64-bit mode at CPL 3 (as hermit-run starts
 * its own), a handful of guest instructions that hand a line to the host with one `out`, then
 * write and _exit.  No CPUID, no interrupt controller, no clean-up.  What hermit-run costs is
 * given as a multiple of this. */
#include <asm/kvm.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUEST_BYTES 0x10000
#define GUEST_PORT 0x600
#define CR0_PE_PG_WP_NE_ET_MP 0x80010033ULL
#define CR4_PAE_FXSR_XMM 0x620ULL
#define EFER_SCE_LME_LMA 0x501ULL
#define RFLAGS_FIXED 0x2ULL
#define TSS_BYTES 104
#define IO_BITMAP_BYTES 0x100 /* ports below 0x800, all open to CPL 3 */
#define PTE_P_W_U 7ULL
#define PTE_LARGE 0x80ULL

enum layout {
    GDT = 0x0000,
    PML4 = 0x1000,
    PDPT = 0x2000,
    PD = 0x3000,
    CODE = 0x4000,
    TEXT = 0x5000,
    TSS = 0x6000
};

/* What the guest hands over: the address of this, in eax. */
struct message {
    uint32_t len;
    char text[60];
};

/* mov $TEXT, %eax; mov $GUEST_PORT, %dx; out %eax, %dx; ud2 */
static const uint8_t guest_code[] = {0xb8, TEXT & 0xff,       TEXT >> 8,       0,    0,    0x66,
                                     0xba, GUEST_PORT & 0xff, GUEST_PORT >> 8, 0xef, 0x0f, 0x0b};

static int fail(const char *what) {
    perror(what);
    return 125;
}

static void build_guest(uint8_t *mem) {
    struct message m = {.len = 13, .text = "hello, world\n"};
    const uint16_t io_bitmap = TSS_BYTES;
    uint64_t entry;

    entry = PDPT | PTE_P_W_U;
    memcpy(mem + PML4, &entry, sizeof entry);
    entry = PD | PTE_P_W_U;
    memcpy(mem + PDPT, &entry, sizeof entry);
    entry = PTE_P_W_U | PTE_LARGE;
    memcpy(mem + PD, &entry, sizeof entry);
    memcpy(mem + CODE, guest_code, sizeof guest_code);
    memcpy(mem + TEXT, &m, sizeof m);
    memcpy(mem + TSS + TSS_BYTES - sizeof io_bitmap, &io_bitmap, sizeof io_bitmap);
}

static int start_vcpu(int vcpu) {
    const struct kvm_segment code = {
        .limit = ~0u, .selector = 0x33, .type = 11, .present = 1, .dpl = 3, .s = 1, .l = 1, .g = 1};
    const struct kvm_segment data = {
        .limit = ~0u, .selector = 0x2b, .type = 3, .present = 1, .dpl = 3, .db = 1, .s = 1, .g = 1};
    const struct kvm_regs regs = {.rip = CODE, .rsp = GUEST_BYTES, .rflags = RFLAGS_FIXED};
    struct kvm_sregs sregs;

    if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0) return -1;
    sregs.cs = code;
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
    sregs.tr.selector = 0x40;
    sregs.tr.type = 11;
    sregs.tr.present = 1;
    sregs.tr.base = TSS;
    sregs.tr.limit = TSS_BYTES + IO_BITMAP_BYTES;
    sregs.gdt.base = GDT;
    sregs.gdt.limit = 0xfff;
    sregs.idt.limit = 0;
    sregs.cr0 = CR0_PE_PG_WP_NE_ET_MP;
    sregs.cr3 = PML4;
    sregs.cr4 = CR4_PAE_FXSR_XMM;
    sregs.efer = EFER_SCE_LME_LMA;
    if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0) return -1;
    return ioctl(vcpu, KVM_SET_REGS, &regs);
}

/* Prints the message at guest address gpa. */
static int print_message(const uint8_t *mem, uint32_t gpa) {
    struct message m;

    if (gpa > GUEST_BYTES - sizeof m) return 125;
    memcpy(&m, mem + gpa, sizeof m);
    if (m.len > sizeof m.text || write(1, m.text, m.len) != (ssize_t)m.len) return 125;
    return 0;
}

int main(void) {
    struct kvm_userspace_memory_region slot = {.memory_size = GUEST_BYTES};
    struct kvm_run *run;
    uint8_t *mem;
    uint32_t gpa;
    int kvm, vm, vcpu, run_bytes;

    if ((kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC)) < 0) return fail("/dev/kvm");
    if ((vm = ioctl(kvm, KVM_CREATE_VM, 0)) < 0) return fail("KVM_CREATE_VM");
    mem = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mem == MAP_FAILED) return fail("mmap");
    build_guest(mem);
    slot.userspace_addr = (uintptr_t)mem;
    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0) return fail("KVM_SET_USER_MEMORY_REGION");
    if ((vcpu = ioctl(vm, KVM_CREATE_VCPU, 0)) < 0) return fail("KVM_CREATE_VCPU");
    if ((run_bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0)) < 0)
        return fail("KVM_GET_VCPU_MMAP_SIZE");
    run = mmap(NULL, (size_t)run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (run == MAP_FAILED) return fail("mmap of kvm_run");
    if (start_vcpu(vcpu) < 0) return fail("KVM_SET_SREGS");
    if (ioctl(vcpu, KVM_RUN, 0) < 0) return fail("KVM_RUN");
    if (run->exit_reason != KVM_EXIT_IO || run->io.port != GUEST_PORT || run->io.size != 4) {
        fprintf(stderr, "unexpected exit %u\n", run->exit_reason);
        _exit(125);
    }
    memcpy(&gpa, (uint8_t *)run + run->io.data_offset, sizeof gpa);
    _exit(print_message(mem, gpa));
}
