/* SPDX-License-Identifier: MIT */
/* User and group ids. credentials(7). */
#include <kernel/creds.h>
#include <kernel/heap.h>
#include <kernel/string.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define UNCHANGED 0xffffffffu
#define GROUPS_MAX 65536 /* NGROUPS_MAX */

/* getuid(2) */
int64_t sys_getuid(void) { return current_process()->uid; }

/* geteuid(2) */
int64_t sys_geteuid(void) { return current_process()->euid; }

/* getgid(2) */
int64_t sys_getgid(void) { return current_process()->gid; }

/* getegid(2) */
int64_t sys_getegid(void) { return current_process()->egid; }

/* The ids of one sort; users and groups follow the same rules. */
struct ids {
    uint32_t real, effective, saved, fs;
};
static struct ids user_ids(void) {
    const struct process *p = current_process();
    return (struct ids){p->uid, p->euid, p->suid, p->fsuid};
}
static struct ids group_ids(void) {
    const struct process *p = current_process();
    return (struct ids){p->gid, p->egid, p->sgid, p->fsgid};
}

/* A process that becomes somebody else keeps its memory to itself, and is not killed for its
 * parent's sake any more. */
static void note_change(bool changed) {
    if (!changed) return;
    current_process()->undumpable = true;
    current_process()->pdeath_signal = 0;
}

static int64_t commit_users(struct ids ids) {
    struct process *p = current_process();
    struct uid_set old = creds_uids(p);
    p->uid = ids.real;
    p->euid = ids.effective;
    p->suid = ids.saved;
    p->fsuid = ids.fs;
    creds_uids_changed(p, &old);
    leaf_changed();
    note_change(old.effective != p->euid || old.fs != p->fsuid);
    return 0;
}

static int64_t commit_groups(struct ids ids) {
    struct process *p = current_process();
    note_change(p->egid != ids.effective || p->fsgid != ids.fs);
    p->gid = ids.real;
    p->egid = ids.effective;
    p->sgid = ids.saved;
    p->fsgid = ids.fs;
    leaf_changed();
    return 0;
}

static bool is_one_of(const struct ids *ids, uint32_t id) {
    return id == ids->real || id == ids->effective || id == ids->saved;
}

static int set_id(struct ids *ids, uint32_t id, bool privileged) {
    if (id == UNCHANGED) return -EINVAL;
    if (!privileged && id != ids->real && id != ids->saved) return -EPERM;
    if (privileged) ids->real = ids->saved = id;
    ids->effective = ids->fs = id;
    return 0;
}

static int set_re_id(struct ids *ids, uint32_t real, uint32_t effective, bool privileged) {
    if (!privileged) {
        if (real != UNCHANGED && real != ids->real && real != ids->effective) return -EPERM;
        if (effective != UNCHANGED && !is_one_of(ids, effective)) return -EPERM;
    }
    /* setreuid(2): the saved id follows whenever the program takes a new identity. */
    bool follow = real != UNCHANGED || (effective != UNCHANGED && effective != ids->real);
    if (real != UNCHANGED) ids->real = real;
    if (effective != UNCHANGED) ids->effective = effective;
    if (follow) ids->saved = ids->effective;
    ids->fs = ids->effective;
    return 0;
}

static int set_res_id(struct ids *ids, uint32_t real, uint32_t effective, uint32_t saved,
                      bool privileged) {
    if (!privileged) {
        if ((real != UNCHANGED && !is_one_of(ids, real)) ||
            (effective != UNCHANGED && !is_one_of(ids, effective)) ||
            (saved != UNCHANGED && !is_one_of(ids, saved)))
            return -EPERM;
    }
    if (real != UNCHANGED) ids->real = real;
    if (effective != UNCHANGED) ids->effective = effective;
    if (saved != UNCHANGED) ids->saved = saved;
    ids->fs = ids->effective;
    return 0;
}

static int64_t get_res_id(struct ids ids, gva_t real, gva_t effective, gva_t saved) {
    if (put_user(ids.real, real) != 0 || put_user(ids.effective, effective) != 0) return -EFAULT;
    return put_user(ids.saved, saved);
}

