/* SPDX-License-Identifier: MIT */
/* The name space of a fresh boot: which file system lies where, descriptors 0 to 2, the cwd.
 *
 * Runs in every boot, so it only notes what is mounted; the built-in directories come into being
 * when somebody first looks at them (ramfs_root). */
#include <hermit/boot.h>
#include <hermit/linux_abi.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/serial.h>
#include <kernel/string.h>

#include "ramfs.h"
#include "vfs_walk.h"

static const struct hermit_boot_share *share_table(const struct hermit_boot *boot) {
    return (const struct hermit_boot_share *)boot_string(boot->shares);
}

static struct mount *mount_or_panic(const struct fs_ops *ops, const char *path, const char *type,
                                    void *priv) {
    struct mount *m = vfs_mount(ops, path, type, priv);

    if (!m) panic("out of memory while mounting %s", path);
    return m;
}

/* Gives a new ramfs the mount points and links that lie in it.  Failure leaves a name out, which
 * its user notices as ENOENT; the mounts themselves work by path. */
static void populate(struct ramfs *fs, struct mount *m) {
    const struct hermit_boot *boot = boot_info();
    const struct hermit_boot_symlink *links = (const void *)boot_string(boot->symlinks);
    const char *rel;

    for (uint32_t i = 0; i < boot->nsymlinks; i++)
        if (mount_of(boot_string(links[i].path), &rel) == m)
            ramfs_plant(m, rel, false, boot_string(links[i].target));
    for (const struct mount *n = vfs_first_mount(); n; n = n->next) {
        /* The parent's mount is found with this one out of the way: the longest prefix of the
         * path without its last component. */
        char *dir = n->path_len > 1 ? kstrdup(n->path) : NULL;
        char *slash = dir ? strrchr(dir, '/') : NULL;

        if (slash) {
            slash[slash == dir ? 1 : 0] = '\0';
            if (mount_of(dir, &rel) == m)
                ramfs_plant(m, n->path + (m->path_len == 1 ? 1 : m->path_len + 1), n->is_file,
                            NULL);
        }
        kfree(dir);
    }
}

static struct mount *mount_ramfs(const char *path, uint32_t mode) {
    struct ramfs *fs = ramfs_create();

    if (!fs) panic("out of memory while mounting %s", path);
    fs->root_mode = mode;
    fs->populate = populate;
    return mount_or_panic(&ramfs_ops, path, "tmpfs", fs);
}

static bool has_share(const struct hermit_boot *boot, const char *path) {
    const struct hermit_boot_share *shares = share_table(boot);

    for (uint32_t i = 0; i < boot->nshares; i++) {
        /* A writable root brings its own /tmp. */
        bool root = i == 0 && (boot->flags & HERMIT_BOOT_ROOT_SHARE) && !shares[i].readonly;

        if (root || strcmp(boot_string(shares[i].path), path) == 0) return true;
    }
    return false;
}

static void mount_share(const struct hermit_boot *boot, uint32_t i) {
    const struct hermit_boot_share *share = share_table(boot) + i;
    struct mount *m =
        mount_or_panic(&hostfs_ops, boot_string(share->path), "hostfs", (void *)(uintptr_t)i);

    m->readonly = share->readonly != 0;
    m->is_file = !share->is_dir;
}

/* With an interface of its own the guest does not ask the host's name servers. */
static void mount_resolv_conf(const struct hermit_boot *boot) {
    struct mount *m;

    if (boot->net != HC_NET_TAP || (boot->tap.resolvers[0] == 0 && !boot->tap.dhcp)) return;
    m = mount_or_panic(&tree_ops, "/etc/resolv.conf", "tmpfs", (void *)(uintptr_t)&resolv_tree);
    m->is_file = true;
    m->readonly = true;
}

static void open_stdio(void) {
    for (uint32_t handle = 0; handle < 3; handle++) {
        struct file *f = hypercall_available() ? hostfs_stdio(handle) : serial_stdio(handle);

        if (!f || fd_install(f, 0, false) < 0) panic("out of memory for the standard streams");
    }
}

void vfs_boot(const struct hermit_boot *boot) {
    struct mount *root = NULL;

    if (!(boot->flags & HERMIT_BOOT_ROOT_SHARE)) root = mount_ramfs("/", 0755);
    /* Shares come in the order of the command line; at equal length later ones win. */
    if (boot->flags & HERMIT_BOOT_ROOT_SHARE) mount_share(boot, 0);
    mount_or_panic(&devfs_ops, "/dev", "devtmpfs", NULL);
    mount_or_panic(&tree_ops, "/dev/pts", "devpts", (void *)(uintptr_t)&devpts_tree);
    mount_ramfs("/dev/shm", 01777);
    mount_or_panic(&tree_ops, "/proc", "proc", (void *)(uintptr_t)&procfs_tree);
    mount_or_panic(&tree_ops, "/sys", "sysfs", (void *)(uintptr_t)&sysfs_tree);
    mount_or_panic(&tree_ops, "/sys/fs/cgroup", "cgroup2", (void *)(uintptr_t)&cgroupfs_tree);
    if (!has_share(boot, "/tmp")) mount_ramfs("/tmp", 01777);
    for (uint32_t i = boot->flags & HERMIT_BOOT_ROOT_SHARE ? 1 : 0; i < boot->nshares; i++)
        mount_share(boot, i);
    mount_resolv_conf(boot);
    /* Without a loader the root is what the initial RAM disk is unpacked into. */
    if (root) root->readonly = hypercall_available();
    current_process()->fs.cwd = kstrdup(boot_string(boot->cwd));
    if (!current_process()->fs.cwd) panic("out of memory for the working directory");
    open_stdio();
}
