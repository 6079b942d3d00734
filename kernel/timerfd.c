/* SPDX-License-Identifier: MIT */
/* timerfd_create(2).  As in Linux a periodic timer stands still between its expiry and the next
 * read or look at it, which count the periods that have passed.  Owns the timers. */
#include <hermit/linux_abi.h>
#include <kernel/anon_file.h>
#include <kernel/clock.h>
#include <kernel/heap.h>
#include <kernel/ktimer.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>
#include <kernel/waitq.h>

struct timerfd {
    struct waitq waitq;
    struct ktimer timer;
    int clock;
    bool realtime;       /* deadline_ns is CLOCK_REALTIME: the host may step it */
    bool expired;        /* ticks have to be brought up to date */
    int64_t deadline_ns; /* of the expiry that is awaited or was seen last; 0: off */
    int64_t interval_ns;
    uint64_t ticks; /* expiries that nobody has read */
};

static int64_t now_of(const struct timerfd *t) {
    return t->realtime ? clock_realtime_ns() : clock_monotonic_ns();
}

/* Time between two points of a clock, without overflow. */
static int64_t span(int64_t from, int64_t to) {
    int64_t ns;
    return __builtin_sub_overflow(to, from, &ns) ? INT64_MAX : ns;
}

static int64_t later(int64_t from, int64_t ns) {
    int64_t sum;
    return __builtin_add_overflow(from, ns, &sum) ? INT64_MAX : sum;
}

static void start(struct timerfd *t) {
    int64_t at = t->deadline_ns;
    if (t->realtime) at = later(clock_monotonic_ns(), max(span(now_of(t), at), 0));
    ktimer_set(&t->timer, at);
}

static void fire(struct ktimer *timer) {
    struct timerfd *t = container_of(timer, struct timerfd, timer);
    if (now_of(t) < t->deadline_ns) { /* the clock was set back */
        start(t);
        return;
    }
    t->expired = true;
    t->ticks++;
    waitq_wake(&t->waitq, POLLIN);
}

/* A periodic timer that has expired goes on: counts what was missed and sets the next one. */
static void go_on(struct timerfd *t) {
    if (!t->expired || t->interval_ns == 0) return;
    int64_t periods = span(t->deadline_ns, now_of(t)) / t->interval_ns;
    periods = max(periods, 0); /* the clock may have been set back since */
    t->ticks += (uint64_t)periods;
    t->deadline_ns = later(t->deadline_ns + periods * t->interval_ns, t->interval_ns);
    t->expired = false;
    start(t);
}

static bool has_ticks(void *arg) { return ((const struct timerfd *)arg)->ticks > 0; }

static int64_t timerfd_read(struct file *f, const struct uio *u, int64_t *pos) {
    struct timerfd *t = f->priv;
    if (u->len < sizeof(t->ticks)) return -EINVAL;
    if (t->ticks == 0 && (f->flags & O_NONBLOCK)) return -EAGAIN;
    int r = waitq_wait(&t->waitq, has_ticks, t, WAIT_FOREVER);
    if (r != 0) return r == -EINTR ? -ERESTARTSYS : r;
    go_on(t);
    uint64_t ticks = t->ticks;
    t->ticks = 0;
    t->expired = false;
    r = uio_fill(u, 0, &ticks, sizeof(ticks));
    return r != 0 ? r : (int64_t)sizeof(ticks);
}

static uint32_t timerfd_poll(struct file *f) { return has_ticks(f->priv) ? POLLIN : 0; }

static struct waitq *timerfd_waitq(struct file *f) { return &((struct timerfd *)f->priv)->waitq; }

static void timerfd_release(struct file *f) {
    struct timerfd *t = f->priv;
    ktimer_cancel(&t->timer);
    kfree(t);
}

static const struct file_ops timerfd_ops = {
    .kind = "[timerfd]",
    .read = timerfd_read,
    .seek = anon_seek,
    .getattr = anon_getattr,
    .poll = timerfd_poll,
    .waitq = timerfd_waitq,
    .release = timerfd_release,
};

struct file *timerfd_create(int clock, uint32_t flags) {
    struct timerfd *t = kzalloc(sizeof(*t));
    if (t == NULL) return NULL;
    waitq_init(&t->waitq);
    t->timer.fire = fire;
    t->clock = clock;
    return anon_file(&timerfd_ops, flags, t);
}

int timerfd_get(struct file *f, struct timerfd_value *value) {
    struct timerfd *t = f->priv;
    if (f->ops != &timerfd_ops) return -EINVAL;
    go_on(t);
    *value = (struct timerfd_value){.interval_ns = t->interval_ns};
    /* A timer that is on never reads as off. */
    if (t->timer.set) value->value_ns = max(span(now_of(t), t->deadline_ns), 1);
    return 0;
}

int timerfd_set(struct file *f, bool absolute, const struct timerfd_value *value,
                struct timerfd_value *old) {
    struct timerfd *t = f->priv;
    int r = timerfd_get(f, old);
    if (r != 0) return r;
    ktimer_cancel(&t->timer);
    /* A time from now is the same on every clock, whoever sets that. */
    t->realtime = absolute && (t->clock == CLOCK_REALTIME || t->clock == CLOCK_REALTIME_ALARM);
    t->ticks = 0;
    t->expired = false;
    t->interval_ns = value->interval_ns;
    t->deadline_ns = value->value_ns;
    if (value->value_ns == 0) return 0;
    if (!absolute) t->deadline_ns = later(clock_monotonic_ns(), value->value_ns);
    start(t);
    return 0;
}
