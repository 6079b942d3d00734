/* SPDX-License-Identifier: MIT */
/* guest_mem.c: bounds, joined regions, windows, segment lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include <loader/guest_mem.h>

#define PAGE 4096ULL
#define LOW 0x100000ULL
#define HIGH 0x100000000ULL
#define WINDOW 0x4000000000ULL

static _Alignas(4096) uint8_t low[8 * PAGE], high[2 * PAGE], window[2 * PAGE];

static int add_regions(void **state) {
    assert_int_equal(guest_mem_add(HIGH, sizeof(high), high), 0);
    assert_int_equal(guest_mem_add(LOW, 4 * PAGE, low), 0);
    assert_int_equal(guest_mem_add(LOW + 4 * PAGE, 4 * PAGE, low + 4 * PAGE), 0);
    return 0;
}

static void refuses_bad_regions(void **state) {
    assert_int_equal(guest_mem_add(LOW + PAGE, PAGE, low), -EEXIST);
    assert_int_equal(guest_mem_add(LOW - PAGE, 2 * PAGE, low), -EEXIST);
    assert_int_equal(guest_mem_add(0x1001, PAGE, low), -EINVAL);
    assert_int_equal(guest_mem_add(0x1000, 100, low), -EINVAL);
    assert_int_equal(guest_mem_add(0x1000, 0, low), -EINVAL);
    assert_int_equal(guest_mem_add(-PAGE, 2 * PAGE, low), -EINVAL);
    assert_int_equal(guest_mem_bytes(), sizeof(low) + sizeof(high));
}

static void bounds(void **state) {
    assert_ptr_equal(guest_ptr(LOW, 1), low);
    assert_ptr_equal(guest_ptr(HIGH + 5, 10), high + 5);
    assert_ptr_equal(guest_ptr(LOW, sizeof(low)), low); /* joined */
    assert_null(guest_ptr(LOW, sizeof(low) + 1));
    assert_null(guest_ptr(LOW - 1, 1));
    assert_null(guest_ptr(LOW + sizeof(low), 1));
    assert_null(guest_ptr(0, 1));
    assert_null(guest_ptr(UINT64_MAX, 1));
    assert_null(guest_ptr(LOW, UINT64_MAX));
    assert_null(guest_ptr(LOW + 1, UINT64_MAX));
    assert_null(guest_ptr(HIGH, sizeof(high) + 1));
}

static void copies(void **state) {
    char text[6] = "";
    assert_int_equal(guest_copy_out(LOW + 4 * PAGE - 3, "hello", 6), 0);
    assert_int_equal(guest_copy_in(text, LOW + 4 * PAGE - 3, 6), 0);
    assert_string_equal(text, "hello");
    assert_int_equal(guest_copy_out(HIGH + sizeof(high) - 5, "hello", 6), -EFAULT);
    assert_int_equal(guest_copy_in(text, HIGH + sizeof(high) - 5, 6), -EFAULT);
}

static void segments(void **state) {
    static struct iovec iov[HC_MAX_SEGS];
    struct hc_seg *segs = (struct hc_seg *)low;
    segs[0] = (struct hc_seg){HIGH, 10};
    segs[1] = (struct hc_seg){LOW + PAGE, PAGE};
    assert_int_equal(guest_iov(LOW, 2, iov), 10 + PAGE);
    assert_ptr_equal(iov[0].iov_base, high);
    assert_ptr_equal(iov[1].iov_base, low + PAGE);
    assert_int_equal(guest_iov(LOW, 0, iov), 0);
    assert_int_equal(guest_iov(LOW, HC_MAX_SEGS + 1, iov), -EINVAL);
    assert_int_equal(guest_iov(LOW, UINT32_MAX, iov), -EINVAL);
    assert_int_equal(guest_iov(LOW + sizeof(low) - 16, 2, iov), -EFAULT);
    segs[1].len = 0x7ffff000;
    assert_int_equal(guest_iov(LOW, 2, iov), -EINVAL);
    segs[1].len = UINT64_MAX;
    assert_int_equal(guest_iov(LOW, 2, iov), -EINVAL);
    segs[1] = (struct hc_seg){LOW - PAGE, 10};
    assert_int_equal(guest_iov(LOW, 2, iov), -EFAULT);
}

static void readonly_memory(void **state) {
    char text[6] = "";
    static struct iovec iov[HC_MAX_SEGS];
    const gpa_t at = LOW - 2 * PAGE;
    memcpy(window, "hello", 6);
    assert_int_equal(guest_mem_add_readonly(at, 2 * PAGE, window), 0);
    assert_int_equal(guest_copy_in(text, at, 6), 0);
    assert_string_equal(text, "hello");
    assert_int_equal(guest_copy_out(at, "x", 1), -EFAULT);
    assert_null(guest_ptr(at, 1));
    assert_ptr_equal(guest_ptr(LOW, 1), low); /* its neighbour has not become part of it */
    assert_null(guest_ptr(LOW - 1, 2));
    ((struct hc_seg *)low)[0] = (struct hc_seg){at, 9};
    assert_int_equal(guest_iov(LOW, 1, iov), 9); /* the host's kernel refuses to write there */
}

static void windows_are_for_transfers_only(void **state) {
    static struct iovec iov[HC_MAX_SEGS];
    struct hc_seg *segs = (struct hc_seg *)low;
    assert_int_equal(guest_mem_add_window(WINDOW, sizeof(window), window), 0);
    assert_null(guest_ptr(WINDOW, 1));
    segs[0] = (struct hc_seg){WINDOW + 7, 9};
    assert_int_equal(guest_iov(LOW, 1, iov), 9);
    assert_ptr_equal(iov[0].iov_base, window + 7);
    assert_null(guest_ptr(WINDOW + 7, 9)); /* also when it was the last one used */
    assert_int_equal(guest_mem_remove_window(WINDOW + PAGE), -EINVAL);
    assert_int_equal(guest_mem_remove_window(LOW), -EINVAL);
    assert_int_equal(guest_mem_remove_window(WINDOW), 0);
    assert_int_equal(guest_iov(LOW, 1, iov), -EFAULT);
    assert_int_equal(guest_mem_remove_window(WINDOW), -EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_regions),
        cmocka_unit_test(bounds),
        cmocka_unit_test(copies),
        cmocka_unit_test(segments),
        cmocka_unit_test(readonly_memory),
        cmocka_unit_test(windows_are_for_transfers_only),
    };
    return cmocka_run_group_tests(tests, add_regions, NULL);
}
