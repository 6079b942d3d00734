/* SPDX-License-Identifier: MIT */
/* /proc/1: the process that the kernel itself is.  Its files say what Linux says of a process
 * without memory or open files. */
#include <hermit/linux_abi.h>
#include <kernel/process.h>

#include "procfs.h"

#define FLAGS 0x200000 /* PF_KTHREAD, linux/sched.h */

static void show_init_stat(struct tree_text *t) {
    text_printf(t, "%d (init) S 0 %d %d 0 -1 %u 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0 %lu ", INIT_PID,
                INIT_PID, INIT_PID, FLAGS, (unsigned long)RLIM_INFINITY);
    text_printf(t, "0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
}

static void show_init_status(struct tree_text *t) {
    text_printf(t, "Name:\tinit\nUmask:\t0022\nState:\tS (sleeping)\n");
    text_printf(t, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t0\nTracerPid:\t0\n", INIT_PID, INIT_PID);
    text_printf(t, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t64\nGroups:\t \n");
    text_printf(t, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\nKthread:\t1\nThreads:\t1\n",
                INIT_PID, INIT_PID, INIT_PID, INIT_PID);
}

static int64_t no_path(const struct tree_node *n, char *buf, uint64_t size) { return -ENOENT; }

static void show_nothing(struct tree_text *t) {}

static const struct tree_dir no_files;

#define COMMON_ROWS                                                                                \
    {"cgroup", TREE_FILE, .constant = "0::/"}, {"cmdline", TREE_FILE, .show = show_nothing},       \
        {"comm", TREE_FILE, .constant = "init"}, {"cwd", TREE_LINK, .constant = "/"},              \
        {"environ", TREE_OWNER, .show = show_nothing}, {"exe", TREE_LINK, .target = no_path},      \
        {"fd", S_IFDIR | 0500, .dir = &no_files}, {"maps", TREE_FILE, .show = show_nothing},       \
        {"mountinfo", TREE_FILE, .show = show_mountinfo},                                          \
        {"mounts", TREE_FILE, .show = show_mounts}, {"ns", TREE_DIR, .dir = &proc_ns_dir},         \
        {"root", TREE_LINK, .constant = "/"}, {"smaps", TREE_FILE, .show = show_nothing},          \
        {"stat", TREE_FILE, .show = show_init_stat},                                               \
        {"statm", TREE_FILE, .constant = "0 0 0 0 0 0 0"}, {                                       \
        "status", TREE_FILE, .show = show_init_status                                              \
    }

static void show_children(struct tree_text *t) { text_printf(t, "%d ", current_process()->pid); }

static const struct tree_entry task_rows[] = {
    COMMON_ROWS,
    {"children", TREE_FILE, .show = show_children},
};
static const struct tree_dir task_dir = TREE_ROWS(task_rows);

static const struct tree_entry tasks_rows[] = {{"1", TREE_DIR, .dir = &task_dir}};
static const struct tree_dir tasks_dir = TREE_ROWS(tasks_rows);

static const struct tree_entry init_rows[] = {
    COMMON_ROWS,
    {"task", TREE_DIR, .dir = &tasks_dir},
};
const struct tree_dir proc_init_dir = TREE_ROWS(init_rows);
