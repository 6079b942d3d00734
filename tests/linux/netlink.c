/* SPDX-License-Identifier: MIT */
/* AF_NETLINK with NETLINK_ROUTE: dumps, errors. */
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "check.h"

static struct {
    struct nlmsghdr h;
    struct rtgenmsg g;
} request = {{.nlmsg_len = sizeof request, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}, {0}};

/* Sends the request and calls see() for each message of the answer. */
static void dump(int fd, uint16_t type, uint8_t family, void (*see)(struct nlmsghdr *h)) {
    static char buf[65536] __attribute__((aligned(8)));
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK}, from;
    socklen_t len = sizeof from;
    request.h.nlmsg_type = type;
    request.h.nlmsg_seq++;
    request.g.rtgen_family = family;
    CHECK_EQ(sendto(fd, &request, sizeof request, 0, (struct sockaddr *)&kernel, sizeof kernel),
             sizeof request);
    for (;;) {
        ssize_t n = recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&from, &len);
        CHECK(n > 0 && len == sizeof from && from.nl_pid == 0);
        for (struct nlmsghdr *h = (struct nlmsghdr *)buf; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
            CHECK_EQ(h->nlmsg_seq, request.h.nlmsg_seq);
            if (h->nlmsg_type == NLMSG_DONE) return;
            CHECK(h->nlmsg_flags & NLM_F_MULTI);
            see(h);
        }
    }
}

static const void *attribute(struct rtattr *a, int len, int type) {
    for (; RTA_OK(a, len); a = RTA_NEXT(a, len))
        if (a->rta_type == type) return RTA_DATA(a);
    return NULL;
}

static bool saw_lo, saw_address;

static void see_link(struct nlmsghdr *h) {
    struct ifinfomsg *i = NLMSG_DATA(h);
    CHECK_EQ(h->nlmsg_type, RTM_NEWLINK);
    const char *name = attribute(IFLA_RTA(i), (int)IFLA_PAYLOAD(h), IFLA_IFNAME);
    CHECK(name != NULL);
    if (strcmp(name, "lo") != 0) return;
    saw_lo = true;
    CHECK_EQ(i->ifi_type, ARPHRD_LOOPBACK);
    CHECK_EQ(i->ifi_flags & (IFF_UP | IFF_LOOPBACK), IFF_UP | IFF_LOOPBACK);
    CHECK_EQ(*(const uint32_t *)attribute(IFLA_RTA(i), (int)IFLA_PAYLOAD(h), IFLA_MTU), 65536);
}

static void see_address(struct nlmsghdr *h) {
    struct ifaddrmsg *i = NLMSG_DATA(h);
    CHECK_EQ(h->nlmsg_type, RTM_NEWADDR);
    CHECK_EQ(i->ifa_family, AF_INET);
    const uint32_t *ip = attribute(IFA_RTA(i), (int)IFA_PAYLOAD(h), IFA_LOCAL);
    if (ip == NULL || ntohl(*ip) != INADDR_LOOPBACK) return;
    saw_address = true;
    CHECK_EQ(i->ifa_prefixlen, 8);
    CHECK_EQ(i->ifa_index, if_nametoindex("lo"));
    CHECK_STR((const char *)attribute(IFA_RTA(i), (int)IFA_PAYLOAD(h), IFA_LABEL), "lo");
}

static void see_route(struct nlmsghdr *h) { CHECK_EQ(h->nlmsg_type, RTM_NEWROUTE); }

static void dumps(void) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    struct sockaddr_nl a = {.nl_family = AF_NETLINK};
    socklen_t len = sizeof a;
    CHECK(fd >= 0);
    CHECK_ERR(recv(fd, &a, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_OK(bind(fd, (struct sockaddr *)&a, sizeof a));
    CHECK_OK(getsockname(fd, (struct sockaddr *)&a, &len));
    CHECK(len == sizeof a && a.nl_family == AF_NETLINK && a.nl_pid != 0);
    dump(fd, RTM_GETLINK, AF_UNSPEC, see_link);
    CHECK(saw_lo);
    dump(fd, RTM_GETADDR, AF_INET, see_address);
    CHECK(saw_address);
    dump(fd, RTM_GETROUTE, AF_UNSPEC, see_route);
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    CHECK_EQ(poll(&p, 1, 0), 1);
    CHECK_EQ(p.revents, POLLOUT);
    CHECK_OK(close(fd));
    ok("dumps");
}

static void errors(void) {
    int fd = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE);
    struct sockaddr_nl a = {.nl_family = AF_INET};
    struct {
        struct nlmsghdr h;
        int error;
        struct nlmsghdr cause;
        char rest[512];
    } answer;
    CHECK_ERR(socket(AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE), ESOCKTNOSUPPORT);
    CHECK_ERR(bind(fd, (struct sockaddr *)&a, sizeof a), EINVAL);
    CHECK_ERR(bind(fd, (struct sockaddr *)&a, 4), EINVAL);
    /* One interface that does not exist. */
    struct {
        struct nlmsghdr h;
        struct ifinfomsg i;
    } one = {{sizeof one, RTM_GETLINK, NLM_F_REQUEST, 77, 0}, {.ifi_index = 4711}};
    CHECK_EQ(send(fd, &one, sizeof one, 0), sizeof one);
    CHECK(recv(fd, &answer, sizeof answer, 0) >= 36);
    CHECK_EQ(answer.h.nlmsg_type, NLMSG_ERROR);
    CHECK_EQ(answer.h.nlmsg_seq, 77);
    CHECK_EQ(answer.error, -ENODEV);
    CHECK_EQ(answer.cause.nlmsg_type, RTM_GETLINK);
    one.i.ifi_index = (int)if_nametoindex("lo");
    CHECK_EQ(send(fd, &one, sizeof one, 0), sizeof one);
    CHECK(recv(fd, &answer, sizeof answer, MSG_PEEK | MSG_TRUNC) > 100);
    CHECK(recv(fd, &answer, sizeof answer, 0) > 100);
    CHECK_EQ(answer.h.nlmsg_type, RTM_NEWLINK);
    CHECK_OK(close(fd));
    ok("errors");
}

int main(void) {
    dumps();
    errors();
    return 0;
}
