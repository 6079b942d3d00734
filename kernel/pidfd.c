/* SPDX-License-Identifier: MIT */
/* pidfd_open(2): a file that stands for a process.  Owns nothing: when the program has ended nobody
 * is left to see it, and process 1 does not end, so the file never becomes ready. */
#include <hermit/linux_abi.h>
#include <kernel/anon_file.h>
#include <kernel/process.h>
#include <kernel/waitq.h>

#include "procfs.h"

static struct waitq never_woken = {.entries = TAILQ_HEAD_INITIALIZER(never_woken.entries)};

static uint32_t pidfd_poll(struct file *f) { return 0; }

static struct waitq *pidfd_waitq(struct file *f) { return &never_woken; }

#define PIDFD_OPS                                                                                  \
    {                                                                                              \
        .kind = "[pidfd]", .getattr = anon_getattr, .seek = anon_seek, .poll = pidfd_poll,         \
        .waitq = pidfd_waitq                                                                       \
    }
static const struct file_ops pidfd_ops = PIDFD_OPS, init_ops = PIDFD_OPS;

struct file *pidfd_create(int32_t pid, uint32_t flags) {
    return anon_file(pid == INIT_PID ? &init_ops : &pidfd_ops, flags, NULL);
}

int32_t pidfd_process(const struct file *f) {
    if (f->ops == &init_ops) return INIT_PID;
    return f->ops == &pidfd_ops ? current_process()->pid : 0;
}

int32_t file_process(const struct file *f) {
    const struct tree_node *n = tree_file_directory(f);
    if (n == NULL) return pidfd_process(f);
    if (n->entry == &proc_pids.entry) return current_process()->pid;
    return n->entry->dir == &proc_init_dir ? INIT_PID : 0;
}
