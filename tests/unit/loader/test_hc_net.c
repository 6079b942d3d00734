/* SPDX-License-Identifier: MIT */
/* loader/net_*.c through the calls and the shared memory, as the guest uses them: connections both
 * ways, and a guest that writes nonsense. */
#include "hc_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hermit/net.h>
#include <loader/net.h>

#define AT_NET (RAM_GPA + 0x20000)
#define AT_SLOTS (RAM_GPA + 0x30000)
#define AT_RX (RAM_GPA + 0x40000)
#define AT_TX (RAM_GPA + 0x200000)
#define RX_RINGS 3
#define TX_RINGS 2
#define RING HC_NET_RING

static struct hc_net *shared;
static struct hc_net_slot *slots;

static void serve(void) {
    union hc_args a = {{0}};
    for (int i = 0; i < 3; i++)
        assert_int_equal(call(HC_NET_SERVE, &a), 0);
}

/* Serves until the slot says `state`. */
static void await(uint32_t number, uint32_t state) {
    for (int i = 0; i < 2000 && !(slots[number].state & state); i++) {
        struct pollfd p = {.fd = net_fd(), .events = POLLIN};
        poll(&p, 1, 10);
        serve();
    }
    assert_true(slots[number].state & state);
}

static void command(uint32_t number, uint32_t op, uint32_t a, uint32_t b) {
    shared->commands[shared->command_head % HC_NET_QUEUE] =
        (struct hc_net_command){number, op, a, b};
    shared->command_head++;
}

static int64_t open_socket(uint32_t family, uint32_t type, uint32_t protocol) {
    union hc_args a = {.net_open = {.family = family, .type = type, .protocol = protocol}};
    return call(HC_NET_OPEN, &a);
}

static int64_t name_call(enum hc_nr nr, int64_t number, uint16_t *port, uint32_t flags) {
    union hc_args a = {.net_name = {.number = (uint32_t)number, .flags = flags}};
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    a.net_name.addr.len = sizeof(in);
    memcpy(a.net_name.addr.bytes, &in, sizeof(in));
    int64_t r = call(nr, &a);
    memcpy(&in, a.net_name.addr.bytes, sizeof(in));
    *port = ntohs(in.sin_port);
    return r;
}

static int listener(uint16_t *port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    *port = ntohs(in.sin_port);
    return fd;
}

static int start(void **state) {
    struct options o = {.net = HC_NET_HOST};
    union hc_args a = {.net_start = {.net = AT_NET}};
    if (fixture_setup(state) != 0) return -1;
    shared = guest_at(AT_NET);
    slots = guest_at(AT_SLOTS);
    assert_int_equal(open_socket(AF_INET, SOCK_STREAM, 0), -ENETUNREACH);
    net_init(&o);
    a.net_start.net = RAM_GPA + RAM_BYTES - 64;
    assert_int_equal(call(HC_NET_START, &a), -EFAULT);
    a.net_start.net = AT_NET + 1;
    assert_int_equal(call(HC_NET_START, &a), -EFAULT);
    a.net_start.net = AT_NET;
    assert_int_equal(call(HC_NET_START, &a), HC_NET_HOST);
    a.net_start.net = AT_NET;
    assert_int_equal(call(HC_NET_START, &a), -EALREADY);
    assert_int_equal(open_socket(AF_INET, SOCK_STREAM, 0), -ENOBUFS);
    return 0;
}

static int64_t give(uint32_t kind, gpa_t gpa, uint32_t count) {
    union hc_args a = {.net_give = {.gpa = gpa, .kind = kind, .count = count}};
    return call(HC_NET_GIVE, &a);
}

