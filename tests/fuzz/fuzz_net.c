/* SPDX-License-Identifier: MIT */
/* libFuzzer target: the network service against a guest that means harm, in user mode.  Whatever it
 * writes into the calls, the slots and the queues, the loader neither crashes nor hangs, nothing
 * arrives at the host's loopback, and no port listens but the one that is published.
 *
 * Runs in a network namespace of its own, where lo has a second address, OUTSIDE, which counts as
 * another machine.  Input: operations of OPERATION_BYTES bytes.  Owns a small guest RAM, what
 * listens at the loopback, and a peer. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hermit/layout.h>
#include <loader/diag.h>
#include <loader/event.h>
#include <loader/guest_mem.h>
#include <loader/hc_handle.h>
#include <loader/hc_path.h>
#include <loader/net.h>
#include <loader/net_socket.h>
#include <loader/thread.h>

#define OPERATION_BYTES 12
#define OPERATIONS 64
#define RAM_BYTES (4u << 20)
#define AT_NET 0u
#define AT_SLOTS 0x10000u
#define AT_DATA 0x20000u
#define AT_RX 0x40000u
#define AT_TX 0x200000u
#define RX_RINGS 3
#define TX_RINGS 2
#define NUMBERS 24u /* of sockets that are played with */
#define OUTSIDE "10.9.9.9"
#define SECRET_PORT 7777
#define PUBLISHED 8080
#define PEERS 4

static uint8_t *ram;
static struct hc_net *shared;
static struct hc_net_slot *slots;
static int secret_stream, secret_datagram, peers[PEERS];
static int host_file, pins; /* the file behind the handles from 3 to 9 */

bool diag_quiet = true;
void warn_line(const char *fmt, ...) {}
void die(int status, const char *fmt, ...) { abort(); }
int thread_start(void *(*main)(void *), void *arg) { return 0; }
void event_post(enum hc_event kind) {}
bool fd_limit_raise(void) { return false; }
int handle_pin_file(uint32_t number) {
    if (number < 3 || number > 9) return -1;
    pins++;
    return host_file;
}
void handle_unpin(uint32_t number) {
    if (number < 3 || number > 9 || --pins < 0) abort();
}

static void must(int condition, const char *what) {
    if (condition) return;
    fprintf(stderr, "fuzz_net: %s: %s\n", what, strerror(errno));
    abort();
}

static struct sockaddr_in address(const char *text, uint16_t port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    must(inet_pton(AF_INET, text, &in.sin_addr) == 1, text);
    return in;
}

static int bound(int type, const char *text, uint16_t port) {
    struct sockaddr_in in = address(text, port);
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(fd >= 0 && bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0, "bind");
    must(type != SOCK_STREAM || listen(fd, 8) == 0, "listen");
    return fd;
}

/* "lo" or an alias of it: an address, and up. */
static void interface_up(const char *name, const char *text) {
    struct ifreq r = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in in = address(text, 0);
    strcpy(r.ifr_name, name);
    memcpy(&r.ifr_addr, &in, sizeof(in));
    must(ioctl(fd, SIOCSIFADDR, &r) == 0, "SIOCSIFADDR");
    r.ifr_flags = IFF_UP | IFF_RUNNING;
    must(ioctl(fd, SIOCSIFFLAGS, &r) == 0, "SIOCSIFFLAGS");
    close(fd);
}

static int64_t give(uint32_t kind, uint32_t at, uint32_t count) {
    union hc_args a = {.net_give = {.gpa = HERMIT_RAM_GPA + at, .kind = kind, .count = count}};
    return hc_net_give(&a);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    static struct publish_option publish[] = {
        {.text = "8080", .first = PUBLISHED, .last = PUBLISHED, .guest = PUBLISHED},
        {.text = "8080", .first = PUBLISHED, .last = PUBLISHED, .guest = PUBLISHED, .udp = true}};
    struct options o = {.net = HC_NET_USER, .publish = publish, .publish_count = 2};
    union hc_args start = {.net_start = {.net = HERMIT_RAM_GPA + AT_NET}};
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        fprintf(stderr, "SKIP: no network namespace of one's own on this machine\n");
        exit(77);
    }
    signal(SIGPIPE, SIG_IGN);
    interface_up("lo", "127.0.0.1");
    interface_up("lo:1", OUTSIDE);
    ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(ram != MAP_FAILED && guest_mem_add(HERMIT_RAM_GPA, RAM_BYTES, ram) == 0, "memory");
    shared = (struct hc_net *)(ram + AT_NET);
    slots = (struct hc_net_slot *)(ram + AT_SLOTS);
    secret_stream = bound(SOCK_STREAM, "127.0.0.1", SECRET_PORT);
    secret_datagram = bound(SOCK_DGRAM, "127.0.0.1", SECRET_PORT);
    bound(SOCK_STREAM, OUTSIDE, SECRET_PORT);
    bound(SOCK_DGRAM, OUTSIDE, SECRET_PORT);
    host_file = memfd_create("file", MFD_CLOEXEC);
    must(host_file >= 0 && ftruncate(host_file, 100000) == 0, "memfd");
    net_init(&o);
    must(hc_net_start(&start) == HC_NET_USER, "start");
    must(give(HC_NET_MEM_SLOTS, AT_SLOTS, 0) == 0, "slots");
    must(give(HC_NET_MEM_RX, AT_RX, RX_RINGS) == 0 && give(HC_NET_MEM_TX, AT_TX, TX_RINGS) == 0,
         "rings");
    for (int i = 0; i < PEERS; i++)
        peers[i] = -1;
    return 0;
}

