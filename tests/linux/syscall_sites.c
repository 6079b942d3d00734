/* SPDX-License-Identifier: MIT */
/* A `syscall` instruction that is executed again and again: results, registers, flags and red zone;
 * where the instruction lies, and what a program may do with the memory around it. */
#include "syscall_sites.h"

#include <signal.h>

static void often(uint8_t *code) {
    for (int i = 0; i < SITE_OFTEN; i++)
        CHECK_EQ(site_run(code, SYS_getpid, 0, 0, 0), getpid());
}

/* One site, many calls: the number may change. */
static void test_numbers(void) {
    uint8_t *code = site_make(0);
    char text[4] = "";
    int fds[2];

    often(code);
    CHECK_EQ(site_run(code, SYS_getppid, 0, 0, 0), getppid());
    CHECK_EQ(site_run(code, SYS_gettid, 0, 0, 0), gettid());
    CHECK_EQ(site_run(code, SYS_getuid, 0, 0, 0), getuid());
    CHECK_EQ(site_run(code, 9999, 0, 0, 0), -ENOSYS);
    CHECK_EQ(site_run(code, SYS_close, -1, 0, 0), -EBADF);
    CHECK_OK(pipe(fds));
    for (int i = 0; i < SITE_OFTEN; i++) {
        CHECK_EQ(site_run(code, SYS_write, fds[1], (long)"abc", 3), 3);
        CHECK_EQ(site_run(code, SYS_read, fds[0], (long)text, 4), 3);
        CHECK_EQ(memcmp(text, "abc", 3), 0);
    }
    close(fds[0]);
    close(fds[1]);
    often(code);
    site_free(code);
}

/* Everywhere in a page, over the ends of cache lines and of the page itself. */
static void test_places(void) {
    static const size_t offsets[] = {0,    1,    2,    3,    4,    5,    46,   47,   48,
                                     49,   50,   51,   52,   53,   54,   4074, 4080, 4081,
                                     4082, 4083, 4084, 4085, 4086, 4087, 4088, 4090};
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        uint8_t *code = site_make(offsets[i]);
        often(code);
        site_free(code);
    }
}

/* Two that overlap what the other would need. */
static void test_neighbours(void) {
    static const uint8_t two[] = {0xb8, 39, 0, 0, 0,    0x0f, 0x05, 0x89, 0xc6, 0xb8,
                                  110,  0,  0, 0, 0x0f, 0x05, 0x90, 0x0f, 0x05, 0xc3};
    uint8_t *page = site_room(1);
    long (*call)(void);

    memcpy(page, two, sizeof(two));
    CHECK_OK(mprotect(page, CHECK_PAGE, PROT_READ | PROT_EXEC));
    memcpy(&call, &page, sizeof(call));
    for (int i = 0; i < SITE_OFTEN; i++) /* the last: getppid's result is the number */
        (void)call();
    CHECK_OK(munmap(page, CHECK_PAGE));
}

/* The flags, a red zone with something in it, general and vector registers. */
static void test_registers(void) {
    uint8_t *code = site_make(128);
    uint8_t *site = code + SITE_OFFSET;
    (void)site;
    for (uint64_t i = 0; i < 4 * SITE_OFTEN; i++) {
        uint64_t flags = 0x202 | (i & 1) | (i & 2) << 1 | (i & 4) << 2 | (i & 8) << 3 |
                         (i & 16) << 3 | (i & 32) << 6 | (i & 64) << 4;
        uint64_t got, zone, rbx = ~i, r12 = i * 3, r15 = i << 40, xmm;
        struct seen saw;
        /* Enters behind the moves: eax is set here. */
        register struct seen *to __asm__("r8") = &saw;
        register uint64_t target __asm__("r9") = (uintptr_t)code + SITE_OFFSET;
        __asm__ volatile("mov %[i], %%r10\n\tmovq %%r10, %%xmm9\n\t"
                         "lea -256(%%rsp), %%rsp\n\t"
                         "lea 1f(%%rip), %%r11\n\tpush %%r11\n\t"
                         "push %[flags]\n\tpopfq\n\tmov %%r10, -64(%%rsp)\n\tjmp *%%r9\n\t"
                         "1: mov -72(%%rsp), %[zone]\n\tpushfq\n\tpop %[got]\n\tcld\n\t"
                         "lea 256(%%rsp), %%rsp\n\tmovq %%xmm9, %[xmm]"
                         : [zone] "=&r"(zone), [got] "=&r"(got), [xmm] "=&r"(xmm), "+b"(rbx)
                         : [i] "r"(i), [flags] "r"(flags), "a"(i % 3 == 0 ? 9999 : SYS_getpid),
                           "r"(to), "r"(target)
                         : "rcx", "r10", "r11", "xmm9", "memory", "cc");
        CHECK_EQ(zone, i);
        CHECK_EQ(xmm, i);
        CHECK_EQ(rbx, ~i);
        CHECK_EQ(r12, i * 3);
        CHECK_EQ(r15, i << 40);
        CHECK_EQ(got & 0xcd5, flags & 0xcd5);
        CHECK_EQ(saw.r11 & 0xcd5, flags & 0xcd5);
        CHECK_EQ(saw.rcx, target + 2);
    }
    site_free(code);
}

