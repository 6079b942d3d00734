/* SPDX-License-Identifier: MIT */
/* The two queues between the kernel and the loader's network service, and the sockets by number.
 *
 * A command waits for the next time that a CPU of the guest goes to sleep, which serves the queue,
 * but not for long: OVERDUE_US after the first one, or when there are many, the next use of a
 * socket serves it.  A program that computes meanwhile is the loader's affair (its helper thread).
 *
 * Owns the shared page and both positions. */
#include <kernel/arch.h>
#include <kernel/clock.h>
#include <kernel/heap.h>
#include <kernel/string.h>

#include "hostnet_internal.h"

#define OVERDUE_US 100
#define MANY 64u  /* commands */
#define ASK_US 50 /* between looks of who does not sleep */
#define CHUNKS (HC_NET_SOCKETS / HC_NET_SLOTS)
#define CONTROL_ORDER 4 /* 64 KiB */
#define SLOTS_ORDER 3   /* HC_NET_SLOTS of them */

_Static_assert(HC_NET_CONTROL_BYTES <= PAGE_SIZE << CONTROL_ORDER, "room");
_Static_assert(HC_NET_SLOTS * sizeof(struct hc_net_slot) == PAGE_SIZE << SLOTS_ORDER, "fits");

struct hc_net *hostnet_shared;
static struct {
    struct hc_net_slot *slots;
    struct hostnet *sockets[HC_NET_SLOTS];
} * chunks[CHUNKS];
static uint32_t chunk_count;
static uint32_t command_head, news_tail, lost;
static uint64_t first_command; /* TSC of the oldest that was not served, or before */
static uint64_t asked;         /* TSC when the host was last asked for news */

bool hostnet_give_slots(void) {
    if (chunk_count == CHUNKS) return false;
    gpa_t at = frame_alloc_order(SLOTS_ORDER);
    void *chunk = kzalloc(sizeof(*chunks[0]));
    union hc_args args = {.net_give = {.gpa = at, .kind = HC_NET_MEM_SLOTS}};
    if (at == 0 || chunk == NULL || hypercall(HC_NET_GIVE, &args) != 0) {
        for (uint32_t i = 0; at != 0 && i < 1u << SLOTS_ORDER; i++)
            frame_put(at + i * PAGE_SIZE);
        kfree(chunk);
        return false;
    }
    chunks[chunk_count] = chunk;
    chunks[chunk_count++]->slots = frame_ptr(at);
    return true;
}

int hostnet_start(void) {
    if (hostnet_shared != NULL) return 0;
    if (hostnet_mode() == HOSTNET_NONE) return -ENETUNREACH;
    gpa_t at = frame_alloc_order(CONTROL_ORDER);
    if (at == 0) return -ENOBUFS;
    union hc_args args = {.net_start = {.net = at}};
    int64_t r = hypercall(HC_NET_START, &args);
    if (r < 0) {
        for (uint32_t i = 0; i < 1u << CONTROL_ORDER; i++)
            frame_put(at + i * PAGE_SIZE);
        return r == -ENOMEM ? -ENOBUFS : -ENETUNREACH;
    }
    hostnet_shared = frame_ptr(at);
    if (!hostnet_give_slots()) return -ENOBUFS;
    hostnet_give_rings(HC_NET_MEM_RX);
    return 0;
}

struct hc_net_slot *hostnet_slot(uint32_t number) {
    return &chunks[number / HC_NET_SLOTS]->slots[number % HC_NET_SLOTS];
}

bool hostnet_register(struct hostnet *h) {
    if (h->number / HC_NET_SLOTS >= chunk_count) return false;
    chunks[h->number / HC_NET_SLOTS]->sockets[h->number % HC_NET_SLOTS] = h;
    return true;
}

void hostnet_unregister(struct hostnet *h) {
    chunks[h->number / HC_NET_SLOTS]->sockets[h->number % HC_NET_SLOTS] = NULL;
}

