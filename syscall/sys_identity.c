/* SPDX-License-Identifier: MIT */
/* User and group ids. credentials(7).  Privilege is effective id 0. */
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

/* The three ids of one sort; users and groups follow the same rules. */
struct ids {
    uint32_t *real, *effective, *saved;
};
static struct ids user_ids(void) {
    struct process *p = current_process();
    return (struct ids){&p->uid, &p->euid, &p->suid};
}
static struct ids group_ids(void) {
    struct process *p = current_process();
    return (struct ids){&p->gid, &p->egid, &p->sgid};
}

static bool is_one_of(struct ids ids, uint32_t id) {
    return id == *ids.real || id == *ids.effective || id == *ids.saved;
}

static int64_t set_id(struct ids ids, uint32_t id) {
    if (id == UNCHANGED) return -EINVAL;
    if (process_privileged())
        *ids.real = *ids.saved = *ids.effective = id;
    else if (id == *ids.real || id == *ids.saved)
        *ids.effective = id;
    else
        return -EPERM;
    return 0;
}

static int64_t set_re_id(struct ids ids, uint32_t real, uint32_t effective) {
    if (!process_privileged()) {
        if (real != UNCHANGED && real != *ids.real && real != *ids.effective) return -EPERM;
        if (effective != UNCHANGED && !is_one_of(ids, effective)) return -EPERM;
    }
    /* setreuid(2): the saved id follows whenever the program takes a new identity. */
    bool follow = real != UNCHANGED || (effective != UNCHANGED && effective != *ids.real);
    if (real != UNCHANGED) *ids.real = real;
    if (effective != UNCHANGED) *ids.effective = effective;
    if (follow) *ids.saved = *ids.effective;
    return 0;
}

static int64_t set_res_id(struct ids ids, uint32_t real, uint32_t effective, uint32_t saved) {
    if (!process_privileged()) {
        if ((real != UNCHANGED && !is_one_of(ids, real)) ||
            (effective != UNCHANGED && !is_one_of(ids, effective)) ||
            (saved != UNCHANGED && !is_one_of(ids, saved)))
            return -EPERM;
    }
    if (real != UNCHANGED) *ids.real = real;
    if (effective != UNCHANGED) *ids.effective = effective;
    if (saved != UNCHANGED) *ids.saved = saved;
    return 0;
}

static int64_t get_res_id(struct ids ids, gva_t real, gva_t effective, gva_t saved) {
    if (put_user(*ids.real, real) != 0 || put_user(*ids.effective, effective) != 0) return -EFAULT;
    return put_user(*ids.saved, saved);
}

/* setuid(2) */
int64_t sys_setuid(uint32_t uid) { return set_id(user_ids(), uid); }

/* setgid(2) */
int64_t sys_setgid(uint32_t gid) { return set_id(group_ids(), gid); }

/* setreuid(2) */
int64_t sys_setreuid(uint32_t uid, uint32_t euid) { return set_re_id(user_ids(), uid, euid); }

/* setregid(2) */
int64_t sys_setregid(uint32_t gid, uint32_t egid) { return set_re_id(group_ids(), gid, egid); }

/* setresuid(2) */
int64_t sys_setresuid(uint32_t uid, uint32_t euid, uint32_t suid) {
    return set_res_id(user_ids(), uid, euid, suid);
}

/* setresgid(2) */
int64_t sys_setresgid(uint32_t gid, uint32_t egid, uint32_t sgid) {
    return set_res_id(group_ids(), gid, egid, sgid);
}

/* getresuid(2) */
int64_t sys_getresuid(gva_t uid, gva_t euid, gva_t suid) {
    return get_res_id(user_ids(), uid, euid, suid);
}

/* getresgid(2) */
int64_t sys_getresgid(gva_t gid, gva_t egid, gva_t sgid) {
    return get_res_id(group_ids(), gid, egid, sgid);
}

/* setfsuid(2): the id used for files is the effective one; the answer says so. */
int64_t sys_setfsuid(uint32_t uid) { return current_process()->euid; }

/* setfsgid(2): as setfsuid. */
int64_t sys_setfsgid(uint32_t gid) { return current_process()->egid; }

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
    if (!process_privileged()) return -EPERM;
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
