/* SPDX-License-Identifier: MIT */
/* AF_UNIX: control messages, SCM_RIGHTS and SCM_CREDENTIALS.  Owns the count of files that are in
 * messages. */
#include <kernel/heap.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "unix.h"

#define NOBODY 65534u /* who a message without credentials comes from */

static uint32_t files_inflight;

static int add_fds(struct unix_scm *scm, const struct k_cmsghdr *c) {
    uint64_t count = (c->len - sizeof(*c)) / sizeof(int);
    uint32_t have = scm->rights ? scm->rights->count : 0;
    struct unix_rights *r;

    if (count == 0) return 0;
    if (count > SCM_MAX_FD || have + count > SCM_MAX_FD) return -EINVAL;
    r = krealloc(scm->rights, sizeof(*r) + (have + count) * sizeof(r->files[0]));
    if (!r) return -ENOMEM;
    r->count = have;
    scm->rights = r;
    for (uint64_t i = 0; i < count; i++) {
        int fd;

        memcpy(&fd, (const char *)(c + 1) + i * sizeof(fd), sizeof(fd));
        r->files[r->count] = fd_get(fd);
        if (!r->files[r->count]) return -EBADF;
        r->count++;
    }
    return 0;
}

static bool is_own(uint32_t id, uint32_t real, uint32_t effective, uint32_t saved) {
    return id == real || id == effective || id == saved;
}

static int set_cred(struct unix_scm *scm, const struct k_cmsghdr *c) {
    const struct process *p = current_process();
    bool root = p->euid == 0;
    struct k_ucred cred;

    if (c->len != sizeof(*c) + sizeof(cred)) return -EINVAL;
    memcpy(&cred, c + 1, sizeof(cred));
    if (cred.pid != p->pid && !root) return -EPERM;
    if (!root &&
        !(is_own(cred.uid, p->uid, p->euid, p->suid) && is_own(cred.gid, p->gid, p->egid, p->sgid)))
        return -EPERM;
    if (cred.pid != p->pid) return -ESRCH;
    if (cred.uid == UINT32_MAX || cred.gid == UINT32_MAX) return -EINVAL;
    scm->cred = cred;
    return 0;
}

int unix_scm_read(const struct sock_msg *m, struct unix_scm *scm) {
    const struct k_cmsghdr *c;
    uint64_t at = 0;
    bool bad;
    int r = 0;

    *scm = (struct unix_scm){.cred = {0, NOBODY, NOBODY}};
    while (r == 0 && (c = control_next(m, &at, &bad)) != NULL) {
        if (c->level != SOL_SOCKET) continue;
        if (c->type == SCM_RIGHTS)
            r = add_fds(scm, c);
        else
            r = c->type == SCM_CREDENTIALS ? set_cred(scm, c) : -EINVAL;
    }
    if (r == 0 && bad) r = -EINVAL;
    if (r == 0 && scm->rights) r = unix_rights_may_fly(scm->rights);
    if (r) unix_scm_drop(scm);
    return r;
}

/* Closing a file may free messages that carry files: one loop frees them all, however deep they
 * are nested. */
static void free_rights(struct unix_rights *rights) {
    static struct unix_rights *waiting;
    static bool busy;

    rights->next = waiting;
    waiting = rights;
    if (busy) return;
    busy = true;
    while (waiting != NULL) {
        struct unix_rights *r = waiting;

        waiting = r->next;
        for (uint32_t i = 0; i < r->count; i++)
            file_put(r->files[i]);
        kfree(r);
    }
    busy = false;
}

void unix_scm_drop(struct unix_scm *scm) {
    struct unix_rights *rights = scm->rights;

    scm->rights = NULL;
    if (rights) free_rights(rights);
}

static struct unix_sock *unix_of_file(const struct file *f) {
    struct socket *s = socket_of(f);

    return s != NULL && s->family == AF_UNIX ? unix_of(s) : NULL;
}

int unix_rights_may_fly(const struct unix_rights *rights) {
    const struct process *p = current_process();

    if (p->euid == 0 || files_inflight <= p->limits[RLIMIT_NOFILE].rlim_cur) return 0;
    return -ETOOMANYREFS;
}

void unix_rights_fly(struct unix_rights *rights) {
    files_inflight += rights->count;
    for (uint32_t i = 0; i < rights->count; i++) {
        struct unix_sock *u = unix_of_file(rights->files[i]);

        if (u != NULL) unix_gc_fly(u);
    }
}

void unix_rights_land(struct unix_rights *rights) {
    files_inflight -= rights->count;
    for (uint32_t i = 0; i < rights->count; i++) {
        struct unix_sock *u = unix_of_file(rights->files[i]);

        if (u != NULL) unix_gc_land(u);
    }
}

struct unix_rights *unix_rights_copy(const struct unix_rights *rights) {
    struct unix_rights *copy = kmalloc(sizeof(*copy) + rights->count * sizeof(copy->files[0]));

    if (!copy) return NULL;
    copy->count = rights->count;
    for (uint32_t i = 0; i < rights->count; i++)
        copy->files[i] = file_ref(rights->files[i]);
    return copy;
}

void unix_scm_give(struct unix_sock *u, struct sock_msg *m, struct unix_scm *scm) {
    bool creds = socket_has(&u->sock, SO_PASSCRED);

    if (m->control_at == 0 && (creds || scm->rights)) {
        m->result_flags |= MSG_CTRUNC;
    } else {
        if (creds) control_put(m, SOL_SOCKET, SCM_CREDENTIALS, &scm->cred, sizeof(scm->cred));
        if (scm->rights) control_put_files(m, scm->rights->files, scm->rights->count);
    }
    unix_scm_drop(scm);
}