static void test_give(void **state) {
    assert_int_equal(give(HC_NET_MEM_SLOTS, AT_SLOTS + 8, 0), -EINVAL);
    assert_int_equal(give(HC_NET_MEM_SLOTS, RAM_GPA + RAM_BYTES - 4096, 0), -EFAULT);
    assert_int_equal(give(3, AT_RX, 1), -EINVAL);
    assert_int_equal(give(HC_NET_MEM_RX, AT_RX, 0), -EINVAL);
    assert_int_equal(give(HC_NET_MEM_RX, AT_RX, HC_NET_RINGS + 1), -EINVAL);
    assert_int_equal(give(HC_NET_MEM_RX, AT_RX, 100), -EFAULT);
    assert_int_equal(give(HC_NET_MEM_SLOTS, AT_SLOTS, 0), 0);
    assert_int_equal(give(HC_NET_MEM_RX, AT_RX, RX_RINGS), 0);
    assert_int_equal(give(HC_NET_MEM_TX, AT_TX, TX_RINGS), 0);
}

static void test_open(void **state) {
    assert_int_equal(open_socket(AF_UNIX, SOCK_STREAM, 0), -EPROTONOSUPPORT);
    assert_int_equal(open_socket(AF_PACKET, SOCK_RAW, 3), -EPROTONOSUPPORT);
    assert_int_equal(open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), -EPROTONOSUPPORT);
    assert_int_equal(open_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), -EPROTONOSUPPORT);
    assert_int_equal(open_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP), -EPROTONOSUPPORT);
    union hc_args a = {.net_name = {.number = 5}};
    assert_int_equal(call(HC_NET_NAME, &a), -EBADF);
    a.net_name.number = UINT32_MAX;
    assert_int_equal(call(HC_NET_LISTEN, &a), -EBADF);
    int64_t n = open_socket(AF_INET, SOCK_DGRAM, 0);
    assert_true(n >= 0);
    command((uint32_t)n, HC_NET_OP_CLOSE, 0, 0);
    serve();
    assert_int_equal(slots[n].state, HC_NET_FREE);
}

/* A connection of the guest; *peer: the other end. */
static uint32_t connect_out(int *peer) {
    uint16_t port;
    int door = listener(&port);
    int64_t n = open_socket(AF_INET, SOCK_STREAM, 0);
    assert_true(n >= 0);
    int64_t r = name_call(HC_NET_CONNECT, n, &port, 0);
    assert_true(r == 0 || r == -EINPROGRESS);
    await((uint32_t)n, HC_NET_CONNECTED);
    *peer = accept(door, NULL, NULL);
    assert_true(*peer >= 0);
    close(door);
    return (uint32_t)n;
}

static void put(uint32_t n, uint32_t ring, const char *text) {
    uint8_t *at = (uint8_t *)guest_at(AT_TX) + (size_t)ring * RING;
    slots[n].tx_ring = ring;
    if (slots[n].tx_head == slots[n].tx_tail) slots[n].tx_base = slots[n].tx_head;
    for (; *text != '\0'; text++, slots[n].tx_head++)
        at[(slots[n].tx_head - slots[n].tx_base) % RING] = (uint8_t)*text;
    command(n, HC_NET_OP_LOOK, 0, 0);
}

static void expect(uint32_t n, const char *text) {
    size_t len = strlen(text);
    for (int i = 0; i < 2000 && slots[n].rx_head - slots[n].rx_tail < len; i++) {
        struct pollfd p = {.fd = net_fd(), .events = POLLIN};
        poll(&p, 1, 10);
        serve();
    }
    assert_int_equal(slots[n].rx_head - slots[n].rx_tail, len);
    assert_true(slots[n].rx_ring < RX_RINGS);
    const uint8_t *at = (uint8_t *)guest_at(AT_RX) + (size_t)slots[n].rx_ring * RING;
    for (; *text != '\0'; text++, slots[n].rx_tail++)
        assert_int_equal(at[(slots[n].rx_tail - slots[n].rx_base) % RING], *text);
    shared->news_tail = shared->news_head;
}

