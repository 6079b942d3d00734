/* SPDX-License-Identifier: MIT */
/* The sockets of the guest, by number.  Owns the table, its lock and the list of free numbers. */
#include <loader/net_socket.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNKS (HC_NET_SOCKETS / HC_NET_SLOTS)
#define FEW HC_NET_SLOTS /* free numbers: more than are accepted before the guest looks */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct net_socket *chunks[CHUNKS];
static uint32_t chunk_count, free_count;
static struct net_socket *free_first;

void net_lock(void) { pthread_mutex_lock(&lock); }
void net_unlock(void) { pthread_mutex_unlock(&lock); }

uint32_t net_socket_count(void) { return chunk_count * HC_NET_SLOTS; }

struct net_socket *net_get(uint32_t number) {
    if (number >= net_socket_count()) return NULL;
    struct net_socket *s = &chunks[number / HC_NET_SLOTS][number % HC_NET_SLOTS];
    return s->fd >= 0 ? s : NULL;
}

static void put_free(struct net_socket *s) {
    s->fd = -1;
    s->next = free_first;
    free_first = s;
    free_count++;
}

int net_add_slots(struct hc_net_slot *slots) {
    if (chunk_count == CHUNKS) return -ENOSPC;
    struct net_socket *chunk = calloc(HC_NET_SLOTS, sizeof(*chunk));
    if (chunk == NULL) return -ENOMEM;
    chunks[chunk_count] = chunk;
    for (uint32_t i = HC_NET_SLOTS; i-- > 0;) {
        chunk[i].number = chunk_count * HC_NET_SLOTS + i;
        chunk[i].slot = &slots[i];
        net_set_state(&chunk[i], HC_NET_FREE, 0);
        put_free(&chunk[i]);
    }
    chunk_count++;
    net_want(HC_NET_MEM_SLOTS, free_count <= FEW && chunk_count < CHUNKS);
    return 0;
}

void net_set_state(struct net_socket *s, uint32_t set, uint32_t clear) {
    s->state = (s->state & ~clear) | set;
    __atomic_store_n(&s->slot->state, s->state, __ATOMIC_RELEASE);
}

void net_set_error(struct net_socket *s, int error) {
    s->slot->error = (uint32_t)error;
    __atomic_store_n(&s->slot->errors, s->slot->errors + 1, __ATOMIC_RELEASE);
}

bool net_any_free(void) {
    if (free_count <= FEW && chunk_count < CHUNKS) net_want(HC_NET_MEM_SLOTS, true);
    return free_count > 0;
}

struct net_socket *net_new(int fd, int family, int type, int protocol) {
    struct net_socket *s = free_first;
    if (!net_any_free()) return NULL;
    free_first = s->next;
    free_count--;
    uint32_t generation = s->generation + 1;
    struct hc_net_slot *slot = s->slot;
    *s = (struct net_socket){.fd = fd,
                             .number = s->number,
                             .generation = generation,
                             .slot = slot,
                             .family = family,
                             .fd_family = family,
                             .type = type,
                             .protocol = protocol};
    /* Positions go on from where the guest has them. */
    s->tx_tail = __atomic_load_n(&slot->tx_head, __ATOMIC_RELAXED);
    s->file =
        (struct net_file){.seq = __atomic_load_n(&slot->file_seq, __ATOMIC_RELAXED), .fd = -1};
    slot->file_done = s->file.seq;
    s->rx_head = s->rx_base = __atomic_load_n(&slot->rx_tail, __ATOMIC_RELAXED);
    slot->tx_tail = s->tx_tail;
    slot->rx_head = slot->rx_base = s->rx_head;
    slot->rx_ring = HC_NET_NO_RING;
    slot->errors = slot->error = slot->edges = slot->ready = 0;
    slot->generation = generation;
    net_set_state(s, 0, ~0u);
    return s;
}

void net_destroy(struct net_socket *s) {
    net_forget_retry(s);
    if (s->listener != NULL) net_listener_end(s);
    net_forget_ring(s);
    net_file_forget(s);
    if (s->port != NULL) net_unwatch(s);
    close(s->fd);
    if (s->port != NULL) net_port_release(s->port, s->family); /* may bind it again */
    free(s->peers);
    s->peers = NULL;
    /* The guest takes its ring back when it sees one of these. */
    __atomic_store_n(&s->slot->generation, s->generation + 1, __ATOMIC_RELEASE);
    s->generation++;
    net_set_state(s, HC_NET_FREE, ~0u);
    put_free(s);
}
