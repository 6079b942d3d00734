/* SPDX-License-Identifier: MIT */
/* When data moves.
 *
 * A virtual CPU that has nothing to run moves it on its way to sleep and when it is woken: no other
 * thread takes part, so a server and its clients have the host's CPUs for themselves.  The helper
 * thread is for a guest that computes for long: it looks about once a millisecond whether data is
 * left lying, and more often, and at once for what arrives, while that is so.
 *
 * Owns the epoll set, the list of sockets to be tried again and the thread. */
#include <loader/net.h>
#include <loader/net_call.h>

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <loader/event.h>
#include <loader/net_publish.h>
#include <loader/tap.h>
#include <loader/thread.h>
#include <loader/vm.h>

#define BATCH 256
#define TICK_NS 1000000L
#define HELP_NS 100000L
#define IDLE_TICKS 50 /* then the thread sleeps until a virtual CPU has slept */
#define FINISH_MS 5000
#define TAP_KEY UINT64_MAX /* in the epoll set: the tap interface */

static enum hc_net_mode mode;
static struct hc_net_addr resolvers[HC_NET_RESOLVERS];
static uint32_t resolver_count;
static int epoll_fd = -1;
static bool started;
static struct net_socket *waiting, *retrying; /* the latter: what is left of the former */
static uint32_t visits, sleepers;             /* atomic: of virtual CPUs, so far; asleep now */
static uint32_t awake;                        /* futex: 0 while the thread sleeps */

static void watch_tap(const struct options *o) {
    struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.u64 = TAP_KEY};
    tap_open(o);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd >= 0 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, tap_fd(), &e) != 0) epoll_fd = -1;
}

void net_init(const struct options *o) {
    mode = o->net;
    if (mode == HC_NET_NONE) return;
    if (mode == HC_NET_TAP) return watch_tap(o);
    net_policy_init(mode, o->net_rules, o->net_rule_count);
    resolver_count = net_policy_resolvers(resolvers);
    net_publish(o->publish, o->publish_count);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
}

void net_describe(struct hermit_boot *b) {
    b->net = mode;
    if (mode == HC_NET_TAP) tap_describe(b);
    b->nresolvers = resolver_count;
    memcpy(b->resolvers, resolvers, sizeof(b->resolvers));
}

enum hc_net_mode net_call_mode(void) { return mode; }

bool net_started(void) { return __atomic_load_n(&started, __ATOMIC_ACQUIRE); }

/* What the guest has left to do, and what it has to look at, in either kind of service. */
static bool has_work(void) { return mode == HC_NET_TAP ? tap_has_frames() : net_has_commands(); }
static bool has_news(void) { return mode == HC_NET_TAP ? tap_has_news() : net_has_news(); }
static uint32_t news_taken(void) {
    return mode == HC_NET_TAP ? tap_news_taken() : net_news_taken();
}
static bool do_work(void) { return mode == HC_NET_TAP ? tap_send() : net_run_commands(); }

int net_fd(void) { return net_started() ? epoll_fd : -1; }

int net_watch(struct net_socket *s) {
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET,
                            .data.u64 = (uint64_t)s->generation << 32 | s->number};
    if (s->watched) return 0;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->fd, &e) != 0) return -errno;
    s->watched = true;
    return 0;
}

void net_unwatch(struct net_socket *s) {
    if (s->watched) (void)!epoll_ctl(epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
    s->watched = false;
}

static bool anything_waits(void) { return __atomic_load_n(&waiting, __ATOMIC_RELAXED) != NULL; }

void net_retry(struct net_socket *s) {
    if (s->waiting) return;
    s->waiting = true;
    s->next = waiting;
    waiting = s;
}

static bool take_out(struct net_socket **list, const struct net_socket *s) {
    for (struct net_socket **at = list; *at != NULL; at = &(*at)->next) {
        if (*at != s) continue;
        *at = s->next;
        return true;
    }
    return false;
}

void net_forget_retry(struct net_socket *s) {
    if (s->waiting && !take_out(&waiting, s)) take_out(&retrying, s);
    s->waiting = false;
}

static void retry_all(void) {
    retrying = waiting;
    waiting = NULL;
    while (retrying != NULL) {
        struct net_socket *s = retrying;
        retrying = s->next;
        s->waiting = false;
        if (s->rx_more) net_receive(s);
        if (s->fd >= 0 && !s->tx_stuck) net_send(s);
    }
}

static void connected(struct net_socket *s, uint32_t events) {
    int error = 0;
    socklen_t len = sizeof(error);
    if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) return;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) error = errno;
    if (error != 0) net_set_error(s, error);
    net_set_state(s, error == 0 ? HC_NET_CONNECTED : HC_NET_HUP, HC_NET_CONNECTING);
    net_tell(s);
}

static void datagram(struct net_socket *s, uint32_t events) {
    s->slot->ready = events & 0xffff;
    __atomic_store_n(&s->slot->edges, s->slot->edges + 1, __ATOMIC_RELEASE);
    net_tell(s);
}