static void expect_peer(int peer, const char *text) {
    char got[64] = {0};
    assert_int_equal(recv(peer, got, strlen(text), MSG_WAITALL), strlen(text));
    assert_string_equal(got, text);
}

static void test_data(void **state) {
    int peer;
    uint32_t n = connect_out(&peer);
    for (int i = 0; i < 3; i++) {
        put(n, 0, "from the guest");
        serve();
        expect_peer(peer, "from the guest");
        assert_int_equal(slots[n].tx_tail, slots[n].tx_head);
        assert_int_equal(write(peer, "from outside", 12), 12);
        expect(n, "from outside");
    }
    put(n, 1, "last words");
    command(n, HC_NET_OP_SHUTDOWN, SHUT_WR, 0);
    serve();
    expect_peer(peer, "last words");
    char byte;
    assert_int_equal(read(peer, &byte, 1), 0);
    close(peer);
    await(n, HC_NET_EOF);
    command(n, HC_NET_OP_CLOSE, 0, 0);
    serve();
    assert_int_equal(slots[n].state, HC_NET_FREE);
}

static void test_refused(void **state) {
    uint16_t port;
    int64_t n = open_socket(AF_INET, SOCK_STREAM, 0);
    close(listener(&port));
    int64_t r = name_call(HC_NET_CONNECT, n, &port, 0);
    if (r == -EINPROGRESS) {
        await((uint32_t)n, HC_NET_HUP);
        assert_int_equal(slots[n].error, ECONNREFUSED);
    } else {
        assert_int_equal(r, -ECONNREFUSED);
    }
    command((uint32_t)n, HC_NET_OP_CLOSE, 0, 0);
    serve();
}

static int connect_to(uint16_t port) {
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    return fd;
}

static void test_listen(void **state) {
    uint16_t port = 0;
    int64_t n = open_socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(name_call(HC_NET_BIND, n, &port, 0), 0);
    assert_int_equal(name_call(HC_NET_LISTEN, n, &port, 8), 0);
    assert_int_equal(name_call(HC_NET_NAME, n, &port, 0), 0);
    int first = connect_to(port), second = connect_to(port);
    for (int i = 0; i < 2000 && slots[n].rx_head - slots[n].rx_tail < 128; i++)
        serve();
    struct hc_net_accepted record;
    const uint8_t *at = (uint8_t *)guest_at(AT_RX) + (size_t)slots[n].rx_ring * RING;
    memcpy(&record, at + (slots[n].rx_tail - slots[n].rx_base) % RING, sizeof(record));
    slots[n].rx_tail += sizeof(record);
    assert_int_equal(slots[record.number].generation, record.generation);
    assert_int_equal(slots[record.number].state, HC_NET_CONNECTED);
    assert_int_equal(write(first, "hello", 5), 5);
    expect(record.number, "hello");
    /* The listener goes: so does the connection that was not taken, and no other. */
    command((uint32_t)n, HC_NET_OP_CLOSE, 0, 0);
    serve();
    char byte;
    assert_true(read(second, &byte, 1) <= 0);
    put(record.number, 0, "still here");
    serve();
    expect_peer(first, "still here");
    command(record.number, HC_NET_OP_CLOSE, 0, 0);
    serve();
    close(first);
    close(second);
}

