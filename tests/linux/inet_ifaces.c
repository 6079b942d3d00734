/* SPDX-License-Identifier: MIT */
/* Network interfaces: ioctl(2), getifaddrs(3) and its relatives. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

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
    ioctls();
    libraries();
    return 0;
}
