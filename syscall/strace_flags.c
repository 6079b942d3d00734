/* SPDX-License-Identifier: MIT */
/* Names of flags and commands, by kind of argument. */
#include <hermit/linux_socket.h>
#include <kernel/types.h>
#include <syscall/strace.h>
#include <syscall/strace_table.h>

struct flag_name {
    uint64_t value;
    const char *name;
};

/* How a kind's table is read. */
struct flag_set {
    const struct flag_name *names;
    uint32_t count;
    uint64_t field;   /* these bits are one number, not flags; 0: all flags */
    const char *zero; /* NULL: "0" */
};

#define N(name)                                                                                    \
    { name, #name }
#define SET(...)                                                                                   \
    (const struct flag_name[]) { __VA_ARGS__ }
#define COUNT(...) (sizeof(SET(__VA_ARGS__)) / sizeof(struct flag_name))
/* Exactly one of the names. */
#define ENUM(...)                                                                                  \
    { SET(__VA_ARGS__), COUNT(__VA_ARGS__), UINT64_MAX, NULL }
#define FLAGS(none, ...)                                                                           \
    { SET(__VA_ARGS__), COUNT(__VA_ARGS__), 0, none }
#define FIELD(mask, ...)                                                                           \
    { SET(__VA_ARGS__), COUNT(__VA_ARGS__), mask, NULL }

#define LIBC(name, value)                                                                          \
    { value, #name } /* a name that libc defines, not the kernel's headers */

static const struct flag_set sets[TK_COUNT] = {
    [TK_oflags] = FIELD(O_ACCMODE, N(O_RDONLY), N(O_WRONLY), N(O_RDWR), N(O_CREAT), N(O_EXCL),
                        N(O_NOCTTY), N(O_TRUNC), N(O_APPEND), N(O_NONBLOCK), N(O_SYNC), N(O_DSYNC),
                        N(O_DIRECT), N(O_LARGEFILE), N(O_TMPFILE), N(O_DIRECTORY), N(O_NOFOLLOW),
                        N(O_NOATIME), N(O_CLOEXEC), N(O_PATH), LIBC(O_ASYNC, FASYNC)),
    [TK_fdflags] = FLAGS(NULL, N(O_CLOEXEC), N(O_NONBLOCK), N(O_DIRECT)),
    [TK_efdflags] = FLAGS(NULL, LIBC(EFD_SEMAPHORE, 1), LIBC(EFD_CLOEXEC, O_CLOEXEC),
                          LIBC(EFD_NONBLOCK, O_NONBLOCK)),
    [TK_timerfdflags] = FLAGS(NULL, N(TFD_TIMER_ABSTIME), N(TFD_TIMER_CANCEL_ON_SET)),
    [TK_epollop] = ENUM(N(EPOLL_CTL_ADD), N(EPOLL_CTL_DEL), N(EPOLL_CTL_MOD)),
    [TK_prot] = FLAGS("PROT_NONE", N(PROT_READ), N(PROT_WRITE), N(PROT_EXEC), N(PROT_SEM),
                      N(PROT_GROWSDOWN), N(PROT_GROWSUP)),
    [TK_mapflags] =
        FIELD(MAP_TYPE, N(MAP_SHARED), N(MAP_PRIVATE), N(MAP_SHARED_VALIDATE), N(MAP_FIXED),
              N(MAP_ANONYMOUS), N(MAP_32BIT), N(MAP_GROWSDOWN), N(MAP_DENYWRITE), N(MAP_EXECUTABLE),
              N(MAP_LOCKED), N(MAP_NORESERVE), N(MAP_POPULATE), N(MAP_NONBLOCK), N(MAP_STACK),
              N(MAP_HUGETLB), N(MAP_SYNC), N(MAP_FIXED_NOREPLACE)),
    [TK_mremapflags] = FLAGS(NULL, N(MREMAP_MAYMOVE), N(MREMAP_FIXED), N(MREMAP_DONTUNMAP)),
    [TK_msyncflags] = FLAGS(NULL, N(MS_ASYNC), N(MS_INVALIDATE), N(MS_SYNC)),
    [TK_mclflags] = FLAGS(NULL, N(MCL_CURRENT), N(MCL_FUTURE), N(MCL_ONFAULT)),
    [TK_atflags] =
        FLAGS(NULL, N(AT_SYMLINK_NOFOLLOW), {AT_EACCESS, "AT_EACCESS"}, N(AT_SYMLINK_FOLLOW),
              N(AT_NO_AUTOMOUNT), N(AT_EMPTY_PATH), N(AT_STATX_FORCE_SYNC), N(AT_STATX_DONT_SYNC)),
    [TK_unlinkflags] = FLAGS(NULL, N(AT_REMOVEDIR)),
    [TK_renameflags] = FLAGS(NULL, N(RENAME_NOREPLACE), N(RENAME_EXCHANGE), N(RENAME_WHITEOUT)),
    [TK_grndflags] = FLAGS(NULL, N(GRND_NONBLOCK), N(GRND_RANDOM), N(GRND_INSECURE)),
    [TK_timerflags] = FLAGS(NULL, N(TIMER_ABSTIME)),
    [TK_rwflags] =
        FLAGS(NULL, {RWF_HIPRI, "RWF_HIPRI"}, {RWF_DSYNC, "RWF_DSYNC"}, {RWF_SYNC, "RWF_SYNC"},
              {RWF_NOWAIT, "RWF_NOWAIT"}, {RWF_APPEND, "RWF_APPEND"}),
    [TK_waitopts] = FLAGS(NULL, N(WNOHANG), N(WSTOPPED), N(WEXITED), N(WCONTINUED), N(WNOWAIT)),
    [TK_pollevents] = FLAGS(NULL, N(POLLIN), N(POLLPRI), N(POLLOUT), N(POLLERR), N(POLLHUP),
                            N(POLLNVAL), N(POLLRDNORM), N(POLLRDBAND), N(POLLWRNORM), N(POLLWRBAND),
                            N(POLLMSG), LIBC(POLLRDHUP, 0x2000)),
    [TK_cloneflags] =
        FLAGS(NULL, N(CLONE_VM), N(CLONE_FS), N(CLONE_FILES), N(CLONE_SIGHAND), N(CLONE_PIDFD),
              N(CLONE_PTRACE), N(CLONE_VFORK), N(CLONE_PARENT), N(CLONE_THREAD), N(CLONE_NEWNS),
              N(CLONE_SYSVSEM), N(CLONE_SETTLS), N(CLONE_PARENT_SETTID), N(CLONE_CHILD_CLEARTID),
              N(CLONE_DETACHED), N(CLONE_UNTRACED), N(CLONE_CHILD_SETTID), N(CLONE_NEWCGROUP),
              N(CLONE_NEWUTS), N(CLONE_NEWIPC), N(CLONE_NEWUSER), N(CLONE_NEWPID), N(CLONE_NEWNET),
              N(CLONE_IO)),
    [TK_statxflags] = FLAGS("AT_STATX_SYNC_AS_STAT", N(AT_SYMLINK_NOFOLLOW), N(AT_NO_AUTOMOUNT),
                            N(AT_EMPTY_PATH), N(AT_STATX_FORCE_SYNC), N(AT_STATX_DONT_SYNC)),
    [TK_statxmask] =
        FLAGS(NULL, N(STATX_BASIC_STATS), N(STATX_TYPE), N(STATX_MODE), N(STATX_NLINK),
              N(STATX_UID), N(STATX_GID), N(STATX_ATIME), N(STATX_MTIME), N(STATX_CTIME),
              N(STATX_INO), N(STATX_SIZE), N(STATX_BLOCKS), N(STATX_BTIME), N(STATX_MNT_ID)),
    [TK_termiflag] =
        FLAGS(NULL, N(IGNBRK), N(BRKINT), N(IGNPAR), N(PARMRK), N(INPCK), N(ISTRIP), N(INLCR),
              N(IGNCR), N(ICRNL), N(IUCLC), N(IXON), N(IXANY), N(IXOFF), N(IMAXBEL), N(IUTF8)),
    [TK_termoflag] = FLAGS(NULL, N(OPOST), N(OLCUC), N(ONLCR), N(OCRNL), N(ONOCR), N(ONLRET),
                           N(OFILL), N(OFDEL)),
    [TK_termcflag] = FLAGS(NULL, N(CS8), N(CS7), N(CS6), N(CSTOPB), N(CREAD), N(PARENB), N(PARODD),
                           N(HUPCL), N(CLOCAL), N(CRTSCTS)),
    [TK_termlflag] = FLAGS(NULL, N(ISIG), N(ICANON), N(XCASE), N(ECHO), N(ECHOE), N(ECHOK),
                           N(ECHONL), N(NOFLSH), N(TOSTOP), N(ECHOCTL), N(ECHOPRT), N(ECHOKE),
                           N(FLUSHO), N(PENDIN), N(IEXTEN), N(EXTPROC)),
    [TK_inmask] =
        FLAGS(NULL, N(IN_ACCESS), N(IN_MODIFY), N(IN_ATTRIB), N(IN_CLOSE_WRITE),
              N(IN_CLOSE_NOWRITE), N(IN_OPEN), N(IN_MOVED_FROM), N(IN_MOVED_TO), N(IN_CREATE),
              N(IN_DELETE), N(IN_DELETE_SELF), N(IN_MOVE_SELF), N(IN_ONLYDIR), N(IN_DONT_FOLLOW),
              N(IN_EXCL_UNLINK), N(IN_MASK_CREATE), N(IN_MASK_ADD), N(IN_ONESHOT)),
    [TK_spliceflags] = FLAGS(NULL, LIBC(SPLICE_F_MOVE, 1), LIBC(SPLICE_F_NONBLOCK, 2),
                             LIBC(SPLICE_F_MORE, 4), LIBC(SPLICE_F_GIFT, 8)),
    [TK_closerange] = FLAGS(NULL, N(CLOSE_RANGE_UNSHARE), N(CLOSE_RANGE_CLOEXEC)),
    [TK_amode] = FLAGS("F_OK", LIBC(R_OK, 4), LIBC(W_OK, 2), LIBC(X_OK, 1)),
    [TK_sighow] = ENUM(N(SIG_BLOCK), N(SIG_UNBLOCK), N(SIG_SETMASK)),
    [TK_whence] = ENUM(N(SEEK_SET), N(SEEK_CUR), N(SEEK_END), N(SEEK_DATA), N(SEEK_HOLE)),
    [TK_clockid] = ENUM(N(CLOCK_REALTIME), N(CLOCK_MONOTONIC), N(CLOCK_PROCESS_CPUTIME_ID),
                        N(CLOCK_THREAD_CPUTIME_ID), N(CLOCK_MONOTONIC_RAW),
                        N(CLOCK_REALTIME_COARSE), N(CLOCK_MONOTONIC_COARSE), N(CLOCK_BOOTTIME)),
    [TK_resource] = ENUM(N(RLIMIT_CPU), N(RLIMIT_FSIZE), N(RLIMIT_DATA), N(RLIMIT_STACK),
                         N(RLIMIT_CORE), N(RLIMIT_RSS), N(RLIMIT_NPROC), N(RLIMIT_NOFILE),
                         N(RLIMIT_MEMLOCK), N(RLIMIT_AS), N(RLIMIT_LOCKS), N(RLIMIT_SIGPENDING),
                         N(RLIMIT_MSGQUEUE), N(RLIMIT_NICE), N(RLIMIT_RTPRIO), N(RLIMIT_RTTIME)),
    [TK_rusagewho] = ENUM({RUSAGE_SELF, "RUSAGE_SELF"}, {(uint32_t)-1, "RUSAGE_CHILDREN"},
                          {RUSAGE_THREAD, "RUSAGE_THREAD"}),
    [TK_fcntl] =
        ENUM(N(F_DUPFD), N(F_GETFD), N(F_SETFD), N(F_GETFL), N(F_SETFL), N(F_GETLK), N(F_SETLK),
             N(F_SETLKW), N(F_SETOWN), N(F_GETOWN), N(F_SETSIG), N(F_GETSIG), N(F_OFD_GETLK),
             N(F_OFD_SETLK), N(F_OFD_SETLKW), N(F_SETLEASE), N(F_GETLEASE), N(F_NOTIFY),
             N(F_DUPFD_CLOEXEC), N(F_SETPIPE_SZ), N(F_GETPIPE_SZ), N(F_ADD_SEALS), N(F_GET_SEALS)),
    [TK_flock] = FLAGS(NULL, N(LOCK_SH), N(LOCK_EX), N(LOCK_UN), N(LOCK_NB)),
    [TK_futexop] = FIELD(FUTEX_CMD_MASK, N(FUTEX_WAIT), N(FUTEX_WAKE), N(FUTEX_REQUEUE),
                         N(FUTEX_CMP_REQUEUE), N(FUTEX_WAKE_OP), N(FUTEX_LOCK_PI),
                         N(FUTEX_UNLOCK_PI), N(FUTEX_TRYLOCK_PI), N(FUTEX_WAIT_BITSET),
                         N(FUTEX_WAKE_BITSET), N(FUTEX_WAIT_REQUEUE_PI), N(FUTEX_CMP_REQUEUE_PI),
                         N(FUTEX_LOCK_PI2), N(FUTEX_PRIVATE_FLAG), N(FUTEX_CLOCK_REALTIME)),
    [TK_itimer] = ENUM(N(ITIMER_REAL), N(ITIMER_VIRTUAL), N(ITIMER_PROF)),
    [TK_madvice] =
        ENUM(N(MADV_NORMAL), N(MADV_RANDOM), N(MADV_SEQUENTIAL), N(MADV_WILLNEED), N(MADV_DONTNEED),
             N(MADV_FREE), N(MADV_REMOVE), N(MADV_DONTFORK), N(MADV_DOFORK), N(MADV_MERGEABLE),
             N(MADV_UNMERGEABLE), N(MADV_HUGEPAGE), N(MADV_NOHUGEPAGE), N(MADV_DONTDUMP),
             N(MADV_DODUMP), N(MADV_WIPEONFORK), N(MADV_KEEPONFORK), N(MADV_COLD), N(MADV_PAGEOUT),
             N(MADV_POPULATE_READ), N(MADV_POPULATE_WRITE)),
    [TK_fadvice] = ENUM(N(POSIX_FADV_NORMAL), N(POSIX_FADV_RANDOM), N(POSIX_FADV_SEQUENTIAL),
                        N(POSIX_FADV_WILLNEED), N(POSIX_FADV_DONTNEED), N(POSIX_FADV_NOREUSE)),
    [TK_prctl] = ENUM(N(PR_SET_PDEATHSIG), N(PR_GET_PDEATHSIG), N(PR_GET_DUMPABLE),
                      N(PR_SET_DUMPABLE), N(PR_GET_KEEPCAPS), N(PR_SET_KEEPCAPS), N(PR_SET_NAME),
                      N(PR_GET_NAME), N(PR_GET_SECCOMP), N(PR_SET_SECCOMP), N(PR_CAPBSET_READ),
                      N(PR_CAPBSET_DROP), N(PR_GET_SECUREBITS), N(PR_SET_SECUREBITS),
                      N(PR_SET_TIMERSLACK), N(PR_GET_TIMERSLACK), N(PR_SET_MM),
                      N(PR_SET_CHILD_SUBREAPER), N(PR_GET_CHILD_SUBREAPER), N(PR_SET_NO_NEW_PRIVS),
                      N(PR_GET_NO_NEW_PRIVS), N(PR_GET_TID_ADDRESS), N(PR_SET_THP_DISABLE),
                      N(PR_GET_THP_DISABLE), N(PR_CAP_AMBIENT), N(PR_SET_VMA), N(PR_SET_PTRACER)),
    [TK_family] = ENUM(N(AF_UNSPEC), N(AF_UNIX), N(AF_INET), N(AF_INET6), N(AF_NETLINK),
                       N(AF_PACKET), N(AF_VSOCK)),
    [TK_socktype] = FIELD(SOCK_TYPE_BITS, N(SOCK_STREAM), N(SOCK_DGRAM), N(SOCK_RAW), N(SOCK_RDM),
                          N(SOCK_SEQPACKET), N(SOCK_CLOEXEC), N(SOCK_NONBLOCK)),
    [TK_shuthow] = ENUM(N(SHUT_RD), N(SHUT_WR), N(SHUT_RDWR)),
    [TK_msgflags] = FLAGS(NULL, N(MSG_OOB), N(MSG_PEEK), N(MSG_DONTROUTE), N(MSG_CTRUNC),
                          N(MSG_TRUNC), N(MSG_DONTWAIT), N(MSG_EOR), N(MSG_WAITALL), N(MSG_CONFIRM),
                          N(MSG_ERRQUEUE), N(MSG_NOSIGNAL), N(MSG_MORE), N(MSG_WAITFORONE),
                          N(MSG_ZEROCOPY), N(MSG_FASTOPEN), N(MSG_CMSG_CLOEXEC)),
    [TK_socklevel] = ENUM(N(SOL_SOCKET), LIBC(SOL_IP, 0), LIBC(SOL_TCP, 6), LIBC(SOL_UDP, 17),
                          LIBC(SOL_IPV6, 41)),
    [TK_sockopt] =
        ENUM(N(SO_DEBUG), N(SO_REUSEADDR), N(SO_TYPE), N(SO_ERROR), N(SO_DONTROUTE),
             N(SO_BROADCAST), N(SO_SNDBUF), N(SO_RCVBUF), N(SO_SNDBUFFORCE), N(SO_RCVBUFFORCE),
             N(SO_KEEPALIVE), N(SO_OOBINLINE), N(SO_NO_CHECK), N(SO_PRIORITY), N(SO_LINGER),
             N(SO_REUSEPORT), N(SO_PASSCRED), N(SO_PEERCRED), N(SO_RCVLOWAT), N(SO_SNDLOWAT),
             {SO_RCVTIMEO_OLD, "SO_RCVTIMEO"}, {SO_SNDTIMEO_OLD, "SO_SNDTIMEO"}, N(SO_BINDTODEVICE),
             N(SO_ATTACH_FILTER), N(SO_DETACH_FILTER), N(SO_ACCEPTCONN), N(SO_PEERSEC),
             N(SO_PASSSEC), N(SO_MARK), N(SO_PROTOCOL), N(SO_DOMAIN), N(SO_PEEK_OFF),
             {SO_TIMESTAMP_OLD, "SO_TIMESTAMP"}, N(SO_INCOMING_CPU), N(SO_COOKIE), N(SO_PEERGROUPS),
             N(SO_ZEROCOPY)),
    [TK_archop] = ENUM(N(ARCH_SET_GS), N(ARCH_SET_FS), N(ARCH_GET_FS), N(ARCH_GET_GS)),
    [TK_ioctl] = ENUM(N(TCGETS), N(TCSETS), N(TCSETSW), N(TCSETSF), N(TCSBRK), N(TCFLSH),
                      N(TIOCGWINSZ), N(TIOCSWINSZ), N(TIOCGPGRP), N(TIOCSPGRP), N(TIOCGSID),
                      N(TIOCSCTTY), N(TIOCNOTTY), N(TIOCGPTN), N(FIONREAD), N(FIONBIO), N(FIOASYNC),
                      N(FIOCLEX), N(FIONCLEX), N(FIOQSIZE)),
};

/* Prints the bits of value that are flags; the number of names printed. */
static uint32_t print_bits(struct strace_line *line, const struct flag_set *set, uint64_t *value,
                           uint32_t printed) {
    for (uint32_t i = 0; i < set->count; i++) {
        uint64_t bits = set->names[i].value;
        /* O_SYNC contains O_DSYNC, O_TMPFILE contains O_DIRECTORY: the larger name comes first. */
        if (bits == 0 || bits & set->field || (*value & bits) != bits) continue;
        line_printf(line, "%s%s", printed++ > 0 ? "|" : "", set->names[i].name);
        *value &= ~bits;
    }
    return printed;
}

bool strace_print_flags(struct strace_line *line, uint32_t kind, uint64_t value) {
    const struct flag_set *set = &sets[kind];
    if (set->names == NULL) return false;
    uint32_t printed = 0;
    value = (uint32_t)value;
    if (set->field == 0 && value == 0) {
        line_put(line, set->zero != NULL ? set->zero : "0");
        return true;
    }
    uint64_t field = value & set->field;
    for (uint32_t i = 0; set->field != 0 && i < set->count && printed == 0; i++) {
        uint64_t bits = set->names[i].value;
        if (bits != field || (bits & ~set->field) != 0) continue;
        line_put(line, set->names[i].name);
        printed = 1;
        value &= ~set->field;
    }
    printed = print_bits(line, set, &value, printed);
    if (value != 0 || printed == 0)
        line_printf(line, "%s0x%lx", printed > 0 ? "|" : "", (unsigned long)value);
    return true;
}

void strace_print_mode(struct strace_line *line, uint32_t mode) {
    static const struct flag_name types[] = {
        N(S_IFREG), N(S_IFDIR), N(S_IFCHR), N(S_IFBLK), N(S_IFIFO), N(S_IFLNK), N(S_IFSOCK),
    };
    for (uint32_t i = 0; i < ARRAY_LEN(types); i++)
        if ((mode & S_IFMT) == types[i].value) line_printf(line, "%s|", types[i].name);
    mode &= ~(uint32_t)S_IFMT;
    line_printf(line, mode < 0100 ? "%03o" : "0%o", mode);
}