void hostnet_serve(void) {
    union hc_args args = {{0}};
    hypercall(HC_NET_SERVE, &args);
}

/* Serves the queue if it is time. */
static void serve_in_time(uint32_t waiting) {
    uint64_t age = arch_tsc() - first_command;
    if (waiting >= MANY || age > OVERDUE_US * clock_tsc_khz() / 1000) hostnet_serve();
}

void hostnet_command(struct hostnet *h, enum hc_net_op op, uint32_t a, uint32_t b) {
    struct hc_net *net = hostnet_shared;
    uint32_t waiting = command_head - net_load(&net->command_tail);
    if (waiting == 0) first_command = arch_tsc();
    while (waiting >= HC_NET_QUEUE) {
        hostnet_serve();
        waiting = command_head - net_load(&net->command_tail);
    }
    net->commands[command_head % HC_NET_QUEUE] = (struct hc_net_command){h->number, op, a, b};
    if (op == HC_NET_OP_LOOK) {
        h->queued = true;
        h->queued_at = command_head;
    }
    __atomic_store_n(&net->command_head, ++command_head, __ATOMIC_SEQ_CST);
    serve_in_time(waiting + 1);
}

void hostnet_kick(struct hostnet *h) {
    /* What was written to the slot comes before the look at the queue: the host takes a command off
     * before it looks at the slot. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint32_t tail = net_load(&hostnet_shared->command_tail);
    if (h->queued && (int32_t)(h->queued_at - tail) >= 0)
        serve_in_time(command_head - tail);
    else
        hostnet_command(h, HC_NET_OP_LOOK, 0, 0);
}

static struct hostnet *find(uint32_t number) {
    if (number / HC_NET_SLOTS >= chunk_count) return NULL;
    return chunks[number / HC_NET_SLOTS]->sockets[number % HC_NET_SLOTS];
}

static void wake(uint32_t number) {
    struct hostnet *h = find(number);
    if (h == NULL) return;
    if (h->type == SOCK_STREAM) hostnet_stream_look(h);
    waitq_wake(h->q, 0);
}

static void wake_all(void) {
    for (uint32_t i = 0; i < chunk_count * HC_NET_SLOTS; i++)
        wake(i);
}

static void give_what_is_wanted(void) {
    uint32_t wanted = net_load(&hostnet_shared->wanted);
    if (wanted & 1u << HC_NET_MEM_SLOTS) hostnet_give_slots();
    if (wanted & 1u << HC_NET_MEM_RX) hostnet_give_rings(HC_NET_MEM_RX);
}

bool hostnet_has_news(void) {
    return hostnet_shared != NULL && news_tail != net_load(&hostnet_shared->news_head);
}

bool hostnet_has_commands(void) {
    return hostnet_shared != NULL && command_head != net_load(&hostnet_shared->command_tail);
}

void hostnet_ask(void) {
    if (hostnet_shared != NULL) {
        bool due = arch_tsc() - asked > ASK_US * clock_tsc_khz() / 1000;
        if (hostnet_has_commands() || (due && !hostnet_has_news())) {
            hostnet_serve();
            asked = arch_tsc();
        }
    }
    hostnet_look();
}

void proxy_look(void) {
    static bool looking; /* who is woken may ask */
    struct hc_net *net = hostnet_shared;
    if (net == NULL || looking) return;
    looking = true;
    while (news_tail != net_load(&net->news_head)) {
        uint32_t number = net->news[news_tail % HC_NET_QUEUE];
        /* Taken before the socket is looked at: see net_tell() in the loader. */
        __atomic_store_n(&net->news_tail, ++news_tail, __ATOMIC_SEQ_CST);
        wake(number);
    }
    if (net_load(&net->lost) != lost) {
        lost = net_load(&net->lost);
        wake_all();
    }
    if (net_load(&net->wanted) != 0) give_what_is_wanted();
    looking = false;
}
