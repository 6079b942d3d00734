/* SPDX-License-Identifier: MIT */
/* The KVM engine: one VM, one virtual CPU that starts in its final state (64-bit mode, ring 3, on
 * the kernel image's own tables), and the loop that runs it. Owns the KVM file descriptors. */
#include <loader/kvm.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#include <hermit/layout.h>
#include <kernel_symbols.h>
#include <loader/cpuid.h>
#include <loader/diag.h>
#include <loader/event.h>
#include <loader/poller.h>
#include <loader/sandbox.h>
#include <loader/services.h>
#include <loader/vm.h>

#define VEC_MACHINE_CHECK 18
#define PAGE_GONE_MAX 1000u

static int kvm_fd = -1, vm_fd = -1, vcpu_fd = -1;
static struct kvm_run *run;
static uint32_t next_slot;
static uint32_t page_gone_count; /* in a row, without an exit of another kind */
struct kvm_exits kvm_exits;

const char *kvm_unusable(void) {
    kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm_fd >= 0) return NULL;
    switch (errno) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
        return "there is no /dev/kvm (load kvm_intel or kvm_amd, or enable virtualisation)";
    case EACCES:
    case EPERM:
        return "no permission for /dev/kvm (add yourself to the group 'kvm')";
    case EBUSY:
        return "/dev/kvm is busy (another hypervisor owns the CPU)";
    default:
        return "/dev/kvm cannot be opened";
    }
}

static void failed(const char *what) {
    die(EXIT_HERMIT, "KVM: %s failed: %s (try --vmm qemu)", what, strerror(errno));
}

int kvm_add_slot(gpa_t gpa, uint64_t bytes, void *host) {
    struct kvm_userspace_memory_region region = {
        .slot = next_slot,
        .guest_phys_addr = gpa,
        .memory_size = bytes,
        .userspace_addr = (uint64_t)(uintptr_t)host,
    };
    if (ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region) != 0) return -errno;
    next_slot++;
    return 0;
}

void kvm_create(void) {
    vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
    if (vm_fd < 0) failed("KVM_CREATE_VM");
    vcpu_fd = ioctl(vm_fd, KVM_CREATE_VCPU, 0);
    if (vcpu_fd < 0) failed("KVM_CREATE_VCPU");
    int size = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (size < (int)sizeof(*run)) failed("KVM_GET_VCPU_MMAP_SIZE");
    run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu_fd, 0);
    if (run == MAP_FAILED) failed("mapping the virtual CPU");
}

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

