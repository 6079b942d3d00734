/* SPDX-License-Identifier: MIT */
/* pidfd_open(2): a file that stands for a process.  Owns nothing: when the only process has ended
 * nobody is left to see it, so the file never becomes ready. */
#include <hermit/linux_abi.h>
#include <kernel/anon_file.h>
#include <kernel/waitq.h>

#include "procfs.h"

static struct waitq never_woken = {.entries = TAILQ_HEAD_INITIALIZER(never_woken.entries)};

static uint32_t pidfd_poll(struct file *f) { return 0; }

static struct waitq *pidfd_waitq(struct file *f) { return &never_woken; }

static const struct file_ops pidfd_ops = {
    .kind = "[pidfd]",
    .getattr = anon_getattr,
    .seek = anon_seek,
    .poll = pidfd_poll,
    .waitq = pidfd_waitq,
};

struct file *pidfd_create(uint32_t flags) {
    return anon_file(&pidfd_ops, flags, NULL);
}

bool file_is_pidfd(const struct file *f) { return f->ops == &pidfd_ops; }

bool file_names_process(const struct file *f) {
    const struct tree_node *n = tree_file_directory(f);
    return file_is_pidfd(f) || (n != NULL && n->entry == &proc_pids.entry);
}
