/* SPDX-License-Identifier: MIT */
/* /proc/self and its threads: the keys that programs look for, and values that can be known. */
#include "check.h"

#include <ctype.h>
#include <dirent.h>
#include <elf.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static char text[1 << 20];

static char *slurp(const char *path) {
    size_t len = 0;
    ssize_t n;
    int fd = open(path, O_RDONLY);
    if (fd < 0) printf("FAIL %s: errno %d\n", path, errno);
    CHECK(fd >= 0);
    while ((n = read(fd, text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)n;
    CHECK(n == 0);
    text[len] = 0;
    CHECK_OK(close(fd));
    return text;
}

/* The number behind "key" at the start of a line of `text`. */
static long long value(const char *key) {
    for (char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, key, strlen(key)) == 0) return strtoll(line + strlen(key), NULL, 0);
    }
    printf("FAIL no %s\n", key);
    check_stop();
    return 0;
}

static void status(void) {
    static const char *const keys[] = {"Name:\t",
                                       "Umask:\t",
                                       "State:\t",
                                       "Tgid:\t",
                                       "Pid:\t",
                                       "PPid:\t",
                                       "TracerPid:",
                                       "Uid:\t",
                                       "Gid:\t",
                                       "FDSize:\t",
                                       "Groups:\t",
                                       "VmPeak:\t",
                                       "VmSize:\t",
                                       "VmLck:\t",
                                       "VmHWM:\t",
                                       "VmRSS:\t",
                                       "RssAnon:\t",
                                       "RssFile:\t",
                                       "VmData:\t",
                                       "VmStk:\t",
                                       "VmExe:\t",
                                       "VmLib:\t",
                                       "VmPTE:\t",
                                       "VmSwap:\t",
                                       "Threads:\t",
                                       "SigQ:\t",
                                       "SigPnd:\t",
                                       "ShdPnd:\t",
                                       "SigBlk:\t",
                                       "SigIgn:\t",
                                       "SigCgt:\t",
                                       "CapInh:\t",
                                       "CapPrm:\t",
                                       "CapEff:\t",
                                       "CapBnd:\t",
                                       "CapAmb:\t",
                                       "NoNewPrivs:",
                                       "Seccomp:\t",
                                       "Cpus_allowed:\t",
                                       "Cpus_allowed_list:\t",
                                       "Mems_allowed:\t",
                                       "Mems_allowed_list:\t",
                                       "voluntary_ctxt_switches:\t",
                                       "nonvoluntary_ctxt_switches:\t"};
    slurp("/proc/self/status");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        (void)value(keys[i]);
    CHECK_EQ(value("Pid:\t"), getpid());
    CHECK_EQ(value("Uid:\t"), getuid());
    CHECK(value("VmSize:\t") >= value("VmRSS:\t"));
    CHECK(value("VmHWM:\t") >= value("VmRSS:\t"));
    CHECK(value("VmPeak:\t") >= value("VmSize:\t"));
    CHECK(value("VmRSS:\t") > 0 && value("VmStk:\t") > 0 && value("VmExe:\t") > 0);
    CHECK_EQ(value("Threads:\t"), 1);
    ok("status");
}

static void memory_is_counted(void) {
    const size_t size = 32 << 20;
    slurp("/proc/self/status");
    long long rss = value("VmRSS:\t"), anon = value("RssAnon:\t"), vm = value("VmSize:\t");
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    memset(p, 1, size);
    slurp("/proc/self/status");
    CHECK(value("VmRSS:\t") >= rss + (32 << 10) - 1024);
    CHECK(value("RssAnon:\t") >= anon + (32 << 10) - 1024);
    CHECK_EQ(value("VmSize:\t"), vm + (32 << 10));
    unsigned long total, resident;
    CHECK_EQ(sscanf(slurp("/proc/self/statm"), "%lu %lu", &total, &resident), 2);
    CHECK(total >= resident && resident >= size / CHECK_PAGE);
    slurp("/proc/self/smaps_rollup");
    CHECK(value("Rss:") >= 32 << 10);
    CHECK(value("Anonymous:") >= (32 << 10) - 1024);
    CHECK(value("Private_Dirty:") >= (32 << 10) - 1024);
    CHECK_OK(munmap(p, size));
    slurp("/proc/self/status");
    CHECK(value("VmPeak:\t") >= vm + (32 << 10));
    CHECK(value("VmSize:\t") <= vm);
    ok("memory");
}