static void test_datagrams(void **state) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(in);
    int peer = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(peer, (struct sockaddr *)&in, len), 0);
    assert_int_equal(getsockname(peer, (struct sockaddr *)&in, &len), 0);
    int64_t n = open_socket(AF_INET, SOCK_DGRAM, 0);
    struct hc_seg *seg = guest_at(AT_SEGS);
    *seg = (struct hc_seg){AT_DATA, 4};
    memcpy(guest_at(AT_DATA), "ping", 4);
    union hc_args a = {.net_message = {.number = (uint32_t)n, .segs = AT_SEGS, .count = 1}};
    a.net_message.addr.len = sizeof(in);
    memcpy(a.net_message.addr.bytes, &in, sizeof(in));
    union hc_args bad = a;
    bad.net_message.segs = 16;
    assert_int_equal(call(HC_NET_SEND, &bad), -EFAULT);
    bad = a;
    bad.net_message.count = HC_MAX_SEGS + 1;
    assert_int_equal(call(HC_NET_SEND, &bad), -EINVAL);
    bad = a;
    bad.net_message.addr.len = 1000;
    assert_int_equal(call(HC_NET_SEND, &bad), -EINVAL);
    bad = a;
    bad.net_message.control_len = HC_NET_CONTROL + 1;
    assert_int_equal(call(HC_NET_SEND, &bad), -EINVAL);
    assert_int_equal(call(HC_NET_SEND, &a), 4);
    char got[8];
    assert_int_equal(recvfrom(peer, got, sizeof(got), 0, (struct sockaddr *)&in, &len), 4);
    assert_int_equal(sendto(peer, "pong!", 5, 0, (struct sockaddr *)&in, len), 5);
    uint32_t edges = slots[n].edges;
    for (int i = 0; i < 2000 && (slots[n].edges == edges || !(slots[n].ready & POLLIN)); i++)
        serve();
    a = (union hc_args){.net_message = {.number = (uint32_t)n, .segs = AT_SEGS, .count = 1}};
    assert_int_equal(call(HC_NET_RECV, &a), 4);
    assert_true(a.net_message.result_flags & MSG_TRUNC);
    assert_int_equal(memcmp(guest_at(AT_DATA), "pong", 4), 0);
    assert_false(a.net_message.ready & POLLIN);
    assert_int_equal(call(HC_NET_RECV, &a), -EAGAIN);
    command((uint32_t)n, HC_NET_OP_CLOSE, 0, 0);
    serve();
    close(peer);
}

static void test_options(void **state) {
    int64_t n = open_socket(AF_INET, SOCK_STREAM, 0);
    int *value = guest_at(AT_DATA);
    *value = 1;
    union hc_args a = {.net_option = {.number = (uint32_t)n,
                                      .level = SOL_SOCKET,
                                      .name = SO_KEEPALIVE,
                                      .len = 4,
                                      .value = AT_DATA}};
    assert_int_equal(call(HC_NET_SETOPT, &a), 0);
    *value = 0;
    assert_int_equal(call(HC_NET_GETOPT, &a), 0);
    assert_int_equal(*value, 1);
    a.net_option.name = SO_ATTACH_FILTER;
    assert_int_equal(call(HC_NET_SETOPT, &a), -ENOPROTOOPT);
    a.net_option.level = 255;
    assert_int_equal(call(HC_NET_SETOPT, &a), -ENOPROTOOPT);
    a.net_option.level = IPPROTO_IP;
    a.net_option.name = 64; /* netfilter's */
    assert_int_equal(call(HC_NET_SETOPT, &a), -ENOPROTOOPT);
    a.net_option.len = 100000;
    assert_int_equal(call(HC_NET_SETOPT, &a), -EINVAL);
    a.net_option.len = 4;
    a.net_option.value = 4;
    assert_int_equal(call(HC_NET_SETOPT, &a), -EFAULT);
    command((uint32_t)n, HC_NET_OP_CLOSE, 0, 0);
    serve();
}

/* Is the option on for any socket of this process? */
static bool any_has(int level, int name) {
    for (int fd = 0; fd < 1024; fd++) {
        int on = 0;
        socklen_t len = sizeof(on);
        if (getsockopt(fd, level, name, &on, &len) == 0 && on != 0) return true;
    }
    return false;
}

