/* SPDX-License-Identifier: MIT */
/* Credentials: the rules by which capabilities follow the user ids, and who belongs to a group. */
#include <kernel/creds.h>

#define CAP_BIT(cap) (1ULL << (cap))
/* What setfsuid(2) gives and takes: capabilities(7), "Effect of user ID changes". */
#define FS_CAPS                                                                                    \
    (CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_DAC_OVERRIDE) |                         \
     CAP_BIT(CAP_DAC_READ_SEARCH) | CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID) |                    \
     CAP_BIT(CAP_LINUX_IMMUTABLE) | CAP_BIT(CAP_MAC_OVERRIDE))

static bool is_secure(const struct process *p, int bit) {
    return p->securebits & issecure_mask(bit);
}

bool process_capable(int cap) { return current_process()->caps.effective >> cap & 1; }

void creds_init(struct process *p) {
    p->caps.bounding = CAPS_ALL;
    creds_exec(p);
}

struct uid_set creds_uids(const struct process *p) {
    return (struct uid_set){p->uid, p->euid, p->suid, p->fsuid};
}

void creds_uids_changed(struct process *p, const struct uid_set *old) {
    struct capabilities *c = &p->caps;
    bool had_root = old->real == 0 || old->effective == 0 || old->saved == 0;
    bool has_root = p->uid == 0 || p->euid == 0 || p->suid == 0;

    if (is_secure(p, SECURE_NO_SETUID_FIXUP)) return;
    if (had_root && !has_root) {
        if (!is_secure(p, SECURE_KEEP_CAPS)) c->permitted = c->effective = 0;
        c->ambient = 0;
    }
    if (old->effective == 0 && p->euid != 0) c->effective = 0;
    if (old->effective != 0 && p->euid == 0) c->effective = c->permitted;
    if (old->effective != p->euid) return;
    if (old->fs == 0 && p->fsuid != 0) c->effective &= ~FS_CAPS;
    if (old->fs != 0 && p->fsuid == 0) c->effective |= c->permitted & FS_CAPS;
}

/* Files have no capabilities here; root's programs have all, as if they had. */
void creds_exec(struct process *p) {
    struct capabilities *c = &p->caps;
    bool root = !is_secure(p, SECURE_NOROOT);

    p->suid = p->fsuid = p->euid;
    p->sgid = p->fsgid = p->egid;
    p->undumpable = false;
    p->securebits &= ~(uint32_t)issecure_mask(SECURE_KEEP_CAPS);
    if (root && (p->uid == 0 || p->euid == 0))
        c->permitted = c->inheritable | c->bounding;
    else
        c->permitted = c->ambient;
    c->effective = root && p->euid == 0 ? c->permitted : c->ambient;
}

bool creds_in_group(const struct process *p, uint32_t gid) {
    if (p->fsgid == gid) return true;
    for (uint32_t i = 0; i < p->group_count; i++)
        if (p->groups[i] == gid) return true;
    return false;
}