/* Every block of smaps is a line of maps and the same keys. */
static void smaps(void) {
    static const char *const keys[] = {
        "Size:",          "KernelPageSize:", "MMUPageSize:",    "Rss:",
        "Pss:",           "Shared_Clean:",   "Shared_Dirty:",   "Private_Clean:",
        "Private_Dirty:", "Referenced:",     "Anonymous:",      "LazyFree:",
        "AnonHugePages:", "ShmemPmdMapped:", "Shared_Hugetlb:", "Private_Hugetlb:",
        "Swap:",          "SwapPss:",        "Locked:",         "THPeligible:",
        "VmFlags:"};
    unsigned maps = 0, blocks = 0;
    for (char *c = slurp("/proc/self/maps"); *c; c++)
        maps += *c == '\n';
    for (char *line = strtok(slurp("/proc/self/smaps"), "\n"); line; line = strtok(NULL, "\n")) {
        unsigned long start, end;
        char prot[5];
        static unsigned next = sizeof keys / sizeof *keys;
        if (sscanf(line, "%lx-%lx %4s", &start, &end, prot) == 3) {
            CHECK_EQ(next, sizeof keys / sizeof *keys);
            CHECK(start < end);
            next = 0;
            blocks++;
            continue;
        }
        /* Newer kernels have more keys in between. */
        if (strncmp(line, keys[next], strlen(keys[next])) == 0) next++;
    }
    CHECK_EQ(maps, blocks);
    ok("smaps");
}

static void stat_fields(void) {
    char *c = strrchr(slurp("/proc/self/stat"), ')');
    CHECK(c != NULL && c[2] == 'R');
    long long field[64] = {0};
    int n = 3;
    CHECK_EQ(strtol(text, NULL, 10), getpid());
    for (c += 3; *c; n++) {
        char *end;
        field[n + 1] = (long long)strtoull(c, &end, 10);
        if (*c == ' ' && c[1] == '-') field[n + 1] = strtoll(c, &end, 10);
        if (end == c) break;
        c = end;
    }
    CHECK_EQ(n, 52);
    CHECK_STR(c, "\n");
    CHECK_EQ(field[5], getpgrp());
    CHECK_EQ(field[20], 1);                               /* threads */
    CHECK(field[23] > field[24] * (long long)CHECK_PAGE); /* vsize, rss */
    unsigned long here = (unsigned long)__builtin_frame_address(0);
    CHECK((unsigned long)field[28] >= here && (unsigned long)field[28] - here < 64 << 20);
    CHECK((unsigned long)field[26] <= (unsigned long)stat_fields);
    CHECK((unsigned long)field[27] > (unsigned long)stat_fields);
    ok("stat");
}

static void own_text(int argc, char **argv) {
    char *p = slurp("/proc/self/cmdline");
    for (int i = 0; i < argc; i++, p += strlen(p) + 1)
        CHECK_STR(p, argv[i]);
    unsigned long *aux = (unsigned long *)(void *)slurp("/proc/self/auxv");
    for (; aux[0] != AT_NULL; aux += 2)
        if (aux[0] != AT_HWCAP && aux[0] != AT_HWCAP2) /* libc has its own idea */
            CHECK_EQ(aux[1], getauxval(aux[0]));
    struct rlimit lim;
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &lim));
    slurp("/proc/self/limits");
    CHECK_EQ(value("Max open files            "), (long long)lim.rlim_cur);
    CHECK(
        strncmp(text,
                "Limit                     Soft Limit           Hard Limit           Units     \n",
                79) == 0);
    slurp("/proc/self/io");
    long long before = value("rchar: ");
    CHECK(value("wchar: ") >= 0 && value("syscr: ") > 0 && value("read_bytes: ") >= 0);
    slurp("/proc/self/maps");
    slurp("/proc/self/io");
    CHECK(value("rchar: ") > before);
    ok("cmdline, auxv, limits, io");
}

