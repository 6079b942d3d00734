/* SPDX-License-Identifier: MIT */
/* Addresses, messages and options of sockets. */
#include <hermit/linux_socket.h>
#include <kernel/string.h>
#include <kernel/types.h>
#include <kernel/uaccess.h>
#include <syscall/strace.h>
#include <syscall/strace_table.h>

#define SHOWN_MESSAGES 4
#define SHOWN_FDS 8
#define MAX_ADDRESS 128u

/* Groups of an IPv6 address; the longest run of zeros is not looked for: a leading one is enough
 * for :: and ::1. */
static void print_ip6(struct strace_line *line, const uint8_t *ip) {
    uint32_t i = 0;
    while (i < 7 && ip[2 * i] == 0 && ip[2 * i + 1] == 0)
        i++;
    if (i == 7 && ip[14] == 0 && ip[15] == 0) {
        line_put(line, "::");
        return;
    }
    line_put(line, i > 1 ? "::" : "");
    if (i < 2) i = 0;
    for (; i < 8; i++)
        line_printf(line, i < 7 ? "%x:" : "%x", (uint32_t)ip[2 * i] << 8 | ip[2 * i + 1]);
}

/* Addresses of the internet families as strace(1) writes them; false: too short. */
static bool print_inet(struct strace_line *line, gva_t at, uint16_t family, uint32_t len) {
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    if (family == AF_INET) {
        if (len < sizeof(in) || get_user(in, at) != 0) return false;
        const uint8_t *ip = (const uint8_t *)&in.sin_addr;
        line_printf(line, ", sin_port=htons(%u), sin_addr=inet_addr(\"%u.%u.%u.%u\")}",
                    __builtin_bswap16(in.sin_port), ip[0], ip[1], ip[2], ip[3]);
        return true;
    }
    if (len < sizeof(in6) || get_user(in6, at) != 0) return false;
    line_printf(line, ", sin6_port=htons(%u), sin6_addr=\"", __builtin_bswap16(in6.sin6_port));
    print_ip6(line, (const uint8_t *)&in6.sin6_addr);
    line_printf(line, "\", sin6_scope_id=%u}", in6.sin6_scope_id);
    return true;
}

static bool print_address(struct strace_line *line, gva_t at, uint32_t len) {
    uint16_t family = 0;
    gva_t path = at + sizeof(family);
    char first = 0;
    if (len < sizeof(family) || len > MAX_ADDRESS || get_user(family, at) != 0) return false;
    line_put(line, "{sa_family=");
    strace_print_flags(line, TK_family, family);
    if ((family == AF_INET || family == AF_INET6) && print_inet(line, at, family, len)) return true;
    len -= (uint32_t)sizeof(family);
    if (len > 0 && get_user(first, path) != 0) return false;
    if (len == 0) {
        line_put(line, "}");
        return true;
    }
    line_put(line, family == AF_UNIX ? ", sun_path=" : ", sa_data=");
    if (family != AF_UNIX) {
        strace_print_string(line, path, len);
    } else if (first == 0) {
        line_put(line, "@");
        strace_print_string(line, path + 1, len - 1);
    } else {
        char text[sizeof(struct sockaddr_un)] = {0};
        len = min(len, (uint32_t)sizeof(text) - 1);
        if (copy_from_user(text, path, len) != 0) return false;
        strace_print_string(line, path, strlen(text));
    }
    line_put(line, "}");
    return true;
}

/* An address that the call wrote; its length lies at len_at. */
static bool print_result_address(struct strace_line *line, gva_t at, gva_t len_at) {
    uint32_t len;
    if (get_user(len, len_at) != 0) return false;
    if (len > 0) return print_address(line, at, len);
    line_printf(line, "0x%lx", (unsigned long)at);
    return true;
}

static void print_rights(struct strace_line *line, gva_t data, uint64_t count) {
    line_put(line, "[");
    for (uint64_t i = 0; i < count; i++) {
        int fd;
        if (i > 0) line_put(line, ", ");
        if (i == SHOWN_FDS || get_user(fd, data + i * sizeof(fd)) != 0) {
            line_put(line, "...");
            break;
        }
        line_printf(line, "%d", fd);
    }
    line_put(line, "]");
}

