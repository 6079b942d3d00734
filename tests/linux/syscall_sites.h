/* SPDX-License-Identifier: MIT */
/* A `syscall` instruction in memory that the test makes: what stands around it, where its page is
 * and what becomes of that is the test's choice. */
#ifndef TESTS_LINUX_SYSCALL_SITES_H
#define TESTS_LINUX_SYSCALL_SITES_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"

/* long call(nr, a, b, c, saw): saw gets rcx and r11 as the call leaves them. */
struct seen {
    uint64_t rcx, r11;
};
typedef long site_call(long nr, long a, long b, long c, struct seen *saw);

#define SITE_OFFSET 11 /* of the syscall in it */
/* What follows it is a NOP whose bytes are a distance of 2 MiB, were they one. */
#define SITE_REACH 0x1f0f00ULL

static const uint8_t site_code[] = {
    0x89, 0xf8,             /* mov %edi, %eax */
    0x48, 0x89, 0xf7,       /* mov %rsi, %rdi */
    0x48, 0x89, 0xd6,       /* mov %rdx, %rsi */
    0x48, 0x89, 0xca,       /* mov %rcx, %rdx */
    0x0f, 0x05,             /* syscall */
    0x0f, 0x1f, 0x00,       /* nopl (%rax) */
    0x49, 0x89, 0x08,       /* mov %rcx, (%r8) */
    0x4d, 0x89, 0x58, 0x08, /* mov %r11, 8(%r8) */
    0xc3,                   /* ret */
};

/* Calls that are surely more than it takes to be noticed. */
#define SITE_OFTEN 300

static inline site_call *site_function(uint8_t *code) {
    site_call *call;
    memcpy(&call, &code, sizeof(call));
    return call;
}

/* Pages in the middle of nothing: `pages` of them, what they could reach is free. */
static inline uint8_t *site_room(size_t pages) {
    const size_t room = 64UL << 20;
    uint8_t *all = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(all != MAP_FAILED);
    CHECK_OK(munmap(all, room));
    uint8_t *at = mmap(all + room / 2, pages * CHECK_PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(at == all + room / 2);
    return at;
}

/* The function at `offset` of one fresh page, read and execute. */
static inline uint8_t *site_make(size_t offset) {
    uint8_t *page = site_room(2);
    memcpy(page + offset, site_code, sizeof(site_code));
    CHECK_OK(mprotect(page, 2 * CHECK_PAGE, PROT_READ | PROT_EXEC));
    return page + offset;
}

static inline void site_free(uint8_t *code) {
    uint8_t *page = (uint8_t *)((uintptr_t)code & ~(CHECK_PAGE - 1));
    CHECK_OK(munmap(page, 2 * CHECK_PAGE));
}

/* The call, with what `syscall` promises. */
static inline long site_run(uint8_t *code, long nr, long a, long b, long c) {
    struct seen saw = {0, 0};
    long r = site_function(code)(nr, a, b, c, &saw);
    CHECK_EQ(saw.rcx, (uintptr_t)code + SITE_OFFSET + 2);
    CHECK_EQ(saw.r11 & 0x202, 0x202);
    return r;
}

#endif
