/* SPDX-License-Identifier: MIT */
/* /proc/PID and /proc/PID/task/TID: their rows and the small files among them. */
#include <hermit/linux_abi.h>
#include <kernel/frame.h>
#include <kernel/log.h>
#include <kernel/mm.h>
#include <kernel/sched.h>
#include <kernel/string.h>

#include "procfs.h"

#define OOM_ADJ_MAX 15 /* linux/oom.h */
#define OOM_SCORE_ADJ_MAX 1000
#define COREDUMP_BITS 0x1ffu /* MMF_DUMP_FILTER_BITS */

static void show_cmdline(struct tree_text *t) {
    const struct mm *mm = current_mm();

    text_append_user(t, mm->arg_start, mm->arg_end);
}

static void show_environ(struct tree_text *t) {
    const struct mm *mm = current_mm();

    text_append_user(t, mm->env_start, mm->env_end);
}

static void show_auxv(struct tree_text *t) {
    const struct mm *mm = current_mm();

    text_append(t, mm->auxv, sizeof(mm->auxv));
}

static void show_personality(struct tree_text *t) {
    text_printf(t, "%08x\n", t->thread->personality);
}

static void show_comm(struct tree_text *t) { text_printf(t, "%.15s\n", t->thread->comm); }

/* As prctl(PR_SET_NAME), for any thread. */
static int store_comm(struct tree_text *t, const char *text, size_t len) {
    char *comm = t->thread->comm;

    memset(comm, 0, sizeof(t->thread->comm));
    strlcpy(comm, text, sizeof(t->thread->comm));
    return 0;
}

static void limit_value(struct tree_text *t, uint64_t value) {
    size_t start = t->len;

    if (value == (uint64_t)RLIM_INFINITY)
        text_printf(t, "unlimited");
    else
        text_printf(t, "%lu", (unsigned long)value);
    text_pad(t, start, 21);
}

static void show_limits(struct tree_text *t) {
    static const struct {
        int resource;
        const char *name, *unit;
    } rows[] = {
        {RLIMIT_CPU, "Max cpu time", "seconds"},
        {RLIMIT_FSIZE, "Max file size", "bytes"},
        {RLIMIT_DATA, "Max data size", "bytes"},
        {RLIMIT_STACK, "Max stack size", "bytes"},
        {RLIMIT_CORE, "Max core file size", "bytes"},
        {RLIMIT_RSS, "Max resident set", "bytes"},
        {RLIMIT_NPROC, "Max processes", "processes"},
        {RLIMIT_NOFILE, "Max open files", "files"},
        {RLIMIT_MEMLOCK, "Max locked memory", "bytes"},
        {RLIMIT_AS, "Max address space", "bytes"},
        {RLIMIT_LOCKS, "Max file locks", "locks"},
        {RLIMIT_SIGPENDING, "Max pending signals", "signals"},
        {RLIMIT_MSGQUEUE, "Max msgqueue size", "bytes"},
        {RLIMIT_NICE, "Max nice priority", ""},
        {RLIMIT_RTPRIO, "Max realtime priority", ""},
        {RLIMIT_RTTIME, "Max realtime timeout", "us"},
    };

    text_printf(t, "%-26s%-21s%-21s%-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct rlimit *l = &current_process()->limits[rows[i].resource];

        text_printf(t, "%-26s", rows[i].name);
        limit_value(t, l->rlim_cur);
        limit_value(t, l->rlim_max);
        text_printf(t, "%-10s\n", rows[i].unit);
    }
}

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* A number as kstrtoint reads it: base by prefix, blanks around it. */
static int parse_int(const char *text, int64_t *value) {
    unsigned base = 10, digits = 0;
    bool negative;

    while (is_blank(*text))
        text++;
    negative = *text == '-';
    if (*text == '-' || *text == '+') text++;
    if (*text == '0' && (text[1] | 32) == 'x') {
        base = 16;
        text += 2;
    }
    for (*value = 0;; text++, digits++) {
        unsigned d = (unsigned)(*text | 32) >= 'a' ? (unsigned)(*text | 32) - 'a' + 10
                                                   : (unsigned)*text - '0';

        if (d >= base) break;
        *value = *value * base + d;
        if (*value > INT32_MAX) return -EINVAL;
    }
    while (is_blank(*text))
        text++;
    if (negative) *value = -*value;
    return digits == 0 || *text ? -EINVAL : 0;
}

static void show_oom_score_adj(struct tree_text *t) {
    text_printf(t, "%d\n", current_process()->oom_score_adj);
}

static int set_oom_score_adj(int64_t value) {
    struct process *p = current_process();

    if (value < p->oom_score_adj_min && !process_capable(CAP_SYS_RESOURCE)) return -EACCES;
    if (process_capable(CAP_SYS_RESOURCE)) p->oom_score_adj_min = (int32_t)value;
    p->oom_score_adj = (int32_t)value;
    return 0;
}