/* What the call does not let pass, the queue does not either. */
static void test_option_commands(void **state) {
    int64_t n = open_socket(AF_INET, SOCK_STREAM, 0);
    command((uint32_t)n, HC_NET_OP_OPTION, IPPROTO_IP << 16 | IP_FREEBIND, 1);
    command((uint32_t)n, HC_NET_OP_OPTION, SOL_SOCKET << 16 | SO_DEBUG, 1);
    command((uint32_t)n, HC_NET_OP_OPTION, SOL_SOCKET << 16 | SO_OOBINLINE, 1);
    serve();
    assert_false(any_has(IPPROTO_IP, IP_FREEBIND));
    assert_false(any_has(SOL_SOCKET, SO_DEBUG));
    assert_true(any_has(SOL_SOCKET, SO_OOBINLINE));
    command((uint32_t)n, HC_NET_OP_CLOSE, 0, 0);
    serve();
}

/* Sends to a closed port of the host with one control message, `len` bytes of it as cmsg_len. */
static int64_t send_control(int level, int type, size_t len, size_t control_len) {
    int64_t n = open_socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct cmsghdr c = {.cmsg_len = len, .cmsg_level = level, .cmsg_type = type};
    memset(guest_at(AT_DATA), 0, HC_NET_CONTROL);
    memcpy(guest_at(AT_DATA), &c, sizeof(c));
    *((int *)guest_at(AT_DATA) + sizeof(c) / sizeof(int)) = 7;
    union hc_args a = {.net_message = {.number = (uint32_t)n,
                                       .addr.len = sizeof(in),
                                       .control = AT_DATA,
                                       .control_len = (uint32_t)control_len}};
    memcpy(a.net_message.addr.bytes, &in, sizeof(in));
    int64_t r = call(HC_NET_SEND, &a);
    command((uint32_t)n, HC_NET_OP_CLOSE, 0, 0);
    serve();
    return r;
}

static void test_control(void **state) {
    const size_t one = CMSG_LEN(sizeof(int));
    assert_int_equal(send_control(IPPROTO_IP, IP_TTL, one, CMSG_ALIGN(one)), 0);
    assert_int_equal(send_control(IPPROTO_IP, IP_TTL, one, one), 0);
    assert_int_equal(send_control(IPPROTO_IP, IP_RETOPTS, one, one), -EINVAL); /* a source route */
    assert_int_equal(send_control(IPPROTO_IPV6, IPV6_RTHDR, one, one), -EINVAL);
    assert_int_equal(send_control(SOL_SOCKET, SCM_RIGHTS, one, one), -EINVAL);
    assert_int_equal(send_control(IPPROTO_IP, IP_TTL, one, one - 1), -EINVAL);
    assert_int_equal(send_control(IPPROTO_IP, IP_TTL, 8, one), -EINVAL);
    assert_int_equal(send_control(IPPROTO_IP, IP_TTL, SIZE_MAX - 7, one), -EINVAL);
}

/* Positions and commands that make no sense cost the guest's own sockets. */
/* Bytes [offset, offset + len) of the file, behind what is in the ring. */
static void put_piece(uint32_t n, int64_t handle, uint64_t offset, uint32_t len) {
    slots[n].file_handle = (uint32_t)handle;
    slots[n].file_offset = offset;
    slots[n].file_len = len;
    slots[n].file_at = slots[n].tx_head;
    slots[n].file_seq++;
    command(n, HC_NET_OP_LOOK, 0, 0);
}

static void truncate_file(int64_t handle) {
    union hc_args a = {
        .file_attr = {.handle = (uint32_t)handle, .mask = HC_SET_SIZE, .attr = AT_ATTR}};
    *guest_attr = (struct hc_attr){.size = 0};
    assert_int_equal(call(HC_FILE_SETATTR, &a), 0);
}

static int64_t file_of(const char *text) {
    int64_t handle = fs_open(SHARE_RW, "piece", O_RDWR | O_CREAT | O_TRUNC, 0644);
    assert_true(handle >= 0);
    memcpy(guest_at(AT_DATA), text, strlen(text));
    assert_int_equal(file_io(HC_FILE_WRITE, handle, strlen(text), 0, 0), strlen(text));
    return handle;
}

