/* SPDX-License-Identifier: MIT */
/* Time from the TSC: CLOCK_MONOTONIC is the host's, so that deadlines need no conversion.
 *
 * Owns the vvar page's content.  The rate given by the loader is nominal; the host's clock is
 * disciplined.  Whenever the program sleeps anyway, the two are compared: a guest clock that is
 * behind steps forward, one that is ahead runs slower until it is not. */
#include <hermit/boot.h>
#include <hermit/linux_abi.h>
#include <kernel/clock.h>
#include <kernel/hc.h>
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/sched.h>
#include <kernel/vdso.h>

#define FOLLOW_PERIOD_NS (5 * NSEC_PER_SEC)
#define SLEW_TIME_NS (10 * NSEC_PER_SEC)
#define SLEW_MAX_NS (SLEW_TIME_NS / 2000) /* 500 ppm, as adjtime(3) */
#define CALIBRATION_NS 2000000
#define KHZ_PRECISION 1000000 /* a rate from the hypervisor is right to about 1 ppm */
#define KHZ_GUESS 1000000
#define READINGS 4
#define WIDE_CYCLES 200000u

/* One comparison of the host's clocks with the TSC. */
struct reading {
    uint64_t tsc, window; /* the host looked at its clock within tsc +- window/2 */
    int64_t monotonic_ns, realtime_ns;
};

static struct {
    struct reading first;
    uint64_t precision;  /* of `mult`: the true rate is within 1/precision */
    uint64_t mult;       /* best estimate; the vvar page's may be slewed */
    uint64_t cycle_mult; /* the first one, of CPU time: that must not go back */
    uint64_t khz;
    int64_t next_ns; /* when to compare again */
    int64_t start_ns;
} state;

static bool read_host_once(struct reading *r) {
    union hc_args args = {0};
    uint64_t before = vvar_tsc();
    if (hypercall(HC_CLOCK, &args) < 0) return false;
    uint64_t after = vvar_tsc();
    r->window = after - before;
    r->tsc = before + r->window / 2;
    r->monotonic_ns = args.clock.monotonic_ns;
    r->realtime_ns = args.clock.realtime_ns;
    return true;
}

/* The narrowest of a few comparisons: in a wide one somebody was not running. */
static bool read_host(struct reading *r) {
    struct reading next;
    if (!read_host_once(r)) return false;
    for (unsigned i = 1; i < READINGS && r->window > WIDE_CYCLES; i++) {
        if (!read_host_once(&next)) return false;
        if (next.window < r->window) *r = next;
    }
    return true;
}

static uint64_t mult_of_khz(uint64_t khz) { return (1000000ULL << VVAR_SHIFT) / khz; }

/* (ns << VVAR_SHIFT) / ticks without a 128-bit division. */
static uint64_t mult_of_span(uint64_t ns, uint64_t ticks) {
    uint64_t mult = ns / ticks, rest = ns % ticks;
    for (int bit = 0; bit < VVAR_SHIFT; bit++) {
        rest <<= 1;
        mult = mult << 1 | (rest >= ticks);
        if (rest >= ticks) rest -= ticks;
    }
    return mult;
}

