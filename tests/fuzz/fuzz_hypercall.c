/* SPDX-License-Identifier: MIT */
/* libFuzzer target: whatever the guest puts into a hypercall, the loader neither crashes nor
 * reaches beyond the one directory that is shared.
 *
 * Input: operations of OPERATION_BYTES bytes: the call's number, then three bytes a word that pick
 * how the word is made (operand()).  Owns a small guest RAM, the shared directory and stand-ins
 * for the parts of the loader that need a virtual machine. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hermit/layout.h>
#include <loader/cache.h>
#include <loader/diag.h>
#include <loader/guest_mem.h>
#include <loader/services.h>
#include <loader/thread.h>
#include <loader/tty.h>
#include <loader/vm.h>

#define RAM_BYTES (256u << 10)
#define WORDS 14
#define OPERATION_BYTES (1 + 3 * WORDS)
#define PATHS_AT 0    /* offset in RAM: NAME_BYTES for each name */
#define NAME_BYTES 64 /* distance of two names */
#define SEGS_AT 4096  /* struct hc_seg list */
#define DATA_AT 8192
#define MAX_HANDLES 64
#define REFRESH 512 /* inputs between two fresh directories */

struct vm_exit vm_exit;
struct hc_comm *vm_comm;
static uint8_t *ram;
static struct share item[2];
static char top[64];
static struct hc_comm comm;
static int report_fd; /* standard error before the fuzzer closes it to the guest */

int window_map(int fd, uint64_t offset, uint64_t len, bool writable, gpa_t *gpa) {
    return -EOPNOTSUPP;
}
int window_unmap(gpa_t gpa, uint64_t len) { return -EINVAL; }
int memory_grow(uint64_t bytes, gpa_t *gpa, uint64_t *granted) { return -ENOMEM; }
int memory_release(gpa_t gpa, uint64_t len) {
    void *p = guest_ptr(gpa, len);
    if (p == NULL) abort(); /* hc_mem_release lets only RAM pass */
    memset(p, 0, len);
    return 0;
}
int64_t hc_wait(union hc_args *args) { return -ENOSYS; }
int64_t hc_timer(union hc_args *args) { return -ENOSYS; }
int64_t hc_cpu_start(union hc_args *args) { return -ENOSYS; }
int64_t hc_job_start(union hc_args *args) { return -ENOSYS; }
void tty_note_change(int fd) {}
int cache_find(int fd, union cache_head *head) {
    memset(head, 0, sizeof(*head));
    head->info.size = sizeof(*head);
    return dup(fd);
}
bool cache_want(int fd) { return false; }
bool cache_waits(void) { return false; }
int thread_start(void *(*main)(void *), void *arg) { return -EAGAIN; }
void event_post(enum hc_event kind) {}
void warn_line(const char *fmt, ...) {}
void die(int status, const char *fmt, ...) { abort(); }

static const char *const names[] = {
    "",        "a",     "dir",        "dir/file", "dir/sub", "link", "abs",  "out",
    "loop",    "fifo",  "../secret",  "dir/../a", "/etc",    ".",    "a/b",  "dir/sub/deep",
    "new",     "new2",  "out/secret", "link/",    "dir//x",  "..",   "x\0y", "dir/new",
    "abs/new", "loop/x"};
#define NAMES (sizeof(names) / sizeof(names[0]))

static void must(int condition, const char *what) {
    if (condition) return;
    dprintf(report_fd, "fuzz_hypercall: %s: %s\n", what, strerror(errno));
    abort();
}

static const char *in_top(const char *name) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", top, name);
    return path;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where) {
    return remove(path);
}

static void put(const char *name, const char *text) {
    int fd = open(in_top(name), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644);
    must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), name);
    close(fd);
}

static void fresh_directory(void) {
    if (item[0].fd > 0) close(item[0].fd);
    nftw(in_top("share"), remove_one, 16, FTW_DEPTH | FTW_PHYS);
    must(mkdir(in_top("share"), 0755) == 0, "mkdir share");
    must(mkdir(in_top("share/dir"), 0755) == 0, "mkdir dir");
    must(mkdir(in_top("share/dir/sub"), 0755) == 0, "mkdir sub");
    put("share/a", "a file");
    put("share/dir/file", "another file");
    must(symlink("dir/file", in_top("share/link")) == 0, "symlink");
    must(symlink("..", in_top("share/out")) == 0, "symlink");
    must(symlink(top, in_top("share/abs")) == 0, "symlink");
    must(symlink("loop", in_top("share/loop")) == 0, "symlink");
    must(mkfifo(in_top("share/fifo"), 0644) == 0, "mkfifo");
    item[0].fd = open(in_top("share"), O_PATH | O_CLOEXEC);
    must(item[0].fd >= 0, "open share");
}

