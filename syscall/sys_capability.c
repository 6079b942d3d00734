/* SPDX-License-Identifier: MIT */
/* capabilities(7): capget(2), capset(2) and what prctl(2) does with them. */
#include <kernel/creds.h>
#include <kernel/sched.h>
#include <syscall/prctl.h>
#include <syscall/protos.h>
#include <syscall/user.h>

/* Words of 32 capabilities in this version's structures; 0: unknown version. */
static uint32_t cap_words(uint32_t version) {
    switch (version) {
    case _LINUX_CAPABILITY_VERSION_1:
        return _LINUX_CAPABILITY_U32S_1;
    case _LINUX_CAPABILITY_VERSION_2:
        return _LINUX_CAPABILITY_U32S_2;
    case _LINUX_CAPABILITY_VERSION_3:
        return _LINUX_CAPABILITY_U32S_3;
    default:
        return 0;
    }
}

/* What a process has, in the caller's layout. */
static void cap_fill(struct __user_cap_data_struct data[2], const struct process *p) {
    const struct capabilities *caps = &p->caps;
    for (int i = 0; i < 2; i++) {
        data[i] = (struct __user_cap_data_struct){
            .effective = (uint32_t)(caps->effective >> (32 * i)),
            .permitted = (uint32_t)(caps->permitted >> (32 * i)),
            .inheritable = (uint32_t)(caps->inheritable >> (32 * i)),
        };
    }
}

/* Reads the header; the number of words, or -errno after telling which version is spoken. */
static int cap_header(gva_t at, struct __user_cap_header_struct *header) {
    if (get_user(*header, at) != 0) return -EFAULT;
    uint32_t words = cap_words(header->version);
    if (words != 0) return (int)words;
    uint32_t ours = _LINUX_CAPABILITY_VERSION_3;
    return put_user(ours, at) != 0 ? -EFAULT : -EINVAL;
}

/* capget(2) */
int64_t sys_capget(gva_t header_at, gva_t data_at) {
    struct __user_cap_header_struct header;
    int words = cap_header(header_at, &header);
    if (words < 0) return words == -EINVAL && data_at == 0 ? 0 : words;
    if (data_at == 0) return 0;
    if (header.pid < 0) return -EINVAL;
    const struct thread *t = thread_seen(header.pid);
    if (t == NULL) return -ESRCH;
    struct __user_cap_data_struct data[2];
    cap_fill(data, t->process);
    return copy_to_user(data_at, data, (uint64_t)words * sizeof(data[0]));
}

static bool is_subset(uint64_t set, uint64_t of) { return (set & ~of) == 0; }

/* capset(2) */
int64_t sys_capset(gva_t header_at, gva_t data_at) {
    struct __user_cap_header_struct header;
    int words = cap_header(header_at, &header);
    if (words < 0) return words;
    if (!pid_is_self(header.pid)) return -EPERM;
    struct __user_cap_data_struct want[2] = {{0}};
    if (copy_from_user(want, data_at, (uint64_t)words * sizeof(want[0])) != 0) return -EFAULT;
    struct capabilities *caps = &current_process()->caps;
    uint64_t effective = (want[0].effective | (uint64_t)want[1].effective << 32) & CAPS_ALL;
    uint64_t permitted = (want[0].permitted | (uint64_t)want[1].permitted << 32) & CAPS_ALL;
    uint64_t inheritable = (want[0].inheritable | (uint64_t)want[1].inheritable << 32) & CAPS_ALL;
    if (!process_capable(CAP_SETPCAP) &&
        !is_subset(inheritable, caps->inheritable | caps->permitted))
        return -EPERM;
    if (!is_subset(inheritable, caps->inheritable | caps->bounding)) return -EPERM;
    if (!is_subset(permitted, caps->permitted)) return -EPERM;
    if (!is_subset(effective, permitted)) return -EPERM;
    caps->effective = effective;
    caps->permitted = permitted;
    caps->inheritable = inheritable;
    caps->ambient &= permitted & inheritable;
    return 0;
}

static int64_t drop_bounding(uint64_t cap) {
    if (!process_capable(CAP_SETPCAP)) return -EPERM;
    if (cap > CAP_LAST_CAP) return -EINVAL;
    current_process()->caps.bounding &= ~(1ULL << cap);
    return 0;
}

/* A locked bit stays as it is; unlocked ones need CAP_SETPCAP. */
static int64_t set_securebits(uint64_t bits) {
    struct process *self = current_process();
    uint64_t old = self->securebits, locks = old & SECURE_ALL_LOCKS;
    bool unlocks = (locks & ~bits) != 0, changes_locked = (locks >> 1 & (old ^ bits)) != 0;
    bool unknown = (bits & ~(uint64_t)(SECURE_ALL_LOCKS | SECURE_ALL_BITS)) != 0;
    if (unlocks || changes_locked || unknown || !process_capable(CAP_SETPCAP)) return -EPERM;
    self->securebits = (uint32_t)bits;
    return 0;
}

static int64_t set_keep_caps(uint64_t value) {
    struct process *self = current_process();
    if (value > 1) return -EINVAL;
    if (self->securebits & issecure_mask(SECURE_KEEP_CAPS_LOCKED)) return -EPERM;
    self->securebits &= ~(uint32_t)issecure_mask(SECURE_KEEP_CAPS);
    if (value) self->securebits |= issecure_mask(SECURE_KEEP_CAPS);
    return 0;
}

static int64_t ambient(uint64_t what, uint64_t cap, uint64_t rest) {
    struct process *self = current_process();
    struct capabilities *caps = &self->caps;
    if (what == PR_CAP_AMBIENT_CLEAR_ALL) {
        if ((cap | rest) != 0) return -EINVAL;
        caps->ambient = 0;
        return 0;
    }
    if (rest != 0 || cap > CAP_LAST_CAP) return -EINVAL;
    uint64_t bit = 1ULL << cap;
    switch (what) {
    case PR_CAP_AMBIENT_IS_SET:
        return (caps->ambient & bit) != 0;
    case PR_CAP_AMBIENT_LOWER:
        caps->ambient &= ~bit;
        return 0;
    case PR_CAP_AMBIENT_RAISE:
        if (!(caps->permitted & caps->inheritable & bit)) return -EPERM;
        if (self->securebits & issecure_mask(SECURE_NO_CAP_AMBIENT_RAISE)) return -EPERM;
        caps->ambient |= bit;
        return 0;
    default:
        return -EINVAL;
    }
}

int64_t prctl_capability(int op, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    const struct process *self = current_process();
    switch (op) {
    case PR_CAPBSET_READ:
        return a <= CAP_LAST_CAP ? (int64_t)(self->caps.bounding >> a & 1) : -EINVAL;
    case PR_CAPBSET_DROP:
        return drop_bounding(a);
    case PR_CAP_AMBIENT:
        return ambient(a, b, c | d);
    case PR_GET_SECUREBITS:
        return self->securebits;
    case PR_SET_SECUREBITS:
        return set_securebits(a);
    case PR_GET_KEEPCAPS:
        return (self->securebits & issecure_mask(SECURE_KEEP_CAPS)) != 0;
    case PR_SET_KEEPCAPS:
        return set_keep_caps(a);
    default:
        return -ENOSYS;
    }
}
