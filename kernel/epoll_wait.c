/* SPDX-License-Identifier: MIT */
/* epoll: waiting, delivery, and files whose readiness only the host knows.
 *
 * The host tells levels.  An edge is a level that comes up: what was reported as an edge (`seen`)
 * is left out of what the loader watches until the file was used or is found not ready.
 * Owns the version of the lists of host files. */
#include <kernel/clock.h>
#include <kernel/heap.h>
#include <kernel/hostnet.h>
#include <kernel/sched.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>

#include "epoll_internal.h"

#define HOST_PERIOD_NS 1000000 /* how long busy files keep a set from asking the host */
#define SLICE_NS 10000000      /* between looks at what nobody watches */
#define ALWAYS (EPOLLERR | EPOLLHUP)

static uint32_t host_version;

uint32_t epoll_host_version(void) { return host_version; }

void epoll_host_changed(void) {
    host_version++;
    wait_poke();
}

/* Of the edges that were seen, only `keep` are still up: the others may come again. */
static void rearm(struct epitem *item, uint32_t keep) {
    if ((item->seen & ~keep) == 0) return;
    item->seen &= keep;
    epoll_host_changed();
}

void epoll_file_used(struct file *f) {
    if (f->ops->wait_handle == NULL) return;
    for (struct epitem *item = f->watches; item != NULL; item = item->next_of_file) {
        rearm(item, 0);
        /* A set in a set waits for its items to become ready: they must not look so for long. */
        if (item->is_ready && item->set->file->watches != NULL && epitem_poll(item) == 0) {
            epitem_clear_ready(item);
            epoll_host_changed();
        }
    }
}

/* A thread in epoll_wait(2). */
struct epoll_waiter {
    TAILQ_ENTRY(epoll_waiter) link;
    struct epoll *set;
    struct thread *thread;
    struct hc_wait_fd *fds;
    uint32_t nfds, room;
    uint32_t version; /* of the lists, when fds was made */
    bool woken;
    bool unwatched; /* some file needs a look now and then */
};

void epoll_wake_one(struct epoll *ep) {
    struct epoll_waiter *w;
    TAILQ_FOREACH(w, &ep->waiters, link) {
        if (w->woken) continue;
        w->woken = true;
        sched_wake(w->thread);
        return;
    }
}

static uint32_t host_handle(struct file *f) {
    return f->ops->wait_handle != NULL ? f->ops->wait_handle(f) : NO_HANDLE;
}

/* What the loader is to watch of an item; 0: nothing. */
static uint32_t awaited(const struct epitem *item) {
    uint32_t events = item->events & ~EPOLL_MODES;
    /* The loader reports these two whether asked to or not. */
    return item->seen & ALWAYS ? 0 : events & ~item->seen;
}

static bool is_on(const struct epitem *item) { return (item->events & ~EPOLL_MODES) != 0; }

uint32_t epoll_host_fds(struct file *f, uint32_t want, struct hc_wait_fd *fds, uint32_t room) {
    uint32_t n = 0;
    struct epitem *item;
    if (!epoll_is(f) || !(want & (POLLIN | POLLRDNORM))) return 0;
    TAILQ_FOREACH(item, &epoll_of(f)->host, in_host) {
        uint32_t used = min(n, room), events = awaited(item);
        if (item->is_ready && !epoll_is(item->file)) continue; /* nothing new to hear */
        if (epoll_is(item->file)) {
            if (is_on(item)) n += epoll_host_fds(item->file, events, fds + used, room - used);
            continue;
        }
        uint32_t handle = host_handle(item->file);
        if (handle == NO_HANDLE || events == 0) continue;
        if (n < room) fds[n] = (struct hc_wait_fd){.handle = handle, .events = (uint16_t)events};
        n++;
    }
    return n;
}

/* Some file has neither a queue nor a handle. */
static bool needs_looks(const struct epoll *ep) {
    const struct epitem *item;
    TAILQ_FOREACH(item, &ep->host, in_host) {
        if (epoll_is(item->file) ? needs_looks(epoll_of(item->file))
                                 : host_handle(item->file) == NO_HANDLE)
            return true;
    }
    return false;
}

/* Asks the host about the files of the set. */
static void check_host(struct epoll *ep) {
    struct epitem *item;
    TAILQ_FOREACH(item, &ep->host, in_host) {
        if (epoll_is(item->file)) {
            if (is_on(item)) check_host(epoll_of(item->file));
        } else if (!item->is_ready && is_on(item)) {
            uint32_t events = epitem_poll(item);
            rearm(item, events);
            if (events & ~item->seen) epitem_set_ready(item);
        }
    }
}

/* Nothing is ready, or it was long ago that the host was asked. */
static void check_host_in_turn(struct epoll *ep) {
    if (TAILQ_EMPTY(&ep->host)) return;
    int64_t now = clock_monotonic_ns();
    if (!TAILQ_EMPTY(&ep->ready) && now - ep->host_checked_ns < HOST_PERIOD_NS) return;
    ep->host_checked_ns = now;
    check_host(ep);
}

