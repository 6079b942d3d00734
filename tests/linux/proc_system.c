/* SPDX-License-Identifier: MIT */
/* /proc and /sys about the machine: what libraries and tools read to size and describe themselves.
 * Machines differ, so it is forms and relations that are checked. */
#include "check.h"

#include <dirent.h>
#include <sched.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

static char text[1 << 20];

/* The file's text; NULL: there is none. */
static char *try_slurp(const char *path) {
    size_t len = 0;
    ssize_t n;
    int fd = open(path, O_RDONLY);
    if (fd < 0) return NULL;
    while ((n = read(fd, text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = 0;
    CHECK_OK(close(fd));
    return text;
}

static char *slurp(const char *path) {
    char *t = try_slurp(path);
    if (t == NULL) printf("FAIL %s: errno %d\n", path, errno);
    CHECK(t != NULL);
    return t;
}

static long long number(const char *path) {
    char *end;
    long long n = strtoll(slurp(path), &end, 10);
    if (end == text || *end != '\n') printf("FAIL %s is \"%s\"\n", path, text);
    CHECK(end != text && *end == '\n');
    return n;
}

static long long field(const char *key) {
    char *at = strstr(text, key);
    if (at == NULL) printf("FAIL no %s\n", key);
    CHECK(at != NULL && (at == text || at[-1] == '\n'));
    return strtoll(at + strlen(key), NULL, 10);
}

static unsigned count(const char *path, const char *key) {
    unsigned n = 0;
    for (char *at = slurp(path); (at = strstr(at, key)); at++)
        n += at == text || at[-1] == '\n';
    return n;
}

static void processors(void) {
    unsigned cpus = (unsigned)sysconf(_SC_NPROCESSORS_CONF), first, last;
    unsigned online = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    CHECK_EQ(count("/proc/cpuinfo", "processor\t: "), online);
    CHECK_EQ(count("/proc/cpuinfo", "flags\t\t: "), online);
    CHECK_EQ(count("/proc/stat", "cpu"), online + 1);
    int n = sscanf(slurp("/sys/devices/system/cpu/online"), "%u-%u", &first, &last);
    if (n == 1) last = first;
    CHECK(n >= 1 && last - first + 1 >= online);
    unsigned dirs = 0, cpu;
    DIR *d = opendir("/sys/devices/system/cpu");
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d));) {
        int end = 0;
        if (sscanf(e->d_name, "cpu%u%n", &cpu, &end) == 1 && e->d_name[end] == 0) dirs++;
    }
    CHECK_OK(closedir(d));
    CHECK_EQ(dirs, cpus);
    CHECK(number("/sys/devices/system/cpu/kernel_max") >= (long long)cpus - 1);
    CHECK_STR(slurp("/sys/devices/system/cpu/offline"), "\n");
    slurp("/sys/devices/system/cpu/possible");
    slurp("/sys/devices/system/cpu/present");
    CHECK(access("/sys/devices/system/cpu/cpu99999", F_OK) == -1 && errno == ENOENT);
    struct stat st;
    CHECK_OK(stat("/sys/devices/system/cpu/online", &st));
    CHECK_EQ(st.st_size, 4096);
    ok("processors");
}

static void topology(void) {
#define CPU0 "/sys/devices/system/cpu/cpu0/"
    CHECK(number(CPU0 "topology/core_id") >= 0);
    CHECK(number(CPU0 "topology/physical_package_id") >= 0);
    CHECK(strtoul(slurp(CPU0 "topology/core_cpus"), NULL, 16) & 1);
    CHECK(slurp(CPU0 "topology/package_cpus_list")[0] == '0');
    CHECK(slurp(CPU0 "topology/thread_siblings_list")[0] == '0');
    if (try_slurp(CPU0 "cache/index0/level")) {
        CHECK_EQ(number(CPU0 "cache/index0/level"), 1);
        long long line = number(CPU0 "cache/index0/coherency_line_size");
        long long ways = number(CPU0 "cache/index0/ways_of_associativity");
        long long sets = number(CPU0 "cache/index0/number_of_sets");
        CHECK_EQ(strtoll(slurp(CPU0 "cache/index0/size"), NULL, 10), line * ways * sets / 1024);
        CHECK(strcmp(slurp(CPU0 "cache/index0/type"), "Data\n") == 0);
        CHECK(strtoul(slurp(CPU0 "cache/index0/shared_cpu_map"), NULL, 16) & 1);
    }
    CHECK(strchr(slurp("/sys/devices/system/node/online"), '0') == text);
    CHECK(slurp("/sys/devices/system/node/node0/cpulist")[0] == '0');
    CHECK_EQ(number("/sys/devices/system/node/node0/distance"), 10);
    CHECK(strncmp(slurp("/sys/devices/system/node/node0/meminfo"), "Node 0 MemTotal:", 16) == 0);
    CHECK(strstr(slurp("/sys/kernel/mm/transparent_hugepage/enabled"), "never") != NULL);
    CHECK_EQ(number("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"), 2 << 20);
    CHECK(number("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages") >= 0);
    struct statfs fs;
    CHECK_OK(statfs("/sys", &fs));
    CHECK_EQ(fs.f_type, 0x62656572);
    CHECK_OK(statfs("/proc", &fs));
    CHECK_EQ(fs.f_type, 0x9fa0);
    ok("topology");
}