static void set_sregs(void) {
    struct kvm_sregs s;
    if (ioctl(vcpu_fd, KVM_GET_SREGS, &s) != 0) failed("KVM_GET_SREGS");
    s.cs = segment(HERMIT_CS3, 11, true);
    s.ss = s.ds = s.es = s.fs = s.gs = segment(HERMIT_SS3, 3, false);
    s.gs.base = KSYM_percpu0;
    s.tr = (struct kvm_segment){.base = KSYM_boot_tss,
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
    s.cr3 = KSYM_boot_pml4 - KERNEL_DATA_GVA + KERNEL_DATA_GPA;
    s.cr4 = HERMIT_CR4 | HERMIT_CR4_OSXSAVE;
    s.efer = HERMIT_EFER | HERMIT_EFER_LMA;
    if (ioctl(vcpu_fd, KVM_SET_SREGS, &s) == 0) return;
    s.cr4 = HERMIT_CR4; /* a CPU without XSAVE */
    if (ioctl(vcpu_fd, KVM_SET_SREGS, &s) != 0) failed("KVM_SET_SREGS");
}

static void set_msrs(void) {
    struct {
        struct kvm_msrs header;
        struct kvm_msr_entry entries[3];
    } m = {
        {.nmsrs = 3},
        {{.index = 0xc0000081, .data = (uint64_t)HERMIT_STAR_HI << 48 | (uint64_t)HERMIT_CS0 << 32},
         {.index = 0xc0000082, .data = KSYM_syscall_entry},
         {.index = 0xc0000084, .data = HERMIT_FMASK}}};
    if (ioctl(vcpu_fd, KVM_SET_MSRS, &m) != 3) failed("KVM_SET_MSRS");
}

/* Lets the guest use every vector register that the host's user mode may. */
static void set_xcr0(void) {
    uint64_t xcr0 = cpuid_host_xcr0();
    if (xcr0 == 0) return;
    struct kvm_xcrs x = {.nr_xcrs = 1, .xcrs = {{.xcr = 0, .value = xcr0}}};
    /* Software KVM refuses it and runs the guest with the host's own: not an error. */
    (void)!ioctl(vcpu_fd, KVM_SET_XCRS, &x);
}

static void set_regs(gpa_t boot_block) {
    struct kvm_regs r = {.rip = KSYM_kernel_start, .rflags = 0x202, .rdi = boot_block};
    if (ioctl(vcpu_fd, KVM_SET_REGS, &r) != 0) failed("KVM_SET_REGS");
}

uint64_t kvm_tsc(uint64_t *khz) {
    int r = ioctl(vcpu_fd, KVM_GET_TSC_KHZ, 0);
    if (r <= 0) failed("KVM_GET_TSC_KHZ");
    *khz = (uint64_t)r;
    struct {
        struct kvm_msrs header;
        struct kvm_msr_entry entries[1];
    } m = {{.nmsrs = 1}, {{.index = 0x10}}};
    if (ioctl(vcpu_fd, KVM_GET_MSRS, &m) != 1) failed("reading the guest's TSC");
    return m.entries[0].data;
}

void kvm_kick(void) {
    if (run != NULL) __atomic_store_n(&run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

/* Raises the event interrupt as soon as the guest takes interrupts. */
static void inject_event(void) {
    struct kvm_interrupt irq = {.irq = HERMIT_VEC_EVENT};
    run->request_interrupt_window = !run->ready_for_interrupt_injection;
    if (run->request_interrupt_window) return;
    if (ioctl(vcpu_fd, KVM_INTERRUPT, &irq) != 0) failed("KVM_INTERRUPT");
    kvm_exits.injected++;
    event_injected();
}

static void io_exit(void) {
    if (run->io.direction == KVM_EXIT_IO_OUT && run->io.port == HERMIT_PORT_DOORBELL) {
        kvm_exits.doorbell++;
        poller_note_doorbell();
        /* Claimed by the polling thread in the meantime: it will be done in a moment. */
        if (!hc_serve(vm_comm, true)) hc_wait_served();
        return;
    }
    kvm_exits.other++;
    if (run->io.direction == KVM_EXIT_IO_IN) {
        memset((char *)run + run->io.data_offset, 0xff, (size_t)run->io.size * run->io.count);
    }
}

static void handle_exit(void) {
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        return io_exit();
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN:
        kvm_exits.interrupted++;
        return;
    case KVM_EXIT_HLT:
        event_wait();
        return;
    case KVM_EXIT_MMIO:
        die(EXIT_HERMIT, "the guest touched physical address 0x%llx, where nothing is",
            (unsigned long long)run->mmio.phys_addr);
    case KVM_EXIT_SHUTDOWN:
        die(EXIT_HERMIT, "the guest kernel crashed (triple fault)");
    case KVM_EXIT_FAIL_ENTRY:
        die(EXIT_HERMIT, "KVM cannot enter the guest (reason 0x%llx); try --vmm qemu",
            (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
    case KVM_EXIT_INTERNAL_ERROR:
        die(EXIT_HERMIT, "KVM internal error, suberror %u; try --vmm qemu", run->internal.suberror);
    default:
        die(EXIT_HERMIT, "unexpected VM exit %u", run->exit_reason);
    }
}

/* A page that the guest touched cannot be had: a file in a window was truncated.  The guest learns
 * it by an exception before the instruction, finds out which page it is and raises SIGBUS.  False
 * if that did not help: the page is none of a file, or the guest's kernel cannot go on. */
static bool inject_page_gone(void) {
    struct kvm_vcpu_events events;
    if (++page_gone_count > PAGE_GONE_MAX) return false;
    if (ioctl(vcpu_fd, KVM_GET_VCPU_EVENTS, &events) != 0) return false;
    if (events.exception.injected || events.exception.pending) return false;
    events.exception.injected = 1;
    events.exception.nr = VEC_MACHINE_CHECK;
    events.exception.has_error_code = 0;
    return ioctl(vcpu_fd, KVM_SET_VCPU_EVENTS, &events) == 0;
}

static void run_once(void) {
    if (event_pending()) inject_event();
    if (ioctl(vcpu_fd, KVM_RUN, 0) == 0) {
        page_gone_count = 0;
        handle_exit();
        return;
    }
    if (errno == EFAULT) {
        if (inject_page_gone()) return;
        die(EXIT_HERMIT,
            "the program used a page of a file that the host has truncated or cannot read, or "
            "the guest wrote where it may not");
    }
    if (errno != EINTR && errno != EAGAIN) failed("KVM_RUN");
    kvm_exits.interrupted++;
    __atomic_store_n(&run->immediate_exit, 0, __ATOMIC_SEQ_CST);
}

void kvm_run(gpa_t boot_block) {
    cpuid_apply(kvm_fd, vcpu_fd);
    set_sregs();
    set_msrs();
    set_xcr0();
    set_regs(boot_block);
    sandbox_enter();
    while (!__atomic_load_n(&vm_exit.done, __ATOMIC_ACQUIRE))
        run_once();
}
