/* SPDX-License-Identifier: MIT */
/* The two queues between guest and host.  Owns the host's positions; what the guest writes is
 * copied once, and nonsense there costs the guest its commands. */
#include <loader/net_socket.h>

#include <hermit/net.h>
#include <loader/guest_mem.h>

struct hc_net *net_shared;
static uint32_t command_tail, news_head, wanted;

bool net_queue_start(gpa_t at) {
    net_shared = guest_ptr(at, sizeof(*net_shared));
    if (net_shared == NULL) return false;
    command_tail = __atomic_load_n(&net_shared->command_head, __ATOMIC_RELAXED);
    news_head = __atomic_load_n(&net_shared->news_tail, __ATOMIC_RELAXED);
    net_shared->command_tail = command_tail;
    net_shared->news_head = news_head;
    return true;
}

uint32_t net_news_taken(void) { return __atomic_load_n(&net_shared->news_tail, __ATOMIC_SEQ_CST); }

bool net_has_news(void) {
    return net_shared != NULL && net_news_taken() != __atomic_load_n(&news_head, __ATOMIC_SEQ_CST);
}

static void put_news(uint32_t number) {
    net_shared->news[news_head % HC_NET_QUEUE] = number;
    __atomic_store_n(&news_head, news_head + 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&net_shared->news_head, news_head, __ATOMIC_SEQ_CST);
}

/* The fence that goes with the guest's: it takes an entry before it looks at the socket, so either
 * it sees what was just written there or we see that the entry is gone. */
void net_tell(struct net_socket *s) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint32_t taken = net_news_taken();
    if (s->told && (int32_t)(s->news_at - taken) >= 0) return;
    s->told = news_head - taken < HC_NET_QUEUE;
    if (!s->told) {
        __atomic_store_n(&net_shared->lost, net_shared->lost + 1, __ATOMIC_SEQ_CST);
        return;
    }
    s->news_at = news_head;
    put_news(s->number);
}

void net_want(uint32_t kind, bool want) {
    uint32_t now = want ? wanted | 1u << kind : wanted & ~(1u << kind);
    if (now == wanted || net_shared == NULL) return;
    wanted = now;
    __atomic_store_n(&net_shared->wanted, wanted, __ATOMIC_RELEASE);
    if (want && news_head - net_news_taken() < HC_NET_QUEUE) put_news(HC_NET_NOBODY);
}

bool net_has_commands(void) {
    return net_shared != NULL &&
           __atomic_load_n(&net_shared->command_head, __ATOMIC_SEQ_CST) != command_tail;
}

static void shut(struct net_socket *s, uint32_t how) {
    if (s->type != SOCK_STREAM && how <= SHUT_RDWR) shutdown(s->fd, (int)how);
    if (s->type != SOCK_STREAM) return;
    if (how == SHUT_RD || how == SHUT_RDWR) shutdown(s->fd, SHUT_RD);
    if (how == SHUT_RD) return;
    s->shut = true;
    net_send(s);
}

static void run(const struct hc_net_command *c) {
    struct net_socket *s = net_get(c->number);
    if (s == NULL || s->closing) return;
    switch (c->op) {
    case HC_NET_OP_LOOK:
        if (s->type != SOCK_STREAM) return;
        net_send(s);
        if (s->state & HC_NET_RX_WAITS) net_set_state(s, 0, HC_NET_RX_WAITS);
        if (s->rx_more) net_receive(s);
        return;
    case HC_NET_OP_SHUTDOWN:
        return shut(s, c->a);
    case HC_NET_OP_CLOSE:
        s->closing = true;
        net_file_note(s);
        return net_has_unsent(s) ? net_send(s) : net_destroy(s);
    case HC_NET_OP_OPTION:
        (void)net_set_option(s, (int)(c->a >> 16), (int)(c->a & 0xffff), &c->b, sizeof(c->b));
        return;
    default:
        return;
    }
}

void net_note_commands(void) {
    uint32_t head = __atomic_load_n(&net_shared->command_head, __ATOMIC_ACQUIRE);
    if (head - command_tail > HC_NET_QUEUE) return;
    for (uint32_t i = command_tail; i != head; i++) {
        struct hc_net_command *c = &net_shared->commands[i % HC_NET_QUEUE];
        struct net_socket *s = net_get(__atomic_load_n(&c->number, __ATOMIC_RELAXED));
        if (s != NULL && !s->closing) net_file_note(s);
    }
}

bool net_run_commands(void) {
    uint32_t head = __atomic_load_n(&net_shared->command_head, __ATOMIC_ACQUIRE);
    if (head == command_tail) return false;
    if (head - command_tail > HC_NET_QUEUE) command_tail = head; /* nonsense: none of it counts */
    while (command_tail != head) {
        struct hc_net_command *from = &net_shared->commands[command_tail % HC_NET_QUEUE];
        struct hc_net_command c = {__atomic_load_n(&from->number, __ATOMIC_RELAXED),
                                   __atomic_load_n(&from->op, __ATOMIC_RELAXED),
                                   __atomic_load_n(&from->a, __ATOMIC_RELAXED),
                                   __atomic_load_n(&from->b, __ATOMIC_RELAXED)};
        /* Taken before the socket is looked at: see net_tell(). */
        __atomic_store_n(&net_shared->command_tail, ++command_tail, __ATOMIC_SEQ_CST);
        run(&c);
    }
    __atomic_store_n(&net_shared->command_tail, command_tail, __ATOMIC_SEQ_CST);
    return true;
}
