/* SPDX-License-Identifier: MIT */
/* Extended attributes of host files: the loader passes on those of the user. */
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/string.h>
#include <kernel/wait.h>
#include <kernel/xattr.h>

#include "hostfs.h"

int64_t hostfs_xattr(struct file *f, const struct xattr_call *c) {
    uint32_t handle = hostfs_file(f)->handle;
    if (handle == NO_HANDLE) return -EOPNOTSUPP; /* the boot program, where it is not a file */
    union hc_args args = {.file_xattr = {.handle = handle,
                                         .what = c->what,
                                         .name = c->name != NULL ? frame_gpa(c->name) : 0,
                                         .name_len = c->name ? (uint32_t)strlen(c->name) : 0,
                                         .flags = c->flags,
                                         .value = c->size != 0 ? frame_gpa(c->value) : 0,
                                         .size = c->size}};
    return hypercall(HC_FILE_XATTR, &args);
}
