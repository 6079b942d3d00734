/* SPDX-License-Identifier: MIT */
/* Keys, identifiers and permissions of System V IPC objects.  Owns nothing: each kind has its
 * table. */
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>
#include <kernel/sysv_ipc.h>

#define INDEX_BITS 15 /* an identifier is seq << INDEX_BITS | place, as in Linux */
#define INDEX_MASK ((1 << INDEX_BITS) - 1)
#define FIRST_SIZE 16u

static struct sysv_object *by_key(const struct sysv_table *t, int32_t key) {
    for (uint32_t i = 0; i < t->size; i++)
        if (t->slots[i] != NULL && t->slots[i]->key == key) return t->slots[i];
    return NULL;
}

int sysv_get(struct sysv_table *t, int32_t key, uint32_t flags, struct sysv_object **out) {
    *out = key == IPC_PRIVATE ? NULL : by_key(t, key);
    if (*out != NULL) {
        if ((flags & IPC_CREAT) != 0 && (flags & IPC_EXCL) != 0) return -EEXIST;
        /* Every right that is asked for, in any of the three classes. */
        return sysv_permission(*out, (flags >> 6 | flags >> 3 | flags) & 7);
    }
    if (key != IPC_PRIVATE && (flags & IPC_CREAT) == 0) return -ENOENT;
    return t->used < t->limit ? 1 : -ENOSPC;
}

static int grow(struct sysv_table *t) {
    uint32_t size = t->size != 0 ? t->size * 2 : FIRST_SIZE;
    struct sysv_object **slots = krealloc(t->slots, size * sizeof(slots[0]));
    if (slots == NULL) return -ENOMEM;
    memset(slots + t->size, 0, (size - t->size) * sizeof(slots[0]));
    t->slots = slots;
    t->size = size;
    return 0;
}

int sysv_add(struct sysv_table *t, struct sysv_object *o, int32_t key, uint32_t flags) {
    const struct process *p = current_process();
    uint32_t i = 0;
    while (i < t->size && t->slots[i] != NULL)
        i++;
    if (i == t->size && grow(t) != 0) return -ENOMEM;
    t->slots[i] = o;
    t->used++;
    o->key = key;
    o->mode = flags & 0777;
    o->uid = o->cuid = p->euid;
    o->gid = o->cgid = p->egid;
    o->seq = t->seq;
    t->seq = (t->seq + 1) & 0x7fff;
    o->refs = 1;
    o->id = o->seq << INDEX_BITS | (int32_t)i;
    return o->id;
}

int sysv_find_index(struct sysv_table *t, int32_t index, struct sysv_object **out) {
    *out = NULL;
    if (index < 0 || (uint32_t)index >= t->size) return -EINVAL;
    *out = t->slots[index];
    return *out != NULL ? 0 : -EINVAL;
}

int sysv_find(struct sysv_table *t, int32_t id, struct sysv_object **out) {
    if (id < 0) return -EINVAL;
    int r = sysv_find_index(t, id & INDEX_MASK, out);
    return r == 0 && (*out)->id != id ? -EIDRM : r;
}

void sysv_remove(struct sysv_table *t, struct sysv_object *o) {
    t->slots[o->id & INDEX_MASK] = NULL;
    t->used--;
    o->removed = true;
}

int32_t sysv_max_index(const struct sysv_table *t) {
    int32_t i = (int32_t)t->size - 1;
    while (i >= 0 && t->slots[i] == NULL)
        i--;
    return i;
}

int sysv_permission(const struct sysv_object *o, uint32_t want) {
    const struct process *p = current_process();
    uint32_t mode = o->mode;
    if (process_capable(CAP_IPC_OWNER)) return 0;
    if (p->euid == o->cuid || p->euid == o->uid)
        mode >>= 6;
    else if (p->egid == o->cgid || p->egid == o->gid)
        mode >>= 3;
    return (want & ~mode & 7) != 0 ? -EACCES : 0;
}

int sysv_owner(const struct sysv_object *o) {
    uint32_t euid = current_process()->euid;
    return process_capable(CAP_SYS_ADMIN) || euid == o->cuid || euid == o->uid ? 0 : -EPERM;
}

void sysv_perm_out(const struct sysv_object *o, struct ipc64_perm *out) {
    *out = (struct ipc64_perm){.key = o->key,
                               .uid = o->uid,
                               .gid = o->gid,
                               .cuid = o->cuid,
                               .cgid = o->cgid,
                               .mode = (__kernel_mode_t)o->mode,
                               .seq = o->seq};
}

int sysv_perm_set(struct sysv_object *o, const struct ipc64_perm *in) {
    int r = sysv_owner(o);
    if (r != 0) return r;
    if (in->uid == UINT32_MAX || in->gid == UINT32_MAX) return -EINVAL;
    o->uid = in->uid;
    o->gid = in->gid;
    o->mode = in->mode & 0777;
    return 0;
}
