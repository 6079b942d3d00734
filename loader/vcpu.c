/* SPDX-License-Identifier: MIT */
/* Virtual CPUs: creation, the loop that runs one, exits.  Owns their KVM descriptors and threads.
 *
 * A CPU's thread sleeps in KVM_RUN, in HC_WAIT or on the guest's lock; KICK_SIGNAL ends each of
 * these.  Only the main thread, CPU 0's, takes other signals. */
#include <loader/vcpu.h>

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <hermit/layout.h>
#include <kernel_symbols.h>
#include <loader/cpuid.h>
#include <loader/diag.h>
#include <loader/event.h>
#include <loader/ipi.h>
#include <loader/net.h>
#include <loader/poller.h>
#include <loader/services.h>
#include <loader/thread.h>
#include <loader/vcpu_state.h>
#include <loader/vm.h>

#define VEC_MACHINE_CHECK 18
#define PAGE_GONE_MAX 1000u

struct vcpu {
    uint32_t id;
    int fd;
    int tid; /* 0 until its thread runs */
    struct kvm_run *run;
    struct vcpu_start start;
    struct vcpu_exits exits;
    uint32_t page_gone_count; /* in a row, without an exit of another kind */
};

static struct vcpu vcpus[HC_MAX_CPUS];
static uint32_t limit = 1, started;
static int kvm_fd = -1, vm_fd = -1;
static size_t run_bytes;

void vcpu_limit(uint32_t count) { limit = count; }

uint32_t vcpu_count(void) { return __atomic_load_n(&started, __ATOMIC_ACQUIRE); }

static void failed(const char *what) {
    die(EXIT_HERMIT, "KVM: %s failed: %s (try --vmm qemu)", what, strerror(errno));
}

