/* SPDX-License-Identifier: MIT */
/* Asynchronous I/O: contexts, events, requests that wait for a file.  Owns them. */
#include <kernel/aio.h>
#include <kernel/anon_file.h>
#include <kernel/heap.h>
#include <kernel/ktimer.h>
#include <kernel/mm.h>
#include <kernel/process.h>
#include <kernel/waitq.h>

struct aio_request {
    TAILQ_ENTRY(aio_request) link; /* in its context's polls or events */
    struct aio_context *context;
    struct io_event event;
    struct file *eventfd; /* held, or NULL */
    /* IOCB_CMD_POLL */
    struct file *file; /* held, or NULL */
    uint32_t wanted;
    bool fired; /* `completer` has work with it */
    struct waitq_entry entry;
};

TAILQ_HEAD(request_list, aio_request);

struct aio_context {
    LIST_ENTRY(aio_context) link;
    gva_t id;
    uint32_t refs; /* 1 of the list of contexts */
    bool ended;
    uint32_t room, used; /* requests; the events that wait count */
    struct request_list polls, events;
    uint32_t event_count;
    struct waitq waitq;
};

static LIST_HEAD(, aio_context) contexts = LIST_HEAD_INITIALIZER(contexts);
static uint32_t total;

uint32_t aio_total(void) { return total; }

int aio_create(uint32_t count, gva_t *id) {
    if (count > AIO_MAX_NR - total) return -EAGAIN;
    struct aio_context *c = kzalloc(sizeof(*c));
    if (c == NULL) return -ENOMEM;
    int64_t at = mm_map(current_mm(), 0, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0,
                        "[aio]");
    if (at < 0) {
        kfree(c);
        return (int)at;
    }
    *id = c->id = (gva_t)at;
    c->refs = 1;
    c->room = count;
    TAILQ_INIT(&c->polls);
    TAILQ_INIT(&c->events);
    waitq_init(&c->waitq);
    LIST_INSERT_HEAD(&contexts, c, link);
    total += count;
    return 0;
}

struct aio_context *aio_get(gva_t id) {
    struct aio_context *c;
    LIST_FOREACH(c, &contexts, link) {
        if (c->id != id) continue;
        c->refs++;
        return c;
    }
    return NULL;
}

void aio_request_free(struct aio_request *r) {
    waitq_remove(&r->entry);
    if (r->file != NULL) file_put(r->file);
    if (r->eventfd != NULL) file_put(r->eventfd);
    r->context->used--;
    kfree(r);
}

static void free_list(struct request_list *list) {
    struct aio_request *r, *next;
    TAILQ_FOREACH_SAFE(r, list, link, next) aio_request_free(r);
    TAILQ_INIT(list);
}

void aio_put(struct aio_context *c) {
    if (--c->refs > 0) return;
    free_list(&c->polls);
    free_list(&c->events);
    kfree(c);
}

static void end(struct aio_context *c) {
    LIST_REMOVE(c, link);
    c->ended = true;
    total -= c->room;
    free_list(&c->polls);
    waitq_wake(&c->waitq, 0);
    aio_put(c);
}

int aio_destroy(struct aio_context *c) {
    if (c->ended) return -EINVAL;
    mm_unmap(current_mm(), c->id, PAGE_SIZE);
    end(c);
    return 0;
}

void aio_destroy_all(void) {
    struct aio_context *c, *next;
    LIST_FOREACH_SAFE(c, &contexts, link, next) end(c);
}

int aio_request_new(struct aio_context *c, struct aio_request **out) {
    if (c->used >= c->room) return -EAGAIN;
    struct aio_request *r = kzalloc(sizeof(*r));
    if (r == NULL) return -ENOMEM;
    r->context = c;
    c->used++;
    *out = r;
    return 0;
}

void aio_request_describe(struct aio_request *r, uint64_t data, gva_t iocb, struct file *eventfd) {
    r->event.data = data;
    r->event.obj = iocb;
    r->eventfd = eventfd;
}

void aio_complete(struct aio_request *r, int64_t result) {
    struct aio_context *c = r->context;
    r->event.res = result;
    TAILQ_INSERT_TAIL(&c->events, r, link);
    c->event_count++;
    if (r->eventfd != NULL) eventfd_signal(r->eventfd, 1);
    waitq_wake(&c->waitq, 0);
}

static void finish_poll(struct aio_request *r, uint32_t ready) {
    waitq_remove(&r->entry);
    TAILQ_REMOVE(&r->context->polls, r, link);
    aio_complete(r, ready);
}

/* What a queue has told is acted upon later, not while the queue is being woken: the event may wake
 * it again through an eventfd. */
static void complete_fired(struct ktimer *t) {
    struct aio_context *c;
    LIST_FOREACH(c, &contexts, link) {
        struct aio_request *r, *next;
        TAILQ_FOREACH_SAFE(r, &c->polls, link, next) {
            if (!r->fired) continue;
            r->fired = false;
            uint32_t ready = file_poll(r->file) & r->wanted;
            if (ready != 0) finish_poll(r, ready);
        }
    }
}

static struct ktimer completer = {.fire = complete_fired};

static void poll_wake(struct waitq_entry *e, uint32_t events) {
    struct aio_request *r = container_of(e, struct aio_request, entry);
    if (events != 0 && !(events & r->wanted)) return;
    r->fired = true;
    ktimer_set(&completer, 0);
}

int aio_poll(struct aio_request *r, struct file *f, uint32_t events) {
    struct waitq *q = file_waitq(f);
    r->wanted = events | POLLERR | POLLHUP;
    uint32_t ready = file_poll(f) & r->wanted;
    if (ready == 0 && q == NULL) return -EINVAL;
    r->file = f;
    TAILQ_INSERT_TAIL(&r->context->polls, r, link);
    r->entry.wake = poll_wake;
    if (ready != 0)
        finish_poll(r, ready);
    else
        waitq_add(q, &r->entry);
    return 0;
}

int aio_cancel(struct aio_context *c, gva_t iocb) {
    struct aio_request *r;
    TAILQ_FOREACH(r, &c->polls, link) {
        if (r->event.obj != iocb) continue;
        finish_poll(r, 0);
        return -EINPROGRESS;
    }
    return -EINVAL;
}

struct wanted {
    const struct aio_context *context;
    uint32_t least;
};

static bool enough(void *arg) {
    const struct wanted *w = arg;
    return w->context->ended || w->context->event_count >= w->least;
}

int aio_wait(struct aio_context *c, uint32_t least, int64_t deadline_ns) {
    struct wanted w = {c, least};
    int r = waitq_wait(&c->waitq, enough, &w, deadline_ns);
    return c->ended ? -EINVAL : r;
}

bool aio_take(struct aio_context *c, struct io_event *event) {
    struct aio_request *r = TAILQ_FIRST(&c->events);
    if (r == NULL) return false;
    TAILQ_REMOVE(&c->events, r, link);
    c->event_count--;
    *event = r->event;
    aio_request_free(r);
    return true;
}
