/* SPDX-License-Identifier: MIT */
/* See stats.h. Owns the time marks. */
#include <loader/stats.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <x86intrin.h>

#include <loader/cache.h>
#include <loader/guest_mem.h>
#include <loader/services.h>
#include <loader/vcpu.h>
#include <loader/vm.h>
#include <syscall/syscall_names.h>

static uint64_t marks[STATS_MARKS], tsc_khz, tsc_offset;

void stats_mark(enum stats_mark mark) { marks[mark] = __rdtsc(); }

void stats_tsc(uint64_t khz, uint64_t offset) {
    tsc_khz = khz;
    tsc_offset = offset;
}

static double us(uint64_t from, uint64_t to) {
    return tsc_khz == 0 || to < from ? 0 : (double)(to - from) * 1000.0 / (double)tsc_khz;
}

static void print_boot(const struct hermit_stats *s) {
    uint64_t kernel = s->tsc_start - tsc_offset, exec = s->tsc_exec - tsc_offset;
    uint64_t user = s->tsc_user - tsc_offset;

    fprintf(stderr,
            "boot (us):        options and view %.0f, memory %.0f, VM creation %.0f, virtual CPU "
            "%.0f, kernel %.0f, exec %.0f, program %.0f\n",
            us(marks[STATS_START], marks[STATS_VIEW]), us(marks[STATS_VIEW], marks[STATS_MEMORY]),
            us(marks[STATS_MEMORY], marks[STATS_VM]), us(marks[STATS_VM], kernel), us(kernel, exec),
            us(exec, user), us(user, marks[STATS_END]));
}

static void print_hypercalls(void) {
    static const char *const names[HC_COUNT] = {
#define X(NAME, fn) #fn,
        HC_LIST(X)
#undef X
    };
    fprintf(stderr, "hypercalls:      ");
    for (unsigned i = 0; i < HC_COUNT; i++) {
        if (hc_counts[i] != 0) fprintf(stderr, " %s %" PRIu64, names[i], hc_counts[i]);
    }
    fputc('\n', stderr);
}

struct row {
    unsigned nr;
    uint32_t count;
    uint64_t cycles;
};

static int by_count(const void *a, const void *b) {
    const struct row *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : (int)x->nr - (int)y->nr;
}

static void print_calls(const struct hermit_stats *s) {
    struct row rows[HERMIT_STATS_CALLS];
    unsigned n = 0;
    for (unsigned i = 0; i < HERMIT_STATS_CALLS; i++) {
        if (s->calls[i] != 0) rows[n++] = (struct row){i, s->calls[i], s->call_cycles[i]};
    }
    qsort(rows, n, sizeof(rows[0]), by_count);
    fprintf(stderr, "system calls:         calls   us total  name\n");
    for (unsigned i = 0; i < n; i++) {
        const char *name =
            rows[i].nr < HERMIT_SYSCALL_COUNT ? hermit_syscall_names[rows[i].nr] : NULL;
        fprintf(stderr, "                 %10" PRIu32 " %10.0f  ", rows[i].count,
                us(0, rows[i].cycles));
        if (name != NULL)
            fprintf(stderr, "%s\n", name);
        else
            fprintf(stderr, "#%u\n", rows[i].nr);
    }
}

/* How system calls came. */
static void print_doors(const struct hermit_stats *s) {
    uint64_t all = 0;
    for (unsigned i = 0; i < HERMIT_STATS_CALLS; i++)
        all += s->calls[i];
    uint64_t others = s->raw_calls + s->patched_calls;
    fprintf(stderr,
            "system calls:     %" PRIu64 " by syscall instructions, %" PRIu64
            " of these became jumps; %" PRIu64 " by such jumps, %" PRIu64
            " by jumps from the start\n",
            s->raw_calls, s->sites_patched, s->patched_calls, all > others ? all - others : 0);
    fprintf(stderr, "rewritten text:   %" PRIu64 " from the cache, %u not yet in the cache\n",
            s->cached_objects, cache_missing());
}

void stats_print(enum hermit_engine engine) {
    struct hermit_stats s;
    struct rusage usage;
    bool have = guest_copy_in(&s, vm_exit.stats, sizeof(s)) == 0;
    getrusage(RUSAGE_SELF, &usage);
    fprintf(stderr, "hermit-run statistics (%s)\n", engine == HERMIT_ENGINE_KVM ? "KVM" : "QEMU");
    if (have && engine == HERMIT_ENGINE_KVM) print_boot(&s);
    if (engine == HERMIT_ENGINE_KVM) {
        struct vcpu_exits e = vcpu_exits();
        fprintf(stderr,
                "VM exits:         doorbell %" PRIu64 ", interrupted %" PRIu64 ", injected %" PRIu64
                ", kicks %" PRIu64 ", lock %" PRIu64 ", other %" PRIu64 "\n",
                e.doorbell, e.interrupted, e.injected, e.kicks, e.lock, e.other);
    }
    print_hypercalls();
    fprintf(stderr, "peak memory:      %ld KiB resident, hermit-run and guest together\n",
            usage.ru_maxrss);
    if (!have) return;
    fprintf(stderr,
            "guest memory:     %" PRIu64 " KiB in use at the end, %" PRIu64 " KiB peak, %" PRIu64
            " KiB returned to the host in all, %" PRIu64 " page faults, %" PRIu64
            " calls served by polling\n",
            s.ram_used / 1024, s.ram_peak / 1024, s.ram_returned / 1024, s.faults, s.polled);
    print_doors(&s);
    print_calls(&s);
}
