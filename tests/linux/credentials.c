/* SPDX-License-Identifier: MIT */
/* Who may do what: groups, file-system ids, capabilities and how they follow the user ids. */
#include "check.h"

#include <grp.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

/* linux/capability.h, linux/securebits.h */
#define VERSION_3 0x20080522
#define CAP_CHOWN 0
#define CAP_DAC_OVERRIDE 1
#define CAP_SETUID 7
#define CAP_SETPCAP 8
#define CAP_SYS_BOOT 22
#define SECBIT_KEEP_CAPS 16

struct caps {
    struct {
        uint32_t version;
        int pid;
    } header;
    struct {
        uint32_t effective, permitted, inheritable;
    } data[2];
};

static struct caps get_caps(void) {
    struct caps c = {.header = {.version = VERSION_3}};
    CHECK_OK(syscall(SYS_capget, &c.header, c.data));
    return c;
}
static int has(int cap) { return get_caps().data[cap / 32].effective >> (cap % 32) & 1; }
static long set_caps(struct caps *c) { return syscall(SYS_capset, &c->header, c->data); }

static void versions(void) {
    struct caps c = {.header = {.version = 1}};
    CHECK_OK(syscall(SYS_capget, &c.header, NULL));
    CHECK_EQ(c.header.version, VERSION_3);
    c.header.version = 1;
    CHECK_ERR(syscall(SYS_capget, &c.header, c.data), EINVAL);
    CHECK_ERR(syscall(SYS_capget, bad_pointer(), c.data), EFAULT);
    CHECK_ERR(syscall(SYS_capget, &c.header, bad_pointer()), EFAULT);
    c.header.pid = 0x3fffffff;
    CHECK_ERR(syscall(SYS_capget, &c.header, c.data), ESRCH);
    CHECK_ERR(syscall(SYS_capset, &c.header, c.data), EPERM);
    ok("versions");
}

/* What an ordinary user sees; the rest needs root. */
static void ordinary(void) {
    struct caps c = get_caps();
    CHECK_OK(set_caps(&c));
    c.data[0].permitted |= 1u << CAP_SYS_BOOT;
    if (!(get_caps().data[0].permitted >> CAP_SYS_BOOT & 1)) CHECK_ERR(set_caps(&c), EPERM);
    CHECK_EQ(setfsuid(geteuid()), geteuid());
    CHECK_EQ(setfsuid((uid_t)-1), geteuid());
    CHECK_EQ(setfsgid((gid_t)-1), getegid());
    ok("ordinary");
}

static void file_system_ids(void) {
    put_file("secret", "s");
    CHECK_OK(chmod("secret", 0600));
    CHECK_EQ(setfsgid(4321), 0);
    CHECK_EQ(setfsuid(1234), 0);
    CHECK_EQ(setfsuid((uid_t)-1), 1234);
    CHECK(!has(CAP_DAC_OVERRIDE) && !has(CAP_CHOWN) && has(CAP_SETUID));
    CHECK_ERR(open("secret", O_RDONLY), EACCES);
    CHECK_ERR(chown("secret", 1234, 4321), EPERM);
    CHECK_EQ(setfsuid(0), 1234);
    CHECK(has(CAP_DAC_OVERRIDE));
    CHECK_EQ(setfsgid(0), 4321);
    CHECK_OK(access("secret", R_OK));
    ok("file-system ids");
}

/* A file's group counts for those who belong to it besides their own. */
static void groups(void) {
    gid_t list[] = {700, 800}, got[8];
    CHECK_OK(setgroups(2, list));
    CHECK_EQ(getgroups(8, got), 2);
    CHECK(got[0] == 700 && got[1] == 800);
    put_file("shared", "s");
    CHECK_OK(chown("shared", 0, 800));
    CHECK_OK(chmod("shared", 0640));
    put_file("others", "o");
    CHECK_OK(chown("others", 0, 900));
    CHECK_OK(chmod("others", 0640));
    CHECK_OK(setresuid(-1, 1000, 0));
    CHECK(!has(CAP_DAC_OVERRIDE));
    CHECK_OK(close(open("shared", O_RDONLY)));
    CHECK_ERR(open("shared", O_WRONLY), EACCES);
    CHECK_ERR(open("others", O_RDONLY), EACCES);
    CHECK_OK(faccessat(AT_FDCWD, "shared", R_OK, AT_EACCESS));
    CHECK_OK(access("shared", W_OK)); /* asks for the real user */
    CHECK_ERR(setgroups(0, NULL), EPERM);
    CHECK_OK(setresuid(-1, 0, -1));
    CHECK(has(CAP_DAC_OVERRIDE));
    ok("groups");
}

static void giving_up(void) {
    struct caps c = get_caps();
    CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_SYS_BOOT), 1);
    CHECK_OK(prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT));
    CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_SYS_BOOT), 0);
    CHECK_ERR(prctl(PR_CAPBSET_DROP, 64), EINVAL);
    /* Raising needs both sets, permitted and inheritable. */
    CHECK_ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), EPERM);
    c.data[0].inheritable |= 1u << CAP_CHOWN;
    CHECK_OK(set_caps(&c));
    CHECK_OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 1);
    CHECK_OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 0);
    /* Not in effect, but still to be had. */
    c.data[0].effective &= ~(1u << CAP_CHOWN);
    CHECK_OK(set_caps(&c));
    put_file("mine", "m");
    CHECK_ERR(chown("mine", 5, 5), EPERM);
    c.data[0].effective |= 1u << CAP_CHOWN;
    CHECK_OK(set_caps(&c));
    CHECK_OK(chown("mine", 5, 5));
    c.data[0].effective &= ~(1u << CAP_CHOWN);
    c.data[0].permitted &= ~(1u << CAP_CHOWN);
    CHECK_OK(set_caps(&c));
    c.data[0].permitted |= 1u << CAP_CHOWN;
    CHECK_ERR(set_caps(&c), EPERM);
    ok("giving up");
}

static void keeping(void) {
    CHECK_OK(prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS));
    CHECK_EQ(prctl(PR_GET_KEEPCAPS), 1);
    CHECK_OK(setresuid(1000, 1000, 1000));
    struct caps c = get_caps();
    CHECK(c.data[0].effective == 0 && c.data[0].permitted != 0);
    CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
    CHECK_ERR(chown("mine", 0, 0), EPERM);
    c.data[0].effective = c.data[0].permitted;
    CHECK_OK(set_caps(&c));
    CHECK_OK(setresuid(1000, 1000, 1001));
    c.data[0].effective = c.data[0].permitted = c.data[1].effective = c.data[1].permitted = 0;
    CHECK_OK(set_caps(&c));
    CHECK_ERR(setresuid(0, 0, 0), EPERM);
    CHECK_ERR(prctl(PR_SET_SECUREBITS, 0), EPERM);
    ok("keeping");
}

int main(void) {
    scratch();
    CHECK_OK(chmod(".", 0755));
    versions();
    ordinary();
    if (geteuid() == 0 && has(CAP_SETUID) && has(CAP_SETPCAP) && has(CAP_SYS_BOOT)) {
        file_system_ids();
        groups();
        giving_up();
        keeping();
    }
    return 0;
}
