/* SPDX-License-Identifier: MIT */
/* What the system says about itself: uname(2), sysinfo(2), getrandom(2), times(2), getrusage(2). */
#include <hermit/boot.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/random.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/uts.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define CLOCK_TICKS 100 /* per second, as sysconf(_SC_CLK_TCK) says on every Linux */

/* uname(2) */
int64_t sys_uname(gva_t buf) {
    struct new_utsname name = {
        .sysname = "Linux",
        .release = "6.1.0-hermit",
        .version = "#1 Hermit",
        .machine = "x86_64",
    };
    uint32_t persona = current_thread()->personality;
    if ((persona & PER_MASK) == PER_LINUX32) strlcpy(name.machine, "i686", sizeof(name.machine));
    if (persona & UNAME26) strlcpy(name.release, "2.6.61-hermit", sizeof(name.release));
    strlcpy(name.nodename, uts_hostname(), sizeof(name.nodename));
    strlcpy(name.domainname, uts_domainname(), sizeof(name.domainname));
    return put_user(name, buf);
}

static int64_t name_from_user(char name[UTS_NAME_MAX + 1], gva_t at, int64_t len) {
    if (!process_capable(CAP_SYS_ADMIN)) return -EPERM;
    if (len < 0 || len > UTS_NAME_MAX) return -EINVAL;
    name[len] = '\0';
    return copy_from_user(name, at, (uint64_t)len);
}

/* sethostname(2) */
int64_t sys_sethostname(gva_t at, uint64_t len) {
    char name[UTS_NAME_MAX + 1];
    int64_t err = name_from_user(name, at, (int32_t)len);
    if (err == 0) uts_set_hostname(name);
    return err;
}

/* setdomainname(2) */
int64_t sys_setdomainname(gva_t at, uint64_t len) {
    char name[UTS_NAME_MAX + 1];
    int64_t err = name_from_user(name, at, (int32_t)len);
    if (err == 0) uts_set_domainname(name);
    return err;
}

/* sysinfo(2) */
int64_t sys_sysinfo(gva_t buf) {
    struct frame_usage ram = frame_usage();
    uint64_t load[3];
    load_average(load);
    struct sysinfo info = {
        .uptime = clock_monotonic_ns() / NSEC_PER_SEC,
        .totalram = ram.limit,
        .freeram = ram.limit - min(ram.used, ram.limit),
        .procs = (uint16_t)min(current_process()->thread_count + 1, 65535u),
        .mem_unit = 1,
    };
    for (int i = 0; i < 3; i++)
        info.loads[i] = load[i] << (SI_LOAD_SHIFT - LOAD_SHIFT);
    return put_user(info, buf);
}

/* getrandom(2): never blocks, so its flags make no difference. */
int64_t sys_getrandom(gva_t buf, uint64_t len, uint32_t flags) {
    const uint32_t known = GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE;
    const uint32_t both = GRND_RANDOM | GRND_INSECURE;
    if (flags & ~known || (flags & both) == both) return -EINVAL;
    len = min(len, (uint64_t)INT32_MAX);
    uint64_t done = 0;
    while (done < len) {
        char piece[256];
        uint64_t n = min(len - done, sizeof(piece));
        random_bytes(piece, n);
        if (copy_to_user(buf + done, piece, n) != 0) return done > 0 ? (int64_t)done : -EFAULT;
        done += n;
        if (done % PAGE_SIZE == 0 && done < len && signal_pending()) break;
    }
    return (int64_t)done;
}

static int64_t to_ticks(int64_t ns) { return ns / (NSEC_PER_SEC / CLOCK_TICKS); }

/* times(2) */
int64_t sys_times(gva_t buf) {
    struct tms t = {.tms_utime = to_ticks(clock_cpu_ns())};
    if (buf != 0 && put_user(t, buf) != 0) return -EFAULT;
    return to_ticks(clock_monotonic_ns());
}

/* Switches of threads that have ended are not counted. */
static void count_switches(struct rusage *usage, bool own) {
    const struct thread *t;
    TAILQ_FOREACH(t, &current_process()->threads, in_process) {
        if (own && t != current_thread()) continue;
        usage->ru_nvcsw += (int64_t)t->switches;
        usage->ru_nivcsw += (int64_t)t->preemptions;
    }
}

/* getrusage(2) */
int64_t sys_getrusage(int who, gva_t buf) {
    if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != RUSAGE_THREAD) return -EINVAL;
    struct rusage usage;
    memset(&usage, 0, sizeof(usage));
    if (who != RUSAGE_CHILDREN) {
        int64_t ns = who == RUSAGE_THREAD ? sched_cpu_ns(current_thread()) : clock_cpu_ns();
        usage.ru_utime.tv_sec = ns / NSEC_PER_SEC;
        usage.ru_utime.tv_usec = ns % NSEC_PER_SEC / 1000;
        usage.ru_maxrss = (int64_t)(frame_usage().peak / 1024);
        usage.ru_minflt =
            (int64_t)(who == RUSAGE_THREAD ? current_thread()->faults : current_process()->faults);
        count_switches(&usage, who == RUSAGE_THREAD);
    }
    return put_user(usage, buf);
}

/* getcpu(2): all memory is on one node. */
int64_t sys_getcpu(gva_t cpu_at, gva_t node_at, gva_t cache) {
    uint32_t cpu = sched_last_cpu(current_thread()), zero = 0;
    if (cpu_at != 0 && put_user(cpu, cpu_at) != 0) return -EFAULT;
    return node_at != 0 ? put_user(zero, node_at) : 0;
}
