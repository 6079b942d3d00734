/* SPDX-License-Identifier: MIT */
/* loader/net_*.c through the calls and the shared memory, as the guest uses them: connections both
 * ways, and a guest that writes nonsense. */
#include "net_fixture.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hermit/net.h>
#include <loader/net.h>

static int start(void **state) {
    struct options o = {.net = HC_NET_HOST};
    union hc_args a = {.net_start = {.net = AT_NET}};
    if (fixture_setup(state) != 0) return -1;
    net_fixture_init();
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
    net_shared_page->command_head += 1u << 20;
    serve();
    assert_int_equal(net_shared_page->command_head, net_shared_page->command_tail);
    srand(1);
    for (int i = 0; i < 20000; i++)
        command((uint32_t)rand() % 300, (uint32_t)rand() % 6, (uint32_t)rand(), (uint32_t)rand()),
            i % 1000 == 0 ? serve() : (void)0;
    serve();
    /* Other connections go on. */
    net_shared_page->command_head = net_shared_page->command_tail;
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
        net_shared_page->news_tail = (uint32_t)rand();
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
        cmocka_unit_test(test_user_mode),
    };
    return cmocka_run_group_tests(tests, start, fixture_teardown);
}
