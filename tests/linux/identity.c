/* SPDX-License-Identifier: MIT */
/* getpid(2) and its family, user and group ids, sessions and process groups, prctl names. */
#include "check.h"

#include <grp.h>
#include <sys/prctl.h>

static void process_ids(void) {
    pid_t pid = getpid();
    CHECK(pid > 0);
    CHECK_EQ(getpid(), pid);
    CHECK_EQ(syscall(SYS_gettid), pid);
    CHECK(getppid() >= 0 && getppid() != pid);
    CHECK(getpgrp() > 0);
    CHECK_EQ(getpgid(0), getpgrp());
    CHECK_EQ(getpgid(pid), getpgrp());
    CHECK(getsid(0) >= 0);
    CHECK_ERR(getpgid(-5), ESRCH);
    CHECK_ERR(getsid(0x3fffffff), ESRCH);
    int address = 0;
    CHECK_EQ(syscall(SYS_set_tid_address, &address), pid);
    ok("process ids");
}

static void user_ids(void) {
    uid_t r, e, s;
    gid_t rg, eg, sg;
    CHECK_OK(getresuid(&r, &e, &s));
    CHECK_OK(getresgid(&rg, &eg, &sg));
    CHECK_EQ(r, getuid());
    CHECK_EQ(e, geteuid());
    CHECK_EQ(rg, getgid());
    CHECK_EQ(eg, getegid());
    CHECK_OK(setuid(getuid()));
    CHECK_OK(setgid(getgid()));
    CHECK_OK(setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1));
    CHECK_OK(setresgid((gid_t)-1, (gid_t)-1, (gid_t)-1));
    CHECK_OK(setreuid((uid_t)-1, (uid_t)-1));
    int count = getgroups(0, NULL);
    CHECK(count >= 0);
    gid_t list[256];
    CHECK_EQ(getgroups(256, list), count);
    CHECK_ERR(syscall(SYS_getgroups, -1, list), EINVAL);
    CHECK_ERR(syscall(SYS_getresuid, bad_pointer(), &e, &s), EFAULT);
    ok("user ids");
}

static void drop_privileges(void) {
    if (geteuid() != 0) return;
    CHECK_OK(setresgid(1234, 1234, 1234));
    CHECK_OK(setresuid(1000, 1000, 1000));
    CHECK_EQ(getuid(), 1000);
    CHECK_EQ(geteuid(), 1000);
    CHECK_EQ(getegid(), 1234);
    CHECK_ERR(setuid(0), EPERM);
    CHECK_ERR(setresuid(0, (uid_t)-1, (uid_t)-1), EPERM);
    CHECK_ERR(setgid(0), EPERM);
    CHECK_OK(setuid(1000));
    ok("drop privileges");
}

static void names(void) {
    char name[17] = {0};
    CHECK_OK(prctl(PR_SET_NAME, "a-rather-long-name-of-a-thread"));
    CHECK_OK(prctl(PR_GET_NAME, name));
    CHECK_STR(name, "a-rather-long-n");
    CHECK_ERR(prctl(0x7777777, 0, 0, 0, 0), EINVAL);
    ok("prctl");
}

int main(void) {
    process_ids();
    user_ids();
    names();
    drop_privileges();
    return 0;
}
