/* SPDX-License-Identifier: MIT */
/* What the socket calls take and Linux's user headers leave to libc. */
#ifndef HERMIT_LINUX_SOCKET_H
#define HERMIT_LINUX_SOCKET_H

#include <hermit/linux_abi.h>

enum linux_address_family {
    AF_UNSPEC = 0,
    AF_UNIX = 1,
    AF_INET = 2,
    AF_INET6 = 10,
    AF_NETLINK = 16,
    AF_PACKET = 17,
    AF_VSOCK = 40,
    AF_COUNT = 46 /* families that Linux has numbers for */
};

enum linux_socket_type {
    SOCK_STREAM = 1,
    SOCK_DGRAM = 2,
    SOCK_RAW = 3,
    SOCK_RDM = 4,
    SOCK_SEQPACKET = 5,
    SOCK_TYPE_COUNT = 11,
    SOCK_TYPE_BITS = 0xf,
    SOCK_CLOEXEC = O_CLOEXEC,
    SOCK_NONBLOCK = O_NONBLOCK
};

enum linux_shutdown_how { SHUT_RD = 0, SHUT_WR = 1, SHUT_RDWR = 2 };

enum linux_message_flags {
    MSG_OOB = 0x1,
    MSG_PEEK = 0x2,
    MSG_DONTROUTE = 0x4,
    MSG_CTRUNC = 0x8,
    MSG_TRUNC = 0x20,
    MSG_DONTWAIT = 0x40,
    MSG_EOR = 0x80,
    MSG_WAITALL = 0x100,
    MSG_CONFIRM = 0x800,
    MSG_ERRQUEUE = 0x2000,
    MSG_NOSIGNAL = 0x4000,
    MSG_MORE = 0x8000,
    MSG_WAITFORONE = 0x10000,
    MSG_ZEROCOPY = 0x4000000,
    MSG_FASTOPEN = 0x20000000,
    MSG_CMSG_CLOEXEC = 0x40000000
};
#define MSG_CMSG_COMPAT 0x80000000u /* for 32-bit callers, of which there are none */

enum linux_control_type { SCM_RIGHTS = 1, SCM_CREDENTIALS = 2 };
#define SCM_MAX_FD 253
#define SOMAXCONN 4096

struct k_msghdr {
    uint64_t name;
    int32_t name_len;
    uint32_t pad;
    uint64_t iov;
    uint64_t iov_count;
    uint64_t control;
    uint64_t control_len;
    uint32_t flags;
    uint32_t pad2;
};

struct k_mmsghdr {
    struct k_msghdr header;
    uint32_t len;
    uint32_t pad;
};

struct k_cmsghdr {
    uint64_t len; /* with this header */
    int32_t level;
    int32_t type;
};

struct k_ucred {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
};

struct k_linger {
    int32_t on;
    int32_t seconds;
};

#endif