uint32_t epoll_poll(struct file *f) {
    struct epoll *ep = epoll_of(f);
    struct epitem *item, *next;
    check_host_in_turn(ep);
    TAILQ_FOREACH_SAFE(item, &ep->ready, in_ready, next) {
        if (epitem_poll(item) != 0) return POLLIN;
        epitem_clear_ready(item);
    }
    return 0;
}

/* Takes the events of one item off: 1, 0 when it has none after all, -EFAULT. */
static int deliver(struct epitem *item, gva_t to) {
    uint32_t events = epitem_poll(item);
    if (events == 0) {
        epitem_clear_ready(item);
        rearm(item, 0);
        return 0;
    }
    const struct epoll_event event = {.events = events, .data = item->data};
    if (copy_to_user(to, &event, sizeof(event)) != 0) return -EFAULT;
    epitem_clear_ready(item);
    if (item->events & EPOLLONESHOT) {
        item->events &= EPOLL_MODES;
    } else if (item->events & EPOLLET) {
        if (item->is_host && !epoll_is(item->file)) item->seen |= events;
    } else {
        item->is_ready = true; /* behind the others: each has its turn */
        TAILQ_INSERT_TAIL(&item->set->ready, item, in_ready);
    }
    return 1;
}

/* One pass over what is ready now: the number of events, or -EFAULT if the first did not fit. */
static int64_t send(struct epoll *ep, gva_t to, uint32_t max_events) {
    struct epitem *last = TAILQ_LAST(&ep->ready, epitem_list), *item;
    int64_t n = 0;
    bool at_end = last == NULL;
    while (!at_end && n < max_events) {
        item = TAILQ_FIRST(&ep->ready);
        at_end = item == last;
        int r = deliver(item, to + (uint64_t)n * sizeof(struct epoll_event));
        if (r < 0) return n > 0 ? n : r;
        n += r;
    }
    return n;
}

static bool has_news(void *arg) {
    const struct epoll_waiter *w = arg;
    bool has_host = w->nfds > 0 || !TAILQ_EMPTY(&w->set->host);
    bool news = w->woken || (has_host && w->version != host_version);
    for (uint32_t i = 0; i < w->nfds && !news; i++)
        news = w->fds[i].revents != 0;
    return news;
}

/* The handles as they are now; -ENOMEM. */
static int gather(struct epoll_waiter *w) {
    struct file *f = w->set->file;
    uint32_t count = TAILQ_EMPTY(&w->set->host) ? 0 : epoll_host_fds(f, POLLIN, w->fds, w->room);
    w->version = host_version;
    w->unwatched = count > HC_MAX_WAIT_FDS || needs_looks(w->set);
    if (count > w->room && w->room < HC_MAX_WAIT_FDS) {
        kfree(w->fds);
        w->room = min(count, HC_MAX_WAIT_FDS);
        w->fds = kmalloc(w->room * sizeof(*w->fds));
        if (w->fds == NULL) w->room = 0;
        if (w->fds == NULL) return -ENOMEM;
        epoll_host_fds(f, POLLIN, w->fds, w->room);
    }
    w->nfds = min(count, w->room);
    return 0;
}

/* Sleeps until the set has news: 0, -ETIMEDOUT, -EINTR or -ENOMEM. */
static int sleep(struct epoll_waiter *w, int64_t deadline_ns) {
    int r = gather(w);
    if (r != 0) return r;
    int64_t until = deadline_ns;
    if (w->unwatched) {
        int64_t slice = clock_monotonic_ns() + SLICE_NS;
        until = deadline_ns < 0 ? slice : min(deadline_ns, slice);
    }
    TAILQ_INSERT_TAIL(&w->set->waiters, w, link);
    r = wait_until(has_news, w, w->fds, w->nfds, until);
    TAILQ_REMOVE(&w->set->waiters, w, link);
    w->woken = false;
    bool host = r == -ETIMEDOUT;
    for (uint32_t i = 0; i < w->nfds && !host; i++)
        host = w->fds[i].revents != 0;
    if (host) check_host(w->set);
    return r == -ETIMEDOUT && until != deadline_ns ? 0 : r;
}

static int64_t await(struct epoll_waiter *w, gva_t events, uint32_t max_events,
                     int64_t deadline_ns) {
    struct epoll *ep = w->set;
    int r = deadline_ns == 0 ? -ETIMEDOUT : 0;
    check_host_in_turn(ep);
    if (TAILQ_EMPTY(&ep->ready) && deadline_ns == 0) hostnet_ask();
    for (;;) {
        int64_t n = send(ep, events, max_events);
        if (n != 0) return n;
        if (r != 0) return r == -ETIMEDOUT ? 0 : r;
        r = sleep(w, deadline_ns);
    }
}

int64_t epoll_await(struct file *set, gva_t events, uint32_t max_events, int64_t deadline_ns) {
    struct epoll_waiter w = {.set = epoll_of(set), .thread = current_thread()};
    int64_t n = await(&w, events, max_events, deadline_ns);
    kfree(w.fds);
    /* What is left, or was not taken by a thread that goes away, is for another one. */
    if (!TAILQ_EMPTY(&w.set->ready)) epoll_wake_one(w.set);
    return n;
}
