/* SPDX-License-Identifier: MIT */
/* Private to procfs*.c: text under construction, the table's rows and their generators. */
#ifndef PROCFS_H
#define PROCFS_H

#include <kernel/vfs.h>

struct thread;

/* Text that grows; once memory runs out it stays as it is and `failed` is set. */
struct proc_text {
    char *data;
    size_t len, size; /* bytes */
    bool failed;
    const struct thread *thread; /* whose file it is; the leader where it is the process's */
    bool of_thread;
};

void text_printf(struct proc_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_append(struct proc_text *t, const void *data, size_t len);
/* Appends program memory; stops where it is not mapped. */
void text_append_user(struct proc_text *t, gva_t from, gva_t to);
/* Pads with blanks since byte `start` of the text. */
void text_pad(struct proc_text *t, size_t start, size_t columns);

/* Rows of the table: "@" stands for the process's number, "#" for that of one of its threads. */
struct proc_entry {
    const char *path;
    uint32_t mode;
    void (*show)(struct proc_text *t); /* S_IFREG */
    int64_t (*target)(char *buf,
                      uint64_t size); /* S_IFLNK: the link's text; its length or -errno */
};

/* procfs_table.c */
extern const struct proc_entry proc_table[];
extern const uint32_t proc_table_len;

/* procfs_pid.c */
void show_cmdline(struct proc_text *t);
void show_comm(struct proc_text *t);
void show_environ(struct proc_text *t);
void show_limits(struct proc_text *t);
void show_stat(struct proc_text *t);
void show_statm(struct proc_text *t);
void show_status(struct proc_text *t);
/* procfs_maps.c */
void show_maps(struct proc_text *t);
/* procfs_sys.c */
void show_filesystems(struct proc_text *t);
void show_loadavg(struct proc_text *t);
void show_meminfo(struct proc_text *t);
void show_mountinfo(struct proc_text *t);
void show_mounts(struct proc_text *t);
void show_system_stat(struct proc_text *t);
void show_uptime(struct proc_text *t);
void show_version(struct proc_text *t);
void show_hostname(struct proc_text *t);
void show_osrelease(struct proc_text *t);
void show_ostype(struct proc_text *t);
void show_overcommit(struct proc_text *t);
/* procfs_cpu.c */
void show_cpuinfo(struct proc_text *t);

/* procfs_fd.c: /proc/self/fd.  The open file behind descriptor fd is borrowed (NULL: none). */
struct file *proc_fd_file(int fd);
void proc_fd_attr(int fd, struct hc_attr *attr);
int64_t proc_fd_text(int fd, char *buf, uint64_t size);
/* open(2) through the link: 1 (out is complete), HC_SYMLINK (open the text's path) or -errno. */
int proc_fd_open(int fd, uint32_t flags, struct file *out);

/* file_share.c: `out` forwards to target, of which it takes a reference. */
void file_share(struct file *target, struct file *out);

#endif