/* Whatever the kernel keeps there, the address is the program's. */
static void test_reached_page(void) {
    uint8_t *code = site_make(0);
    uint8_t *reach = code + SITE_OFFSET + 5 + SITE_REACH;
    uint8_t *page = (uint8_t *)((uintptr_t)reach & ~(CHECK_PAGE - 1));

    for (int round = 0; round < 3; round++) {
        often(code);
        uint8_t *at = mmap(
            page, 2 * CHECK_PAGE, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | (round == 1 ? MAP_FIXED_NOREPLACE : MAP_FIXED), -1, 0);
        CHECK(at == page);
        memset(at, 0xee, 2 * CHECK_PAGE);
        often(code);
        CHECK_EQ(at[CHECK_PAGE - 1], 0xee);
        CHECK_OK(munmap(at, 2 * CHECK_PAGE));
        often(code);
    }
    CHECK_ERR(mprotect(page, CHECK_PAGE, PROT_READ), ENOMEM);
    often(code);
    CHECK(mmap(page, CHECK_PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == page);
    CHECK_OK(munmap(page, CHECK_PAGE));
    site_free(code);
}

/* The program changes its own text. */
static void test_text_changes(void) {
    static const uint8_t other[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
    uint8_t *code = site_make(0);

    for (int round = 0; round < 3; round++) {
        often(code);
        CHECK_OK(mprotect(code, CHECK_PAGE, PROT_READ | PROT_WRITE));
        CHECK_EQ(memcmp(code, site_code, sizeof(site_code)), 0);
        memcpy(code, other, sizeof(other));
        CHECK_OK(mprotect(code, CHECK_PAGE, PROT_READ | PROT_EXEC));
        CHECK_EQ(site_function(code)(0, 0, 0, 0, NULL), 42);
        CHECK_OK(mprotect(code, CHECK_PAGE, PROT_READ | PROT_WRITE));
        memcpy(code, site_code, sizeof(site_code));
        CHECK_OK(mprotect(code, CHECK_PAGE, PROT_READ | PROT_EXEC));
    }
    often(code);
    CHECK_OK(madvise(code, CHECK_PAGE, MADV_DONTNEED));
    CHECK_EQ(code[SITE_OFFSET], 0);
    site_free(code);
}

/* Code that is written where it runs. */
static void test_writable_text(void) {
    uint8_t *code = site_make(0);
    CHECK_OK(mprotect(code, CHECK_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
    often(code);
    CHECK_EQ(memcmp(code, site_code, sizeof(site_code)), 0);
    code[SITE_OFFSET] = code[SITE_OFFSET + 1] = 0x90;
    CHECK_EQ(site_function(code)(123, 0, 0, 0, &(struct seen){0, 0}), 123);
    site_free(code);
}

/* Moved with mremap(2), and mapped twice. */
static void test_moved_text(void) {
    uint8_t *code = site_make(0);
    often(code);
    uint8_t *to = site_room(2);
    CHECK(mremap(code, 2 * CHECK_PAGE, 2 * CHECK_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    CHECK_EQ(memcmp(to, site_code, sizeof(site_code)), 0);
    often(to);
    site_free(to);
}

/* Text of a file: shared with others, who do not see what becomes of it. */
static void test_file_text(void) {
    int fd = memfd_create("text", 0);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, site_code, sizeof(site_code)), (long)sizeof(site_code));
    uint8_t *a = site_room(1), *b = site_room(1);
    const uint8_t *seen = mmap(NULL, CHECK_PAGE, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(mmap(a, CHECK_PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0) == a);
    CHECK(mmap(b, CHECK_PAGE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 0) == b);
    often(a);
    often(b);
    CHECK_EQ(memcmp(seen, site_code, sizeof(site_code)), 0);
    CHECK_EQ(memcmp(b, site_code, sizeof(site_code)), 0);
    CHECK_OK(munmap((void *)seen, CHECK_PAGE));
    CHECK_OK(munmap(a, CHECK_PAGE));
    CHECK_OK(munmap(b, CHECK_PAGE));
    close(fd);
}

/* What debuggers read and write. */
static void test_proc_mem(void) {
    static const uint8_t nops[] = {0x90, 0x90};
    uint8_t *code = site_make(0), bytes[sizeof(site_code)];
    int fd = open("/proc/self/mem", O_RDWR);

    CHECK(fd >= 0);
    often(code);
    CHECK_EQ(pread(fd, bytes, sizeof(bytes), (off_t)code), (long)sizeof(bytes));
    CHECK_EQ(memcmp(bytes, site_code, sizeof(bytes)), 0);
    CHECK_EQ(pwrite(fd, nops, sizeof(nops), (off_t)code + SITE_OFFSET), 2);
    CHECK_EQ(site_function(code)(77, 0, 0, 0, &(struct seen){0, 0}), 77);
    CHECK_EQ(pwrite(fd, site_code, sizeof(site_code), (off_t)code), (long)sizeof(site_code));
    often(code);
    close(fd);
    site_free(code);
}

int main(void) {
    test_numbers();
    test_places();
    test_neighbours();
    test_registers();
    test_reached_page();
    test_text_changes();
    test_writable_text();
    test_moved_text();
    test_file_text();
    test_proc_mem();
    return 0;
}
