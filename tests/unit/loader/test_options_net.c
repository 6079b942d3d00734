/* SPDX-License-Identifier: MIT */
/* loader/options_net.c, loader/net_policy.c: ports, networks, and who may be sent to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <errno.h>

#include <cmocka.h>

#include <loader/diag.h>
#include <loader/options.h>

static void test_publish(void **state) {
    struct publish_option p;
    assert_null(parse_publish("8080:80", &p));
    assert_int_equal(p.first, 8080);
    assert_int_equal(p.last, 8080);
    assert_int_equal(p.guest, 80);
    assert_false(p.udp);
    assert_int_equal(p.address.family, AF_UNSPEC);
    assert_null(parse_publish("127.0.0.1:53:5353/udp", &p));
    assert_true(p.udp);
    assert_int_equal(p.address.family, AF_INET);
    assert_int_equal(p.address.bytes[0], 127);
    assert_null(parse_publish("[::1]:1-3:10", &p));
    assert_int_equal(p.address.family, AF_INET6);
    assert_int_equal(p.last, 3);
    assert_null(parse_publish("1-3:10-12/tcp", &p));
    const char *const bad[] = {"",        "80",          "80:",        ":80",
                               "0:80",    "80:0",        "65536:1",    "1:65536",
                               "3-1:1",   "1-3:1-2",     "1-3:65534",  "80:80/sctp",
                               "a:80:80", "1.2.3:80:80", "[::1:80:80", "[::1]80:80",
                               "80:80 ",  "80:80:80:80", "1.2.3.4:80", "-1:80"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(parse_publish(bad[i], &p));
}

static void test_rules(void **state) {
    struct net_rule r;
    assert_null(parse_net_rule("10.0.0.0/8", &r));
    assert_int_equal(r.prefix, 8);
    assert_int_equal(r.net.port, 0);
    assert_null(parse_net_rule("10.1.2.3:443", &r));
    assert_int_equal(r.prefix, 32);
    assert_int_equal(r.net.port, 443);
    assert_null(parse_net_rule("fd00::/8", &r));
    assert_int_equal(r.prefix, 8);
    assert_null(parse_net_rule("[fd00::/8]:53", &r));
    assert_int_equal(r.net.port, 53);
    assert_null(parse_net_rule("::/0", &r));
    const char *const bad[] = {
        "",     "10",     "10.0.0.0/33", "10.0.0.0/",        "10.0.0.0/8:0", "10.0.0.0/8:x",
        "[::1", "[::1]x", "::/129",      "10.0.0.0/8:70000", "example.org"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(parse_net_rule(bad[i], &r));
}

static int check(const char *text, uint16_t port) {
    struct net_addr a = {.family = strchr(text, ':') ? AF_INET6 : AF_INET, .port = port};
    assert_int_equal(inet_pton(a.family, text, a.bytes), 1);
    return net_policy_check(&a);
}

static void rule(struct net_rule *r, const char *text, bool allow) {
    assert_null(parse_net_rule(text, r));
    r->allow = allow;
}

static void test_policy(void **state) {
    struct net_rule rules[3];
    diag_quiet = true;
    net_policy_init(HC_NET_NONE, NULL, 0);
    assert_int_equal(check("1.1.1.1", 80), -ENETUNREACH);
    net_policy_init(HC_NET_HOST, NULL, 0);
    assert_int_equal(check("127.0.0.1", 80), 0);
    net_policy_init(HC_NET_USER, NULL, 0);
    assert_int_equal(check("1.1.1.1", 80), 0);
    assert_int_equal(check("127.1.2.3", 80), -ECONNREFUSED);
    assert_int_equal(check("0.0.0.0", 80), -ECONNREFUSED);
    assert_int_equal(check("::1", 80), -ECONNREFUSED);
    assert_int_equal(check("::", 80), -ECONNREFUSED);
    assert_int_equal(check("ff01::1", 80), -ECONNREFUSED); /* does not leave the machine */
    assert_int_equal(check("ff02::1", 80), 0);
    struct net_addr link = {.family = AF_INET6, .bytes = {0xfe, 0x80, [15] = 1}, .scope = 2};
    assert_int_equal(net_policy_check(&link), 0);
    link.scope = 1; /* lo */
    assert_int_equal(net_policy_check(&link), -ECONNREFUSED);
    rule(&rules[0], "10.0.0.0/9", false);
    rule(&rules[1], "10.1.0.0/16:443", true);
    net_policy_init(HC_NET_USER, rules, 1);
    assert_int_equal(check("10.127.0.1", 80), -EACCES);
    assert_int_equal(check("10.128.0.1", 80), 0);
    net_policy_init(HC_NET_USER, rules, 2); /* one is allowed: all others are not */
    assert_int_equal(check("10.1.2.3", 443), 0);
    assert_int_equal(check("10.1.2.3", 80), -EACCES);
    assert_int_equal(check("1.1.1.1", 443), -EACCES);
    assert_int_equal(check("fd00::1", 443), -EACCES);
    rule(&rules[0], "::ffff:10.0.0.0/104", false);
    net_policy_init(HC_NET_USER, rules, 1);
    assert_int_equal(check("10.200.0.1", 80), -EACCES);
    assert_int_equal(check("11.0.0.1", 80), 0);
}

