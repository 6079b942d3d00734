/* SPDX-License-Identifier: MIT */
/* Every file of /proc: one row each. */
#include <hermit/linux_abi.h>
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "procfs.h"

static int64_t link_text(char *buf, uint64_t size, const char *text) {
    uint64_t len = min(strlen(text), size);

    memcpy(buf, text, len);
    return (int64_t)len;
}

static int64_t self_target(char *buf, uint64_t size) {
    char pid[16];

    ksnprintf(pid, sizeof(pid), "%d", current_process()->pid);
    return link_text(buf, size, pid);
}

static int64_t thread_self_target(char *buf, uint64_t size) {
    char path[40];

    ksnprintf(path, sizeof(path), "%d/task/%d", current_process()->pid, current_thread()->tid);
    return link_text(buf, size, path);
}

static int64_t exe_target(char *buf, uint64_t size) {
    const char *exe = current_process()->exe;

    return exe ? link_text(buf, size, exe) : -ENOENT;
}

static int64_t cwd_target(char *buf, uint64_t size) {
    const char *cwd = current_process()->fs.cwd;

    return *cwd ? link_text(buf, size, cwd) : -ENOENT;
}

static int64_t root_target(char *buf, uint64_t size) { return link_text(buf, size, "/"); }

static int64_t mounts_target(char *buf, uint64_t size) {
    return link_text(buf, size, "self/mounts");
}

#define DIR (S_IFDIR | 0555)
#define FILE (S_IFREG | 0444)
#define OWNER_FILE (S_IFREG | 0400)
#define LINK (S_IFLNK | 0777)

const struct proc_entry proc_table[] = {
    {"", DIR, NULL, NULL},
    {"@", DIR, NULL, NULL},
    {"@/cmdline", FILE, show_cmdline, NULL},
    {"@/comm", FILE, show_comm, NULL},
    {"@/cwd", LINK, NULL, cwd_target},
    {"@/environ", OWNER_FILE, show_environ, NULL},
    {"@/exe", LINK, NULL, exe_target},
    {"@/fd", S_IFDIR | 0500, NULL, NULL},
    {"@/limits", FILE, show_limits, NULL},
    {"@/maps", FILE, show_maps, NULL},
    {"@/mountinfo", FILE, show_mountinfo, NULL},
    {"@/mounts", FILE, show_mounts, NULL},
    {"@/root", LINK, NULL, root_target},
    {"@/stat", FILE, show_stat, NULL},
    {"@/statm", FILE, show_statm, NULL},
    {"@/status", FILE, show_status, NULL},
    {"@/task", DIR, NULL, NULL},
    {"@/task/#", DIR, NULL, NULL},
    {"@/task/#/comm", FILE, show_comm, NULL},
    {"@/task/#/stat", FILE, show_stat, NULL},
    {"@/task/#/status", FILE, show_status, NULL},
    {"cpuinfo", FILE, show_cpuinfo, NULL},
    {"filesystems", FILE, show_filesystems, NULL},
    {"loadavg", FILE, show_loadavg, NULL},
    {"meminfo", FILE, show_meminfo, NULL},
    {"mounts", LINK, NULL, mounts_target},
    {"self", LINK, NULL, self_target},
    {"stat", FILE, show_system_stat, NULL},
    {"sys", DIR, NULL, NULL},
    {"sys/kernel", DIR, NULL, NULL},
    {"sys/kernel/hostname", FILE, show_hostname, NULL},
    {"sys/kernel/osrelease", FILE, show_osrelease, NULL},
    {"sys/kernel/ostype", FILE, show_ostype, NULL},
    {"sys/vm", DIR, NULL, NULL},
    {"sys/vm/overcommit_memory", FILE, show_overcommit, NULL},
    {"thread-self", LINK, NULL, thread_self_target},
    {"uptime", FILE, show_uptime, NULL},
    {"version", FILE, show_version, NULL},
};

const uint32_t proc_table_len = ARRAY_LEN(proc_table);