static int store_oom_score_adj(struct tree_text *t, const char *text, size_t len) {
    int64_t value;

    if (parse_int(text, &value) || value < -OOM_SCORE_ADJ_MAX || value > OOM_SCORE_ADJ_MAX)
        return -EINVAL;
    return set_oom_score_adj(value);
}

static void show_oom_adj(struct tree_text *t) {
    int32_t adj = current_process()->oom_score_adj;

    text_printf(t, "%d\n", adj == OOM_SCORE_ADJ_MAX ? OOM_ADJ_MAX : adj * 17 / OOM_SCORE_ADJ_MAX);
}

static int store_oom_adj(struct tree_text *t, const char *text, size_t len) {
    int64_t value;

    if (parse_int(text, &value) || value < -17 || value > OOM_ADJ_MAX) return -EINVAL;
    return set_oom_score_adj(value == OOM_ADJ_MAX ? OOM_SCORE_ADJ_MAX
                                                  : value * OOM_SCORE_ADJ_MAX / 17);
}

static void show_coredump_filter(struct tree_text *t) {
    text_printf(t, "%08x\n", current_process()->coredump_filter);
}

static int store_coredump_filter(struct tree_text *t, const char *text, size_t len) {
    int64_t value;

    if (parse_int(text, &value)) return -EINVAL;
    current_process()->coredump_filter = (uint32_t)value & COREDUMP_BITS;
    return 0;
}

/* Referenced bits are not kept: 1 to 4 clear nothing.  5 resets the peak of VmHWM. */
static int store_clear_refs(struct tree_text *t, const char *text, size_t len) {
    int64_t value;

    if (parse_int(text, &value) || value < 1 || value > 5) return -EINVAL;
    if (value == 5) frame_reset_peak();
    return 0;
}

