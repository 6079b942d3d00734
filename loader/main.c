/* SPDX-License-Identifier: MIT */
/* hermit-run(1): command line, view, engine, exit status. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include <hermit/boot.h>
#include <loader/boot_block.h>
#include <loader/cache.h>
#include <loader/check.h>
#include <loader/diag.h>
#include <loader/event.h>
#include <loader/file_window.h>
#include <loader/ipi.h>
#include <loader/kvm.h>
#include <loader/memory.h>
#include <loader/net.h>
#include <loader/options.h>
#include <loader/qemu.h>
#include <loader/sandbox.h>
#include <loader/services.h>
#include <loader/stats.h>
#include <loader/tty.h>
#include <loader/vcpu.h>
#include <loader/view.h>
#include <loader/vm.h>
#include <syscall/syscall_levels.h>

struct vm_exit vm_exit;

static const struct call_names all_calls = {hermit_syscall_names, hermit_syscall_classes,
                                            HERMIT_SYSCALL_COUNT, hermit_syscall_class_names};

static int64_t clock_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static enum hermit_engine choose_engine(const struct options *o) {
    if (o->vmm == VMM_QEMU) return HERMIT_ENGINE_QEMU;
    const char *problem = kvm_unusable();
    if (problem == NULL) return HERMIT_ENGINE_KVM;
    if (o->vmm == VMM_KVM) die(EXIT_HERMIT, "%s; or use --vmm qemu", problem);
    if (!o->quiet) warn_line("%s; using QEMU, which is slow", problem);
    return HERMIT_ENGINE_QEMU;
}

static void set_clock(struct hermit_boot *b) {
    uint64_t host = __rdtsc();
    uint64_t guest = vcpu_tsc(&b->tsc_khz);
    uint64_t offset = guest - (host + (__rdtsc() - host) / 2);
    b->monotonic_ns = clock_ns(CLOCK_MONOTONIC);
    b->realtime_ns = clock_ns(CLOCK_REALTIME);
    b->tsc_base = __rdtsc() + offset;
    stats_tsc(b->tsc_khz, offset);
}

/* A file that the program starts from, in guest-physical space; 0: not there. */
static gpa_t map_early(int fd, uint64_t bytes) {
    gpa_t gpa;
    return bytes > 0 && window_map(fd, 0, bytes, false, &gpa) == 0 ? gpa : 0;
}

/* What the cache of rewritten objects has for the program. */
struct program_cached {
    union cache_head head;
    int fd; /* -1: nothing */
};

static void map_program(struct hermit_boot *b, int fd, struct program_cached *c) {
    b->prog_gpa = map_early(fd, b->prog_attr.size);
    if (c->fd >= 0) b->prog_cached_gpa = map_early(c->fd, c->head.info.size);
    if (b->prog_cached_gpa != 0) close(c->fd);
}

static void build_boot_block(const struct options *o, const struct view *v,
                             enum hermit_engine engine, size_t size,
                             const struct program_cached *c) {
    struct hermit_boot *b = memory_boot_block();
    int64_t handle = handle_new(v->program_fd, true);
    if (handle < 0) die(EXIT_HERMIT, "too many open files");
    boot_block_write(b, size, o, v, engine, (uint32_t)handle, c->fd >= 0 ? &c->head : NULL);
    b->prog_cached_handle = HC_NO_HANDLE;
    if (c->fd >= 0 && engine == HERMIT_ENGINE_QEMU) {
        handle = handle_new(c->fd, true);
        if (handle < 0) die(EXIT_HERMIT, "too many open files");
        b->prog_cached_handle = (uint32_t)handle;
    }
    memory_describe(b);
    net_describe(b);
    handle_describe_stdio(b->stdio);
    umask(0); /* the guest applies the program's own */
    if (getrandom(b->seed, sizeof(b->seed), 0) != sizeof(b->seed)) {
        die(EXIT_HERMIT, "the host gives no random numbers");
    }
}

static void open_trace(const struct options *o) {
    if (!o->strace_output) return;
    trace_fd = open(o->strace_output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (trace_fd < 0) die(EXIT_HERMIT, "--strace-output %s: %s", o->strace_output, strerror(errno));
}

static int exit_status(void) {
    switch (vm_exit.kind) {
    case HC_EXIT_PROGRAM:
        return (int)vm_exit.status;
    case HC_EXIT_SIGNAL:
        return 128 + (int)vm_exit.status;
    default:
        return EXIT_HERMIT;
    }
}

int main(int argc, char **argv) {
    struct options o;
    struct view v;
    stats_mark(STATS_START);
    options_parse(&o, argc, argv);
    options_expand_calls(&o, &all_calls);
    if (o.check) check_program(argv);
    view_build(&v, &o);
    open_trace(&o);
    net_init(&o);
    enum hermit_engine engine = choose_engine(&o);
    stats_mark(STATS_VIEW);
    static struct program_cached cached;
    cached.fd = cache_init(&o, v.program_fd, &cached.head);
    size_t size = boot_block_size(&o, &v, cached.fd >= 0 ? &cached.head : NULL);
    uint64_t mapped = v.program_attr.size + (cached.fd >= 0 ? cached.head.info.size : 0);
    memory_init(engine, o.memory_bytes, size, mapped);
    build_boot_block(&o, &v, engine, size, &cached);
    stats_mark(STATS_MEMORY);
    if (engine == HERMIT_ENGINE_KVM) {
        event_init(vcpu_kick, -1);
        kvm_create(o.cpus);
        if (ipi_available()) memory_boot_block()->flags |= HERMIT_BOOT_IPI;
        memory_attach();
        map_program(memory_boot_block(), v.program_fd, &cached);
        set_clock(memory_boot_block());
        if (o.timeout_ns != 0) event_set_timeout(o.timeout_ns);
        stats_mark(STATS_VM);
        vcpu_prepare_first(memory_boot_gpa());
        sandbox_enter(o.net != HC_NET_NONE);
        vcpu_run_first();
    } else {
        qemu_run(&o, memory_boot_block(), size);
    }
    net_finish();
    stats_mark(STATS_END);
    if (o.strace_summary) stats_print_summary();
    if (o.stats) stats_print(engine);
    tty_restore();
    _exit(exit_status());
}
