/* SPDX-License-Identifier: MIT */
/* loader/tap.c: frames between the queues and an interface, and queues that make no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <loader/guest_mem.h>
#include <loader/net_call.h>
#include <loader/tap.h>

#define GPA 0x200000u
#define BYTES (4096u << HC_TAP_ORDER)

/* In place of the interface: datagrams, as frames are. */
static int ends[2];
static struct hc_tap *tap;
static enum hc_net_mode mode = HC_NET_TAP;

int tap_fd(void) { return ends[0]; }
enum hc_net_mode net_call_mode(void) { return mode; }
int net_start_service(void) { return 0; }
void net_lock(void) {}
void net_unlock(void) {}

static int start(void **state) {
    tap = aligned_alloc(4096, BYTES);
    if (tap == NULL || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) != 0) return -1;
    memset(tap, 0, BYTES);
    if (guest_mem_add(GPA, BYTES, tap) != 0) return -1;
    union hc_args args = {.net_device = {.tap = GPA + BYTES / 2}};
    assert_int_equal(hc_net_device(&args), -EFAULT); /* not all of it is RAM */
    args.net_device.tap = GPA;
    mode = HC_NET_USER;
    assert_int_equal(hc_net_device(&args), -ENETUNREACH);
    mode = HC_NET_TAP;
    assert_true(hc_net_device(&args) > 0);
    assert_int_equal(hc_net_device(&args), -EALREADY);
    return 0;
}

static uint64_t gpa_of(const void *p) { return GPA + (uint64_t)((const char *)p - (char *)tap); }

static void offer(struct hc_tap_queue *q, uint16_t id) {
    q->avail[q->avail_idx % HC_TAP_QUEUE] = id;
    q->avail_idx++;
}

static void send_desc(struct hc_tap_desc d) {
    uint16_t before = tap->tx.used_idx;
    tap->tx.desc[0] = d;
    offer(&tap->tx, 0);
    assert_true(tap_has_frames());
    assert_true(tap_send());
    assert_false(tap_has_frames());
    assert_int_equal(tap->tx.used_idx, (uint16_t)(before + 1));
}

static void test_send(void **state) {
    char got[100];
    memcpy(tap->tx_buffers[3], "frame", 5);
    send_desc((struct hc_tap_desc){.gpa = gpa_of(tap->tx_buffers[3]), .len = 5});
    assert_int_equal(recv(ends[1], got, sizeof(got), 0), 5);
    assert_memory_equal(got, "frame", 5);
}

static void test_send_nonsense(void **state) {
    const uint64_t at = gpa_of(tap->tx_buffers[0]);
    const struct hc_tap_desc bad[] = {
        {.gpa = 0, .len = 5},
        {.gpa = GPA - 1, .len = 5},
        {.gpa = UINT64_MAX - 2, .len = 5},
        {.gpa = at, .len = UINT32_MAX},
        {.gpa = gpa_of(tap + 1) - 4, .len = 5},
        {.gpa = at, .len = 5, .flags = HC_TAP_WRITE},
        {.gpa = at, .len = 5, .flags = HC_TAP_NEXT, .next = 0}, /* for ever */
        {.gpa = at, .len = 5, .flags = HC_TAP_NEXT, .next = HC_TAP_QUEUE},
    };
    char got[100];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        send_desc(bad[i]);
    tap->tx.avail_idx += HC_TAP_QUEUE + 7; /* more than there are */
    tap_send();
    assert_false(tap_has_frames());
    tap->tx.avail[tap->tx.avail_idx % HC_TAP_QUEUE] = UINT16_MAX;
    tap->tx.avail_idx++;
    assert_true(tap_send());
    assert_true(recv(ends[1], got, sizeof(got), 0) < 0);
}

static void give_buffers(uint16_t count) {
    for (uint16_t i = 0; i < count; i++) {
        tap->rx.desc[i] = (struct hc_tap_desc){
            .gpa = gpa_of(tap->rx_buffers[i]), .len = HC_TAP_RX_BYTES, .flags = HC_TAP_WRITE};
        offer(&tap->rx, i);
    }
}

static void test_receive(void **state) {
    char frame[6000];
    memset(frame, 7, sizeof(frame));
    assert_int_equal(send(ends[1], frame, sizeof(frame), 0), sizeof(frame));
    give_buffers(3);
    tap_readable();
    tap_receive(); /* too few for any frame: it waits */
    assert_false(tap_has_news());
    tap->rx.avail_idx = 0;
    give_buffers(20);
    tap_receive();
    assert_true(tap_has_news());
    assert_int_equal(tap->rx.used_idx, 2);
    assert_int_equal(tap->rx.used[0].len, HC_TAP_RX_BYTES);
    assert_int_equal(tap->rx.used[1].len, sizeof(frame) - HC_TAP_RX_BYTES);
    uint16_t buffers;
    memcpy(&buffers, tap->rx_buffers[0] + HC_TAP_HEADER - 2, sizeof(buffers));
    assert_int_equal(buffers, 2);
    tap->taken = 2;
    assert_false(tap_has_news());
}

static void test_receive_nonsense(void **state) {
    uint16_t before = tap->rx.used_idx;
    assert_int_equal(send(ends[1], "x", 1, 0), 1);
    tap->rx.desc[2].gpa = 0;
    tap_readable();
    tap_receive();
    tap->rx.desc[2] = (struct hc_tap_desc){.gpa = gpa_of(tap->rx_buffers[2]), .len = 4096};
    tap_receive(); /* not for writing */
    tap->rx.avail_idx += HC_TAP_QUEUE + 1;
    tap_receive();
    assert_int_equal(tap->rx.used_idx, before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_send), cmocka_unit_test(test_send_nonsense),
        cmocka_unit_test(test_receive), cmocka_unit_test(test_receive_nonsense)};
    return cmocka_run_group_tests(tests, start, NULL);
}