/* setuid(2) */
int64_t sys_setuid(uint32_t uid) {
    struct ids ids = user_ids();
    int err = set_id(&ids, uid, process_capable(CAP_SETUID));
    return err != 0 ? err : commit_users(ids);
}

/* setgid(2) */
int64_t sys_setgid(uint32_t gid) {
    struct ids ids = group_ids();
    int err = set_id(&ids, gid, process_capable(CAP_SETGID));
    return err != 0 ? err : commit_groups(ids);
}

/* setreuid(2) */
int64_t sys_setreuid(uint32_t uid, uint32_t euid) {
    struct ids ids = user_ids();
    int err = set_re_id(&ids, uid, euid, process_capable(CAP_SETUID));
    return err != 0 ? err : commit_users(ids);
}

/* setregid(2) */
int64_t sys_setregid(uint32_t gid, uint32_t egid) {
    struct ids ids = group_ids();
    int err = set_re_id(&ids, gid, egid, process_capable(CAP_SETGID));
    return err != 0 ? err : commit_groups(ids);
}

/* setresuid(2) */
int64_t sys_setresuid(uint32_t uid, uint32_t euid, uint32_t suid) {
    struct ids ids = user_ids();
    int err = set_res_id(&ids, uid, euid, suid, process_capable(CAP_SETUID));
    return err != 0 ? err : commit_users(ids);
}

/* setresgid(2) */
int64_t sys_setresgid(uint32_t gid, uint32_t egid, uint32_t sgid) {
    struct ids ids = group_ids();
    int err = set_res_id(&ids, gid, egid, sgid, process_capable(CAP_SETGID));
    return err != 0 ? err : commit_groups(ids);
}

/* getresuid(2) */
int64_t sys_getresuid(gva_t uid, gva_t euid, gva_t suid) {
    return get_res_id(user_ids(), uid, euid, suid);
}

/* getresgid(2) */
int64_t sys_getresgid(gva_t gid, gva_t egid, gva_t sgid) {
    return get_res_id(group_ids(), gid, egid, sgid);
}

/* setfsuid(2): the id before, whatever came of it. */
int64_t sys_setfsuid(uint32_t uid) {
    struct ids ids = user_ids();
    uint32_t old = ids.fs;
    bool allowed = is_one_of(&ids, uid) || uid == old || process_capable(CAP_SETUID);
    if (uid != UNCHANGED && uid != old && allowed) {
        ids.fs = uid;
        commit_users(ids);
    }
    return old;
}

/* setfsgid(2): as setfsuid. */
int64_t sys_setfsgid(uint32_t gid) {
    struct ids ids = group_ids();
    uint32_t old = ids.fs;
    bool allowed = is_one_of(&ids, gid) || gid == old || process_capable(CAP_SETGID);
    if (gid != UNCHANGED && gid != old && allowed) {
        ids.fs = gid;
        commit_groups(ids);
    }
    return old;
}

/* getgroups(2) */
int64_t sys_getgroups(int size, gva_t list) {
    struct process *self = current_process();
    if (size < 0) return -EINVAL;
    if (size != 0) {
        if ((uint32_t)size < self->group_count) return -EINVAL;
        int err = copy_to_user(list, self->groups, self->group_count * sizeof(uint32_t));
        if (err != 0) return err;
    }
    return self->group_count;
}

/* setgroups(2) */
int64_t sys_setgroups(int size, gva_t list) {
    struct process *self = current_process();
    if (!process_capable(CAP_SETGID)) return -EPERM;
    if (size < 0 || size > GROUPS_MAX) return -EINVAL;
    uint32_t *groups = NULL;
    if (size > 0) {
        uint64_t bytes = (uint64_t)size * sizeof(*groups);
        groups = kmalloc(bytes);
        if (groups == NULL) return -ENOMEM;
        if (copy_from_user(groups, list, bytes) != 0) {
            kfree(groups);
            return -EFAULT;
        }
    }
    kfree(self->groups);
    self->groups = groups;
    self->group_count = (uint32_t)size;
    return 0;
}
