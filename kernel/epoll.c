/* SPDX-License-Identifier: MIT */
/* epoll: sets and what is in them.  Owns sets and items. */
#include "epoll_internal.h"

#include <kernel/anon_file.h>
#include <kernel/heap.h>

#define MAX_NESTING 4 /* links from one set to another on any path, as in Linux */
#define EXCLUSIVE_ALLOWED                                                                          \
    (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)
#define UNUSED_STATIC __attribute__((unused)) static

static int compare(const struct epitem *a, const struct epitem *b) {
    if (a->fd != b->fd) return a->fd < b->fd ? -1 : 1;
    return (a->file > b->file) - (a->file < b->file);
}

RB_GENERATE_INTERNAL(epitem_tree, epitem, in_set, compare, UNUSED_STATIC)

uint32_t epitem_poll(const struct epitem *item) {
    uint32_t events = file_poll(item->file);
    if (events & POLLIN) events |= POLLRDNORM;
    if (events & POLLOUT) events |= POLLWRNORM;
    return events & item->events;
}

void epitem_set_ready(struct epitem *item) {
    struct epoll *ep = item->set;
    if (!item->is_ready) {
        item->is_ready = true;
        TAILQ_INSERT_TAIL(&ep->ready, item, in_ready);
    }
    epoll_wake_one(ep);
    waitq_wake(&ep->waitq, POLLIN);
}

void epitem_clear_ready(struct epitem *item) {
    if (item->is_ready) TAILQ_REMOVE(&item->set->ready, item, in_ready);
    item->is_ready = false;
}

static void item_wake(struct waitq_entry *e, uint32_t events) {
    struct epitem *item = container_of(e, struct epitem, entry);
    if (events & POLLIN) events |= POLLRDNORM;
    if (events & POLLOUT) events |= POLLWRNORM;
    uint32_t wanted = item->events & ~EPOLL_MODES;
    if (wanted == 0 || (events != 0 && (events & wanted) == 0)) return;
    epitem_set_ready(item);
}

static struct epitem *find(struct epoll *ep, int fd, struct file *f) {
    const struct epitem key = {.fd = fd, .file = f};
    return RB_FIND(epitem_tree, &ep->items, (struct epitem *)&key);
}

/* Starts to watch the file, by its queue or through the host.  A set has a queue, but what is in
 * it may be the host's. */
static void watch(struct epitem *item) {
    struct waitq *q = file_waitq(item->file);
    item->entry.wake = item_wake;
    if (q != NULL) waitq_add(q, &item->entry);
    if (q != NULL && !epoll_is(item->file)) return;
    item->is_host = true;
    TAILQ_INSERT_TAIL(&item->set->host, item, in_host);
    epoll_host_changed();
}

static void remove(struct epitem *item) {
    struct epoll *ep = item->set;
    struct epitem **link = &item->file->watches;
    while (*link != item)
        link = &(*link)->next_of_file;
    *link = item->next_of_file;
    waitq_remove(&item->entry);
    epitem_clear_ready(item);
    if (item->is_host) {
        TAILQ_REMOVE(&ep->host, item, in_host);
        epoll_host_changed();
    }
    RB_REMOVE(epitem_tree, &ep->items, item);
    kfree(item);
}

void epoll_file_closed(struct file *f) {
    while (f->watches != NULL)
        remove(f->watches);
}

static void epoll_release(struct file *f) {
    struct epoll *ep = f->priv;
    while (!RB_EMPTY(&ep->items))
        remove(RB_ROOT(&ep->items));
    kfree(ep);
}

static struct waitq *epoll_waitq(struct file *f) { return &epoll_of(f)->waitq; }

static const struct file_ops epoll_ops = {
    .kind = "[eventpoll]",
    .seek = anon_seek,
    .getattr = anon_getattr,
    .poll = epoll_poll,
    .waitq = epoll_waitq,
    .release = epoll_release,
};

