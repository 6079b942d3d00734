/* SPDX-License-Identifier: MIT */
/* Published ports (-p).  They are bound before the guest starts, so that one that cannot be had is
 * an error at once, and listen when the program does: until then, and after it has closed its
 * socket, the host refuses connections as for a program that was not started.
 *
 * Owns the bound sockets: one for each address family of a wildcard. */
#include <loader/net_publish.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <loader/diag.h>
#include <loader/net_socket.h>

struct net_port {
    const struct publish_option *from;
    uint16_t host, guest;
    int fd4, fd6;        /* -1: none */
    bool taken4, taken6; /* by a socket of the guest */
};

static struct net_port *ports;
static size_t count;

/* A bound socket, or -errno.  both: an AF_INET6 one that takes IPv4 as well. */
static int bind_socket(const struct net_addr *a, int family, bool udp, bool both) {
    struct sockaddr_storage to;
    int on = 1, v6only = !both;
    int type = (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
    int fd = socket(family, type, 0);
    if (fd < 0) return -errno;
    if (!udp) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
    socklen_t len = net_addr_sockaddr(a, family, &to);
    if (bind(fd, (struct sockaddr *)&to, len) == 0) return fd;
    int error = errno;
    close(fd);
    return -error;
}

static _Noreturn void cannot(const struct net_port *p, int error) {
    const char *what = p->from->udp ? "UDP port" : "port";
    if (error == EADDRINUSE)
        die(EXIT_HERMIT, "--publish %s: %s %u of the host is taken", p->from->text, what, p->host);
    if (error == EACCES)
        die(EXIT_HERMIT,
            "--publish %s: no permission for %s %u of the host (see "
            "net.ipv4.ip_unprivileged_port_start)",
            p->from->text, what, p->host);
    if (error == EADDRNOTAVAIL)
        die(EXIT_HERMIT, "--publish %s: the host does not have this address", p->from->text);
    die(EXIT_HERMIT, "--publish %s: %s %u: %s", p->from->text, what, p->host, strerror(error));
}

/* SO_REUSEADDR lets several sockets bind one port while none listens: only that shows whether it is
 * ours. */
static int try_bind(const struct net_addr *a, int family, bool udp) {
    int fd = bind_socket(a, family, udp, false);
    if (fd < 0 || udp) return fd;
    if (listen(fd, 1) != 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    shutdown(fd, SHUT_RDWR); /* stays bound */
    return fd;
}

static void bind_port(struct net_port *p) {
    struct net_addr a = p->from->address;
    int family = a.family;
    a.port = p->host;
    p->fd4 = p->fd6 = -1;
    if (family != AF_INET6) {
        a.family = AF_INET;
        p->fd4 = try_bind(&a, AF_INET, p->from->udp);
        if (p->fd4 < 0) cannot(p, -p->fd4);
    }
    if (family != AF_INET) {
        a.family = AF_INET6;
        p->fd6 = try_bind(&a, AF_INET6, p->from->udp);
        bool no_ipv6 = p->fd6 == -EAFNOSUPPORT || p->fd6 == -EADDRNOTAVAIL;
        if (p->fd6 < 0 && (family == AF_INET6 || !no_ipv6)) cannot(p, -p->fd6);
        if (p->fd6 < 0) p->fd6 = -1;
    }
}

void net_publish(const struct publish_option *options, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct publish_option *o = &options[i];
        size_t more = (size_t)(o->last - o->first) + 1;
        ports = realloc(ports, (count + more) * sizeof(*ports));
        if (ports == NULL) die(EXIT_HERMIT, "out of memory");
        for (size_t j = 0; j < more; j++, count++) {
            uint16_t guest = (uint16_t)(o->guest + j);
            if (net_port_find(o->udp, guest) != NULL)
                die(EXIT_HERMIT, "--publish %s: the program's port %u is published already",
                    o->text, guest);
            ports[count] =
                (struct net_port){.from = o, .host = (uint16_t)(o->first + j), .guest = guest};
            bind_port(&ports[count]);
        }
    }
}

struct net_port *net_port_find(bool udp, uint16_t guest) {
    for (size_t i = 0; i < count; i++)
        if (ports[i].from->udp == udp && ports[i].guest == guest) return &ports[i];
    return NULL;
}

/* A new socket in place of one that is closed; -1: it cannot be had. */
static int bind_again(const struct net_port *p, int family) {
    struct net_addr a = p->from->address;
    if (a.family == AF_UNSPEC) a.family = family;
    a.port = p->host;
    int fd = bind_socket(&a, family, p->from->udp, false);
    return fd < 0 ? -1 : fd;
}

static void bind_apart(struct net_port *p) {
    p->fd4 = bind_again(p, AF_INET);
    p->fd6 = bind_again(p, AF_INET6);
}

/* Both families in one socket take the place of the two. */
static int join_families(struct net_port *p) {
    struct net_addr a = {.family = AF_INET6, .port = p->host};
    close(p->fd4);
    close(p->fd6);
    p->fd4 = -1;
    p->fd6 = bind_socket(&a, AF_INET6, p->from->udp, true);
    int error = p->fd6;
    if (p->fd6 < 0) bind_apart(p);
    return error;
}

static void split_families(struct net_port *p) {
    close(p->fd6);
    bind_apart(p);
}

/* The descriptor for a guest's socket that is bound to the port: a duplicate, or -errno. */
static int take(struct net_port *p, int family, bool v6only) {
    bool two = p->fd4 >= 0 && p->fd6 >= 0;
    bool dual = family == AF_INET6 && !v6only;
    bool four = two ? family == AF_INET || dual : p->fd4 >= 0;
    bool six = two ? family == AF_INET6 : p->fd6 >= 0;
    if ((four && p->taken4) || (six && p->taken6) || (v6only && !six)) return -EACCES;
    int fd = two && dual ? join_families(p) : four ? p->fd4 : p->fd6;
    if (fd < 0) return fd == -1 ? -EACCES : fd;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return -errno;
    p->taken4 |= four;
    p->taken6 |= six;
    return copy;
}

int net_port_give(struct net_port *p, struct net_socket *s) {
    int v6only = 0;
    socklen_t len = sizeof(v6only);
    if (s->family == AF_INET6) getsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &len);
    int fd = take(p, s->family, v6only != 0);
    if (fd < 0) return fd;
    len = sizeof(s->fd_family);
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &s->fd_family, &len);
    close(s->fd);
    s->fd = fd;
    s->port = p;
    s->watched = false;
    return 0;
}

/* As before the guest had it.  A datagram socket would stay connected, or shut down. */
static void reset(const struct net_port *p, int *fd, int family) {
    if (*fd < 0) return;
    if (!p->from->udp) {
        shutdown(*fd, SHUT_RDWR);
        return;
    }
    close(*fd);
    *fd = bind_again(p, family);
}

void net_port_release(struct net_port *p, int family) {
    bool joined = p->from->address.family == AF_UNSPEC && p->taken4 && p->taken6 && p->fd4 < 0;
    bool two = p->fd4 >= 0 && p->fd6 >= 0;
    bool four = two ? family == AF_INET : true, six = two ? family == AF_INET6 : true;
    if (four && !joined) reset(p, &p->fd4, AF_INET);
    if (six && !joined) reset(p, &p->fd6, AF_INET6);
    if (four) p->taken4 = false;
    if (six) p->taken6 = false;
    if (joined) split_families(p);
}

uint16_t net_port_guest(const struct net_port *p) { return p->guest; }
