/* SPDX-License-Identifier: MIT */
/* See net_fixture.h. */
#include "net_fixture.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <loader/net.h>

struct hc_net *net_shared_page;
struct hc_net_slot *slots;

void net_fixture_init(void) {
    net_shared_page = guest_at(AT_NET);
    slots = guest_at(AT_SLOTS);
}

void serve(void) {
    union hc_args a = {{0}};
    for (int i = 0; i < 3; i++)
        assert_int_equal(call(HC_NET_SERVE, &a), 0);
}

/* Serves until the slot says `state`. */
void await(uint32_t number, uint32_t state) {
    for (int i = 0; i < 2000 && !(slots[number].state & state); i++) {
        struct pollfd p = {.fd = net_fd(), .events = POLLIN};
        poll(&p, 1, 10);
        serve();
    }
    assert_true(slots[number].state & state);
}

void command(uint32_t number, uint32_t op, uint32_t a, uint32_t b) {
    net_shared_page->commands[net_shared_page->command_head % HC_NET_QUEUE] =
        (struct hc_net_command){number, op, a, b};
    net_shared_page->command_head++;
}

int64_t open_socket(uint32_t family, uint32_t type, uint32_t protocol) {
    union hc_args a = {.net_open = {.family = family, .type = type, .protocol = protocol}};
    return call(HC_NET_OPEN, &a);
}

int64_t name_call(enum hc_nr nr, int64_t number, uint16_t *port, uint32_t flags) {
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

int listener(uint16_t *port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    *port = ntohs(in.sin_port);
    return fd;
}

int64_t give(uint32_t kind, gpa_t gpa, uint32_t count) {
    union hc_args a = {.net_give = {.gpa = gpa, .kind = kind, .count = count}};
    return call(HC_NET_GIVE, &a);
}

/* A connection of the guest; *peer: the other end. */
uint32_t connect_out(int *peer) {
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

void put(uint32_t n, uint32_t ring, const char *text) {
    uint8_t *at = (uint8_t *)guest_at(AT_TX) + (size_t)ring * RING;
    slots[n].tx_ring = ring;
    if (slots[n].tx_head == slots[n].tx_tail) slots[n].tx_base = slots[n].tx_head;
    for (; *text != '\0'; text++, slots[n].tx_head++)
        at[(slots[n].tx_head - slots[n].tx_base) % RING] = (uint8_t)*text;
    command(n, HC_NET_OP_LOOK, 0, 0);
}

void expect(uint32_t n, const char *text) {
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
    net_shared_page->news_tail = net_shared_page->news_head;
}

void expect_peer(int peer, const char *text) {
    char got[64] = {0};
    assert_int_equal(recv(peer, got, strlen(text), MSG_WAITALL), strlen(text));
    assert_string_equal(got, text);
}
