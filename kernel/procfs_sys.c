/* SPDX-License-Identifier: MIT */
/* /proc files about the machine and the kernel. */
#include <hermit/boot.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/string.h>
#include <kernel/version.h>

#include "procfs.h"

#define TICK_NS (NSEC_PER_SEC / 100) /* USER_HZ */

void show_version(struct proc_text *t) {
    text_printf(t, "%s version %s (hermit) %s\n", KERNEL_SYSNAME, KERNEL_RELEASE, KERNEL_VERSION);
}

void show_ostype(struct proc_text *t) { text_printf(t, "%s\n", KERNEL_SYSNAME); }
void show_osrelease(struct proc_text *t) { text_printf(t, "%s\n", KERNEL_RELEASE); }

void show_hostname(struct proc_text *t) {
    text_printf(t, "%s\n", boot_string(boot_info()->hostname));
}

/* Mappings are never refused for want of memory in advance. */
void show_overcommit(struct proc_text *t) { text_printf(t, "1\n"); }

static void show_seconds(struct proc_text *t, int64_t ns) {
    text_printf(t, "%lu.%02lu", (unsigned long)(ns / NSEC_PER_SEC),
                (unsigned long)(ns % NSEC_PER_SEC / TICK_NS));
}

void show_uptime(struct proc_text *t) {
    int64_t now = clock_monotonic_ns(), busy = clock_cpu_ns();

    show_seconds(t, now);
    text_append(t, " ", 1);
    show_seconds(t, max(now - busy, (int64_t)0));
    text_append(t, "\n", 1);
}

void show_loadavg(struct proc_text *t) { text_printf(t, "0.00 0.00 0.00 1/1 1\n"); }

void show_system_stat(struct proc_text *t) {
    int64_t now = clock_monotonic_ns(), busy = clock_cpu_ns();
    unsigned long user = (unsigned long)(busy / TICK_NS);
    unsigned long idle = (unsigned long)(max(now - busy, (int64_t)0) / TICK_NS);

    text_printf(t, "cpu  %lu 0 0 %lu 0 0 0 0 0 0\n", user, idle);
    for (uint32_t i = 0; i < boot_info()->cpus; i++)
        text_printf(t, "cpu%u %lu 0 0 %lu 0 0 0 0 0 0\n", i, i ? 0ul : user, idle);
    text_printf(t, "intr 0\nctxt 0\nbtime %lu\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n",
                (unsigned long)((clock_realtime_ns() - now) / NSEC_PER_SEC));
}

void show_meminfo(struct proc_text *t) {
    struct frame_usage use = frame_usage();
    unsigned long total = use.limit / 1024;
    unsigned long available = total - min(use.used / 1024, total);
    const struct {
        const char *name;
        unsigned long kb;
    } rows[] = {
        {"MemTotal:", total},    {"MemFree:", available}, {"MemAvailable:", available},
        {"Buffers:", 0},         {"Cached:", 0},          {"SwapCached:", 0},
        {"SwapTotal:", 0},       {"SwapFree:", 0},        {"Dirty:", 0},
        {"Writeback:", 0},       {"Shmem:", 0},           {"Slab:", 0},
        {"CommitLimit:", total}, {"HugePages_Total:", 0}, {"Hugepagesize:", 2048},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        text_printf(t, "%-16s%8lu%s\n", rows[i].name, rows[i].kb,
                    strcmp(rows[i].name, "HugePages_Total:") == 0 ? "" : " kB");
}

void show_filesystems(struct proc_text *t) {
    text_printf(t, "nodev\ttmpfs\nnodev\tdevtmpfs\nnodev\tproc\nnodev\thostfs\n");
}

void show_mounts(struct proc_text *t) {
    for (const struct mount *m = vfs_first_mount(); m; m = m->next)
        text_printf(t, "%s %s %s %s,relatime 0 0\n", m->type, m->path, m->type,
                    m->readonly ? "ro" : "rw");
}

void show_mountinfo(struct proc_text *t) {
    uint32_t root = vfs_first_mount()->id;

    for (const struct mount *m = vfs_first_mount(); m; m = m->next)
        text_printf(t, "%u %u 0:%u / %s %s,relatime - %s %s rw\n", m->id, m->id == root ? 1 : root,
                    m->id, m->path, m->readonly ? "ro" : "rw", m->type, m->type);
}
