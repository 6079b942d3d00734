/* SPDX-License-Identifier: MIT */
/* What the program sees of the host: computed from the options, opened before the guest runs. */
#ifndef LOADER_VIEW_H
#define LOADER_VIEW_H

#include <loader/options.h>
#include <loader/services.h>

struct view_symlink {
    char *path; /* guest */
    char *target;
};

struct view {
    struct view_symlink *symlinks; /* of the built-in root, e.g. /lib -> usr/lib */
    size_t symlink_count;
    char *cwd;      /* guest, canonical */
    char *program;  /* guest, canonical */
    int program_fd; /* O_RDONLY */
    struct hc_attr program_attr;
};

/* Finds the program (PATH search for a name without '/'; inside --rootfs where given), decides
 * and opens the shares (global `shares`).  On failure prints one line and exits 125, 126 or 127. */
void view_build(struct view *v, const struct options *o);

#endif