static void create(struct vcpu *v, uint32_t id) {
    v->id = id;
    v->fd = ioctl(vm_fd, KVM_CREATE_VCPU, id);
    if (v->fd < 0) failed("KVM_CREATE_VCPU");
    void *run = mmap(NULL, run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
    if (run == MAP_FAILED) failed("mapping the virtual CPU");
    __atomic_store_n(&v->run, run, __ATOMIC_RELEASE);
}

static void prepare(struct vcpu *v) {
    cpuid_apply(kvm_fd, v->fd, v->id, limit);
    const char *what = vcpu_set_state(v->fd, &v->start);
    if (what == NULL && limit > 1) what = ipi_prepare_cpu(v->fd);
    if (what != NULL) failed(what);
    __atomic_store_n(&v->tid, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
}

void vcpu_create_first(int kvm, int vm) {
    kvm_fd = kvm;
    vm_fd = vm;
    int size = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (size < (int)sizeof(struct kvm_run)) failed("KVM_GET_VCPU_MMAP_SIZE");
    run_bytes = (size_t)size;
    create(&vcpus[0], 0);
}

void vcpu_prepare_first(gpa_t boot_block) {
    vcpus[0].start = (struct vcpu_start){
        .rip = KSYM_kernel_start,
        .gs_base = KSYM_percpu0,
        .tss = KSYM_boot_tss,
        .cr3 = KSYM_boot_pml4 - KERNEL_DATA_GVA + KERNEL_DATA_GPA,
        .rdi = boot_block,
    };
    prepare(&vcpus[0]);
    started = 1;
}

static uint64_t read_tsc(const struct vcpu *v) {
    struct {
        struct kvm_msrs header;
        struct kvm_msr_entry entries[1];
    } m = {{.nmsrs = 1}, {{.index = 0x10}}};
    if (ioctl(v->fd, KVM_GET_MSRS, &m) != 1) failed("reading the guest's TSC");
    return m.entries[0].data;
}

uint64_t vcpu_tsc(uint64_t *khz) {
    int r = ioctl(vcpus[0].fd, KVM_GET_TSC_KHZ, 0);
    if (r <= 0) failed("KVM_GET_TSC_KHZ");
    *khz = (uint64_t)r;
    return read_tsc(&vcpus[0]);
}

/* A CPU that is created later must not have a clock of its own.  Where KVM has no offset to copy
 * (software KVM), rdtsc is the host's on every CPU. */
static void copy_tsc_offset(const struct vcpu *v) {
    uint64_t offset;
    struct kvm_device_attr attr = {.group = KVM_VCPU_TSC_CTRL,
                                   .attr = KVM_VCPU_TSC_OFFSET,
                                   .addr = (uint64_t)(uintptr_t)&offset};
    if (ioctl(vcpus[0].fd, KVM_GET_DEVICE_ATTR, &attr) == 0)
        (void)!ioctl(v->fd, KVM_SET_DEVICE_ATTR, &attr);
}

void vcpu_kick(uint32_t cpu) {
    struct vcpu *v = &vcpus[cpu];
    struct kvm_run *run = __atomic_load_n(&v->run, __ATOMIC_ACQUIRE);
    if (run == NULL) return;
    __atomic_store_n(&run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    int tid = __atomic_load_n(&v->tid, __ATOMIC_SEQ_CST);
    if (tid != 0 && tid != (int)syscall(SYS_gettid))
        syscall(SYS_tgkill, getpid(), tid, event_kick_signal());
}

/* Raises the event interrupt as soon as the guest takes interrupts. */
static void inject_event(struct vcpu *v) {
    struct kvm_interrupt irq = {.irq = HERMIT_VEC_EVENT};
    v->run->request_interrupt_window = !v->run->ready_for_interrupt_injection;
    if (v->run->request_interrupt_window) return;
    if (ioctl(v->fd, KVM_INTERRUPT, &irq) != 0) failed("KVM_INTERRUPT");
    v->exits.injected++;
    event_injected(v->id);
}

static void doorbell(struct vcpu *v) {
    v->exits.doorbell++;
    uint32_t state = __atomic_load_n(&vm_comm->calls[v->id].state, __ATOMIC_RELAXED);
    if (state != HC_RUNG) poller_note_doorbell(); /* the thread would have served it */
    net_flush();                                  /* the exit was paid for */
    /* Claimed by the polling thread in the meantime: it will be done in a moment. */
    if (!hc_serve(v->id, true)) hc_wait_served();
}

/* The guest's kernel lock: see hc_comm.  A kick between the last look and the call is not lost: who
 * holds the lock lets go of it before long, or ends the guest (end_lock). */
static void lock_wait(struct vcpu *v) {
    v->exits.lock++;
    syscall(SYS_futex, &vm_comm->kernel_lock, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

static void lock_wake(void) {
    syscall(SYS_futex, &vm_comm->kernel_lock, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void kick_exit(struct vcpu *v) {
    uint8_t cpu = *((uint8_t *)v->run + v->run->io.data_offset);
    v->exits.kicks++;
    if (cpu < vcpu_count()) event_raise(cpu);
}

static void ipi_exit(struct vcpu *v) {
    uint8_t cpu = *((uint8_t *)v->run + v->run->io.data_offset);
    v->exits.kicks++;
    if (ipi_available() && cpu < vcpu_count()) ipi_raise(cpu);
}

static void io_exit(struct vcpu *v) {
    const struct kvm_run *run = v->run;
    if (run->io.direction == KVM_EXIT_IO_IN) {
        v->exits.other++;
        memset((char *)v->run + run->io.data_offset, 0xff, (size_t)run->io.size * run->io.count);
        return;
    }
    switch (run->io.port) {
    case HERMIT_PORT_DOORBELL:
        return doorbell(v);
    case HERMIT_PORT_KICK:
        return kick_exit(v);
    case HERMIT_PORT_IPI:
        return ipi_exit(v);
    case HERMIT_PORT_LOCK_WAIT:
        return lock_wait(v);
    case HERMIT_PORT_LOCK_WAKE:
        return lock_wake();
    case HERMIT_PORT_YIELD:
        v->exits.lock++;
        sched_yield();
        return;
    default:
        v->exits.other++;
    }
}

static void handle_exit(struct vcpu *v) {
    const struct kvm_run *run = v->run;
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        return io_exit(v);
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN:
        v->exits.interrupted++;
        return;
    case KVM_EXIT_HLT:
        event_wait(v->id);
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
static bool inject_page_gone(struct vcpu *v) {
    struct kvm_vcpu_events events;
    if (++v->page_gone_count > PAGE_GONE_MAX) return false;
    if (ioctl(v->fd, KVM_GET_VCPU_EVENTS, &events) != 0) return false;
    if (events.exception.injected || events.exception.pending) return false;
    events.exception.injected = 1;
    events.exception.nr = VEC_MACHINE_CHECK;
    events.exception.has_error_code = 0;
    return ioctl(v->fd, KVM_SET_VCPU_EVENTS, &events) == 0;
}

static void run_once(struct vcpu *v) {
    if (event_pending(v->id)) inject_event(v);
    if (ioctl(v->fd, KVM_RUN, 0) == 0) {
        v->page_gone_count = 0;
        handle_exit(v);
        return;
    }
    if (errno == EFAULT) {
        if (inject_page_gone(v)) return;
        die(EXIT_HERMIT,
            "the program used a page of a file that the host has truncated or cannot read, or "
            "the guest wrote where it may not");
    }
    if (errno != EINTR && errno != EAGAIN) failed("KVM_RUN");
    v->exits.interrupted++;
    __atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
}

static bool ended(void) { return __atomic_load_n(&vm_exit.done, __ATOMIC_ACQUIRE); }

void vcpu_run_first(void) {
    while (!ended())
        run_once(&vcpus[0]);
}

/* The guest has ended with its lock taken: nobody waits for that any more. */
static void end_lock(void) {
    __atomic_store_n(&vm_comm->kernel_lock, 0, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &vm_comm->kernel_lock, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void *thread_main(void *arg) {
    struct vcpu *v = arg;
    create(v, v->id);
    copy_tsc_offset(v);
    prepare(v);
    while (!ended())
        run_once(v);
    end_lock();
    event_raise(0); /* the main thread ends the process */
    return NULL;
}

int64_t hc_cpu_start(union hc_args *args) {
    const struct hc_cpu_start *a = &args->cpu_start;
    if (vm_fd < 0) return -EOPNOTSUPP;
    /* In order, so that the calls in use are the first ones. */
    if (a->cpu != started || a->cpu >= limit) return -EINVAL;
    struct vcpu *v = &vcpus[a->cpu];
    v->id = a->cpu;
    v->start = (struct vcpu_start){
        .rip = KSYM_cpu_entry, .gs_base = a->gs_base, .tss = a->tss, .cr3 = a->cr3};
    __atomic_store_n(&started, a->cpu + 1, __ATOMIC_RELEASE);
    int r = thread_start(thread_main, v);
    if (r != 0) __atomic_store_n(&started, a->cpu, __ATOMIC_RELEASE);
    return r;
}

struct vcpu_exits vcpu_exits(void) {
    struct vcpu_exits sum = {0};
    for (uint32_t i = 0; i < started; i++) {
        const struct vcpu_exits *e = &vcpus[i].exits;
        sum.doorbell += e->doorbell;
        sum.interrupted += e->interrupted;
        sum.injected += e->injected;
        sum.kicks += e->kicks;
        sum.lock += e->lock;
        sum.other += e->other;
    }
    return sum;
}