static void on_event(const struct epoll_event *e) {
    if (e->data.u64 == TAP_KEY) return tap_readable();
    struct net_socket *s = net_get((uint32_t)e->data.u64);
    if (s == NULL || s->generation != (uint32_t)(e->data.u64 >> 32)) return;
    if (s->type != SOCK_STREAM) return datagram(s, e->events);
    if (s->state & HC_NET_CONNECTING) connected(s, e->events);
    if (e->events & EPOLLPRI) datagram(s, e->events);
    if (e->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) s->ending = true;
    if ((e->events & EPOLLIN) || s->ending) net_receive(s);
    if (e->events & EPOLLHUP && s->state & HC_NET_CONNECTED) {
        net_set_state(s, HC_NET_HUP, 0);
        net_tell(s);
    }
    if (s->tx_stuck && (e->events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) net_send(s);
}

/* Moves what can be moved; true if there was anything.  Under the lock. */
static bool serve(void) {
    struct epoll_event events[BATCH];
    bool any = do_work();
    if (waiting != NULL) retry_all();
    int n = epoll_wait(epoll_fd, events, BATCH, 0);
    for (int i = 0; i < n; i++)
        on_event(&events[i]);
    if (mode == HC_NET_TAP) tap_receive();
    return any || n > 0;
}

bool net_visit(void) {
    if (!net_started()) return false;
    __atomic_fetch_add(&visits, 1, __ATOMIC_RELAXED);
    net_lock();
    serve();
    bool news = has_news();
    net_unlock();
    return news;
}

void net_flush(void) {
    if (!net_started() || !has_work()) return;
    net_lock();
    do_work();
    net_unlock();
}

int64_t hc_net_serve(union hc_args *args) {
    if (!net_started()) return -ENETUNREACH;
    net_visit();
    return 0;
}

/* The helper may have taken what net_fd() would have told of: it posts an event if it sees us
 * sleep, or we see its news. */
enum net_sleep net_sleep_begin(void) {
    if (!net_started()) return NET_OFF;
    __atomic_fetch_add(&sleepers, 1, __ATOMIC_SEQ_CST);
    if (!has_news()) return anything_waits() ? NET_SOON : NET_SLEEP;
    __atomic_fetch_sub(&sleepers, 1, __ATOMIC_SEQ_CST);
    return NET_NEWS;
}

void net_sleep_end(void) {
    __atomic_fetch_sub(&sleepers, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&awake, __ATOMIC_SEQ_CST) != 0) return;
    __atomic_store_n(&awake, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &awake, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void rest(bool helping) {
    struct timespec t = {.tv_nsec = helping ? HELP_NS : TICK_NS};
    struct pollfd p = {.fd = epoll_fd, .events = POLLIN};
    ppoll(&p, helping ? 1 : 0, &t, NULL);
}

static void sleep_until_needed(void) {
    __atomic_store_n(&awake, 0, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&sleepers, __ATOMIC_SEQ_CST) > 0 && !has_work())
        while (__atomic_load_n(&awake, __ATOMIC_SEQ_CST) == 0)
            syscall(SYS_futex, &awake, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    __atomic_store_n(&awake, 1, __ATOMIC_SEQ_CST);
}

/* Does what no virtual CPU has done since the last look; true if there was something. */
static bool help(uint32_t *taken, bool *untaken) {
    net_lock();
    bool any = serve();
    /* News that were there the last time, and nobody has looked, or nobody will: an interrupt. */
    bool overdue = *untaken && has_news() && news_taken() == *taken;
    if (__atomic_load_n(&sleepers, __ATOMIC_SEQ_CST) > 0 && has_news()) overdue = true;
    *untaken = has_news();
    *taken = news_taken();
    net_unlock();
    if (overdue) event_post(HC_EVENT_NET);
    return any || *untaken;
}

static void *helper_main(void *arg) {
    uint32_t seen = 0, taken = 0, idle = 0;
    bool helping = false, untaken = false;
    for (;;) {
        rest(helping);
        uint32_t now = __atomic_load_n(&visits, __ATOMIC_RELAXED);
        bool asleep = __atomic_load_n(&sleepers, __ATOMIC_SEQ_CST) > 0;
        if (now != seen || (asleep && !has_work() && !anything_waits())) {
            helping = untaken = false; /* virtual CPUs do it themselves */
            idle = now != seen ? 0 : idle + 1;
            seen = now;
            if (idle > IDLE_TICKS) sleep_until_needed();
            continue;
        }
        idle = 0;
        helping = help(&taken, &untaken);
    }
    return NULL;
}

int net_start_service(void) {
    if (epoll_fd < 0) return -ENOMEM;
    awake = 1;
    int r = thread_start(helper_main, NULL);
    if (r == 0) __atomic_store_n(&started, true, __ATOMIC_RELEASE);
    return r;
}

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Is anything left to send? */
static bool send_rest(void) {
    bool left = false;
    net_lock();
    serve();
    for (uint32_t i = 0; i < net_socket_count(); i++) {
        struct net_socket *s = net_get(i);
        if (s != NULL && net_has_unsent(s) && !(s->state & HC_NET_HUP)) left = true;
    }
    if (mode == HC_NET_TAP) left = tap_has_frames();
    net_unlock();
    return left;
}

void net_finish(void) {
    struct pollfd p = {.fd = epoll_fd, .events = POLLIN};
    if (!net_started()) return;
    for (int64_t end = now_ms() + FINISH_MS; send_rest() && now_ms() < end;)
        poll(&p, 1, 10);
}
