/* SPDX-License-Identifier: MIT */
/* /proc/sys: how the kernel is set.  None of it can be changed, so the files are read-only; a
 * constant is what the kernel really does or, where it has no such thing, Linux's default. */
#include <hermit/linux_abi.h>
#include <kernel/aio.h>
#include <kernel/frame.h>
#include <kernel/process.h>
#include <kernel/random.h>
#include <kernel/uts.h>
#include <kernel/version.h>

#include "procfs.h"

#define FILE_MAX 9223372036854775807L /* nothing bounds open files but memory */
#define VALUE(name, text)                                                                          \
    { name, TREE_FILE, .constant = text }

static void show_hostname(struct tree_text *t) { text_printf(t, "%s\n", uts_hostname()); }

static void show_domainname(struct tree_text *t) { text_printf(t, "%s\n", uts_domainname()); }

static void show_uuid_of(struct tree_text *t, const uint8_t id[16]) {
    for (int i = 0; i < 16; i++) {
        uint8_t byte = id[i];

        /* RFC 4122: version 4, variant 1. */
        if (i == 6) byte = (byte & 0x0f) | 0x40;
        if (i == 8) byte = (byte & 0x3f) | 0x80;
        text_printf(t, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", byte);
    }
    text_append(t, "\n", 1);
}

static void show_uuid(struct tree_text *t) {
    uint8_t id[16];

    random_bytes(id, sizeof(id));
    show_uuid_of(t, id);
}

static void show_boot_id(struct tree_text *t) {
    static uint8_t id[16];
    static bool made;

    if (!made) random_bytes(id, sizeof(id));
    made = true;
    show_uuid_of(t, id);
}

static void show_file_nr(struct tree_text *t) {
    const struct fd_table *fds = &current_process()->fds;
    unsigned long open = 0;

    for (uint32_t fd = 0; fd < fds->size; fd++)
        open += fds->files[fd] != NULL;
    text_printf(t, "%lu\t0\t%ld\n", open, FILE_MAX);
}

/* As Linux: what fits into 4 % of low memory, 160 bytes each. */
static void show_epoll_watches(struct tree_text *t) {
    text_printf(t, "%lu\n", (unsigned long)frame_usage().limit / 25 / 160);
}

static const struct tree_entry random_rows[] = {
    {"boot_id", TREE_FILE, .show = show_boot_id},
    VALUE("entropy_avail", "256"),
    VALUE("poolsize", "256"),
    VALUE("urandom_min_reseed_secs", "60"),
    {"uuid", TREE_FILE, .show = show_uuid},
    VALUE("write_wakeup_threshold", "256"),
};
static const struct tree_dir random_dir = TREE_ROWS(random_rows);

static const struct tree_entry keys_rows[] = {
    VALUE("gc_delay", "300"),
    VALUE("maxbytes", "20000"),
    VALUE("maxkeys", "200"),
    VALUE("persistent_keyring_expiry", "259200"),
    VALUE("root_maxbytes", "25000000"),
    VALUE("root_maxkeys", "1000000"),
};
static const struct tree_dir keys_dir = TREE_ROWS(keys_rows);

static const struct tree_entry yama_rows[] = {VALUE("ptrace_scope", "1")};
static const struct tree_dir yama_dir = TREE_ROWS(yama_rows);

static const char seccomp_actions[] = "kill_process kill_thread trap errno trace log allow";
static const struct tree_entry seccomp_rows[] = {
    VALUE("actions_avail", seccomp_actions),
    VALUE("actions_logged", "kill_process kill_thread trap errno trace log"),
};
static const struct tree_dir seccomp_dir = TREE_ROWS(seccomp_rows);

static const struct tree_entry kernel_rows[] = {
    VALUE("acct", "4\t2\t30"),
    VALUE("auto_msgmni", "0"),
    VALUE("cap_last_cap", "40"),
    VALUE("core_pattern", "core"),
    VALUE("core_pipe_limit", "0"),
    VALUE("core_uses_pid", "0"),
    VALUE("dmesg_restrict", "1"),
    {"domainname", TREE_FILE, .show = show_domainname},
    {"hostname", TREE_FILE, .show = show_hostname},
    VALUE("io_uring_disabled", "2"),
    {"keys", TREE_DIR, .dir = &keys_dir},
    VALUE("kptr_restrict", "1"),
    VALUE("modules_disabled", "1"),
    VALUE("msgmax", "8192"),
    VALUE("msgmnb", "16384"),
    VALUE("msgmni", "32000"),
    VALUE("ngroups_max", "65536"),
    VALUE("nmi_watchdog", "0"),
    VALUE("numa_balancing", "0"),
    VALUE("osrelease", KERNEL_RELEASE),
    VALUE("ostype", KERNEL_SYSNAME),
    VALUE("overflowgid", "65534"),
    VALUE("overflowuid", "65534"),
    VALUE("panic", "0"),
    VALUE("panic_on_oops", "0"),
    VALUE("perf_event_max_sample_rate", "100000"),
    VALUE("perf_event_mlock_kb", "516"),
    VALUE("perf_event_paranoid", "2"),
    VALUE("pid_max", "4194304"),
    VALUE("printk", "4\t4\t1\t7"),
    {"random", TREE_DIR, .dir = &random_dir},
    VALUE("randomize_va_space", "2"),
    VALUE("sched_autogroup_enabled", "0"),
    VALUE("sched_cfs_bandwidth_slice_us", "5000"),
    VALUE("sched_deadline_period_max_us", "4194304"),
    VALUE("sched_deadline_period_min_us", "100"),
    VALUE("sched_rr_timeslice_ms", "100"),
    VALUE("sched_rt_period_us", "1000000"),
    VALUE("sched_rt_runtime_us", "950000"),
    {"seccomp", TREE_DIR, .dir = &seccomp_dir},
    VALUE("sem", "32000\t1024000000\t500\t32000"),
    VALUE("shm_rmid_forced", "0"),
    VALUE("shmall", "18446744073692774399"),
    VALUE("shmmax", "18446744073692774399"),
    VALUE("shmmni", "4096"),
    VALUE("sysctl_writes_strict", "1"),
    VALUE("sysrq", "0"),
    VALUE("tainted", "0"),
    VALUE("threads-max", "32768"),
    VALUE("unprivileged_bpf_disabled", "2"),
    VALUE("unprivileged_userns_clone", "0"),
    VALUE("version", KERNEL_VERSION),
    {"yama", TREE_DIR, .dir = &yama_dir},
};
static const struct tree_dir kernel_dir = TREE_ROWS(kernel_rows);

/* Mappings are never refused for want of memory in advance. */
static const struct tree_entry vm_rows[] = {
    VALUE("admin_reserve_kbytes", "8192"),
    VALUE("dirty_background_bytes", "0"),
    VALUE("dirty_background_ratio", "10"),
    VALUE("dirty_bytes", "0"),
    VALUE("dirty_expire_centisecs", "3000"),
    VALUE("dirty_ratio", "20"),
    VALUE("dirty_writeback_centisecs", "500"),
    VALUE("hugetlb_shm_group", "0"),
    VALUE("laptop_mode", "0"),
    VALUE("legacy_va_layout", "0"),
    VALUE("max_map_count", "65530"),
    VALUE("min_free_kbytes", "0"),
    VALUE("mmap_min_addr", "65536"),
    VALUE("mmap_rnd_bits", "28"),
    VALUE("nr_hugepages", "0"),
    VALUE("nr_hugepages_mempolicy", "0"),
    VALUE("nr_overcommit_hugepages", "0"),
    VALUE("numa_zonelist_order", "Node"),
    VALUE("oom_dump_tasks", "1"),
    VALUE("oom_kill_allocating_task", "0"),
    VALUE("overcommit_kbytes", "0"),
    VALUE("overcommit_memory", "1"),
    VALUE("overcommit_ratio", "50"),
    VALUE("page-cluster", "3"),
    VALUE("panic_on_oom", "0"),
    VALUE("stat_interval", "1"),
    VALUE("swappiness", "60"),
    VALUE("unprivileged_userfaultfd", "0"),
    VALUE("user_reserve_kbytes", "0"),
    VALUE("vfs_cache_pressure", "100"),
    VALUE("zone_reclaim_mode", "0"),
};
static const struct tree_dir vm_dir = TREE_ROWS(vm_rows);

static const struct tree_entry epoll_rows[] = {
    {"max_user_watches", TREE_FILE, .show = show_epoll_watches}};
static const struct tree_dir epoll_dir = TREE_ROWS(epoll_rows);

static const struct tree_entry inotify_rows[] = {
    VALUE("max_queued_events", "16384"),
    VALUE("max_user_instances", "128"),
    VALUE("max_user_watches", "1048576"),
};
static const struct tree_dir inotify_dir = TREE_ROWS(inotify_rows);

static const struct tree_entry mqueue_rows[] = {
    VALUE("msg_default", "10"),   VALUE("msg_max", "10"),     VALUE("msgsize_default", "8192"),
    VALUE("msgsize_max", "8192"), VALUE("queues_max", "256"),
};
static const struct tree_dir mqueue_dir = TREE_ROWS(mqueue_rows);

static void show_aio_nr(struct tree_text *t) { text_printf(t, "%u\n", aio_total()); }

static const struct tree_entry fs_rows[] = {
    VALUE("aio-max-nr", "65536"),
    {"aio-nr", TREE_FILE, .show = show_aio_nr},
    VALUE("dentry-state", "0\t0\t45\t0\t0\t0"),
    VALUE("dir-notify-enable", "0"),
    {"epoll", TREE_DIR, .dir = &epoll_dir},
    VALUE("file-max", "9223372036854775807"),
    {"file-nr", TREE_FILE, .show = show_file_nr},
    {"inotify", TREE_DIR, .dir = &inotify_dir},
    VALUE("inode-nr", "0\t0"),
    VALUE("inode-state", "0\t0\t0\t0\t0\t0\t0"),
    VALUE("lease-break-time", "45"),
    VALUE("leases-enable", "0"),
    VALUE("mount-max", "100000"),
    {"mqueue", TREE_DIR, .dir = &mqueue_dir},
    VALUE("nr_open", "1048576"),
    VALUE("overflowgid", "65534"),
    VALUE("overflowuid", "65534"),
    VALUE("pipe-max-size", "1048576"),
    VALUE("pipe-user-pages-hard", "0"),
    VALUE("pipe-user-pages-soft", "16384"),
    VALUE("protected_fifos", "0"),
    VALUE("protected_hardlinks", "0"),
    VALUE("protected_regular", "0"),
    VALUE("protected_symlinks", "0"),
    VALUE("suid_dumpable", "0"),
};
static const struct tree_dir fs_dir = TREE_ROWS(fs_rows);

static const struct tree_entry net_core_rows[] = {
    VALUE("bpf_jit_enable", "0"),    VALUE("busy_poll", "0"),
    VALUE("busy_read", "0"),         VALUE("default_qdisc", "pfifo_fast"),
    VALUE("dev_weight", "64"),       VALUE("message_burst", "10"),
    VALUE("message_cost", "5"),      VALUE("netdev_max_backlog", "1000"),
    VALUE("optmem_max", "131072"),   VALUE("rmem_default", "212992"),
    VALUE("rmem_max", "212992"),     VALUE("somaxconn", "4096"),
    VALUE("wmem_default", "212992"), VALUE("wmem_max", "212992"),
};
static const struct tree_dir net_core_dir = TREE_ROWS(net_core_rows);

static const struct tree_entry net_ipv4_rows[] = {
    VALUE("ip_forward", "0"),
    VALUE("ip_local_port_range", "32768\t60999"),
    VALUE("ip_local_reserved_ports", ""),
    VALUE("ip_nonlocal_bind", "0"),
    VALUE("ip_unprivileged_port_start", "1024"),
    VALUE("ping_group_range", "0\t2147483647"),
    VALUE("tcp_available_congestion_control", "reno cubic"),
    VALUE("tcp_congestion_control", "cubic"),
    VALUE("tcp_fastopen", "1"),
    VALUE("tcp_fin_timeout", "60"),
    VALUE("tcp_keepalive_intvl", "75"),
    VALUE("tcp_keepalive_probes", "9"),
    VALUE("tcp_keepalive_time", "7200"),
    VALUE("tcp_max_syn_backlog", "4096"),
    VALUE("tcp_rmem", "4096\t131072\t6291456"),
    VALUE("tcp_sack", "1"),
    VALUE("tcp_syncookies", "1"),
    VALUE("tcp_timestamps", "1"),
    VALUE("tcp_tw_reuse", "2"),
    VALUE("tcp_window_scaling", "1"),
    VALUE("tcp_wmem", "4096\t16384\t4194304"),
};
static const struct tree_dir net_ipv4_dir = TREE_ROWS(net_ipv4_rows);

static const struct tree_entry net_unix_rows[] = {VALUE("max_dgram_qlen", "512")};
static const struct tree_dir net_unix_dir = TREE_ROWS(net_unix_rows);

static const struct tree_entry net_rows[] = {
    {"core", TREE_DIR, .dir = &net_core_dir},
    {"ipv4", TREE_DIR, .dir = &net_ipv4_dir},
    {"unix", TREE_DIR, .dir = &net_unix_dir},
};
static const struct tree_dir net_dir = TREE_ROWS(net_rows);

static const struct tree_entry user_rows[] = {
    VALUE("max_inotify_instances", "128"),
    VALUE("max_inotify_watches", "1048576"),
    VALUE("max_user_namespaces", "0"),
};
static const struct tree_dir user_dir = TREE_ROWS(user_rows);

static const struct tree_entry rows[] = {
    {"fs", TREE_DIR, .dir = &fs_dir},   {"kernel", TREE_DIR, .dir = &kernel_dir},
    {"net", TREE_DIR, .dir = &net_dir}, {"user", TREE_DIR, .dir = &user_dir},
    {"vm", TREE_DIR, .dir = &vm_dir},
};
const struct tree_dir proc_sys_dir = TREE_ROWS(rows);
