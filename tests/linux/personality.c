/* SPDX-License-Identifier: MIT */
/* personality(2), ioprio_set(2), ioprio_get(2), adjtimex(2), clock_adjtime(2). */
#include "thread.h"

#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <sys/utsname.h>

#define PRIO(class, level) ((class) << 13 | (level))

static int mapped_prot(void *at) {
    unsigned char vec;
    CHECK_OK(mincore(at, CHECK_PAGE, &vec));
    char line[64];
    snprintf(line, sizeof line, "\n%lx-", (unsigned long)at);
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps != NULL);
    char text[512];
    int prot = -1;
    while (fgets(text, sizeof text, maps) != NULL) {
        unsigned long from, to;
        char r, w, x;
        if (sscanf(text, "%lx-%lx %c%c%c", &from, &to, &r, &w, &x) != 5) continue;
        if (from <= (unsigned long)at && (unsigned long)at < to)
            prot = (r == 'r') | (w == 'w') << 1 | (x == 'x') << 2;
    }
    CHECK_OK(fclose(maps));
    return prot;
}

static void *map(int prot) {
    void *p = mmap(NULL, CHECK_PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    return p;
}

static void personalities(void) {
    struct utsname name;
    unsigned start = (unsigned)personality(0xffffffff);
    CHECK_EQ(personality(start | ADDR_NO_RANDOMIZE), start);
    CHECK_EQ(personality(0xffffffff), start | ADDR_NO_RANDOMIZE);
    CHECK_EQ(strtoul(get_file("/proc/self/personality"), NULL, 16), start | ADDR_NO_RANDOMIZE);

    CHECK_EQ(personality(READ_IMPLIES_EXEC), start | ADDR_NO_RANDOMIZE);
    char *p = map(PROT_READ);
    CHECK_EQ(mapped_prot(p), PROT_READ | PROT_EXEC);
    CHECK_OK(mprotect(p, CHECK_PAGE, PROT_READ | PROT_WRITE));
    CHECK_EQ(mapped_prot(p), PROT_READ | PROT_WRITE | PROT_EXEC);
    CHECK_OK(mprotect(p, CHECK_PAGE, PROT_NONE));
    CHECK_EQ(mapped_prot(p), PROT_NONE);
    CHECK_EQ(personality(PER_LINUX), READ_IMPLIES_EXEC);
    CHECK_OK(mprotect(p, CHECK_PAGE, PROT_READ));
    CHECK_EQ(mapped_prot(p), PROT_READ);
    CHECK_OK(munmap(p, CHECK_PAGE));

    CHECK_EQ(personality(PER_LINUX32), 0);
    CHECK_OK(uname(&name));
    CHECK_STR(name.machine, "i686");
    CHECK_EQ(personality(UNAME26), PER_LINUX32);
    CHECK_OK(uname(&name));
    CHECK(strncmp(name.release, "2.6.", 4) == 0);
    CHECK_STR(name.machine, "x86_64");
    CHECK_EQ(personality(start), UNAME26);
    ok("personality");
}

static void *inherited(void *arg) {
    CHECK_EQ(syscall(SYS_ioprio_get, 1, 0), *(int *)arg);
    CHECK_OK(syscall(SYS_ioprio_set, 1, 0, PRIO(3, 0)));
    return NULL;
}

static void io_priorities(void) {
    int self = getpid(), value = PRIO(2, 6);
    CHECK_OK(syscall(SYS_ioprio_set, 1, self, value));
    CHECK_EQ(syscall(SYS_ioprio_get, 1, 0), value);
    join(spawn(inherited, &value));
    CHECK_EQ(syscall(SYS_ioprio_get, 1, self), value);
    CHECK(syscall(SYS_ioprio_get, 2, 0) > 0);
    CHECK(syscall(SYS_ioprio_get, 3, getuid()) > 0);
    CHECK_OK(syscall(SYS_ioprio_set, 2, 0, PRIO(0, 0)));
    CHECK_EQ(syscall(SYS_ioprio_get, 1, 0), 0);
    CHECK_ERR(syscall(SYS_ioprio_set, 1, 0, PRIO(0, 3)), EINVAL);
    CHECK_ERR(syscall(SYS_ioprio_set, 1, 0, PRIO(4, 0)), EINVAL);
    CHECK_ERR(syscall(SYS_ioprio_set, 0, 0, PRIO(2, 0)), EINVAL);
    CHECK_ERR(syscall(SYS_ioprio_set, 4, 0, PRIO(2, 0)), EINVAL);
    CHECK_ERR(syscall(SYS_ioprio_get, 0, 0), EINVAL);
    CHECK_ERR(syscall(SYS_ioprio_get, 1, 0x3fffffff), ESRCH);
    CHECK_ERR(syscall(SYS_ioprio_get, 2, 0x3fffffff), ESRCH);
    CHECK_ERR(syscall(SYS_ioprio_set, 1, 0x3fffffff, PRIO(2, 0)), ESRCH);
    ok("ioprio");
}

/* Nothing here may change the machine's clock. */
static void clock_adjustment(void) {
    struct timex tx = {.modes = 0};
    int state = adjtimex(&tx);
    CHECK(state >= TIME_OK && state <= TIME_ERROR);
    CHECK(tx.tick >= 9000 && tx.tick <= 11000);
    CHECK((tx.status & STA_UNSYNC) == 0 || state == TIME_ERROR);
    time_t now = time(NULL);
    CHECK(tx.time.tv_sec <= now && tx.time.tv_sec > now - 60);
    tx.modes = ADJ_OFFSET_SS_READ;
    CHECK(adjtimex(&tx) >= 0);
    tx.modes = 0;
    CHECK(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &tx) >= 0);
    CHECK_ERR(syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &tx), EOPNOTSUPP);
    CHECK_ERR(syscall(SYS_clock_adjtime, 99, &tx), EINVAL);
    CHECK_ERR(syscall(SYS_clock_adjtime, CLOCK_REALTIME, bad_pointer()), EFAULT);
    CHECK_ERR(syscall(SYS_adjtimex, bad_pointer()), EFAULT);
    tx.modes = 0x8000;
    CHECK_ERR(syscall(SYS_adjtimex, &tx), EINVAL);
    if (geteuid() == 0) { /* without the capability everybody is refused */
        CHECK_OK(setresuid(1000, 1000, 1000));
        tx.modes = ADJ_FREQUENCY;
        CHECK_ERR(syscall(SYS_adjtimex, &tx), EPERM);
        CHECK_ERR(syscall(SYS_ioprio_set, 1, 0, PRIO(1, 4)), EPERM);
    }
    ok("adjtimex");
}

/* What one thread touches is counted for it and for the process. */
static void *touch(void *arg) {
    struct rusage before, after, all_before, all_after;
    char *p =
        mmap(NULL, 64 * CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    (void)arg;
    CHECK_OK(getrusage(RUSAGE_THREAD, &before));
    CHECK_OK(getrusage(RUSAGE_SELF, &all_before));
    for (size_t i = 0; i < 64; i++)
        p[i * CHECK_PAGE] = 1;
    CHECK_OK(getrusage(RUSAGE_THREAD, &after));
    CHECK_OK(getrusage(RUSAGE_SELF, &all_after));
    CHECK(after.ru_minflt > before.ru_minflt);
    CHECK(all_after.ru_minflt - all_before.ru_minflt >= after.ru_minflt - before.ru_minflt);
    CHECK(all_after.ru_minflt >= after.ru_minflt);
    return NULL;
}

int main(void) {
    personalities();
    io_priorities();
    join(spawn(touch, NULL));
    ok("faults of a thread");
    clock_adjustment();
    return 0;
}
