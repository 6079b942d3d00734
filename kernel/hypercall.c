/* SPDX-License-Identifier: MIT */
/* Issues hypercalls.  The call block is shared memory; a host thread that polls serves it without
 * an exit, otherwise the doorbell does.  On QEMU the doorbell is a byte on the serial port, which
 * does not stop the virtual CPU: the guest waits for the answer. */
#include <hermit/boot.h>
#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/process.h>
#include <kernel/serial.h>
#include <kernel/smp.h>
#include <kernel/stats.h>

#define CLAIM_CYCLES 20000ULL  /* then the polling thread must have lost its CPU */
#define SERVE_CYCLES 500000ULL /* then it waits for a disk, or has lost its CPU while serving */

static const struct hermit_boot *boot;
static struct hc_comm *comm;
static uint64_t news;
static bool posted_call[HC_MAX_CPUS]; /* its answer was not waited for yet */

void hypercall_init(const struct hermit_boot *b) {
    boot = b;
    comm = b->comm != 0 ? frame_ptr(b->comm) : NULL;
}

bool hypercall_available(void) { return comm != NULL; }
const struct hermit_boot *boot_info(void) { return boot; }
const char *boot_string(uint32_t offset) { return (const char *)boot + offset; }

struct hc_comm *hypercall_comm(void) {
    return comm;
}

static uint32_t state(const struct hc_call *call) {
    return __atomic_load_n(&call->state, __ATOMIC_ACQUIRE);
}

static bool done(const struct hc_call *call) { return state(call) == HC_DONE; }

static bool wait_polled(const struct hc_call *call) {
    uint64_t start = arch_tsc();
    for (;;) {
        uint32_t now = state(call);
        if (now == HC_DONE) return true;
        if (arch_tsc() - start > (now == HC_CLAIMED ? SERVE_CYCLES : CLAIM_CYCLES)) return false;
        arch_pause();
    }
}

/* Calls that sleep, and rare ones that take long. */
static bool by_doorbell(enum hc_nr nr) {
    switch (nr) {
    case HC_WAIT:
    case HC_EXIT:
    case HC_MEM_GROW:
    case HC_FILE_SYNC:
        return true;
    default:
        return false;
    }
}

/* Halts until the answer's interrupt.  A kick ends the call: so does another bell.  The exit path
 * must still look at what else came. */
static void idle_until_done(const struct hc_call *call) {
    struct percpu *cpu = percpu();
    for (bool ended = false;;) {
        cpu->pending = 0;
        serial_drain();
        if (done(call)) break;
        if (__atomic_load_n(smp_kicked(cpu), __ATOMIC_SEQ_CST) && !ended) {
            ended = true;
            arch_outb(HERMIT_PORT_SERIAL, 1);
        }
        arch_idle();
    }
    cpu->pending = 1;
}

static void ring(const struct hc_call *call, enum hc_nr nr) {
    hermit_stats.doorbells++;
    if (boot->engine == HERMIT_ENGINE_KVM) {
        arch_outb(HERMIT_PORT_DOORBELL, 0); /* returns when the call is done */
        return;
    }
    arch_outb(HERMIT_PORT_SERIAL, 1);
    if (nr == HC_WAIT) idle_until_done(call);
    while (!done(call))
        arch_pause();
}

uint64_t hypercall_news(void) { return news; }
void hypercall_note_news(void) { news++; }

/* Calls that leave every host file as it is and tell of nothing but metadata.  FILE_WRITE: hostfs
 * notes it where it matters, output to a pipe or terminal does not. */
static bool is_quiet(enum hc_nr nr, const union hc_args *args) {
    switch (nr) {
    case HC_FS_OPEN:
        return (args->fs_open.flags & (O_ACCMODE | O_CREAT | O_TRUNC)) == 0;
    case HC_FILE_LOCK:
        return args->file_lock.type == F_UNLCK;
    case HC_LOG:
    case HC_CLOCK:
    case HC_MEM_POPULATE:
    case HC_MEM_GROW:
    case HC_MEM_RELEASE:
    case HC_FS_STAT:
    case HC_FS_READLINK:
    case HC_FS_STATFS:
    case HC_FILE_STAT:
    case HC_FILE_GETDENTS:
    case HC_FILE_WRITE:
    case HC_FILE_CLOSE:
        return true;
    default:
        return false;
    }
}

