/* SPDX-License-Identifier: MIT */
/* /dev/pts: the slaves of the pseudo-terminals that are open. */
#include "pty.h"
#include "treefs.h"

static int next_slave(const struct tree_node *dir, int from) {
    for (int i = max(from, 0); i < PTY_MAX; i++)
        if (pty_find(i)) return i;
    return TREE_NONE;
}

static int open_slave(const struct tree_node *n, struct file *out) {
    return pty_open_slave(n->number[TREE_PTY], out);
}

static void slave_attr(const struct tree_node *n, struct hc_attr *a) {
    uint32_t number = (uint32_t)n->number[TREE_PTY];
    const struct pty *p = pty_find((int)number);

    a->rdev = PTY_MAJOR << 8 | number;
    a->uid = p ? p->owner : 0;
    a->gid = PTY_GROUP;
}

static const struct tree_numbered slaves = {
    .meaning = TREE_PTY,
    .next = next_slave,
    .entry = {"", S_IFCHR | 0620, .ops = &pty_slave_ops, .open = open_slave, .attr = slave_attr},
};
static const struct tree_dir root_dir = {NULL, 0, &slaves};

const struct tree devpts_tree = {
    .root = {"", S_IFDIR | 0755, .dir = &root_dir},
    .magic = DEVPTS_SUPER_MAGIC,
};
