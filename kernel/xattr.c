/* SPDX-License-Identifier: MIT */
/* Extended attributes, the part that does not depend on the file system: who may do what. */
#include <hermit/linux_abi.h>
#include <kernel/notify.h>
#include <kernel/process.h>
#include <kernel/string.h>
#include <kernel/vfs.h>
#include <kernel/xattr.h>

static bool starts_with(const char *name, const char *prefix) {
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* user.*: for files and directories, by their permission bits. */
static int check_user(const struct xattr_call *c, const struct hc_attr *attr) {
    bool change = c->what != HC_XATTR_GET;
    uint32_t euid = current_process()->fsuid;
    if (!S_ISREG(attr->mode) && !S_ISDIR(attr->mode)) return change ? -EPERM : -ENODATA;
    if (change && S_ISDIR(attr->mode) && (attr->mode & S_ISVTX) != 0 &&
        !process_capable(CAP_FOWNER) && euid != attr->uid)
        return -EPERM;
    return vfs_permission(attr, change ? 2 : 4);
}

bool xattr_trusted(const struct mount *m) {
    return m != NULL && m->ops->keeps_trusted && process_capable(CAP_SYS_ADMIN);
}

/* The other name spaces belong to the system, of which the guest has no part: they are empty.
 * What is the guest's own has trusted.*, for who may. */
static int check_name(const struct mount *m, const struct xattr_call *c,
                      const struct hc_attr *attr) {
    bool change = c->what != HC_XATTR_GET;
    if (starts_with(c->name, "user.") && c->name[5] != 0) return check_user(c, attr);
    if (starts_with(c->name, "trusted.") && c->name[8] != 0 && xattr_trusted(m)) return 0;
    if (starts_with(c->name, "security.") || starts_with(c->name, "trusted."))
        return change ? -EPERM : -ENODATA;
    return -EOPNOTSUPP;
}

int64_t file_xattr(struct file *f, const struct xattr_call *c) {
    struct hc_attr attr;
    bool change = c->what == HC_XATTR_SET || c->what == HC_XATTR_REMOVE;
    if (change && f->mnt != NULL && f->mnt->readonly) return -EROFS;
    if (c->what != HC_XATTR_LIST) {
        int r = file_getattr(f, &attr);
        if (r == 0) r = check_name(f->mnt, c, &attr);
        if (r != 0) return r;
    }
    if (f->ops->xattr == NULL) return -EOPNOTSUPP;
    int64_t n = f->ops->xattr(f, c);
    if (change && n == 0 && notify_active() && f->path != NULL)
        notify_path(f->path, attr.mode, IN_ATTRIB);
    return n;
}
