/* SPDX-License-Identifier: MIT */
/* Waiting for the readiness of several files.  Owns nothing. */
#include "poll_wait.h"

#include <kernel/clock.h>
#include <kernel/epoll.h>
#include <kernel/heap.h>
#include <kernel/hostnet.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/uaccess.h>
#include <kernel/vfs.h>
#include <kernel/wait.h>
#include <syscall/user_time.h>

#define SLICE_NS 10000000       /* between looks at files that nobody watches */
#define REVENTS_UNKNOWN 0xffffu /* the loader has not looked */

struct poll_set {
    struct poll_items *items;
    struct hc_wait_fd *fds;
    uint32_t nfds, room;
    uint32_t version; /* of the handles behind epoll sets, when fds was made */
    uint32_t ready;
    struct thread *thread;
    bool woken;     /* some queue has news */
    bool sets;      /* some file is an epoll set */
    bool unwatched; /* some file needs a look now and then */
};

/* Files say the short names; Linux's say the long ones with them. */
static uint32_t with_synonyms(uint32_t events) {
    if (events & POLLIN) events |= POLLRDNORM;
    if (events & POLLOUT) events |= POLLWRNORM;
    return events;
}

/* Asks the files; `all`: also those of which the loader would have said that they are ready. */
static void scan(struct poll_set *s, bool all) {
    s->ready = 0;
    for (uint32_t i = 0; i < s->items->count; i++) {
        struct poll_item *item = poll_item(s->items, i);
        uint32_t seen = item->slot < 0 ? 0 : s->fds[item->slot].revents;
        bool skip = !item->file || (!all && item->slot >= 0 && seen == 0);
        if (!skip) item->got = with_synonyms(file_poll(item->file)) & item->want;
        if (item->got)
            s->ready++;
        else if (seen && seen != REVENTS_UNKNOWN)
            item->dropped = true;
    }
}

static void item_wake(struct waitq_entry *e, uint32_t events) {
    struct poll_item *item = container_of(e, struct poll_item, entry);
    if (events && !(with_synonyms(events) & (item->want | POLLERR | POLLHUP))) return;
    item->set->woken = true;
    sched_wake(item->set->thread);
}

static void watch(struct poll_set *s) {
    for (uint32_t i = 0; i < s->items->count; i++) {
        struct poll_item *item = poll_item(s->items, i);
        struct waitq *q = item->file ? file_waitq(item->file) : NULL;
        item->set = s;
        item->entry.wake = item_wake;
        if (q) waitq_add(q, &item->entry);
    }
}

static void unwatch(struct poll_set *s) {
    for (uint32_t i = 0; i < s->items->count; i++)
        waitq_remove(&poll_item(s->items, i)->entry);
    kfree(s->fds);
}

/* Adds the host handles behind one item, of which there are `n` so far; returns how many then. */
static uint32_t gather_item(struct poll_set *s, struct poll_item *item, uint32_t n) {
    struct file *f = item->file;
    uint32_t used = min(n, s->room);
    item->slot = -1;
    s->sets |= epoll_is(f);
    if (epoll_is(f)) return n + epoll_host_fds(f, item->want, s->fds + used, s->room - used);
    if (file_waitq(f) || !f->ops->poll) return n;
    uint32_t handle = f->ops->wait_handle ? f->ops->wait_handle(f) : NO_HANDLE;
    /* The loader wakes for POLLHUP and POLLERR whether asked to or not: a file for which that is
     * not an answer (select's exceptfds) would keep it awake. */
    if (handle == NO_HANDLE || item->dropped) {
        s->unwatched = true;
        return n;
    }
    if (n < s->room) {
        item->slot = (int32_t)n;
        s->fds[n] = (struct hc_wait_fd){.handle = handle, .events = (uint16_t)item->want};
    }
    return n + 1;
}

/* Lists the host handles behind all items. */
static int gather(struct poll_set *s) {
    for (;;) {
        uint32_t n = 0;
        s->unwatched = false;
        s->version = epoll_host_version();
        for (uint32_t i = 0; i < s->items->count; i++)
            if (poll_item(s->items, i)->file) n = gather_item(s, poll_item(s->items, i), n);
        s->nfds = min(n, s->room);
        if (n <= s->room) return 0;
        if (s->room == HC_MAX_WAIT_FDS) {
            s->unwatched = true;
            return 0;
        }
        kfree(s->fds);
        s->nfds = 0;
        s->room = min(n, HC_MAX_WAIT_FDS);
        s->fds = kmalloc(s->room * sizeof(*s->fds));
        if (!s->fds) return -ENOMEM;
    }
}