static void memory(void) {
    static const char *const keys[] = {
        "MemTotal:",       "MemFree:",     "MemAvailable:", "Buffers:",       "Cached:",
        "SwapCached:",     "Active:",      "Inactive:",     "Active(anon):",  "Active(file):",
        "SwapTotal:",      "SwapFree:",    "Dirty:",        "Writeback:",     "AnonPages:",
        "Mapped:",         "Shmem:",       "Slab:",         "SReclaimable:",  "SUnreclaim:",
        "PageTables:",     "CommitLimit:", "Committed_AS:", "AnonHugePages:", "HugePages_Total:",
        "HugePages_Free:", "Hugepagesize:"};
    slurp("/proc/meminfo");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        CHECK(field(keys[i]) >= 0);
    CHECK(field("MemTotal:") >= field("MemFree:"));
    struct sysinfo s;
    CHECK_OK(sysinfo(&s));
    CHECK_EQ(field("MemTotal:"), (long long)s.totalram * s.mem_unit / 1024);
    CHECK(text[16] != 0 && strncmp(text + 24, " kB\n", 4) == 0); /* in columns */
    slurp("/proc/vmstat");
    CHECK(field("nr_free_pages ") > 0 && field("pgfault ") > 0 && field("nr_mapped ") >= 0);
    CHECK(strncmp(slurp("/proc/swaps"), "Filename\t\t\t\tType", 16) == 0);
    slurp("/proc/zoneinfo");
    slurp("/proc/buddyinfo");
    ok("memory");
}

static void machine(void) {
    double up, idle, load[3];
    unsigned running, threads, last;
    CHECK_EQ(sscanf(slurp("/proc/uptime"), "%lf %lf", &up, &idle), 2);
    struct sysinfo s;
    CHECK_OK(sysinfo(&s));
    CHECK((double)s.uptime + 1 >= up && (double)s.uptime <= up + 5);
    CHECK_EQ(sscanf(slurp("/proc/loadavg"), "%lf %lf %lf %u/%u %u", load, load + 1, load + 2,
                    &running, &threads, &last),
             6);
    CHECK(running >= 1 && threads >= running);
    slurp("/proc/stat");
    CHECK(field("ctxt ") >= 0 && field("processes ") >= 1 && field("procs_running ") >= 1);
    CHECK(field("btime ") > 1600000000 && field("intr ") >= 0 && field("procs_blocked ") >= 0);
    struct utsname u;
    CHECK_OK(uname(&u));
    CHECK(strncmp(slurp("/proc/version"), "Linux version ", 14) == 0);
    CHECK(strncmp(text + 14, u.release, strlen(u.release)) == 0);
    CHECK(strncmp(slurp("/proc/sys/kernel/osrelease"), u.release, strlen(u.release)) == 0);
    CHECK(strncmp(slurp("/proc/sys/kernel/hostname"), u.nodename, strlen(u.nodename)) == 0);
    CHECK_STR(slurp("/proc/sys/kernel/ostype"), "Linux\n");
    CHECK(strstr(slurp("/proc/filesystems"), "nodev\tproc\n") != NULL);
    CHECK(strstr(slurp("/proc/mounts"), " /proc proc ") != NULL);
    CHECK(strstr(slurp("/proc/interrupts"), "CPU0") != NULL);
    CHECK(strstr(slurp("/proc/softirqs"), "TIMER:") != NULL);
    CHECK(strncmp(slurp("/proc/devices"), "Character devices:\n", 19) == 0);
    CHECK(strncmp(slurp("/proc/partitions"), "major minor  #blocks  name\n", 27) == 0);
    slurp("/proc/diskstats");
    slurp("/proc/cmdline");
    CHECK(strncmp(slurp("/proc/net/dev"), "Inter-|   Receive ", 18) == 0);
    CHECK(strncmp(slurp("/proc/net/tcp"), "  sl  local_address rem_address   st ", 37) == 0);
    ok("machine");
}

static void settings(void) {
    static const char *const numbers[] = {"kernel/pid_max",
                                          "kernel/threads-max",
                                          "kernel/ngroups_max",
                                          "kernel/cap_last_cap",
                                          "kernel/overflowuid",
                                          "kernel/overflowgid",
                                          "kernel/random/entropy_avail",
                                          "kernel/random/poolsize",
                                          "kernel/randomize_va_space",
                                          "kernel/shmmni",
                                          "kernel/msgmax",
                                          "kernel/sched_rr_timeslice_ms",
                                          "kernel/perf_event_paranoid",
                                          "vm/overcommit_memory",
                                          "vm/overcommit_ratio",
                                          "vm/max_map_count",
                                          "vm/mmap_min_addr",
                                          "vm/swappiness",
                                          "vm/nr_hugepages",
                                          "fs/nr_open",
                                          "fs/pipe-max-size",
                                          "fs/aio-max-nr",
                                          "fs/pipe-user-pages-soft",
                                          "net/core/somaxconn"};
    char path[128], first[64];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        snprintf(path, sizeof path, "/proc/sys/%s", numbers[i]);
        CHECK(number(path) >= 0);
    }
    unsigned long used, none, most;
    CHECK_EQ(sscanf(slurp("/proc/sys/fs/file-nr"), "%lu\t%lu\t%lu", &used, &none, &most), 3);
    CHECK(number("/proc/sys/fs/file-max") > 0);
    strcpy(first, slurp("/proc/sys/kernel/random/uuid"));
    CHECK_EQ(strlen(first), 37);
    CHECK(first[8] == '-' && first[14] == '4' && first[23] == '-' && first[36] == '\n');
    CHECK(strcmp(first, slurp("/proc/sys/kernel/random/uuid")) != 0);
    strcpy(first, slurp("/proc/sys/kernel/random/boot_id"));
    CHECK_STR(slurp("/proc/sys/kernel/random/boot_id"), first);
    CHECK_ERR(open("/proc/sys/kernel/nothing", O_RDONLY), ENOENT);
    ok("settings");
}

int main(void) {
    processors();
    topology();
    memory();
    machine();
    settings();
    return 0;
}
