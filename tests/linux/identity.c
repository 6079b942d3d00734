/* SPDX-License-Identifier: MIT */
/* getpid(2) and its family, user and group ids, sessions and process groups, prctl names. */
#include "check.h"

#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

static void process_ids(void) {
    pid_t pid = getpid();
    CHECK(pid > 0);
    CHECK_EQ(getpid(), pid);
    CHECK_EQ(syscall(SYS_gettid), pid);
    CHECK(getppid() > 0 && getppid() != pid);
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

/* Process 1 is there, is somebody else, and hears nothing that could end it. */
static void init_process(void) {
    char text[64];
    struct sched_param param;
    CHECK(getpid() > 1);
    CHECK(kill(1, 0) == 0 || errno == EPERM);
    CHECK(syscall(SYS_tkill, 1, 0) == 0 || errno == EPERM);
    CHECK_ERR(kill(1, 65), geteuid() == 0 ? EINVAL : EPERM);
    CHECK_ERR(kill(0x3fffffff, 0), ESRCH);
    CHECK_ERR(kill(INT_MIN, 0), ESRCH);
    CHECK(getpgid(1) >= 0 && getpgid(1) != getpid());
    CHECK(getsid(1) >= 0);
    CHECK_ERR(setpgid(1, 0), ESRCH);
    CHECK_OK(syscall(SYS_sched_getparam, 1, &param));
    CHECK(syscall(SYS_sched_getscheduler, 1) >= 0);
    CHECK(get_file("/proc/1/stat")[0] == '1');
    CHECK(strncmp(strchr(get_file("/proc/1/status"), '\n') + 1, "Umask:", 6) == 0);
    CHECK(exists("/proc/1/comm") && exists("/proc/1/task/1/stat"));
    snprintf(text, sizeof text, "\nPPid:\t%d\n", getppid());
    CHECK(strstr(get_file("/proc/self/status"), text) != NULL);
    ok("process 1");
}

/* A process group of one's own, and signals to it. */
static volatile sig_atomic_t heard;
static void on_signal(int sig) { heard += sig; }

static void own_group(void) {
    struct sigaction a = {.sa_handler = on_signal};
    CHECK_OK(sigaction(SIGUSR1, &a, NULL));
    if (getsid(0) != getpid()) CHECK_OK(setpgid(0, 0)); /* else the leader of session and group */
    CHECK_EQ(getpgrp(), getpid());
    CHECK_OK(kill(0, SIGUSR1));
    CHECK_OK(killpg(getpgrp(), SIGUSR1));
    CHECK_OK(kill(-getpid(), SIGUSR1));
    CHECK_EQ(heard, 3 * SIGUSR1);
    CHECK_ERR(setsid(), EPERM); /* it leads a group */
    CHECK_ERR(setpgid(0, -1), EINVAL);
    CHECK_ERR(setpgid(0, 0x3fffffff), EPERM);
    CHECK_ERR(killpg(0x3fffffff, SIGUSR1), ESRCH);
    ok("process group");
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
    CHECK_OK(setregid((gid_t)-1, (gid_t)-1));
    CHECK_OK(setregid(rg, eg));
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
    init_process();
    own_group();
    user_ids();
    names();
    drop_privileges();
    return 0;
}