/* What is v4-mapped is IPv4, or the host's loopback would be reachable by that name. */
static void test_mapped(void **state) {
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
    struct hc_net_addr a = {.len = sizeof(in6)};
    struct net_addr out;
    assert_int_equal(inet_pton(AF_INET6, "::ffff:127.0.0.1", &in6.sin6_addr), 1);
    memcpy(a.bytes, &in6, sizeof(in6));
    assert_true(net_addr_read(&out, &a));
    assert_int_equal(out.family, AF_INET);
    assert_true(net_addr_is_loopback(&out));
    a.len = 3;
    assert_false(net_addr_read(&out, &a));
    a.len = 400;
    assert_false(net_addr_read(&out, &a));
}

static void test_tap(void **state) {
    struct hc_tap_config c;
    uint8_t mac[6];
    assert_null(parse_interface_address("192.168.1.10/24", &c));
    assert_int_equal(c.address, htonl(0xc0a8010a));
    assert_int_equal(c.prefix, 24);
    assert_null(parse_interface_address("10.0.0.0/31", &c));
    assert_null(parse_interface_address("fd00::10/64", &c));
    assert_int_equal(c.address6[0], 0xfd);
    assert_int_equal(c.address6[15], 0x10);
    assert_null(parse_interface_address("10.0.0.1/32", &c));
    const char *const bad[] = {"",
                               "10.0.0.1",
                               "10.0.0.1/",
                               "10.0.0.1/0",
                               "10.0.0.1/33",
                               "10.0.0.1/2x",
                               "10.0.0.0/24",
                               "10.0.0.255/24",
                               "0.0.0.0/8",
                               "127.0.0.1/8",
                               "224.0.0.1/24",
                               "fd00::1/48",
                               "fd00::1",
                               "fe80::1/64",
                               "ff02::1/64",
                               "::1/64",
                               "10.0.0/24",
                               "/24",
                               "10.0.0.1/-1",
                               "1.2.3.4.5.6.7.8.9/24"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(parse_interface_address(bad[i], &c));
    assert_null(parse_mac("52:54:00:aB:cd:09", mac));
    assert_int_equal(mac[3], 0xab);
    const char *const wrong[] = {"",
                                 "52:54:00:ab:cd",
                                 "52:54:00:ab:cd:0",
                                 "52:54:00:ab:cd:000",
                                 "52-54-00-ab-cd-09",
                                 "01:00:00:00:00:00",
                                 "5:54:00:ab:cd:09"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_non_null(parse_mac(wrong[i], mac));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_publish), cmocka_unit_test(test_rules),
                                       cmocka_unit_test(test_policy), cmocka_unit_test(test_mapped),
                                       cmocka_unit_test(test_tap)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
