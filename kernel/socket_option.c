/* SPDX-License-Identifier: MIT */
/* The options of every socket: SOL_SOCKET of socket(7). */
#include <kernel/process.h>
#include <kernel/socket.h>
#include <kernel/string.h>
#include <kernel/wait.h>

#define BUFFER_MAX 212992 /* net.core.wmem_max and rmem_max */
#define SNDBUF_MIN 4608
#define RCVBUF_MIN 2304
#define BIT(option) (1ULL << (option))
/* On or off, without an effect here unless a family looks at them. */
#define SWITCHES                                                                                   \
    (BIT(SO_DEBUG) | BIT(SO_REUSEADDR) | BIT(SO_DONTROUTE) | BIT(SO_BROADCAST) |                   \
     BIT(SO_KEEPALIVE) | BIT(SO_OOBINLINE) | BIT(SO_NO_CHECK) | BIT(SO_REUSEPORT) |                \
     BIT(SO_PASSCRED) | BIT(SO_TIMESTAMP_OLD) | BIT(SO_PASSSEC) | BIT(SO_TIMESTAMPNS_OLD) |        \
     BIT(SO_RXQ_OVFL) | BIT(SO_SELECT_ERR_QUEUE))

static bool is_switch(int name) { return name >= 0 && name < 64 && (SWITCHES & BIT(name)); }

static bool privileged(void) { return current_process()->euid == 0; }

/* Linux doubles what is asked for, to have room for its own headers. */
static uint32_t buffer_size(int value, bool force, uint32_t least) {
    uint32_t size = (uint32_t)value;

    if (!force) size = min(size, (uint32_t)BUFFER_MAX);
    size = value < 0 && force ? 0 : min(size, (uint32_t)INT32_MAX / 2);
    return max(size * 2, least);
}

static int set_timeout(int64_t *timeout_ns, gva_t value, uint32_t len) {
    struct timeval tv;

    if (len < sizeof(tv)) return -EINVAL;
    if (get_user(tv, value)) return -EFAULT;
    if (tv.tv_usec < 0 || tv.tv_usec >= 1000000) return -EDOM;
    if (tv.tv_sec < 0)
        *timeout_ns = 0;
    else if (tv.tv_sec >= INT64_MAX / NSEC_PER_SEC || (tv.tv_sec == 0 && tv.tv_usec == 0))
        *timeout_ns = WAIT_FOREVER;
    else
        *timeout_ns = tv.tv_sec * NSEC_PER_SEC + tv.tv_usec * 1000;
    return 0;
}

static int set_linger(struct socket *s, gva_t value, uint32_t len) {
    struct k_linger l;

    if (len < sizeof(l)) return -EINVAL;
    if (get_user(l, value)) return -EFAULT;
    s->linger.on = l.on != 0;
    if (l.on) s->linger.seconds = l.seconds;
    return 0;
}

static int set_switch(struct socket *s, int name, bool on) {
    if (name == SO_DEBUG && on && !privileged()) return -EACCES;
    s->switches = on ? s->switches | BIT(name) : s->switches & ~BIT(name);
    return 0;
}

static int set_number(struct socket *s, int name, int value) {
    switch (name) {
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE:
        if (!privileged()) return -EPERM;
        if (name == SO_RCVBUFFORCE) s->rcvbuf = buffer_size(value, true, RCVBUF_MIN);
        if (name == SO_SNDBUFFORCE) s->sndbuf = buffer_size(value, true, SNDBUF_MIN);
        break;
    case SO_SNDBUF:
        s->sndbuf = buffer_size(value, false, SNDBUF_MIN);
        break;
    case SO_RCVBUF:
        s->rcvbuf = buffer_size(value, false, RCVBUF_MIN);
        return 0;
    case SO_RCVLOWAT:
        s->rcvlowat = value < 0 ? INT32_MAX : value == 0 ? 1 : (uint32_t)value;
        return 0;
    case SO_PRIORITY:
        if ((value < 0 || value > 6) && !privileged()) return -EPERM;
        s->priority = (uint32_t)value;
        return 0;
    case SO_MARK:
        if (!privileged()) return -EPERM;
        s->mark = (uint32_t)value;
        return 0;
    case SO_PEEK_OFF:
        s->peek_offset = value;
        return 0;
    case SO_TYPE:
    case SO_PROTOCOL:
    case SO_DOMAIN:
    case SO_ERROR:
    case SO_ACCEPTCONN:
    default:
        return -ENOPROTOOPT;
    }
    waitq_wake(&s->waitq, POLLOUT | POLLWRNORM);
    return 0;
}