static void publish(const struct reading *r, uint64_t mult) {
    struct vvar *v = vdso_vvar();
    __atomic_store_n(&v->seq, v->seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    v->tsc_base = r->tsc;
    v->mult = mult;
    v->monotonic_ns = r->monotonic_ns;
    v->realtime_ns = r->realtime_ns;
    __atomic_store_n(&v->seq, v->seq + 1, __ATOMIC_RELEASE);
}

/* Without a rate from the loader: two readings, a little apart. */
static void calibrate(void) {
    struct reading now;
    state.khz = KHZ_GUESS;
    state.precision = 1;
    state.mult = mult_of_khz(KHZ_GUESS);
    do {
        if (!read_host(&now)) return;
    } while (now.monotonic_ns - state.first.monotonic_ns < CALIBRATION_NS);
    uint64_t ticks = now.tsc - state.first.tsc;
    uint64_t ns = (uint64_t)(now.monotonic_ns - state.first.monotonic_ns);
    if (ticks < ns / 1000) return; /* below 1 MHz: not a clock */
    state.khz = ticks * 1000000 / ns;
    state.precision = ticks / max(now.window + state.first.window, 1);
    state.mult = mult_of_khz(max(state.khz, 1000));
}

void clock_init(const struct hermit_boot *boot) {
    state.first = (struct reading){.tsc = boot->tsc_base,
                                   .monotonic_ns = boot->monotonic_ns,
                                   .realtime_ns = boot->realtime_ns};
    if (boot->tsc_base == 0 && !read_host(&state.first)) state.first.tsc = vvar_tsc();
    if (boot->tsc_khz >= 1000) {
        state.khz = boot->tsc_khz;
        state.precision = KHZ_PRECISION;
        state.mult = mult_of_khz(boot->tsc_khz);
    } else {
        calibrate();
        kverbose("hermit: TSC frequency not given, taken as %lu kHz\n", state.khz);
    }
    state.cycle_mult = state.mult;
    publish(&state.first, state.mult);
    state.start_ns = clock_monotonic_ns();
    state.next_ns = state.start_ns + FOLLOW_PERIOD_NS;
}

/* A longer baseline gives a better rate. */
static void refine(const struct reading *r) {
    int64_t ns = r->monotonic_ns - state.first.monotonic_ns;
    uint64_t ticks = r->tsc - state.first.tsc;
    uint64_t precision = ticks / max(r->window + state.first.window, 1);
    if (ns <= 0 || precision <= state.precision || (uint64_t)ns / 1000 > ticks) return;
    state.precision = precision;
    state.mult = mult_of_span((uint64_t)ns, ticks);
}

void clock_follow_host(bool now) {
    struct reading r;
    int64_t here = clock_monotonic_ns();
    if (!now && here < state.next_ns) return;
    state.next_ns = here + FOLLOW_PERIOD_NS;
    if (!read_host(&r)) return;
    refine(&r);

    const struct vvar *v = vdso_vvar();
    int64_t guest = v->monotonic_ns + vvar_elapsed(r.tsc, v->tsc_base, v->mult);
    int64_t ahead = guest - r.monotonic_ns;
    int64_t slack = vvar_elapsed(r.window, 0, state.mult);
    uint64_t mult = state.mult;
    if (ahead > -slack) r.monotonic_ns = guest; /* never back; nor by less than is known */
    if (ahead > slack) {
        uint64_t slew = (uint64_t)min(ahead, SLEW_MAX_NS);
        mult -= mult / (SLEW_TIME_NS / 1000) * slew / 1000;
    }
    publish(&r, mult);
}

int64_t clock_monotonic_ns(void) { return vvar_read(vdso_vvar(), false); }
int64_t clock_realtime_ns(void) { return vvar_read(vdso_vvar(), true); }
uint64_t clock_tsc_khz(void) { return state.khz; }
int64_t clock_cycles_ns(uint64_t cycles) { return vvar_elapsed(cycles, 0, state.cycle_mult); }

int64_t clock_cpu_ns(void) {
    const struct process *p = current_process();
    const struct thread *t;
    int64_t ns = clock_cycles_ns(p->ended_cycles);
    TAILQ_FOREACH(t, &p->threads, in_process) ns += sched_cpu_ns(t);
    return ns;
}

/* Clocks that clock_getcpuclockid(3) and pthread_getcpuclockid(3) make: ~id << 3, plus 4 for a
 * thread, plus 0 (profile), 1 (virtual) or 2 (scheduled). */
int clock_cpu_thread(int clock, struct thread **of) {
    int32_t id = ~(clock >> 3);
    *of = NULL;
    if (clock == CLOCK_THREAD_CPUTIME_ID) *of = current_thread();
    if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID) return 0;
    if (clock >= 0 || (clock & 3) == 3 || id < 0) return -EINVAL;
    struct thread *t = thread_find(id);
    if (t == NULL) return -EINVAL;
    if ((clock & 4) == 0 && id != 0 && t != t->process->leader) return -EINVAL;
    if (clock & 4) *of = t;
    return 0;
}

int64_t clock_read(int clock, int64_t *ns) {
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI: /* offset 0, as on a host that was not told the leap seconds */
        *ns = clock_realtime_ns();
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
        *ns = clock_monotonic_ns();
        return 0;
    default:
        break;
    }
    struct thread *of;
    if (clock_cpu_thread(clock, &of) != 0) return -EINVAL;
    *ns = of != NULL ? sched_cpu_ns(of) : clock_cpu_ns();
    return 0;
}
