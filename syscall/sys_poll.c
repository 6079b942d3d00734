/* SPDX-License-Identifier: MIT */
/* poll(2) and select(2) with their relatives. */
#include <kernel/heap.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>
#include <syscall/protos.h>
#include <syscall/user.h>
#include <syscall/user_time.h>

#include "poll_wait.h"

#define MIN_TABLE 64u /* Linux tables are never smaller: EBADF below that, silence above */
#define POLL_ALWAYS (POLLERR | POLLHUP)
/* What makes a descriptor readable, writable or exceptional for select(2). */
#define SELECT_IN (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define SELECT_OUT (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR)
#define SELECT_EX POLLPRI

/* Fills the items from the program's array. */
static int load_pollfds(struct poll_items *items, gva_t ufds) {
    for (uint32_t i = 0; i < items->count; i++) {
        struct poll_item *item = poll_item(items, i);
        struct k_pollfd p;
        if (get_user(p, ufds + i * sizeof(p)) < 0) return -EFAULT;
        item->fd = p.fd;
        if (p.fd < 0) continue;
        item->want = (uint16_t)p.events | POLL_ALWAYS;
        item->file = fd_get_io(p.fd);
        if (!item->file) item->got = POLLNVAL;
    }
    return 0;
}

static int store_revents(const struct poll_items *items, gva_t ufds) {
    for (uint32_t i = 0; i < items->count; i++) {
        int16_t revents = (int16_t)poll_item(items, i)->got;
        gva_t at = ufds + i * sizeof(struct k_pollfd) + offsetof(struct k_pollfd, revents);
        if (put_user(revents, at) < 0) return -EFAULT;
    }
    return 0;
}

static int64_t do_poll(gva_t ufds, uint32_t count, int64_t deadline_ns) {
    if (count > current_process()->limits[RLIMIT_NOFILE].rlim_cur) return -EINVAL;
    struct poll_items items;
    int64_t r = poll_get(&items, count);
    if (r == 0) r = load_pollfds(&items, ufds);
    if (r == 0) r = poll_wait(&items, deadline_ns);
    if (r >= 0 && store_revents(&items, ufds) < 0) r = -EFAULT;
    poll_put(&items);
    return r;
}

static int64_t poll_again(struct thread *t) {
    int64_t deadline_ns = (int64_t)t->restart_arg[2];
    int64_t r = do_poll(t->restart_arg[0], (uint32_t)t->restart_arg[1], deadline_ns);
    if (r != -EINTR) return r;
    t->restart = poll_again;
    return -ERESTART_RESTARTBLOCK;
}

/* poll(2) */
int64_t sys_poll(gva_t ufds, uint32_t count, int timeout_ms) {
    struct thread *t = current_thread();
    int64_t deadline_ns = WAIT_FOREVER;
    if (timeout_ms >= 0) deadline_ns = timeout_ms ? deadline_after(timeout_ms * 1000000LL) : 0;
    t->restart_arg[0] = ufds;
    t->restart_arg[1] = count;
    t->restart_arg[2] = (uint64_t)deadline_ns;
    return poll_again(t);
}

/* ppoll(2) */
int64_t sys_ppoll(gva_t ufds, uint32_t count, gva_t timeout, gva_t mask, uint64_t mask_size) {
    struct poll_timeout t;
    int r = poll_timeout_get(&t, timeout, false);
    if (r == 0) r = poll_mask_get(mask, mask_size);
    return r < 0 ? r : poll_finish(&t, do_poll(ufds, count, t.deadline_ns));
}

/* The three sets of select(2), as the program gave them and as it gets them back. */
struct select_sets {
    gva_t user[3];
    uint64_t *in[3], *out[3];
    uint32_t nfds, words; /* of each set */
};

static const uint32_t select_events[3] = {SELECT_IN, SELECT_OUT, SELECT_EX};

static int load_sets(struct select_sets *s) {
    uint64_t *mem = kzalloc(max(s->words, 1) * sizeof(*mem) * 6);
    if (!mem) return -ENOMEM;
    for (unsigned k = 0; k < 3; k++) {
        s->in[k] = mem + k * s->words;
        s->out[k] = mem + (k + 3) * s->words;
    }
    for (unsigned k = 0; k < 3; k++)
        if (s->user[k] && copy_from_user(s->in[k], s->user[k], s->words * sizeof(*mem)) < 0)
            return -EFAULT;
    return 0;
}