static void comm(void) {
    char name[17] = {0};
    put_file("/proc/self/comm", "a-new-name-for-me\n");
    CHECK_STR(slurp("/proc/self/comm"), "a-new-name-for-\n");
    CHECK_OK(prctl(PR_GET_NAME, name));
    CHECK_STR(name, "a-new-name-for-");
    CHECK_OK(prctl(PR_SET_NAME, "short"));
    CHECK_STR(slurp("/proc/thread-self/comm"), "short\n");
    int fd = open("/proc/self/comm", O_RDONLY);
    CHECK_EQ(read(fd, name, 16), 6);
    CHECK_OK(prctl(PR_SET_NAME, "other"));
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(read(fd, name, 16), 6);
    CHECK(memcmp(name, "other\n", 6) == 0);
    CHECK_ERR(lseek(fd, 0, SEEK_END), EINVAL);
    CHECK_OK(close(fd));
    ok("comm");
}

static void own_memory(void) {
    static volatile long word = 0x1122334455667788;
    static const char constant[CHECK_PAGE] = "constant";
    long copy = 0;
    int fd = open("/proc/self/mem", O_RDWR);
    CHECK(fd >= 0);
    CHECK_EQ(pread(fd, &copy, sizeof copy, (off_t)&word), sizeof copy);
    CHECK_EQ(copy, 0x1122334455667788);
    copy = 42;
    CHECK_EQ(pwrite(fd, &copy, sizeof copy, (off_t)&word), sizeof copy);
    CHECK_EQ(word, 42);
    CHECK_EQ(lseek(fd, (off_t)&word, SEEK_SET), (off_t)&word);
    CHECK_EQ(read(fd, &copy, sizeof copy), sizeof copy);
    CHECK_ERR(pread(fd, &copy, sizeof copy, 0), EIO);
    CHECK_ERR(lseek(fd, 0, SEEK_END), EINVAL);
    /* Protection does not count: a debugger's breakpoint. */
    CHECK_EQ(pwrite(fd, "K", 1, (off_t)constant), 1);
    CHECK_EQ(*(volatile const char *)constant, 'K');
    char *p =
        mmap(NULL, 3 * CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    memset(p, 7, 3 * CHECK_PAGE);
    CHECK_OK(munmap(p + CHECK_PAGE, CHECK_PAGE));
    CHECK_EQ(pread(fd, text, 3 * CHECK_PAGE, (off_t)p), CHECK_PAGE); /* up to the gap */
    CHECK_OK(close(fd));
    uint64_t entry[2];
    fd = open("/proc/self/pagemap", O_RDONLY);
    CHECK(fd >= 0);
    CHECK_EQ(pread(fd, entry, sizeof entry, (off_t)((uintptr_t)p / CHECK_PAGE * 8)), sizeof entry);
    CHECK(entry[0] >> 63 == 1);
    CHECK_EQ(entry[1] >> 63, 0);
    CHECK_ERR(pread(fd, entry, 4, 0), EINVAL);
    CHECK_OK(close(fd));
    ok("mem, pagemap");
}

static void descriptors(void) {
    char path[64];
    put_file("f", "0123456789");
    int fd = open("f", O_RDWR | O_APPEND | O_CLOEXEC);
    CHECK_EQ(lseek(fd, 5, SEEK_SET), 5);
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    slurp(path);
    CHECK_EQ(value("pos:\t"), 5);
    CHECK_EQ(value("flags:\t"), O_RDWR | O_APPEND | O_CLOEXEC | 0100000);
    CHECK(value("mnt_id:\t") > 0);
    int seen = 0;
    DIR *d = opendir("/proc/self/fdinfo");
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d));)
        seen += atoi(e->d_name) == fd && isdigit(e->d_name[0]);
    CHECK_OK(closedir(d));
    CHECK_EQ(seen, 1);
    CHECK_OK(close(fd));
    CHECK_ERR(open(path, O_RDONLY), ENOENT);
    ok("fdinfo");
}