static void test_file(void **state) {
    int peer;
    uint32_t n = connect_out(&peer);
    int64_t handle = file_of("in a file of the host");
    put(n, 0, "head ");
    put_piece(n, handle, 5, 11); /* "file of the" */
    assert_int_not_equal(slots[n].file_done, slots[n].file_seq);
    put(n, 0, " of the host"); /* behind the piece */
    assert_int_equal(file_close(handle), 0); /* open until it is sent */
    serve();
    expect_peer(peer, "head file of the of the host");
    assert_int_equal(slots[n].file_done, slots[n].file_seq);
    /* What was given to be sent is sent, though the guest truncates the file. */
    handle = file_of("kept");
    put_piece(n, handle, 0, 4);
    truncate_file(handle);
    serve();
    expect_peer(peer, "kept");
    assert_int_equal(file_close(handle), 0);
    close(peer);
    command(n, HC_NET_OP_CLOSE, 0, 0);
    serve();
    assert_int_equal(slots[n].state, HC_NET_FREE);
}

/* Pieces that cannot be sent end the connection. */
static void test_file_nonsense(void **state) {
    int64_t handle = file_of("some");
    const struct {
        int64_t handle;
        uint64_t offset;
        uint32_t len, at;
    } bad[] = {{handle, 0, 5, 0},          {handle, 0, 0, 0},
               {handle, 0, UINT32_MAX, 0}, {handle, INT64_MAX, 4, 0},
               {handle, 4, 1, 0},          {handle, 0, HC_NET_FILE_MAX, 0},
               {handle, 0, 4, 1},          {handle, 0, 4, UINT32_MAX},
               {0, 0, 4, 0},               {4711, 0, 4, 0}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int peer;
        uint32_t n = connect_out(&peer);
        put_piece(n, bad[i].handle, bad[i].offset, bad[i].len);
        slots[n].file_at += bad[i].at;
        serve();
        assert_true(slots[n].state & HC_NET_HUP);
        assert_int_equal(slots[n].error, EIO);
        assert_int_equal(slots[n].file_done, slots[n].file_seq);
        command(n, HC_NET_OP_CLOSE, 0, 0);
        serve();
        assert_int_equal(slots[n].state, HC_NET_FREE);
        close(peer);
    }
    assert_int_equal(file_close(handle), 0);
}

static void test_nonsense(void **state) {
    int peer;
    uint32_t n = connect_out(&peer);
    slots[n].tx_head += 1u << 30;
    command(n, HC_NET_OP_LOOK, 0, 0);
    serve();
    assert_true(slots[n].state & HC_NET_HUP);
    slots[n].rx_tail -= 77777777;
    assert_int_equal(write(peer, "lost", 4), 4);
    serve();
    command(n, HC_NET_OP_CLOSE, 0, 0);
    serve();
    assert_int_equal(slots[n].state, HC_NET_FREE);
    close(peer);
    shared->command_head += 1u << 20;
    serve();
    assert_int_equal(shared->command_head, shared->command_tail);
    srand(1);
    for (int i = 0; i < 20000; i++)
        command((uint32_t)rand() % 300, (uint32_t)rand() % 6, (uint32_t)rand(), (uint32_t)rand()),
            i % 1000 == 0 ? serve() : (void)0;
    serve();
    /* Other connections go on. */
    shared->command_head = shared->command_tail;
    n = connect_out(&peer);
    put(n, 1, "alive");
    serve();
    expect_peer(peer, "alive");
    for (int i = 0; i < 3000; i++) {
        slots[n].tx_head = (uint32_t)rand();
        slots[n].tx_base = (uint32_t)rand();
        slots[n].tx_ring = (uint32_t)rand() % 4;
        slots[n].rx_tail = (uint32_t)rand();
        slots[n].file_seq = (uint32_t)rand() % 4;
        slots[n].file_len = (uint32_t)rand();
        slots[n].file_at = (uint32_t)rand();
        slots[n].tx_cork = (uint32_t)rand() % 2;
        shared->news_tail = (uint32_t)rand();
        command(n, HC_NET_OP_LOOK, 0, 0);
        serve();
    }
    close(peer);
    command(n, HC_NET_OP_CLOSE, 0, 0);
    serve();
    assert_int_equal(slots[n].state, HC_NET_FREE);
}

