/* SPDX-License-Identifier: MIT */
/* seccomp(2): decoding; the work is kernel/seccomp.c's. */
#include <kernel/seccomp.h>
#include <syscall/protos.h>
#include <syscall/user.h>

static int64_t action_available(uint32_t flags, gva_t at) {
    uint32_t action;
    if (flags != 0) return -EINVAL;
    if (get_user(action, at) != 0) return -EFAULT;
    return seccomp_action_known(action) ? 0 : -EOPNOTSUPP;
}

/* seccomp(2): nobody can listen, so SECCOMP_RET_USER_NOTIF and what belongs to it is unknown. */
int64_t sys_seccomp(uint32_t op, uint32_t flags, gva_t args) {
    switch (op) {
    case SECCOMP_SET_MODE_STRICT:
        return flags != 0 || args != 0 ? -EINVAL : seccomp_strict();
    case SECCOMP_SET_MODE_FILTER:
        return seccomp_install(flags, args);
    case SECCOMP_GET_ACTION_AVAIL:
        return action_available(flags, args);
    default:
        return -EINVAL;
    }
}
