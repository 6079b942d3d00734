/* SPDX-License-Identifier: MIT */
/* mprotect(2): protections are enforced, faults carry the right code and address. */
#include "check.h"
#include "fault.h"

#define RW (PROT_READ | PROT_WRITE)

static unsigned char *pages(int count, int prot) {
    unsigned char *p =
        mmap(NULL, (size_t)count * CHECK_PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    return p;
}

static void read_write(void) {
    unsigned char *p = pages(4, RW);
    memset(p, 3, 4 * CHECK_PAGE);
    CHECK_OK(mprotect(p + CHECK_PAGE, CHECK_PAGE, PROT_READ));
    CHECK_EQ(fault_writing(p + CHECK_PAGE + 5), SIGSEGV);
    CHECK_EQ(fault_code(), SEGV_ACCERR);
    CHECK(fault_address() == p + CHECK_PAGE + 5);
    CHECK_EQ(fault_reading(p + CHECK_PAGE), 0);
    CHECK_EQ(p[CHECK_PAGE], 3);
    CHECK_EQ(fault_writing(p + 2 * CHECK_PAGE), 0);
    CHECK_OK(mprotect(p, 4 * CHECK_PAGE, PROT_NONE));
    CHECK_EQ(fault_reading(p), SIGSEGV);
    CHECK_EQ(fault_code(), SEGV_ACCERR);
    CHECK_ERR(write(1, p, 1), EFAULT);
    CHECK_OK(mprotect(p, 4 * CHECK_PAGE, RW));
    CHECK_EQ(p[3 * CHECK_PAGE], 3);
    CHECK_EQ(fault_writing(p + CHECK_PAGE), 0);
    /* Many changes over many pages keep data and protections apart. */
    CHECK_OK(munmap(p, 4 * CHECK_PAGE));
    p = pages(64, RW);
    for (size_t i = 0; i < 64; i++)
        p[i * CHECK_PAGE] = (unsigned char)i;
    for (size_t i = 0; i < 64; i += 2)
        CHECK_OK(mprotect(p + i * CHECK_PAGE, CHECK_PAGE, PROT_READ));
    for (size_t i = 0; i < 64; i++) {
        CHECK_EQ(p[i * CHECK_PAGE], i);
        CHECK_EQ(fault_writing(p + i * CHECK_PAGE + 1), i % 2 ? 0 : SIGSEGV);
    }
    CHECK_OK(munmap(p, 64 * CHECK_PAGE));
    ok("read, write, none");
}

static void execute(void) {
    static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42,%eax; ret */
    unsigned char *p = pages(1, RW);
    memcpy(p, code, sizeof code);
    CHECK_EQ(fault_calling(p), SIGSEGV);
    CHECK_EQ(fault_code(), SEGV_ACCERR);
    CHECK(fault_address() == p);
    CHECK_OK(mprotect(p, CHECK_PAGE, PROT_READ | PROT_EXEC));
    int (*function)(void);
    memcpy(&function, &p, sizeof function);
    CHECK_EQ(function(), 42);
    CHECK_EQ(fault_writing(p), SIGSEGV);
    CHECK_OK(mprotect(p, CHECK_PAGE, RW));
    p[1] = 43;
    CHECK_OK(mprotect(p, CHECK_PAGE, PROT_READ | PROT_EXEC));
    CHECK_EQ(function(), 43);
    CHECK_OK(munmap(p, CHECK_PAGE));
    ok("execute");
}

static const int constant = 5;

static void program_image(void) {
    CHECK_EQ(fault_writing((void *)(uintptr_t)&constant), SIGSEGV);
    CHECK_EQ(constant, 5);
    void (*function)(void) = program_image;
    void *text;
    memcpy(&text, &function, sizeof text);
    CHECK_EQ(fault_writing(text), SIGSEGV);
    CHECK_EQ(fault_code(), SEGV_ACCERR);
    static unsigned char data[16] = {0xc3};
    CHECK_EQ(fault_calling(data), SIGSEGV);
    unsigned char stack[16] = {0xc3};
    __asm__ volatile("" : : "r"(stack) : "memory");
    CHECK_EQ(fault_calling(stack), SIGSEGV);
    CHECK_EQ(fault_reading(NULL), SIGSEGV);
    CHECK_EQ(fault_code(), SEGV_MAPERR);
    CHECK(fault_address() == NULL);
    ok("text, rodata, data, stack");
}

static void errors(void) {
    unsigned char *p = pages(3, RW);
    CHECK_ERR(syscall(SYS_mprotect, p + 1, CHECK_PAGE, PROT_READ), EINVAL);
    CHECK_OK(mprotect(p, 0, PROT_READ));
    CHECK_ERR(syscall(SYS_mprotect, p, CHECK_PAGE, 0x40), EINVAL);
    CHECK_OK(munmap(p + CHECK_PAGE, CHECK_PAGE));
    CHECK_ERR(mprotect(p, 3 * CHECK_PAGE, PROT_READ), ENOMEM);
    CHECK_ERR(mprotect(p + CHECK_PAGE, CHECK_PAGE, PROT_READ), ENOMEM);
    CHECK_OK(munmap(p, 3 * CHECK_PAGE));
    ok("errors");
}

int main(void) {
    fault_setup();
    read_write();
    execute();
    program_image();
    errors();
    return 0;
}