/* Edges and small numbers, by two bytes. */
static uint32_t number(uint8_t kind, uint8_t value) {
    static const uint32_t edges[] = {HC_NET_RING, HC_NET_RING + 1, 0x7fffffff, 0x80000000,
                                     UINT32_MAX,  HC_NET_QUEUE,    4096,       64};
    return kind % 4 == 0 ? edges[value % 8] : kind % 4 == 1 ? value * 257u : value;
}

static void guest_address(struct hc_net_addr *a, uint8_t kind, uint8_t value) {
    static const char *const texts[] = {
        "127.0.0.1", "0.0.0.0",          OUTSIDE, "127.9.9.9",
        "::1",       "::ffff:127.0.0.1", "::",    "::ffff:10.9.9.9"};
    uint16_t port = kind & 8 ? SECRET_PORT : kind & 16 ? PUBLISHED : value;
    const char *text = texts[kind % 8];
    if (strchr(text, ':') == NULL) {
        struct sockaddr_in in = address(text, port);
        a->len = sizeof(in);
        memcpy(a->bytes, &in, sizeof(in));
    } else {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
        must(inet_pton(AF_INET6, text, &in6.sin6_addr) == 1, text);
        a->len = sizeof(in6);
        memcpy(a->bytes, &in6, sizeof(in6));
    }
    if (kind & 32) a->bytes[value % sizeof(a->bytes)] ^= kind;
    if (kind & 64) a->len = value;
}

typedef int64_t call_fn(union hc_args *args);

static void name_call(const uint8_t *b) {
    static call_fn *const calls[] = {hc_net_bind, hc_net_listen, hc_net_connect, hc_net_name};
    union hc_args a = {.net_name = {.number = b[2] % NUMBERS, .flags = number(b[5], b[6])}};
    guest_address(&a.net_name.addr, b[3], b[4]);
    calls[b[1] % 4](&a);
}

static void message_call(const uint8_t *b) {
    union hc_args a = {.net_message = {.number = b[2] % NUMBERS,
                                       .flags = number(b[5], b[6]) | (uint32_t)b[7] << 8,
                                       .segs = HERMIT_RAM_GPA + AT_DATA,
                                       .count = b[8] % 4u,
                                       .control = HERMIT_RAM_GPA + AT_DATA + 256,
                                       .control_len = b[9] % 3 == 0 ? b[10] : 0}};
    const struct hc_seg segs[3] = {{HERMIT_RAM_GPA + AT_DATA + 512, b[11]},
                                   {HERMIT_RAM_GPA + AT_DATA + 4096, number(b[11], b[10])},
                                   {HERMIT_RAM_GPA + RAM_BYTES - b[11], b[11]}};
    const struct {
        uint64_t len;
        int level, type, value;
    } control = {number(b[10], b[11]), b[9] & 4 ? IPPROTO_IPV6 : b[9] & 8, b[11], b[10]};
    memcpy(ram + AT_DATA, segs, sizeof(segs));
    memcpy(ram + AT_DATA + 256, &control, sizeof(control));
    if (b[3] & 1) guest_address(&a.net_message.addr, b[3] >> 1, b[4]);
    (b[1] & 1 ? hc_net_send : hc_net_recv)(&a);
}

static void option_call(const uint8_t *b) {
    static const int levels[] = {SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP};
    union hc_args a = {.net_option = {.number = b[2] % NUMBERS,
                                      .level = levels[b[3] % 5],
                                      .name = b[4],
                                      .len = number(b[5], b[6]),
                                      .value = HERMIT_RAM_GPA + AT_DATA}};
    memcpy(ram + AT_DATA, b + 7, 5);
    (b[1] & 1 ? hc_net_setopt : hc_net_getopt)(&a);
}

