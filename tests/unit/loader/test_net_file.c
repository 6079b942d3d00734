/* SPDX-License-Identifier: MIT */
/* loader/net_file.c: pieces of files in the stream of a connection, and a guest that lies about
 * them. */
#include "net_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <loader/net.h>

static int start(void **state) {
    struct options o = {.net = HC_NET_HOST};
    union hc_args a = {.net_start = {.net = AT_NET}};
    if (fixture_setup(state) != 0) return -1;
    net_fixture_init();
    net_init(&o);
    assert_int_equal(call(HC_NET_START, &a), HC_NET_HOST);
    assert_int_equal(give(HC_NET_MEM_SLOTS, AT_SLOTS, 0), 0);
    assert_int_equal(give(HC_NET_MEM_RX, AT_RX, RX_RINGS), 0);
    assert_int_equal(give(HC_NET_MEM_TX, AT_TX, TX_RINGS), 0);
    return 0;
}

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
    put(n, 0, " of the host");               /* behind the piece */
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
    } bad[] = {{handle, 0, 5, 0},
               {handle, 0, 0, 0},
               {handle, 0, UINT32_MAX, 0},
               {handle, INT64_MAX, 4, 0},
               {handle, 4, 1, 0},
               {handle, 0, HC_NET_FILE_MAX, 0},
               {handle, 0, 4, 1},
               {handle, 0, 4, UINT32_MAX},
               {0, 0, 4, 0},
               {4711, 0, 4, 0}};
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_file_nonsense),
    };
    return cmocka_run_group_tests(tests, start, fixture_teardown);
}
