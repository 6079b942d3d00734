/* SPDX-License-Identifier: MIT */
/* capabilities(7): a process has all of them (effective id 0) or none. */
#include <kernel/string.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define ALL_CAPS ((1ULL << (CAP_LAST_CAP + 1)) - 1)

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

/* What this process has, in the caller's layout. */
static void cap_fill(struct __user_cap_data_struct data[2]) {
    uint64_t caps = process_privileged() ? ALL_CAPS : 0;
    for (int i = 0; i < 2; i++) {
        uint32_t word = (uint32_t)(caps >> (32 * i));
        data[i] = (struct __user_cap_data_struct){.effective = word, .permitted = word};
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
    if (!pid_is_self(header.pid)) return -ESRCH;
    struct __user_cap_data_struct data[2];
    cap_fill(data);
    return copy_to_user(data_at, data, (uint64_t)words * sizeof(data[0]));
}

/* capset(2): a part of them cannot be given up. */
int64_t sys_capset(gva_t header_at, gva_t data_at) {
    struct __user_cap_header_struct header;
    int words = cap_header(header_at, &header);
    if (words < 0) return words;
    if (!pid_is_self(header.pid)) return -EPERM;
    struct __user_cap_data_struct want[2], have[2];
    cap_fill(have);
    memcpy(want, have, sizeof(want));
    uint64_t bytes = (uint64_t)words * sizeof(want[0]);
    if (copy_from_user(want, data_at, bytes) != 0) return -EFAULT;
    return memcmp(want, have, sizeof(want)) == 0 ? 0 : -EPERM;
}