/* A message from the peer, and the answer to it, by the guest's socket n. */
static void echo(int64_t n, int peer, const struct sockaddr_in *to) {
    *(struct hc_seg *)guest_at(AT_SEGS) = (struct hc_seg){AT_DATA, 4};
    union hc_args a = {.net_message = {.number = (uint32_t)n, .segs = AT_SEGS, .count = 1}};
    char got[4];
    assert_int_equal(sendto(peer, "ping", 4, 0, (const struct sockaddr *)to, sizeof(*to)), 4);
    int64_t r = -EAGAIN;
    for (int i = 0; i < 2000 && r == -EAGAIN; i++)
        r = call(HC_NET_RECV, &a);
    assert_int_equal(r, 4);
    assert_int_equal(a.net_message.ready & (POLLIN | POLLHUP), 0);
    a.net_message.control_len = 0;
    assert_int_equal(call(HC_NET_SEND, &a), 4);
    assert_int_equal(recv(peer, got, sizeof(got), 0), 4);
}

/* A published port of datagrams, taken and given back, by a socket of either family. */
static void expect_published(uint16_t port) {
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const uint32_t families[] = {AF_INET, AF_INET6, AF_INET6, AF_INET};
    for (int i = 0; i < 4; i++) {
        int peer = socket(AF_INET, SOCK_DGRAM, 0);
        int64_t n = open_socket(families[i], SOCK_DGRAM, 0);
        if (n == -EAFNOSUPPORT) continue;
        uint16_t guest = 53;
        assert_int_equal(name_call(HC_NET_BIND, n, &guest, 0), 0);
        echo(n, peer, &to);
        command((uint32_t)n, HC_NET_OP_CLOSE, 0, 0);
        serve();
        close(peer);
    }
}

/* The last one: the mode changes. */
static void test_user_mode(void **state) {
    uint16_t published;
    close(listener(&published)); /* free, most likely for datagrams as well */
    struct publish_option publish = {
        .text = "udp", .first = published, .last = published, .guest = 53, .udp = true};
    struct options o = {.net = HC_NET_USER, .publish = &publish, .publish_count = 1};
    uint16_t port = 0;
    net_init(&o);
    int64_t n = open_socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(name_call(HC_NET_LISTEN, n, &port, 8), -EACCES);
    assert_int_equal(name_call(HC_NET_BIND, n, &port, 0), 0);
    assert_int_equal(name_call(HC_NET_LISTEN, n, &port, 8), -EACCES);
    port = 9;
    assert_int_equal(name_call(HC_NET_BIND, n, &port, 0), 0);
    assert_int_equal(name_call(HC_NET_LISTEN, n, &port, 8), -EACCES);
    assert_int_equal(name_call(HC_NET_CONNECT, n, &port, 0), -ECONNREFUSED);
    command((uint32_t)n, HC_NET_OP_CLOSE, 0, 0);
    serve();
    expect_published(published);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_give),      cmocka_unit_test(test_open),
        cmocka_unit_test(test_data),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_listen),    cmocka_unit_test(test_datagrams),
        cmocka_unit_test(test_options),   cmocka_unit_test(test_option_commands),
        cmocka_unit_test(test_control),   cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_file),      cmocka_unit_test(test_file_nonsense),
        cmocka_unit_test(test_user_mode),
    };
    return cmocka_run_group_tests(tests, start, fixture_teardown);
}
