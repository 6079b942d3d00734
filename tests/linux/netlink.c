/* SPDX-License-Identifier: MIT */
/* AF_NETLINK with NETLINK_ROUTE, ioctl(2) about interfaces, getifaddrs(3) and its relatives. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/ioctl.h>
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

static void ioctls(void) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq q, list[16];
    struct ifconf conf = {sizeof list, {(char *)list}};
    memset(&q, 0, sizeof q);
    strcpy(q.ifr_name, "lo");
    CHECK_OK(ioctl(fd, SIOCGIFINDEX, &q));
    CHECK_EQ(q.ifr_ifindex, if_nametoindex("lo"));
    CHECK_OK(ioctl(fd, SIOCGIFFLAGS, &q));
    CHECK_EQ(q.ifr_flags & (IFF_UP | IFF_LOOPBACK), IFF_UP | IFF_LOOPBACK);
    CHECK_OK(ioctl(fd, SIOCGIFADDR, &q));
    CHECK_EQ(ntohl(((struct sockaddr_in *)&q.ifr_addr)->sin_addr.s_addr), INADDR_LOOPBACK);
    CHECK_OK(ioctl(fd, SIOCGIFNETMASK, &q));
    CHECK_EQ(ntohl(((struct sockaddr_in *)&q.ifr_addr)->sin_addr.s_addr), 0xff000000u);
    CHECK_OK(ioctl(fd, SIOCGIFMTU, &q));
    CHECK_EQ(q.ifr_mtu, 65536);
    CHECK_OK(ioctl(fd, SIOCGIFHWADDR, &q));
    CHECK_EQ(q.ifr_hwaddr.sa_family, ARPHRD_LOOPBACK);
    strcpy(q.ifr_name, "none0");
    CHECK_ERR(ioctl(fd, SIOCGIFFLAGS, &q), ENODEV);
    CHECK_ERR(ioctl(fd, SIOCGIFFLAGS, bad_pointer()), EFAULT);
    CHECK_OK(ioctl(fd, SIOCGIFCONF, &conf));
    CHECK(conf.ifc_len >= (int)sizeof *list && conf.ifc_len % (int)sizeof *list == 0);
    CHECK_STR(list[0].ifr_name, "lo");
    CHECK_OK(close(fd));
    char name[IF_NAMESIZE];
    CHECK_STR(if_indextoname(if_nametoindex("lo"), name), "lo");
    CHECK_EQ(if_nametoindex("none0"), 0);
    ok("ioctls");
}

static void libraries(void) {
    struct ifaddrs *all;
    bool v4 = false;
    CHECK_OK(getifaddrs(&all));
    for (struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET) continue;
        struct sockaddr_in *a = (struct sockaddr_in *)i->ifa_addr;
        struct sockaddr_in *mask = (struct sockaddr_in *)i->ifa_netmask;
        if (ntohl(a->sin_addr.s_addr) != INADDR_LOOPBACK) continue;
        v4 = true;
        CHECK_STR(i->ifa_name, "lo");
        CHECK_EQ(ntohl(mask->sin_addr.s_addr), 0xff000000u);
        CHECK(i->ifa_flags & IFF_LOOPBACK);
    }
    CHECK(v4);
    freeifaddrs(all);
    struct if_nameindex *names = if_nameindex();
    CHECK(names != NULL);
    CHECK_STR(names[0].if_name, "lo");
    if_freenameindex(names);
    ok("libraries");
}

int main(void) {
    dumps();
    errors();
    ioctls();
    libraries();
    return 0;
}