static bool has_news(void *arg) {
    const struct poll_set *s = arg;
    bool news = s->woken || (s->sets && s->version != epoll_host_version());
    for (uint32_t i = 0; i < s->nfds && !news; i++)
        news = s->fds[i].revents != 0;
    return news;
}

static int sleep_until_ready(struct poll_set *s, int64_t deadline_ns) {
    for (;;) {
        int64_t until = deadline_ns;
        int r = gather(s);
        if (r < 0) return r;
        if (s->unwatched) {
            int64_t slice = clock_monotonic_ns() + SLICE_NS;
            until = deadline_ns < 0 ? slice : min(deadline_ns, slice);
        }
        s->woken = false;
        r = wait_until(has_news, s, s->fds, s->nfds, until);
        if (r == -EINTR) return r;
        /* Something may have become ready since the loader last looked. */
        scan(s, r == -ETIMEDOUT && until == deadline_ns);
        if (s->ready) return 0;
        if (r == -ETIMEDOUT && until == deadline_ns) return r;
    }
}

int64_t poll_wait(struct poll_items *items, int64_t deadline_ns) {
    struct poll_set s = {.items = items, .thread = current_thread()};
    for (uint32_t i = 0; i < items->count; i++)
        poll_item(items, i)->slot = -1;
    scan(&s, true);
    if (!s.ready && deadline_ns == 0) {
        hostnet_ask();
        scan(&s, true);
    }
    if (s.ready || deadline_ns == 0) return s.ready;
    watch(&s);
    int r = sleep_until_ready(&s, deadline_ns);
    unwatch(&s);
    return r < 0 && r != -ETIMEDOUT ? r : (int64_t)s.ready;
}

int poll_get(struct poll_items *items, uint32_t count) {
    *items = (struct poll_items){0};
    if (count > POLL_CHUNK * POLL_CHUNKS) return -ENOMEM;
    for (uint32_t at = 0; at < count; at += POLL_CHUNK) {
        uint32_t n = min(count - at, POLL_CHUNK);
        struct poll_item *chunk = kzalloc(n * sizeof(*chunk));
        if (chunk == NULL) return -ENOMEM;
        items->chunks[at / POLL_CHUNK] = chunk;
        items->count = at + n;
    }
    return 0;
}

void poll_put(struct poll_items *items) {
    for (uint32_t i = 0; i < items->count; i++)
        if (poll_item(items, i)->file) file_put(poll_item(items, i)->file);
    for (uint32_t i = 0; i < POLL_CHUNKS; i++)
        kfree(items->chunks[i]);
}

/* select(2) takes microseconds beyond a second. */
static int select_timeval(gva_t at, int64_t *ns) {
    struct timeval tv;
    if (get_user(tv, at) < 0) return -EFAULT;
    if (tv.tv_sec < 0 || tv.tv_usec < 0) return -EINVAL;
    int64_t seconds;
    if (__builtin_add_overflow(tv.tv_sec, tv.tv_usec / 1000000, &seconds) ||
        seconds >= INT64_MAX / NSEC_PER_SEC)
        *ns = INT64_MAX;
    else
        *ns = seconds * NSEC_PER_SEC + tv.tv_usec % 1000000 * 1000;
    return 0;
}

int poll_timeout_get(struct poll_timeout *t, gva_t at, bool timeval) {
    int64_t ns = 0;
    *t = (struct poll_timeout){.at = at, .timeval = timeval, .deadline_ns = WAIT_FOREVER};
    if (at == 0) return 0;
    int r = timeval ? select_timeval(at, &ns) : user_timespec(at, &ns);
    if (r < 0) return r;
    t->zero = ns == 0;
    t->deadline_ns = ns == 0 ? 0 : deadline_after(ns);
    return 0;
}

int poll_mask_get(gva_t mask, uint64_t size) {
    uint64_t set;
    if (mask == 0) return 0;
    if (size != sizeof(set)) return -EINVAL;
    if (get_user(set, mask) < 0) return -EFAULT;
    signal_set_temporary_mask(set);
    return 0;
}

int64_t poll_finish(const struct poll_timeout *t, int64_t result) {
    if (result == -EINTR) result = -ERESTARTNOHAND;
    if (result != -ERESTARTNOHAND) signal_restore_mask();
    if (t->at == 0 || t->zero) return result;
    if (current_thread()->personality & STICKY_TIMEOUTS)
        return result == -ERESTARTNOHAND ? -EINTR : result;
    int64_t left = time_left(t->deadline_ns);
    int r = t->timeval ? put_timeval(t->at, left) : put_timespec(t->at, left);
    /* A timeout in read-only memory is no error, but a restart would wait anew. */
    return r < 0 && result == -ERESTARTNOHAND ? -EINTR : result;
}
