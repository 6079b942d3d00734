/* SPDX-License-Identifier: MIT */
/* /sys/fs/cgroup: the machine as the control group (version 2) that a container would see, so
 * that runtimes which size themselves by it find the limits of the machine. */
#include <hermit/linux_abi.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/mm.h>
#include <kernel/sched.h>
#include <kernel/smp.h>

#include "procfs.h"

#define VALUE(name, text)                                                                          \
    { name, TREE_FILE, .constant = text }

static void show_procs(struct tree_text *t) {
    text_printf(t, "%d\n%d\n", INIT_PID, current_process()->pid);
}

static void show_threads(struct tree_text *t) {
    const struct thread *th;

    TAILQ_FOREACH(th, &current_process()->threads, in_process) {
        if (th->state != THREAD_ZOMBIE) text_printf(t, "%d\n", th->tid);
    }
}

static void show_thread_count(struct tree_text *t) {
    text_printf(t, "%u\n", current_process()->thread_count);
}

static void show_pids_max(struct tree_text *t) {
    uint64_t limit = current_process()->limits[RLIMIT_NPROC].rlim_cur;

    if (limit == (uint64_t)RLIM_INFINITY)
        text_printf(t, "max\n");
    else
        text_printf(t, "%lu\n", (unsigned long)limit);
}

static void show_memory_max(struct tree_text *t) {
    text_printf(t, "%lu\n", (unsigned long)page_down(frame_usage().limit));
}
static void show_memory_current(struct tree_text *t) {
    text_printf(t, "%lu\n", (unsigned long)frame_usage().used);
}
static void show_memory_peak(struct tree_text *t) {
    text_printf(t, "%lu\n", (unsigned long)frame_usage().peak);
}

static void show_memory_stat(struct tree_text *t) {
    struct mm_pages p = mm_pages(current_mm(), 0, HERMIT_USER_TOP);
    uint64_t used = frame_usage().used, ours = p.anon + p.tables;

    text_printf(t, "anon %lu\nfile 0\nkernel %lu\nkernel_stack 0\npagetables %lu\n",
                (unsigned long)p.anon, (unsigned long)(used - min(ours, used)),
                (unsigned long)p.tables);
    text_printf(t,
                "shmem %lu\nfile_mapped %lu\nfile_dirty 0\nfile_writeback 0\n"
                "inactive_anon 0\nactive_anon %lu\ninactive_file 0\nactive_file 0\n"
                "unevictable 0\nslab 0\npgfault %lu\npgmajfault 0\n",
                (unsigned long)p.shmem, (unsigned long)(p.resident - p.anon - p.shmem),
                (unsigned long)p.anon, (unsigned long)current_process()->faults);
}

static void show_cpu_stat(struct tree_text *t) {
    unsigned long us = (unsigned long)(clock_cpu_ns() / 1000);

    text_printf(t,
                "usage_usec %lu\nuser_usec %lu\nsystem_usec 0\nnr_periods 0\nnr_throttled 0\n"
                "throttled_usec 0\n",
                us, us);
}

static void show_cpus(struct tree_text *t) {
    text_cpu_list(t, 0, cpu_count());
    text_append(t, "\n", 1);
}

static void show_empty_line(struct tree_text *t) { text_append(t, "\n", 1); }

static const struct tree_entry rows[] = {
    VALUE("cgroup.controllers", "cpuset cpu memory pids"),
    VALUE("cgroup.events", "populated 1\nfrozen 0"),
    VALUE("cgroup.freeze", "0"),
    VALUE("cgroup.max.depth", "max"),
    VALUE("cgroup.max.descendants", "max"),
    {"cgroup.procs", TREE_FILE, .show = show_procs},
    VALUE("cgroup.stat", "nr_descendants 0\nnr_dying_descendants 0"),
    {"cgroup.subtree_control", TREE_FILE, .show = show_empty_line},
    {"cgroup.threads", TREE_FILE, .show = show_threads},
    VALUE("cgroup.type", "domain"),
    VALUE("cpu.max", "max 100000"),
    {"cpu.stat", TREE_FILE, .show = show_cpu_stat},
    VALUE("cpu.weight", "100"),
    {"cpuset.cpus", TREE_FILE, .show = show_empty_line},
    {"cpuset.cpus.effective", TREE_FILE, .show = show_cpus},
    {"cpuset.mems", TREE_FILE, .show = show_empty_line},
    VALUE("cpuset.mems.effective", "0"),
    {"memory.current", TREE_FILE, .show = show_memory_current},
    VALUE("memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0"),
    VALUE("memory.high", "max"),
    VALUE("memory.low", "0"),
    {"memory.max", TREE_FILE, .show = show_memory_max},
    VALUE("memory.min", "0"),
    {"memory.peak", TREE_FILE, .show = show_memory_peak},
    {"memory.stat", TREE_FILE, .show = show_memory_stat},
    VALUE("memory.swap.current", "0"),
    VALUE("memory.swap.max", "0"),
    {"pids.current", TREE_FILE, .show = show_thread_count},
    {"pids.max", TREE_FILE, .show = show_pids_max},
};
static const struct tree_dir root_dir = TREE_ROWS(rows);

const struct tree cgroupfs_tree = {
    .root = {"", S_IFDIR | 0755, .dir = &root_dir},
    .magic = CGROUP2_SUPER_MAGIC,
};
