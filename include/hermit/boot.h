/* SPDX-License-Identifier: MIT */
/* What the loader hands to the kernel before the first instruction, and what it gets back.
 *
 * The boot block is one contiguous, self-relative blob: struct hermit_boot, then tables and
 * strings.  Every offset counts bytes from the start of the block; strings end in NUL.  Under
 * KVM its guest-physical address is the kernel's first argument; under QEMU it is the PVH
 * module (initrd).  The kernel trusts it: the host owns the guest. */
#ifndef HERMIT_BOOT_H
#define HERMIT_BOOT_H

#include <hermit/hypercall.h>
#include <hermit/tap.h>

#define HERMIT_BOOT_MAGIC 0x544f4f424d524548ULL /* "HERMBOOT" */
#define HERMIT_BOOT_NO_HANDLE 0xffffffffu
#define HERMIT_BOOT_SEED 64 /* bytes of entropy */

enum hermit_engine { HERMIT_ENGINE_KVM = 0, HERMIT_ENGINE_QEMU = 1 };

enum hermit_boot_flags {
    HERMIT_BOOT_STRACE = 1,
    HERMIT_BOOT_STATS = 2,
    HERMIT_BOOT_VERBOSE = 4,
    HERMIT_BOOT_NO_ASLR = 8,
    HERMIT_BOOT_STRACE_TIMES = 32,
    HERMIT_BOOT_NO_REWRITE = 64, /* no system call becomes a jump, and none that is one is used */
    HERMIT_BOOT_IPI = 128,       /* HERMIT_PORT_IPI works */
    HERMIT_BOOT_NO_STUBS = 256,  /* objects' own stub segments are not used */
    HERMIT_BOOT_NO_LAZY = 512,   /* sites do not become jumps while the program runs */
    HERMIT_BOOT_CACHE = 1024,    /* FILE_REWRITTEN may know something */
    HERMIT_BOOT_ROOT_SHARE = 16, /* share 0 is "/" (--rootfs); otherwise "/" is built in RAM */
};

/* A host directory or file that the guest may see at `path` (absolute, canonical, no "..") . */
struct hermit_boot_share {
    uint32_t path;     /* offset of the guest path */
    uint32_t readonly; /* 0 or 1; the host enforces it too */
    uint32_t is_dir;
    uint32_t pad;
};

/* A symbolic link of the built-in root, e.g. /lib -> usr/lib. */
struct hermit_boot_symlink {
    uint32_t path;
    uint32_t target;
};

/* What a standard stream is, as fstat(2) and fcntl(F_GETFL) say.  mode 0: ask FILE_STAT. */
struct hermit_boot_stdio {
    uint32_t mode;
    uint32_t flags;
};

struct hermit_boot {
    uint64_t magic;
    uint32_t version; /* HC_VERSION */
    uint32_t size;    /* bytes of the whole block */
    uint32_t engine;  /* enum hermit_engine */
    uint32_t flags;   /* enum hermit_boot_flags */
    gpa_t comm;       /* struct hc_comm, HC_COMM_BYTES */
    gpa_t ram_gpa;    /* initial RAM; the kernel image lies at its start */
    uint64_t ram_bytes;
    gpa_t free_gpa;       /* first unused byte of that RAM, page-aligned */
    uint64_t ram_limit;   /* -m: RAM in bytes that MEM_GROW will ever reach */
    uint64_t tsc_khz;     /* of the guest's TSC; 0: unknown */
    uint64_t tsc_base;    /* guest TSC at the two readings below; 0: ask HC_CLOCK */
    int64_t monotonic_ns; /* host clocks at tsc_base */
    int64_t realtime_ns;
    uint32_t uid, gid, euid, egid;
    uint32_t umask;
    uint32_t cpus;
    uint32_t net, nresolvers;     /* enum hc_net_mode; how many of `resolvers` there are */
    uint32_t argc, argv;          /* argv: offset of argc string offsets (uint32_t) */
    uint32_t envc, envp;          /* likewise */
    uint32_t program;             /* guest path of the program, canonical */
    uint32_t cwd;                 /* guest path */
    uint32_t shares, nshares;     /* struct hermit_boot_share table; index = share number */
    uint32_t symlinks, nsymlinks; /* struct hermit_boot_symlink table */
    uint32_t hostname;
    uint32_t strace_filter;  /* offset of a comma-separated list of calls, "" = all */
    uint32_t prog_handle;    /* the program, already open (HERMIT_BOOT_NO_HANDLE: it is not) */
    uint32_t strace_strings; /* bytes of a string that --strace shows */
    gpa_t prog_gpa;          /* the whole program file mapped read-only, or 0 */
    uint32_t prog_cached;    /* what FILE_REWRITTEN would answer for it: offset of head, 0: none; */
    uint32_t prog_cached_handle;
    gpa_t prog_cached_gpa;
    struct hc_attr prog_attr;
    struct hermit_boot_stdio stdio[3];
    struct hc_net_addr resolvers[HC_NET_RESOLVERS]; /* of the host, at loopback addresses */
    struct hc_tap_config tap;                       /* HC_NET_TAP */
    uint32_t tap_pad;
    uint8_t seed[HERMIT_BOOT_SEED]; /* fresh from getrandom(2) */
};

/* Handles 0, 1 and 2 are hermit-run's own standard streams, always open. */

#define HERMIT_STATS_CALLS 512
struct hermit_stats {
    uint64_t tsc_start;                 /* kernel entry, guest TSC */
    uint64_t tsc_exec;                  /* the kernel is up, the program is loaded from here on */
    uint64_t tsc_user;                  /* first instruction of the program */
    uint64_t ram_used;                  /* bytes of RAM handed out now */
    uint64_t ram_peak;                  /* at most */
    uint64_t faults;                    /* page faults taken */
    uint64_t doorbells;                 /* hypercalls that rang */
    uint64_t polled;                    /* hypercalls served by the polling thread */
    uint64_t ram_returned;              /* bytes given back to the host, in all */
    uint64_t tsc_khz;                   /* of call_cycles */
    uint64_t raw_calls;                 /* `syscall` instructions that were executed */
    uint64_t sites_patched;             /* of those, that were made jumps */
    uint64_t patched_calls;             /* through these jumps; counted with HERMIT_BOOT_STATS */
    uint64_t cached_objects;            /* mappings of text whose sites the cache has rewritten */
    uint32_t calls[HERMIT_STATS_CALLS]; /* by system-call number */
    uint32_t call_errors[HERMIT_STATS_CALLS];
    uint64_t call_cycles[HERMIT_STATS_CALLS];
};

_Static_assert(sizeof(struct hermit_boot_share) == 16, "wire size");
_Static_assert(sizeof(struct hermit_boot_stdio) == 8, "wire size");
_Static_assert(sizeof(struct hermit_boot) % 8 == 0, "wire size");

#endif
