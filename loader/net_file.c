/* SPDX-License-Identifier: MIT */
/* Pieces of host files that the guest has put into a stream: they go from the host's page cache to
 * its socket.  Owns the pins of their handles, and what was read of a file that is to change. */
#include <loader/net_socket.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <loader/hc_handle.h>
#include <loader/net.h>

#define KEPT_MAX (64u << 20) /* bytes read ahead of truncations, of all sockets */

static uint32_t kept; /* bytes */

static uint32_t load(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }

void net_file_note(struct net_socket *s) {
    struct hc_net_slot *slot = s->slot;
    struct net_file *f = &s->file;
    uint32_t seq = __atomic_load_n(&slot->file_seq, __ATOMIC_ACQUIRE);
    if (seq == f->seq || f->left != 0 || s->type != SOCK_STREAM) return;
    uint64_t offset = __atomic_load_n(&slot->file_offset, __ATOMIC_RELAXED);
    *f = (struct net_file){.seq = seq,
                           .fd = -1,
                           .at = load(&slot->file_at),
                           .left = load(&slot->file_len),
                           .handle = load(&slot->file_handle),
                           .offset = (off_t)offset};
    bool valid = f->left <= HC_NET_FILE_MAX && offset <= INT64_MAX - HC_NET_FILE_MAX;
    if (valid && f->left > 0) f->fd = handle_pin_file(f->handle);
    if (f->left == 0) f->left = 1; /* nonsense: its sending fails */
}

void net_file_forget(struct net_socket *s) {
    struct net_file *f = &s->file;
    if (f->fd >= 0) handle_unpin(f->handle);
    if (f->copy != NULL) kept -= f->copied;
    free(f->copy);
    *f = (struct net_file){.seq = f->seq, .fd = -1};
    __atomic_store_n(&s->slot->file_done, f->seq, __ATOMIC_SEQ_CST);
}

static ssize_t read_piece(const struct net_file *f, void *to, uint32_t len) {
    ssize_t n;
    do {
        n = pread(f->fd, to, len, f->offset);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* Truncated under way, or never a file. */
static int lost(void) {
    errno = EIO;
    return -1;
}

int net_file_small(const struct net_file *f, struct iovec *out) {
    static uint8_t bytes[NET_FILE_SMALL];
    if (f->copy != NULL) {
        *out = (struct iovec){f->copy + (f->copied - f->left), f->left};
        return 0;
    }
    if (f->fd < 0 || read_piece(f, bytes, f->left) != (ssize_t)f->left) return lost();
    *out = (struct iovec){bytes, f->left};
    return 0;
}

ssize_t net_file_send(const struct net_socket *s) {
    const struct net_file *f = &s->file;
    off_t at = f->offset;
    if (f->fd < 0) return lost();
    ssize_t n = sendfile(s->fd, f->fd, &at, f->left);
    return n == 0 || (n < 0 && errno == EINVAL) ? lost() : n;
}

void net_file_advance(struct net_socket *s, uint32_t n) {
    s->file.offset += n;
    s->file.left -= n;
    if (s->file.left == 0) net_file_forget(s);
}

/* Reads what is left of the piece. */
static void keep(struct net_socket *s) {
    struct net_file *f = &s->file;
    if (f->fd < 0 || f->copy != NULL || f->left > KEPT_MAX - kept) return;
    uint8_t *copy = malloc(f->left);
    if (copy == NULL || read_piece(f, copy, f->left) != (ssize_t)f->left) return free(copy);
    f->copy = copy;
    f->copied = f->left;
    kept += f->copied;
}

void net_keep_files(void) {
    if (!net_started()) return;
    net_lock();
    net_note_commands();
    for (uint32_t i = 0; i < net_socket_count(); i++) {
        struct net_socket *s = net_get(i);
        if (s != NULL && s->file.left > 0) keep(s);
    }
    net_unlock();
}

void net_note_files(void) {
    if (!net_started() || !net_has_commands()) return;
    net_lock();
    net_note_commands();
    net_unlock();
}