static void show_io(struct tree_text *t) {
    const struct process *p = current_process();

    text_printf(t, "rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\n", (unsigned long)p->io.rchar,
                (unsigned long)p->io.wchar, (unsigned long)p->io.syscr, (unsigned long)p->io.syscw);
    text_printf(t, "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
}

static void show_timerslack(struct tree_text *t) {
    uint64_t ns = current_process()->timer_slack_ns;

    text_printf(t, "%lu\n", ns ? (unsigned long)ns : 50000ul);
}

static void show_autogroup(struct tree_text *t) { text_printf(t, "/autogroup-1 nice 0\n"); }

/* Children of the thread: there are no other processes. */
static void show_children(struct tree_text *t) {}

/* Neither is a thread asleep in a place that has a name, nor is its kernel stack shown. */
static void show_wchan(struct tree_text *t) { text_printf(t, "0"); }

static int64_t path_text(const char *path, char *buf, uint64_t size) {
    uint64_t len;

    if (!path || !*path) return -ENOENT;
    len = min(strlen(path), size);
    memcpy(buf, path, len);
    return (int64_t)len;
}

static int64_t exe_target(const struct tree_node *n, char *buf, uint64_t size) {
    return path_text(current_process()->exe, buf, size);
}

static int64_t cwd_target(const struct tree_node *n, char *buf, uint64_t size) {
    return path_text(current_process()->fs.cwd, buf, size);
}

/* There is one namespace of each kind; the numbers are those of Linux's first ones. */
#define NS(name, kind, number)                                                                     \
    { name, TREE_LINK, .constant = kind ":[" number "]", .opaque = true }
static const struct tree_entry ns_rows[] = {
    NS("cgroup", "cgroup", "4026531835"), NS("ipc", "ipc", "4026531839"),
    NS("mnt", "mnt", "4026531841"),       NS("net", "net", "4026531840"),
    NS("pid", "pid", "4026531836"),       NS("pid_for_children", "pid", "4026531836"),
    NS("time", "time", "4026531834"),     NS("time_for_children", "time", "4026531834"),
    NS("user", "user", "4026531837"),     NS("uts", "uts", "4026531838"),
};
const struct tree_dir proc_ns_dir = TREE_ROWS(ns_rows);

/* No security module: reading says so as Linux does. */
static const struct file_ops attr_ops = {
    .getattr = tree_file_getattr,
    .statfs = tree_file_statfs,
    .release = tree_file_release,
};
static const struct tree_entry attr_rows[] = {
    {"current", TREE_FILE, .ops = &attr_ops},  {"exec", TREE_FILE, .ops = &attr_ops},
    {"fscreate", TREE_FILE, .ops = &attr_ops}, {"keycreate", TREE_FILE, .ops = &attr_ops},
    {"prev", TREE_FILE, .ops = &attr_ops},     {"sockcreate", TREE_FILE, .ops = &attr_ops},
};
static const struct tree_dir attr_dir = TREE_ROWS(attr_rows);

static const char id_map[] = "         0          0 4294967295";

/* What /proc/PID and /proc/PID/task/TID both have. */
#define COMMON_ROWS                                                                                \
    {"attr", TREE_DIR, .dir = &attr_dir}, {"auxv", TREE_OWNER, .show = show_auxv},                 \
        {"cgroup", TREE_FILE, .constant = "0::/"},                                                 \
        {"clear_refs", S_IFREG | 0200, .store = store_clear_refs},                                 \
        {"cmdline", TREE_FILE, .show = show_cmdline},                                              \
        {"comm", TREE_WRITABLE, .show = show_comm, .store = store_comm},                           \
        {"cpuset", TREE_FILE, .constant = "/"}, {"cwd", TREE_LINK, .target = cwd_target},          \
        {"environ", TREE_OWNER, .show = show_environ}, {"exe", TREE_LINK, .target = exe_target},   \
        {"fd", S_IFDIR | 0500, .dir = &proc_fd_dir},                                               \
        {"fdinfo", TREE_DIR, .dir = &proc_fdinfo_dir}, {"gid_map", TREE_FILE, .constant = id_map}, \
        {"io", TREE_OWNER, .show = show_io}, {"limits", TREE_FILE, .show = show_limits},           \
        {"loginuid", TREE_FILE, .constant = "4294967295"}, {"maps", TREE_FILE, .show = show_maps}, \
        {"mem", S_IFREG | 0600, .ops = &proc_mem_ops},                                             \
        {"mountinfo", TREE_FILE, .show = show_mountinfo},                                          \
        {"mounts", TREE_FILE, .show = show_mounts}, {"net", TREE_DIR, .dir = &proc_net_dir},       \
        {"ns", TREE_DIR, .dir = &proc_ns_dir}, {"numa_maps", TREE_FILE, .show = show_numa_maps},   \
        {"oom_adj", TREE_WRITABLE, .show = show_oom_adj, .store = store_oom_adj},                  \
        {"oom_score", TREE_FILE, .show = show_oom_score},                                          \
        {"oom_score_adj", TREE_WRITABLE, .show = show_oom_score_adj,                               \
         .store = store_oom_score_adj},                                                            \
        {"pagemap", TREE_OWNER, .ops = &proc_pagemap_ops},                                         \
        {"personality", TREE_OWNER, .show = show_personality},                                     \
        {"projid_map", TREE_FILE, .constant = id_map}, {"root", TREE_LINK, .constant = "/"},       \
        {"sched", TREE_FILE, .show = show_sched},                                                  \
        {"schedstat", TREE_FILE, .show = show_schedstat},                                          \
        {"sessionid", TREE_FILE, .constant = "4294967295"},                                        \
        {"setgroups", TREE_FILE, .constant = "allow"}, {"smaps", TREE_FILE, .show = show_smaps},   \
        {"smaps_rollup", TREE_FILE, .show = show_smaps_rollup},                                    \
        {"stat", TREE_FILE, .show = show_stat}, {"statm", TREE_FILE, .show = show_statm},          \
        {"status", TREE_FILE, .show = show_status}, {"syscall", TREE_OWNER, .show = show_syscall}, \
        {"uid_map", TREE_FILE, .constant = id_map}, {                                              \
        "wchan", TREE_FILE, .show = show_wchan                                                     \
    }

static const struct tree_entry task_rows[] = {
    COMMON_ROWS,
    {"children", TREE_FILE, .show = show_children},
};
static const struct tree_dir task_dir = TREE_ROWS(task_rows);

static int next_tid(const struct tree_node *dir, int from) {
    int best = TREE_NONE;
    const struct thread *t;

    TAILQ_FOREACH(t, &current_process()->threads, in_process) {
        if (t->tid >= from && (best == TREE_NONE || t->tid < best)) best = t->tid;
    }
    return best;
}

static const struct tree_numbered tids = {
    .meaning = TREE_TID,
    .next = next_tid,
    .entry = {"", TREE_DIR, .dir = &task_dir},
};
static const struct tree_dir tasks_dir = {NULL, 0, &tids};

static const struct tree_entry pid_rows[] = {
    COMMON_ROWS,
    {"autogroup", TREE_FILE, .show = show_autogroup},
    {"coredump_filter", TREE_WRITABLE, .show = show_coredump_filter,
     .store = store_coredump_filter},
    {"mountstats", TREE_OWNER, .show = show_mountstats},
    {"task", TREE_DIR, .dir = &tasks_dir},
    {"timens_offsets", TREE_FILE,
     .constant = "monotonic           0         0\nboottime            0         0"},
    {"timers", TREE_FILE, .show = show_children},
    {"timerslack_ns", TREE_FILE, .show = show_timerslack},
};
static const struct tree_dir pid_dir = TREE_ROWS(pid_rows);

/* Threads are found by number too, though not listed. */
static bool pid_exists(const struct tree_node *dir, int number) {
    return number > 0 && thread_find(number);
}

static int next_pid(const struct tree_node *dir, int from) {
    int32_t pid = current_process()->pid;

    return from <= pid ? pid : TREE_NONE;
}

const struct tree_numbered proc_pids = {
    .meaning = TREE_PID,
    .next = next_pid,
    .exists = pid_exists,
    .entry = {"", TREE_DIR, .dir = &pid_dir},
};
