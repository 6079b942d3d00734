/* SPDX-License-Identifier: MIT */
/* Makes any static program with Hermit's musl take the jumps on plain Linux, and checks them: the
 * words behind %gs lead to code that compares the number with the slot and goes to the `syscall`
 * that lies before the return address.  Linked in front of the program, as an object.
 *
 * Not exact in one thing: a signal that arrives in that code shows its PC, which musl's
 * cancellation does not know; a kernel never shows one. */
#include <hermit/rewrite.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARCH_SET_GS 0x1001
#define SLOT_BYTES 16

extern __attribute__((visibility("hidden"))) unsigned char __hermit;
extern const char jump_slots[], jump_door[];
unsigned long jump_calls;

__asm__(".pushsection .text\n"
        ".balign 16\n"
        "jump_slots:\n"
        ".set nr, 0\n"
        ".rept 511\n"
        ".balign 16\n"
        "cmp $nr, %rax\n"
        "je jump_door\n"
        "ud2\n"
        ".set nr, nr + 1\n"
        ".endr\n"
        ".balign 16\n"
        "jump_door:\n"
        "lock incq jump_calls(%rip)\n"
        "lea -2(%rcx), %rcx\n"
        "cmpw $0x050f, (%rcx)\n"
        "jne 1f\n"
        "jmp *%rcx\n"
        "1: ud2\n"
        ".popsection\n");

static const char *words[(HERMIT_GS_DOOR - HERMIT_GS_CALLS) / 8 + 1];

__attribute__((constructor)) static void jump_on(void) {
    for (int i = 0; i < HERMIT_GS_CALLS_COUNT; i++)
        words[i] = jump_slots + i * SLOT_BYTES;
    words[HERMIT_GS_CALLS_COUNT] = jump_door;
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, (uintptr_t)words - HERMIT_GS_CALLS) != 0) abort();
    __hermit = 1;
    unsigned long before = jump_calls;
    if (getppid() < 0 || syscall(SYS_getpid) < 0 || write(1, "", 0) != 0) abort();
    if (jump_calls != before + 3) abort();
}
