/* SPDX-License-Identifier: MIT */
/* /proc/PID/mounts, mountinfo, mountstats and /proc/filesystems. */
#include "procfs.h"

#define BLANKS " \t\n\\#"

void show_filesystems(struct tree_text *t) {
    text_printf(t, "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tcgroup2\nnodev\tdevtmpfs\n");
    text_printf(t, "nodev\tsockfs\nnodev\tpipefs\nnodev\tdevpts\nnodev\thostfs\n");
}

void show_mounts(struct tree_text *t) {
    for (const struct mount *m = vfs_first_mount(); m; m = m->next) {
        text_printf(t, "%s ", m->type);
        text_append_escaped(t, m->path, BLANKS);
        text_printf(t, " %s %s,relatime 0 0\n", m->type, m->readonly ? "ro" : "rw");
    }
}

void show_mountinfo(struct tree_text *t) {
    uint32_t root = vfs_first_mount()->id;

    for (const struct mount *m = vfs_first_mount(); m; m = m->next) {
        text_printf(t, "%u %u 0:%u / ", m->id, m->id == root ? 1 : root, m->id);
        text_append_escaped(t, m->path, BLANKS);
        text_printf(t, " %s,relatime - %s %s rw\n", m->readonly ? "ro" : "rw", m->type, m->type);
    }
}

void show_mountstats(struct tree_text *t) {
    for (const struct mount *m = vfs_first_mount(); m; m = m->next) {
        text_printf(t, "device %s mounted on ", m->type);
        text_append_escaped(t, m->path, BLANKS);
        text_printf(t, " with fstype %s\n", m->type);
    }
}