/* Options that some families have beyond those of all. */
static bool of_family(const struct socket *s, int name) {
    if (s->ops->setopt == NULL || is_switch(name)) return false;
    return name == SO_BINDTODEVICE || name > SO_COOKIE || name == SO_INCOMING_CPU ||
           name == SO_BUSY_POLL || name == SO_MAX_PACING_RATE || name == SO_LOCK_FILTER ||
           name == SO_ATTACH_FILTER || name == SO_DETACH_FILTER || name == SO_INCOMING_NAPI_ID;
}

int socket_setopt(struct socket *s, int name, gva_t value, uint32_t len) {
    int number;

    if (of_family(s, name)) {
        int r = s->ops->setopt(s, SOL_SOCKET, name, value, len);
        if (r != -ENOPROTOOPT) return r;
    }
    if (len < sizeof(number)) return -EINVAL;
    if (get_user(number, value)) return -EFAULT;
    if (is_switch(name)) return set_switch(s, name, number != 0);
    switch (name) {
    case SO_LINGER:
        return set_linger(s, value, len);
    case SO_RCVTIMEO_OLD:
    case SO_RCVTIMEO_NEW:
        return set_timeout(&s->recv_timeout_ns, value, len);
    case SO_SNDTIMEO_OLD:
    case SO_SNDTIMEO_NEW:
        return set_timeout(&s->send_timeout_ns, value, len);
    default:
        return set_number(s, name, number);
    }
}

/* An option whose value is an int; -ENOPROTOOPT: none. */
static int get_number(struct socket *s, int name, int *value) {
    switch (name) {
    case SO_TYPE:
        *value = s->type;
        return 0;
    case SO_PROTOCOL:
        *value = s->protocol;
        return 0;
    case SO_DOMAIN:
        *value = s->family;
        return 0;
    case SO_ERROR:
        if (s->ops->refresh) s->ops->refresh(s);
        *value = -socket_take_error(s);
        return 0;
    case SO_ACCEPTCONN:
        *value = s->listening;
        return 0;
    case SO_SNDBUF:
        *value = (int)s->sndbuf;
        return 0;
    case SO_RCVBUF:
        *value = (int)s->rcvbuf;
        return 0;
    case SO_RCVLOWAT:
        *value = (int)s->rcvlowat;
        return 0;
    case SO_SNDLOWAT:
        *value = 1;
        return 0;
    case SO_PRIORITY:
        *value = (int)s->priority;
        return 0;
    case SO_MARK:
        *value = (int)s->mark;
        return 0;
    case SO_PEEK_OFF:
        *value = s->peek_offset;
        return 0;
    default:
        if (!is_switch(name)) return -ENOPROTOOPT;
        *value = socket_has(s, name);
        return 0;
    }
}

static struct timeval timeout_value(int64_t ns) {
    if (ns < 0) ns = 0;
    return (struct timeval){ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / 1000};
}

int socket_getopt(struct socket *s, int name, gva_t value, uint32_t *len) {
    union {
        int number;
        struct timeval tv;
        struct k_linger linger;
        struct k_ucred cred;
        uint64_t cookie;
    } v;
    uint32_t size;
    int r;

    if (of_family(s, name)) {
        r = s->ops->getopt(s, SOL_SOCKET, name, value, len);
        if (r != -ENOPROTOOPT) return r;
    }
    memset(&v, 0, sizeof(v));
    switch (name) {
    case SO_LINGER:
        v.linger = s->linger;
        size = sizeof(v.linger);
        break;
    case SO_RCVTIMEO_OLD:
    case SO_RCVTIMEO_NEW:
    case SO_SNDTIMEO_OLD:
    case SO_SNDTIMEO_NEW:
        v.tv =
            timeout_value(name == SO_RCVTIMEO_OLD || name == SO_RCVTIMEO_NEW ? s->recv_timeout_ns
                                                                             : s->send_timeout_ns);
        size = sizeof(v.tv);
        break;
    case SO_PEERCRED:
        v.cred = s->peer_cred;
        size = sizeof(v.cred);
        break;
    case SO_COOKIE:
        v.cookie = s->ino;
        size = sizeof(v.cookie);
        if (*len < size) return -EINVAL;
        break;
    default:
        r = get_number(s, name, &v.number);
        if (r) return r;
        size = sizeof(v.number);
    }
    *len = min(*len, size);
    return copy_to_user(value, &v, *len);
}
