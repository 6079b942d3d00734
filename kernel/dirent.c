/* SPDX-License-Identifier: MIT */
/* getdents64 records, shared by the file systems that live in the guest. */
#include <hermit/linux_abi.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>

#include "dirent.h"

bool dirent_emit(struct dirent_sink *s, const char *name, size_t name_len, uint64_t ino,
                 uint32_t mode, int64_t next) {
    union {
        struct linux_dirent64 d;
        char bytes[offsetof(struct linux_dirent64, d_name) + NAME_MAX + 1 + 8];
    } rec;
    size_t used = offsetof(struct linux_dirent64, d_name) + name_len + 1;
    size_t size = (used + 7) & ~(size_t)7;

    if (s->error || name_len > NAME_MAX || s->len - s->done < size) return false;
    rec.d.d_ino = ino;
    rec.d.d_off = next;
    rec.d.d_reclen = (uint16_t)size;
    rec.d.d_type = (uint8_t)(mode >> 12 & 15); /* DT_* are S_IF* shifted down */
    memcpy(rec.d.d_name, name, name_len);
    memset(rec.bytes + used - 1, 0, size - used + 1);
    s->error = copy_to_user(s->buf + s->done, &rec, size);
    if (s->error) return false;
    s->done += size;
    return true;
}

int64_t dirent_result(const struct dirent_sink *s, bool more) {
    if (s->done) return (int64_t)s->done;
    if (s->error) return s->error;
    return more ? -EINVAL : 0;
}