static void open_call(const uint8_t *b) {
    union hc_args a = {.net_open = {.family = b[2] & 1   ? AF_INET
                                              : b[2] & 2 ? AF_INET6
                                                         : b[3],
                                    .type = b[2] & 4   ? SOCK_STREAM
                                            : b[2] & 8 ? SOCK_DGRAM
                                                       : b[4],
                                    .protocol = b[2] & 16 ? 0 : b[5]}};
    hc_net_open(&a);
}

static void command(const uint8_t *b) {
    struct hc_net_command *c = &shared->commands[shared->command_head % HC_NET_QUEUE];
    c->number = b[1] % (NUMBERS + 1);
    c->op = b[2] % 5;
    c->a = (uint32_t)(b[3] << 16 | b[4]);
    c->b = number(b[5], b[6]);
    shared->command_head++;
}

/* A piece of the file to be sent, more or less valid; then perhaps the file is to change. */
static void piece(const uint8_t *b) {
    struct hc_net_slot *s = &slots[b[1] % NUMBERS];
    s->file_handle = b[2] % 12u;
    s->file_offset = b[3] & 1 ? number(b[4], b[5]) : b[4];
    s->file_len = number(b[6], b[7]);
    s->file_at = s->tx_head + (b[3] & 2 ? b[8] : 0);
    s->tx_cork = b[3] & 4;
    s->file_seq++;
    if (b[3] & 8) net_keep_files();
    if (b[3] & 16) net_note_files();
}

/* What a guest may write, and what it should not. */
static void scribble(const uint8_t *b) {
    uint32_t *slot = (uint32_t *)&slots[b[1] % NUMBERS];
    uint32_t value = number(b[3], b[4]);
    if (b[5] & 1)
        slot[b[2] % 32] = value;
    else if (b[5] & 2)
        slot[b[2] % 32] += value;
    else if (b[5] & 4)
        ((uint32_t *)shared)[b[2] % 32] += value;
    else
        slots[b[1] % NUMBERS].rx_tail = slots[b[1] % NUMBERS].rx_head;
}

/* The peer: outside, and at the host's loopback, where published ports are, too. */
static void peer(const uint8_t *b) {
    struct sockaddr_in to = address(b[1] & 1 ? "127.0.0.1" : OUTSIDE, PUBLISHED);
    int *fd = &peers[b[2] % PEERS];
    static char buffer[4096];
    if (*fd < 0) {
        *fd = socket(AF_INET, (b[1] & 2 ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK, 0);
        (void)!connect(*fd, (struct sockaddr *)&to, sizeof(to));
    } else if (b[1] & 4) {
        (void)!send(*fd, buffer, b[3] * 16u, MSG_DONTWAIT);
    } else if (b[1] & 8) {
        (void)!recv(*fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    } else {
        close(*fd);
        *fd = -1;
    }
}

static void operate(const uint8_t *b) {
    switch (b[0] % 11) {
    case 0:
        return name_call(b);
    case 1:
        return message_call(b);
    case 2:
        return option_call(b);
    case 3:
        return open_call(b);
    case 4:
    case 5:
        return command(b);
    case 6:
        return scribble(b);
    case 7:
        return peer(b);
    case 10:
        return piece(b);
    default:
        net_visit();
    }
}

/* Ports that listen: the three of this file, and the published one in its two families. */
static void check_ports(void) {
    static const char *const tables[] = {"/proc/self/net/tcp", "/proc/self/net/tcp6"};
    char line[512];
    for (int i = 0; i < 2; i++) {
        FILE *f = fopen(tables[i], "re");
        while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
            unsigned port, state;
            if (sscanf(line, " %*u: %*[0-9A-F]:%x %*s %x", &port, &state) != 2) continue;
            must(state != 10 || port == SECRET_PORT || port == PUBLISHED, line);
        }
        if (f != NULL) fclose(f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static unsigned inputs;
    char byte;
    for (unsigned i = 0; i < OPERATIONS && size >= OPERATION_BYTES; i++) {
        operate(data);
        data += OPERATION_BYTES;
        size -= OPERATION_BYTES;
    }
    net_visit();
    must(accept(secret_stream, NULL, NULL) < 0, "a connection to the host's loopback");
    must(recv(secret_datagram, &byte, 1, 0) < 0, "a datagram to the host's loopback");
    if (inputs++ % 64 == 0) check_ports();
    net_lock();
    for (uint32_t i = 0; i < net_socket_count(); i++)
        if (net_get(i) != NULL) net_destroy(net_get(i));
    net_unlock();
    for (int i = 0; i < PEERS; i++) {
        if (peers[i] >= 0) close(peers[i]);
        peers[i] = -1;
    }
    return 0;
}
