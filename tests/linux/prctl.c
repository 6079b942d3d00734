/* SPDX-License-Identifier: MIT */
/* prctl(2), sethostname(2). */
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

static int get_int(int op) {
    int value = -1;
    CHECK_OK(prctl(op, &value, 0, 0, 0));
    return value;
}

static void signals_and_dumps(void) {
    CHECK_EQ(get_int(PR_GET_PDEATHSIG), 0);
    CHECK_OK(prctl(PR_SET_PDEATHSIG, SIGUSR1));
    CHECK_EQ(get_int(PR_GET_PDEATHSIG), SIGUSR1);
    CHECK_ERR(prctl(PR_SET_PDEATHSIG, 65), EINVAL);
    CHECK_ERR(prctl(PR_GET_PDEATHSIG, bad_pointer()), EFAULT);
    CHECK_OK(prctl(PR_SET_PDEATHSIG, 0));
    CHECK_EQ(prctl(PR_GET_DUMPABLE), 1);
    CHECK_OK(prctl(PR_SET_DUMPABLE, 0));
    CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
    CHECK_ERR(prctl(PR_SET_DUMPABLE, 2), EINVAL);
    CHECK_OK(prctl(PR_SET_DUMPABLE, 1));
    CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 5));
    CHECK_EQ(get_int(PR_GET_CHILD_SUBREAPER), 1);
    CHECK_OK(prctl(PR_SET_CHILD_SUBREAPER, 0));
    CHECK_EQ(get_int(PR_GET_CHILD_SUBREAPER), 0);
    ok("signals, dumps, reaper");
}

static void time_and_machine(void) {
    CHECK_EQ(prctl(PR_GET_TIMING), PR_TIMING_STATISTICAL);
    CHECK_OK(prctl(PR_SET_TIMING, PR_TIMING_STATISTICAL));
    CHECK_ERR(prctl(PR_SET_TIMING, PR_TIMING_TIMESTAMP), EINVAL);
    CHECK_EQ(get_int(PR_GET_TSC), PR_TSC_ENABLE);
    CHECK_OK(prctl(PR_SET_TSC, PR_TSC_ENABLE));
    CHECK_ERR(prctl(PR_SET_TSC, 77), EINVAL);
    CHECK_EQ(prctl(PR_GET_TIMERSLACK), 50000);
    CHECK_OK(prctl(PR_SET_TIMERSLACK, 1234));
    CHECK_EQ(prctl(PR_GET_TIMERSLACK), 1234);
    CHECK_OK(prctl(PR_SET_TIMERSLACK, 0));
    CHECK_EQ(prctl(PR_GET_TIMERSLACK), 50000);
    CHECK_EQ(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_DEFAULT);
    CHECK_OK(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
    CHECK_EQ(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_EARLY);
    CHECK_OK(prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0));
    CHECK_ERR(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, 7, 0, 0), EINVAL);
    CHECK_ERR(prctl(PR_MCE_KILL_GET, 1, 0, 0, 0), EINVAL);
    CHECK_ERR(prctl(PR_GET_UNALIGN, &(int){0}), EINVAL);
    CHECK_ERR(prctl(PR_GET_FPEXC, &(int){0}), EINVAL);
    CHECK_ERR(prctl(PR_GET_ENDIAN, &(int){0}), EINVAL);
    CHECK(prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0) >= 0);
    CHECK_ERR(prctl(PR_GET_SPECULATION_CTRL, 99, 0, 0, 0), ENODEV);
    CHECK_ERR(prctl(PR_GET_SPECULATION_CTRL, 0, 1, 0, 0), EINVAL);
    CHECK_ERR(prctl(PR_SET_SPECULATION_CTRL, 99, PR_SPEC_ENABLE, 0, 0), ENODEV);
    ok("time and machine");
}

static void memory(void) {
    static int word;
    int *address = NULL;
    CHECK_OK(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
    CHECK_OK(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
    CHECK_EQ(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
    CHECK_OK(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
    CHECK_ERR(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0), EINVAL);
    CHECK_EQ(syscall(SYS_set_tid_address, &word), getpid());
    if (prctl(PR_GET_TID_ADDRESS, &address) == 0) CHECK(address == &word);
    ok("memory");
}

static int mapped_as(const char *name) {
    char line[512];
    int found = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f))
        found += strstr(line, name) != NULL;
    CHECK_OK(fclose(f));
    return found;
}

static void names_of_mappings(void) {
    char *p =
        mmap(NULL, 4 * CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, CHECK_PAGE, "probe") != 0) {
        ok("no names of mappings here");
        return;
    }
    CHECK_OK(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p + CHECK_PAGE, 2 * CHECK_PAGE, "two pages"));
    CHECK_EQ(mapped_as("[anon:probe]\n"), 1);
    CHECK_EQ(mapped_as("[anon:two pages]\n"), 1);
    CHECK_OK(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, 4 * CHECK_PAGE, "all"));
    CHECK_EQ(mapped_as("[anon:all]\n"), 1);
    CHECK_OK(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, 4 * CHECK_PAGE, NULL));
    CHECK_EQ(mapped_as("[anon:"), 0);
    CHECK_ERR(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, CHECK_PAGE, "br[acket"), EINVAL);
    CHECK_ERR(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p + 1, CHECK_PAGE, "x"), EINVAL);
    CHECK_ERR(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, CHECK_PAGE, bad_pointer()), EFAULT);
    CHECK_OK(munmap(p + 2 * CHECK_PAGE, CHECK_PAGE));
    CHECK_ERR(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, 4 * CHECK_PAGE, "gap"), ENOMEM);
    CHECK_OK(munmap(p, 4 * CHECK_PAGE));
    ok("names of mappings");
}

static void privileges(void) {
    CHECK_EQ(prctl(PR_GET_KEEPCAPS), 0);
    CHECK_OK(prctl(PR_SET_KEEPCAPS, 1));
    CHECK_EQ(prctl(PR_GET_KEEPCAPS), 1);
    CHECK_OK(prctl(PR_SET_KEEPCAPS, 0));
    CHECK_ERR(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
    CHECK_ERR(prctl(PR_CAPBSET_READ, 64), EINVAL);
    CHECK(prctl(PR_CAPBSET_READ, 0) >= 0);
    CHECK_ERR(prctl(PR_CAP_AMBIENT, 99, 0, 0, 0), EINVAL);
    CHECK_ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 64, 0, 0), EINVAL);
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 1, 0, 0), 0);
    CHECK_ERR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    CHECK_ERR(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
    CHECK_OK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    CHECK_OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    CHECK_ERR(prctl(12345, 0, 0, 0, 0), EINVAL);
    ok("privileges");
}

static void host_name(void) {
    char name[65] = {0};
    CHECK_OK(gethostname(name, sizeof name));
    if (geteuid() != 0) {
        CHECK_ERR(sethostname(name, strlen(name)), EPERM);
    } else if (sethostname(name, strlen(name)) == 0) { /* the same: natively it is the machine's */
        CHECK_ERR(sethostname(name, 65), EINVAL);
        CHECK_ERR(sethostname(bad_pointer(), 5), EFAULT);
        CHECK_ERR(syscall(SYS_setdomainname, name, -1), EINVAL);
    }
    ok("host name");
}

int main(void) {
    signals_and_dumps();
    time_and_machine();
    memory();
    names_of_mappings();
    privileges();
    host_name();
    return 0;
}