static int store_sets(const struct select_sets *s) {
    for (unsigned k = 0; k < 3; k++)
        if (s->user[k] && copy_to_user(s->user[k], s->out[k], s->words * sizeof(uint64_t)) < 0)
            return -EFAULT;
    return 0;
}

static uint32_t wanted(const struct select_sets *s, uint32_t fd) {
    uint32_t want = 0;
    for (unsigned k = 0; k < 3; k++)
        if (s->in[k][fd / 64] >> fd % 64 & 1) want |= select_events[k];
    return want;
}

static int load_items(const struct select_sets *s, struct poll_items *items) {
    uint32_t count = 0;
    for (uint32_t fd = 0; fd < s->nfds; fd++) {
        uint32_t want = wanted(s, fd);
        if (want == 0) continue;
        struct poll_item *item = poll_item(items, count++);
        item->file = fd_get_io((int)fd);
        if (!item->file) return -EBADF;
        item->fd = (int32_t)fd;
        item->want = want;
    }
    return 0;
}

/* A descriptor counts once for each set that it is ready in. */
static int64_t mark_ready(const struct select_sets *s, const struct poll_items *items) {
    int64_t ready = 0;
    for (uint32_t i = 0; i < items->count; i++) {
        const struct poll_item *item = poll_item(items, i);
        uint32_t fd = (uint32_t)item->fd;
        uint64_t bit = 1ULL << fd % 64;
        for (unsigned k = 0; k < 3; k++) {
            if (!(s->in[k][fd / 64] & bit) || !(item->got & select_events[k])) continue;
            s->out[k][fd / 64] |= bit;
            ready++;
        }
    }
    return ready;
}

static int64_t select_items(const struct select_sets *s, int64_t deadline_ns) {
    uint32_t members = 0;
    for (uint32_t w = 0; w < s->words; w++)
        members += (uint32_t)__builtin_popcountll(s->in[0][w] | s->in[1][w] | s->in[2][w]);
    struct poll_items items;
    int64_t r = poll_get(&items, members);
    if (r == 0) r = load_items(s, &items);
    if (r == 0) r = poll_wait(&items, deadline_ns);
    if (r >= 0) r = mark_ready(s, &items);
    poll_put(&items);
    return r;
}

/* Bits beyond the descriptor table are not looked at, as in Linux. */
static int64_t do_select(int nfds, const gva_t user[3], int64_t deadline_ns) {
    struct select_sets s = {.user = {user[0], user[1], user[2]}};
    if (nfds < 0) return -EINVAL;
    s.nfds = min((uint32_t)nfds, max(current_process()->fds.size, MIN_TABLE));
    s.words = (s.nfds + 63) / 64;
    int64_t r = load_sets(&s);
    if (r == 0) r = select_items(&s, deadline_ns);
    if (r >= 0 && store_sets(&s) < 0) r = -EFAULT;
    kfree(s.in[0]);
    return r;
}

/* select(2) */
int64_t sys_select(int nfds, gva_t in, gva_t out, gva_t ex, gva_t timeout) {
    struct poll_timeout t;
    int r = poll_timeout_get(&t, timeout, true);
    return r < 0 ? r : poll_finish(&t, do_select(nfds, (gva_t[]){in, out, ex}, t.deadline_ns));
}

/* pselect6(2): the last argument points at the mask's address and size. */
int64_t sys_pselect6(int nfds, gva_t in, gva_t out, gva_t ex, gva_t timeout, gva_t mask_arg) {
    struct {
        gva_t mask;
        uint64_t size;
    } arg = {0};
    struct poll_timeout t;
    if (mask_arg && get_user(arg, mask_arg) < 0) return -EFAULT;
    int r = poll_timeout_get(&t, timeout, false);
    if (r == 0) r = poll_mask_get(arg.mask, arg.size);
    return r < 0 ? r : poll_finish(&t, do_select(nfds, (gva_t[]){in, out, ex}, t.deadline_ns));
}
