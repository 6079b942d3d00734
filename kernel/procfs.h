/* SPDX-License-Identifier: MIT */
/* Private to procfs*.c and sysfs*.c: directories and generators that files of /proc share. */
#ifndef PROCFS_H
#define PROCFS_H

#include "treefs.h"

#define TICK_NS (NSEC_PER_SEC / 100) /* USER_HZ */

extern const struct tree_numbered proc_pids;                 /* procfs_pid.c */
extern const struct tree_dir proc_ns_dir;                    /* likewise */
extern const struct tree_dir proc_init_dir;                  /* procfs_init.c */
extern const struct tree_dir proc_fd_dir, proc_fdinfo_dir;   /* procfs_fd.c */
extern const struct tree_dir proc_net_dir;                   /* procfs_net.c */
extern const struct tree_dir proc_sys_dir;                   /* procfs_sysctl.c */
extern const struct file_ops proc_mem_ops, proc_pagemap_ops; /* procfs_mem.c */

/* procfs_status.c */
void show_stat(struct tree_text *t);
void show_statm(struct tree_text *t);
void show_status(struct tree_text *t);
void show_sched(struct tree_text *t);
void show_schedstat(struct tree_text *t);
void show_syscall(struct tree_text *t);
void show_oom_score(struct tree_text *t);
/* procfs_maps.c */
void show_maps(struct tree_text *t);
void show_smaps(struct tree_text *t);
void show_smaps_rollup(struct tree_text *t);
void show_numa_maps(struct tree_text *t);
/* procfs_mounts.c */
void show_filesystems(struct tree_text *t);
void show_mountinfo(struct tree_text *t);
void show_mounts(struct tree_text *t);
void show_mountstats(struct tree_text *t);
/* procfs_machine.c */
void show_interrupts(struct tree_text *t);
void show_loadavg(struct tree_text *t);
void show_softirqs(struct tree_text *t);
void show_system_stat(struct tree_text *t);
void show_uptime(struct tree_text *t);
void show_version(struct tree_text *t);
/* procfs_memory.c; `prefix` stands in front of each line. */
void show_buddyinfo(struct tree_text *t);
void show_meminfo(struct tree_text *t);
void show_vmstat(struct tree_text *t);
void show_zoneinfo(struct tree_text *t);
/* procfs_inet.c */
void proc_show_tcp(struct tree_text *t);
void proc_show_tcp6(struct tree_text *t);
void proc_show_udp(struct tree_text *t);
void proc_show_udp6(struct tree_text *t);
void proc_show_interfaces(struct tree_text *t);
void proc_show_if_inet6(struct tree_text *t);
void proc_show_routes(struct tree_text *t);
/* procfs_cpu.c */
void show_cpuinfo(struct tree_text *t);

#endif
