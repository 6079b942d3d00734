/* SPDX-License-Identifier: MIT */
/* /proc: the files that are not about one process. */
#include <hermit/linux_abi.h>
#include <kernel/log.h>
#include <kernel/process.h>

#include "procfs.h"

static int64_t self_target(const struct tree_node *n, char *buf, uint64_t size) {
    return ksnprintf(buf, size, "%d", current_process()->pid);
}

static int64_t thread_self_target(const struct tree_node *n, char *buf, uint64_t size) {
    return ksnprintf(buf, size, "%d/task/%d", current_process()->pid, current_thread()->tid);
}

static const char cgroups[] = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"
                              "cpuset\t0\t1\t1\ncpu\t0\t1\t1\ncpuacct\t0\t1\t1\n"
                              "memory\t0\t1\t1\npids\t0\t1\t1";
static const char devices[] = "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n"
                              "136 pts\n\nBlock devices:";
static const char partitions[] = "major minor  #blocks  name\n";
static const char swaps[] = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority";

static void show_nothing(struct tree_text *t) {}

static const struct tree_dir empty_dir;

static const struct tree_entry rows[] = {
    {"buddyinfo", TREE_FILE, .show = show_buddyinfo},
    {"bus", TREE_DIR, .dir = &empty_dir},
    {"cgroups", TREE_FILE, .constant = cgroups},
    {"cmdline", TREE_FILE, .constant = "quiet"},
    {"consoles", TREE_FILE, .show = show_nothing},
    {"cpuinfo", TREE_FILE, .show = show_cpuinfo},
    {"crypto", TREE_FILE, .show = show_nothing},
    {"devices", TREE_FILE, .constant = devices},
    {"diskstats", TREE_FILE, .show = show_nothing},
    {"driver", TREE_DIR, .dir = &empty_dir},
    {"execdomains", TREE_FILE, .constant = "0-0\tLinux           \t[kernel]"},
    {"filesystems", TREE_FILE, .show = show_filesystems},
    {"fs", TREE_DIR, .dir = &empty_dir},
    {"interrupts", TREE_FILE, .show = show_interrupts},
    {"loadavg", TREE_FILE, .show = show_loadavg},
    {"locks", TREE_FILE, .show = show_nothing},
    {"meminfo", TREE_FILE, .show = show_meminfo},
    {"misc", TREE_FILE, .show = show_nothing},
    {"modules", TREE_FILE, .show = show_nothing},
    {"mounts", TREE_LINK, .constant = "self/mounts"},
    {"net", TREE_LINK, .constant = "self/net"},
    {"partitions", TREE_FILE, .constant = partitions},
    {"self", TREE_LINK, .target = self_target},
    {"softirqs", TREE_FILE, .show = show_softirqs},
    {"stat", TREE_FILE, .show = show_system_stat},
    {"swaps", TREE_FILE, .constant = swaps},
    {"sys", TREE_DIR, .dir = &proc_sys_dir},
    {"thread-self", TREE_LINK, .target = thread_self_target},
    {"uptime", TREE_FILE, .show = show_uptime},
    {"version", TREE_FILE, .show = show_version},
    {"vmstat", TREE_FILE, .show = show_vmstat},
    {"zoneinfo", TREE_FILE, .show = show_zoneinfo},
    {"1", TREE_DIR, .dir = &proc_init_dir},
};

static const struct tree_dir root_dir = {rows, ARRAY_LEN(rows), &proc_pids};

const struct tree procfs_tree = {
    .root = {"", TREE_DIR, .dir = &root_dir},
    .magic = PROC_SUPER_MAGIC,
};
