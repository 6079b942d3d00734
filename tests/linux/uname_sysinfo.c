/* SPDX-License-Identifier: MIT */
/* uname(2), sysinfo(2), sched_getaffinity(2), getcpu(2). */
#include "check.h"

#include <sched.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

int main(void) {
    struct utsname u;
    memset(&u, 0xff, sizeof u);
    CHECK_OK(uname(&u));
    CHECK_STR(u.sysname, "Linux");
    CHECK_STR(u.machine, "x86_64");
    CHECK(strlen(u.nodename) > 0 && strlen(u.version) > 0);
    int major = 0, minor = 0;
    CHECK_EQ(sscanf(u.release, "%d.%d", &major, &minor), 2);
    CHECK(major >= 4); /* libcs refuse to start on less than 3.2 */
    CHECK_ERR(syscall(SYS_uname, bad_pointer()), EFAULT);
    ok("uname");

    struct sysinfo s;
    memset(&s, 0xff, sizeof s);
    CHECK_OK(sysinfo(&s));
    CHECK(s.mem_unit > 0);
    unsigned long long total = (unsigned long long)s.totalram * s.mem_unit;
    unsigned long long unused = (unsigned long long)s.freeram * s.mem_unit;
    CHECK(total >= 8 << 20);
    CHECK(unused > 0 && unused <= total);
    CHECK(s.procs >= 1);
    CHECK_ERR(syscall(SYS_sysinfo, bad_pointer()), EFAULT);
    ok("sysinfo");

    cpu_set_t set;
    CPU_ZERO(&set);
    CHECK_OK(sched_getaffinity(0, sizeof set, &set));
    CHECK(CPU_COUNT(&set) >= 1);
    CHECK_EQ(CPU_COUNT(&set), sysconf(_SC_NPROCESSORS_ONLN));
    CHECK_ERR(syscall(SYS_sched_getaffinity, 0, 1, &set), EINVAL);
    unsigned cpu = 9999, node = 9999;
    CHECK_OK(syscall(SYS_getcpu, &cpu, &node, NULL));
    CHECK(cpu < 4096 && node < 1024);
    CHECK_OK(sched_yield());
    ok("processors");
    return 0;
}
