/* SPDX-License-Identifier: MIT */
/* Control messages: reading a sender's, writing a receiver's. cmsg(3). */
#include <kernel/process.h>
#include <kernel/socket.h>

#define ALIGN(n) (((n) + 7) & ~7ULL)
#define HEADER sizeof(struct k_cmsghdr)

const struct k_cmsghdr *control_next(const struct sock_msg *m, uint64_t *at, bool *bad) {
    const struct k_cmsghdr *c;

    *bad = false;
    if (*at > m->control_len || m->control_len - *at < HEADER) return NULL;
    c = (const struct k_cmsghdr *)(m->control + *at);
    if (c->len < HEADER || c->len > m->control_len - *at) {
        *bad = true;
        return NULL;
    }
    *at += ALIGN(c->len);
    return c;
}

/* Moves on behind a message of `used` bytes. */
static void advance(struct sock_msg *m, uint64_t used) {
    used = min(ALIGN(used), m->control_room);
    m->control_at += used;
    m->control_room -= used;
}

int control_put(struct sock_msg *m, int level, int type, const void *data, uint32_t len) {
    struct k_cmsghdr c = {.len = HEADER + len, .level = level, .type = type};

    if (m->control_at == 0 || m->control_room < HEADER) {
        m->result_flags |= MSG_CTRUNC;
        return 0;
    }
    if (c.len > m->control_room) {
        m->result_flags |= MSG_CTRUNC;
        c.len = m->control_room;
    }
    if (put_user(c, m->control_at) || copy_to_user(m->control_at + HEADER, data, c.len - HEADER))
        return -EFAULT;
    advance(m, HEADER + len);
    return 0;
}

/* Installs one file and tells its number; false where the program ran out of something. */
static bool put_one_file(gva_t at, struct file *f, bool cloexec) {
    int fd = fd_install(file_ref(f), 0, cloexec);

    if (fd < 0) {
        file_put(f);
        return false;
    }
    if (put_user(fd, at) == 0) return true;
    fd_close(fd);
    return false;
}

bool control_put_files(struct sock_msg *m, struct file *const *files, uint32_t count) {
    uint64_t room = m->control_room > HEADER ? (m->control_room - HEADER) / sizeof(int) : 0;
    uint32_t fits = (uint32_t)min(room, (uint64_t)count), i = 0;
    bool cloexec = m->flags & MSG_CMSG_CLOEXEC;
    struct k_cmsghdr c = {.level = SOL_SOCKET, .type = SCM_RIGHTS};

    if (m->control_at == 0) fits = 0;
    while (i < fits && put_one_file(m->control_at + HEADER + i * sizeof(int), files[i], cloexec))
        i++;
    if (i > 0) {
        c.len = HEADER + i * sizeof(int);
        if (put_user(c, m->control_at) == 0) advance(m, c.len);
    }
    if (i < count) m->result_flags |= MSG_CTRUNC;
    return i == count;
}