static void small_files(void) {
    static const char *const readable[] = {
        "cgroup",     "coredump_filter", "loginuid",  "mountinfo",     "mounts",
        "mountstats", "numa_maps",       "oom_adj",   "oom_score",     "personality",
        "schedstat",  "sched",           "sessionid", "setgroups",     "uid_map",
        "gid_map",    "syscall",         "wchan",     "timerslack_ns", "net/dev",
        "net/tcp",    "net/udp",         "net/unix",  "net/route",     "environ",
        "auxv"};
    char path[64];
    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++) {
        snprintf(path, sizeof path, "/proc/self/%s", readable[i]);
        slurp(path);
    }
    put_file("/proc/self/clear_refs", "1");
    put_file("/proc/self/oom_score_adj", "300\n");
    CHECK_STR(slurp("/proc/self/oom_score_adj"), "300\n");
    CHECK_EQ(atoi(slurp("/proc/self/oom_adj")), 5);
    int fd = open("/proc/self/oom_score_adj", O_WRONLY);
    CHECK_ERR(write(fd, "1001", 4), EINVAL);
    CHECK_ERR(write(fd, "x", 1), EINVAL);
    CHECK_OK(close(fd));
    put_file("/proc/self/coredump_filter", "0x7f");
    CHECK_STR(slurp("/proc/self/coredump_filter"), "0000007f\n");
    struct stat st;
    CHECK_OK(lstat("/proc/self/ns/net", &st));
    CHECK(S_ISLNK(st.st_mode));
    CHECK_OK(stat("/proc/self/ns/net", &st));
    CHECK(S_ISREG(st.st_mode));
    CHECK(readlink("/proc/self/ns/net", path, sizeof path) > 5 && strncmp(path, "net:[", 5) == 0);
    fd = open("/proc/self/ns/net", O_RDONLY);
    CHECK(fd >= 0);
    CHECK_ERR(read(fd, path, 1), EINVAL);
    CHECK_OK(close(fd));
    ok("small files");
}

static sem_t started, stop;

static void *thread_main(void *arg) {
    CHECK_OK(prctl(PR_SET_NAME, "worker"));
    *(pid_t *)arg = (pid_t)syscall(SYS_gettid);
    sem_post(&started);
    while (sem_wait(&stop) != 0)
        continue;
    return NULL;
}

static void threads(void) {
    pthread_t t;
    pid_t tid = 0;
    char path[64], link[64];
    CHECK_OK(sem_init(&started, 0, 0));
    CHECK_OK(sem_init(&stop, 0, 0));
    CHECK_OK(pthread_create(&t, NULL, thread_main, &tid));
    while (sem_wait(&started) != 0)
        continue;
    snprintf(path, sizeof path, "/proc/self/task/%d/comm", tid);
    CHECK_STR(slurp(path), "worker\n");
    put_file(path, "renamed");
    CHECK_STR(slurp(path), "renamed\n");
    snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
    slurp(path);
    CHECK_EQ(value("Pid:\t"), tid);
    CHECK_EQ(value("Tgid:\t"), getpid());
    CHECK_EQ(value("Threads:\t"), 2);
    snprintf(path, sizeof path, "/proc/%d/comm", tid); /* reachable, though not listed */
    CHECK_STR(slurp(path), "renamed\n");
    ssize_t n = readlink("/proc/thread-self", link, sizeof link - 1);
    CHECK(n > 0);
    link[n] = 0;
    snprintf(path, sizeof path, "%d/task/%ld", getpid(), syscall(SYS_gettid));
    CHECK_STR(link, path);
    unsigned count = 0;
    DIR *d = opendir("/proc/self/task");
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d));)
        count += isdigit(e->d_name[0]) != 0;
    CHECK_OK(closedir(d));
    CHECK_EQ(count, 2);
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    sem_post(&stop);
    CHECK_OK(pthread_join(t, NULL));
    while (access(path, F_OK) == 0) /* it leaves the list a moment after its join */
        sched_yield();
    CHECK_ERR(read(fd, text, 100), ESRCH);
    CHECK_OK(close(fd));
    ok("threads");
}

int main(int argc, char **argv) {
    scratch();
    status();
    memory_is_counted();
    smaps();
    stat_fields();
    own_text(argc, argv);
    comm();
    own_memory();
    descriptors();
    small_files();
    threads();
    return 0;
}