static bool host_polls(void) { return __atomic_load_n(&comm->polling, __ATOMIC_SEQ_CST) != 0; }

static void submit(struct hc_call *call, enum hc_nr nr, const union hc_args *args) {
    call->nr = nr;
    call->u = *args;
    /* Sequentially consistent against the host's store to polling and load of state. */
    __atomic_store_n(&call->state, by_doorbell(nr) ? HC_RUNG : HC_SUBMITTED, __ATOMIC_SEQ_CST);
}

static void wait_done(const struct hc_call *call, enum hc_nr nr, bool polling) {
    if (polling && wait_polled(call))
        hermit_stats.polled++;
    else
        ring(call, nr);
}

/* This CPU's block, free: a call that was posted comes first. */
static struct hc_call *free_call(void) {
    uint32_t cpu = percpu()->id;
    struct hc_call *call = &comm->calls[cpu];
    if (posted_call[cpu] && !done(call)) wait_done(call, (enum hc_nr)call->nr, host_polls());
    posted_call[cpu] = false;
    return call;
}

bool hypercall_posts(void) { return comm != NULL && host_polls(); }

void hypercall_post(enum hc_nr nr, union hc_args *args) {
    if (comm == NULL) return;
    struct hc_call *call = free_call();
    if (!is_quiet(nr, args)) news++;
    submit(call, nr, args);
    posted_call[percpu()->id] = true;
    if (!host_polls()) free_call();
}

int64_t hypercall(enum hc_nr nr, union hc_args *args) {
    if (comm == NULL) return -ENOSYS;
    if (!is_quiet(nr, args)) news++;
    struct hc_call *call = free_call();
    submit(call, nr, args);
    bool polling = !by_doorbell(nr) && host_polls();
    if (nr == HC_WAIT) smp_release(); /* the CPU and its call block stay this thread's */
    wait_done(call, nr, polling);
    if (nr == HC_WAIT) smp_acquire();
    *args = call->u;
    int64_t result = call->result;
    __atomic_store_n(&call->state, HC_IDLE, __ATOMIC_RELEASE);
    if (nr == HC_FILE_MAP && result >= 0 &&
        !paging_direct_add(args->file_map.gpa, args->file_map.len)) {
        return -ENOMEM;
    }
    return result;
}

/* A count of the host's; true if it has grown since *known. */
static bool grown(const uint32_t *count, uint32_t *known) {
    uint32_t now = __atomic_load_n(count, __ATOMIC_ACQUIRE);
    bool more = now != *known;
    *known = now;
    return more;
}

uint32_t hypercall_take_events(void) {
    static uint32_t posted, known[HC_EVENT_KINDS];
    if (comm == NULL || !grown(&comm->posted, &posted)) return 0;
    uint32_t kinds = 0;
    for (unsigned i = 0; i < HC_EVENT_KINDS; i++)
        if (grown(&comm->events[i], &known[i])) kinds |= 1u << i;
    __atomic_store_n(&comm->seen, posted, __ATOMIC_SEQ_CST);
    return kinds;
}

uint64_t hypercall_take_signals(void) {
    static uint32_t known[ARRAY_LEN(((struct hc_comm *)0)->signal_counts)];
    uint64_t signals = 0;
    for (unsigned i = 0; i < ARRAY_LEN(known); i++)
        if (grown(&comm->signal_counts[i], &known[i])) signals |= 1ULL << i;
    if (signals != 0) news++;
    return signals;
}

void hypercall_exit(enum hc_exit_kind kind, uint32_t status) {
    struct frame_usage usage = frame_usage();
    hermit_stats.tsc_khz = clock_tsc_khz();
    hermit_stats.ram_used = usage.used;
    hermit_stats.ram_peak = usage.peak;
    if (comm == NULL) serial_power_off(kind == HC_EXIT_PROGRAM ? status : 128 + status);
    union hc_args a = {.exit = {.kind = kind, .status = status, .stats = frame_gpa(&hermit_stats)}};
    for (;;)
        hypercall(HC_EXIT, &a);
}