bool epoll_is(const struct file *f) { return f->ops == &epoll_ops; }

struct file *epoll_create(void) {
    struct epoll *ep = kzalloc(sizeof(*ep));
    if (ep == NULL) return NULL;
    waitq_init(&ep->waitq);
    RB_INIT(&ep->items);
    TAILQ_INIT(&ep->ready);
    TAILQ_INIT(&ep->host);
    TAILQ_INIT(&ep->waiters);
    struct file *f = anon_file(&epoll_ops, 0, ep);
    if (f != NULL) ep->file = f;
    return f;
}

/* Links on the longest path down from ep; more than MAX_NESTING also where `ep` leads to `top`.
 * Sets in a set are on its host list. */
static unsigned links_below(const struct epoll *ep, const struct epoll *top, unsigned depth) {
    unsigned most = 0;
    const struct epitem *item;
    if (ep == top || depth > MAX_NESTING) return MAX_NESTING + 1;
    TAILQ_FOREACH(item, &ep->host, in_host) {
        if (!epoll_is(item->file)) continue;
        most = max(most, 1 + links_below(epoll_of(item->file), top, depth + 1));
    }
    return most;
}

static unsigned links_above(const struct epoll *ep) {
    unsigned most = 0;
    for (const struct epitem *item = ep->file->watches; item != NULL; item = item->next_of_file)
        most = max(most, 1 + links_above(item->set));
    return most;
}

static int add(struct epoll *ep, int fd, struct file *f, const struct epoll_event *event) {
    if (find(ep, fd, f) != NULL) return -EEXIST;
    struct epitem *item = kzalloc(sizeof(*item));
    if (item == NULL) return -ENOMEM;
    item->set = ep;
    item->file = f;
    item->fd = fd;
    item->events = event->events | EPOLLERR | EPOLLHUP;
    item->data = event->data;
    item->next_of_file = f->watches;
    f->watches = item;
    RB_INSERT(epitem_tree, &ep->items, item);
    watch(item);
    if (epitem_poll(item) != 0) epitem_set_ready(item);
    return 0;
}

static int modify(struct epitem *item, const struct epoll_event *event) {
    if (item->events & EPOLLEXCLUSIVE) return -EINVAL;
    item->events = event->events | EPOLLERR | EPOLLHUP;
    item->data = event->data;
    item->seen = 0;
    if (item->is_host) epoll_host_changed();
    if (epitem_poll(item) != 0) epitem_set_ready(item);
    return 0;
}

/* What EPOLLEXCLUSIVE goes together with. */
static bool exclusive_is_wrong(int op, const struct file *target, const struct epoll_event *event) {
    if (event == NULL || !(event->events & EPOLLEXCLUSIVE)) return false;
    if (op == EPOLL_CTL_MOD) return true;
    return op == EPOLL_CTL_ADD && (epoll_is(target) || (event->events & ~EXCLUSIVE_ALLOWED));
}

int epoll_control(struct file *set, int op, int fd, struct file *target,
                  const struct epoll_event *event) {
    if (target->ops->poll == NULL) return -EPERM;
    if (set == target || !epoll_is(set) || exclusive_is_wrong(op, target, event)) return -EINVAL;
    struct epoll *ep = epoll_of(set);
    if (op == EPOLL_CTL_ADD && epoll_is(target)) {
        unsigned below = links_below(epoll_of(target), ep, 0);
        if (links_above(ep) + 1 + below > MAX_NESTING) return -ELOOP;
    }
    struct epitem *item = find(ep, fd, target);
    switch (op) {
    case EPOLL_CTL_ADD:
        return add(ep, fd, target, event);
    case EPOLL_CTL_MOD:
        return item == NULL ? -ENOENT : modify(item, event);
    case EPOLL_CTL_DEL:
        if (item == NULL) return -ENOENT;
        remove(item);
        return 0;
    default:
        return -EINVAL;
    }
}