static void clean_up(void) { nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    const char *base = getenv("TMPDIR");
    report_fd = dup(STDERR_FILENO);
    vm_comm = &comm;
    struct rlimit size = {1 << 20, 1 << 20};
    snprintf(top, sizeof top, "%s/hermit-fuzz-XXXXXX", base && *base ? base : "/tmp");
    must(mkdtemp(top) != NULL, top);
    atexit(clean_up);
    /* No input may fill the disk, wait for a terminal or end the fuzzer with a signal. */
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &size);
    int null = open("/dev/null", O_RDWR);
    must(null >= 0 && dup2(null, STDIN_FILENO) == STDIN_FILENO, "stdin");
    ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(ram != MAP_FAILED, "ram");
    must(guest_mem_add(HERMIT_RAM_GPA, RAM_BYTES, ram) == 0, "guest_mem_add");
    put("secret", "untouched");
    item[0] = (struct share){.host = "share", .guest = "/share", .is_dir = true};
    fresh_directory();
    item[1] = (struct share){.host = "secret", .guest = "/secret", .readonly = true};
    item[1].fd = open(in_top("secret"), O_PATH | O_CLOEXEC);
    must(item[1].fd >= 0, "open secret");
    shares = (struct share_table){item, 2};
    return 0;
}

static void fill_ram(void) {
    struct hc_seg segs[8] = {
        {HERMIT_RAM_GPA + DATA_AT, 4096},
        {HERMIT_RAM_GPA + DATA_AT + 1, 7},
        {HERMIT_RAM_GPA + RAM_BYTES - 8, 8},
        {HERMIT_RAM_GPA + DATA_AT, 0},
        {HERMIT_RAM_GPA + DATA_AT, RAM_BYTES},
        {0, 16},
        {HERMIT_RAM_GPA - 8, 16},
        {UINT64_MAX - 4, 16},
    };
    memset(ram, 'x', RAM_BYTES);
    for (size_t i = 0; i < NAMES; i++) {
        memset(ram + PATHS_AT + i * NAME_BYTES, 0, NAME_BYTES);
        memcpy(ram + PATHS_AT + i * NAME_BYTES, names[i], strlen(names[i]));
    }
    memcpy(ram + SEGS_AT, segs, sizeof segs);
}

/* One 64-bit word of the arguments. */
static uint64_t operand(const uint8_t *b) {
    uint64_t a = b[1], c = b[2];
    switch (b[0] % 8) {
    case 0:
        return a;
    case 1: /* a name */
        return HERMIT_RAM_GPA + PATHS_AT + a % NAMES * NAME_BYTES;
    case 2: /* length of a name, and something small above */
        return (uint64_t)strlen(names[a % NAMES]) | c % 4 << 32;
    case 3: /* two small halves: share and flags, handle and flags, mask and so on */
        return a % 4 | c << 32;
    case 4:
        return HERMIT_RAM_GPA + SEGS_AT + a % 8 * sizeof(struct hc_seg);
    case 5:
        return HERMIT_RAM_GPA + DATA_AT + a * 256 + c;
    case 6: /* around the end of RAM and of the address space */
        return (c & 1 ? HERMIT_RAM_GPA + RAM_BYTES : 0) - a;
    default:
        return (uint64_t)1 << (a % 64) | c << (c % 56);
    }
}

static void serve(uint32_t nr, const uint8_t *bytes) {
    comm.calls[0].nr = nr;
    for (unsigned i = 0; i < WORDS; i++)
        comm.calls[0].u.words[i] = bytes ? operand(bytes + 3 * i) : 0;
    comm.calls[0].result = INT64_MIN;
    comm.calls[0].state = HC_SUBMITTED;
    vm_exit.done = false; /* after it nothing is served */
    must(hc_serve(0, true), "the call was not served");
    must(comm.calls[0].state == HC_DONE, "the call was not finished");
    must(comm.calls[0].result >= HC_SYMLINK && comm.calls[0].result != INT64_MIN,
         "result out of range");
}

/* Nothing outside the share has changed. */
static void check_outside(void) {
    char text[16] = {0};
    struct stat st;
    must(stat(in_top(""), &st) == 0 && st.st_nlink == 3, "a directory appeared outside");
    must(lstat(in_top("secret"), &st) == 0 && S_ISREG(st.st_mode), "the secret is gone");
    must(st.st_nlink == 1 && (st.st_mode & 07777) == 0644, "the secret's inode changed");
    int fd = open(in_top("secret"), O_RDONLY);
    must(fd >= 0 && read(fd, text, sizeof text) == 9, "the secret's size changed");
    must(memcmp(text, "untouched", 9) == 0, "the secret's content changed");
    close(fd);
    must(access(in_top("new"), F_OK) != 0, "a file appeared outside");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static unsigned inputs;
    if (inputs++ % REFRESH == REFRESH - 1) fresh_directory();
    fill_ram();
    for (unsigned done = 0; size >= OPERATION_BYTES && done < 32; done++) {
        serve(data[0] % (HC_COUNT + 2), data + 1);
        data += OPERATION_BYTES;
        size -= OPERATION_BYTES;
    }
    vm_exit.done = false;
    for (uint32_t h = 3; h < MAX_HANDLES; h++) {
        comm.calls[0].u.file_close.handle = h;
        comm.calls[0].nr = HC_FILE_CLOSE;
        comm.calls[0].state = HC_SUBMITTED;
        must(hc_serve(0, true), "close");
    }
    check_outside();
    return 0;
}
