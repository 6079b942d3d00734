/* SPDX-License-Identifier: MIT */
/* What the file systems need of the rest of the kernel, for host builds: a process, memory, time.
 * Program memory is the test's own; guest-physical addresses are its addresses, shifted. */
#ifndef FAKE_FS_H
#define FAKE_FS_H

#include <kernel/process.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>

extern struct process fake_process;
extern int64_t fake_now_ns;     /* both clocks */
extern uint64_t fake_frames;    /* in use */
extern uint64_t fake_limit;     /* frames that may be in use */
extern int fake_last_signal;    /* of signal_send, 0: none */
extern void (*fake_wait)(void); /* runs when somebody sleeps; NULL: a signal ends the sleep */

/* Mounts a fresh ramfs at `path` (mode 0777); root user, cwd "/", umask 022. */
struct mount *fake_mount(const char *path);

/* One-liners around the path operations. */
int do_stat(const char *path, bool follow, struct hc_attr *a);
int do_open(const char *path, uint32_t flags, uint32_t mode, struct file **f);
int do_mkdir(const char *path, uint32_t mode);
int do_symlink(const char *target, const char *path);
int do_unlink(const char *path);
int do_rmdir(const char *path);
int do_link(const char *from, const char *to);
int do_rename(const char *from, const char *to, uint32_t flags);
/* Makes a regular file with these contents. */
int do_write_file(const char *path, const char *text);
int64_t do_write(struct file *f, const void *data, uint64_t len);
int64_t do_read(struct file *f, void *data, uint64_t len);

#endif
