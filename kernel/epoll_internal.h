/* SPDX-License-Identifier: MIT */
/* Shared by epoll.c and epoll_wait.c only. */
#ifndef EPOLL_INTERNAL_H
#define EPOLL_INTERNAL_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <hermit/linux_abi.h>
#include <kernel/epoll.h>
#include <kernel/waitq.h>

/* Bits of epoll_event.events that are no events. */
#define EPOLL_MODES (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)

TAILQ_HEAD(epitem_list, epitem);
RB_HEAD(epitem_tree, epitem);
TAILQ_HEAD(epoll_waiters, epoll_waiter);

struct epoll {
    struct waitq waitq;           /* of those who poll the set itself, other sets among them */
    struct epitem_tree items;     /* by file and descriptor */
    struct epitem_list ready;     /* may have events; only these are asked */
    struct epitem_list host;      /* whose readiness the host knows, and sets with such items */
    struct epoll_waiters waiters; /* threads in epoll_wait(2) */
    struct file *file;
    int64_t host_checked_ns;
};

/* A descriptor in a set.  It holds no reference: the file's end takes it out. */
struct epitem {
    struct waitq_entry entry; /* on the file's queue, if it has one */
    struct epoll *set;
    struct file *file;
    int fd;
    uint32_t events; /* with modes; a one-shot item that has fired keeps the modes only */
    uint64_t data;
    uint32_t seen; /* of a host file: edges that were reported and have not gone since */
    bool is_ready, is_host;
    RB_ENTRY(epitem) in_set;
    TAILQ_ENTRY(epitem) in_ready;
    TAILQ_ENTRY(epitem) in_host;
    struct epitem *next_of_file; /* other sets, or other descriptors in the same one */
};

static inline struct epoll *epoll_of(const struct file *f) { return f->priv; }

/* epoll.c */
/* The item may have events: puts it on the ready list and wakes who waits. */
void epitem_set_ready(struct epitem *item);
void epitem_clear_ready(struct epitem *item);
/* POLL* with the synonyms that Linux reports, of those that the item asks for. */
uint32_t epitem_poll(const struct epitem *item);

/* epoll_wait.c */
/* poll(2) of the set itself. */
uint32_t epoll_poll(struct file *f);
/* Lets one waiting thread look. */
void epoll_wake_one(struct epoll *ep);
/* The lists of epoll_host_fds() have changed. */
void epoll_host_changed(void);

#endif