/* The first control message; there is hardly ever another. */
static void print_control(struct strace_line *line, gva_t at, uint64_t len) {
    struct k_cmsghdr c;
    struct k_ucred cred;
    gva_t data = at + sizeof(c);
    if (len < sizeof(c) || get_user(c, at) != 0 || c.len < sizeof(c) || c.len > len) {
        line_printf(line, "0x%lx", (unsigned long)at);
        return;
    }
    line_printf(line, "[{cmsg_len=%lu, cmsg_level=", (unsigned long)c.len);
    strace_print_flags(line, TK_socklevel, (uint32_t)c.level);
    if (c.level == SOL_SOCKET && c.type == SCM_RIGHTS) {
        line_put(line, ", cmsg_type=SCM_RIGHTS, cmsg_data=");
        print_rights(line, data, (c.len - sizeof(c)) / sizeof(int));
    } else if (c.level == SOL_SOCKET && c.type == SCM_CREDENTIALS && get_user(cred, data) == 0) {
        line_printf(line, ", cmsg_type=SCM_CREDENTIALS, cmsg_data={pid=%d, uid=%u, gid=%u}",
                    cred.pid, cred.uid, cred.gid);
    } else {
        line_printf(line, ", cmsg_type=0x%x", (uint32_t)c.type);
    }
    line_put(line, c.len + sizeof(c) <= len ? "}, ...]" : "}]");
}

/* bytes: of data, UINT64_MAX: all that the vector holds. */
static bool print_header(struct strace_line *line, gva_t at, uint64_t bytes) {
    struct k_msghdr h;
    if (get_user(h, at) != 0) return false;
    line_put(line, "{msg_name=");
    if (h.name == 0)
        line_put(line, "NULL");
    else if (!print_address(line, h.name, (uint32_t)h.name_len))
        line_printf(line, "0x%lx", (unsigned long)h.name);
    line_printf(line, ", msg_namelen=%d, msg_iov=", h.name_len);
    if (h.iov_count > UIO_MAXIOV)
        line_printf(line, "0x%lx", (unsigned long)h.iov);
    else
        strace_print_iov(line, h.iov, h.iov_count, bytes);
    line_printf(line, ", msg_iovlen=%lu", (unsigned long)h.iov_count);
    if (h.control != 0 && h.control_len != 0) {
        line_put(line, ", msg_control=");
        print_control(line, h.control, h.control_len);
    }
    line_printf(line, ", msg_controllen=%lu, msg_flags=", (unsigned long)h.control_len);
    strace_print_flags(line, TK_msgflags, h.flags);
    line_put(line, "}");
    return true;
}

/* returned: what the call did to them counts. */
static bool print_headers(struct strace_line *line, gva_t at, uint64_t count, bool returned) {
    line_put(line, "[");
    for (uint64_t i = 0; i < count; i++) {
        struct k_mmsghdr m;
        gva_t entry = at + i * sizeof(m);
        if (i > 0) line_put(line, ", ");
        if (i == SHOWN_MESSAGES || get_user(m, entry) != 0) {
            line_put(line, "...");
            break;
        }
        line_put(line, "{msg_hdr=");
        print_header(line, entry, returned ? m.len : UINT64_MAX);
        if (returned) line_printf(line, ", msg_len=%u", m.len);
        line_put(line, "}");
    }
    line_put(line, "]");
    return true;
}

static bool print_option(struct strace_line *line, const struct strace_arg *arg, uint32_t len) {
    gva_t at = arg->args[arg->index];
    bool peer = arg->args[1] == SOL_SOCKET && arg->args[2] == SO_PEERCRED;
    struct k_ucred cred;
    struct timeval tv;
    int value;
    if (peer && len == sizeof(cred) && get_user(cred, at) == 0)
        line_printf(line, "{pid=%d, uid=%u, gid=%u}", cred.pid, cred.uid, cred.gid);
    else if (len == sizeof(tv) && get_user(tv, at) == 0)
        line_printf(line, "{tv_sec=%ld, tv_usec=%ld}", (long)tv.tv_sec, (long)tv.tv_usec);
    else if (len == sizeof(value) && get_user(value, at) == 0)
        line_printf(line, "[%d]", value);
    else
        strace_print_string(line, at, len);
    return true;
}

bool strace_print_socket(struct strace_line *line, const struct strace_arg *arg) {
    gva_t at = arg->args[arg->index];
    uint64_t next = arg->index < 5 ? arg->args[arg->index + 1] : 0;
    uint32_t len;
    switch (arg->kind) {
    case TK_sockaddr:
        return print_address(line, at, (uint32_t)next);
    case TK_osockaddr:
        return print_result_address(line, at, next);
    case TK_msghdr:
        return print_header(line, at, UINT64_MAX);
    case TK_omsghdr:
        return print_header(line, at, (uint64_t)arg->result);
    case TK_mmsghdr:
        return print_headers(line, at, (uint32_t)next, false);
    case TK_ommsghdr:
        return print_headers(line, at, (uint64_t)arg->result, true);
    case TK_optval:
        return print_option(line, arg, (uint32_t)next);
    case TK_ooptval:
        return get_user(len, next) == 0 && print_option(line, arg, len);
    default:
        return false;
    }
}
