/* SPDX-License-Identifier: MIT */
/* What a rewritten ELF object holds, for those who make it (rewriter/), map it (kernel/) and for a
 * libc that calls the kernel directly (musl/).  Usable from assembly.
 *
 * A rewritten site does not execute `syscall`: it jumps to its stub, which executes the
 * instructions that the jump replaced, puts the address after the site into rcx and jumps into the
 * kernel through a word behind %gs.  Nothing is written to the program's stack (red zone, tiny
 * stacks).  The kernel returns to rcx and leaves the registers as `syscall` does.
 *
 * All stubs of an object lie in its stub segment: the last PT_LOAD, read and execute, above all
 * others.  It begins with struct hermit_stubs.  The file has it twice, with the same size and every
 * stub at the same place: the version that PT_LOAD names executes `syscall` (the object runs on any
 * Linux); the one at hermit_offset enters Hermit's kernel, which maps it in the other's place.
 *
 * A stub is: the moved instructions, each as long as it was (displacements are adjusted), then
 *   Hermit:  lea site+2(%rip), %rcx;  jmp *%gs:SLOT
 *   Linux:   jmp site, or syscall; jmp site+2 where nothing is moved and the site is a jump itself
 * and int3 up to its size.  So on Linux the program counter is the site's during the call, as a
 * libc's cancellation expects; Hermit's kernel reports it so.  SLOT is HERMIT_GS_CALL(nr) where the
 * moved instructions prove that eax is nr, else HERMIT_GS_DOOR.  Of the moved instructions the jump
 * replaces the first ones; those that begin behind it stay as they were and lead to the site.  The
 * bytes at the site always restart the call when they are executed (`syscall` itself, or a jump),
 * and site+2 always is the boundary where the program goes on. */
#ifndef HERMIT_REWRITE_H
#define HERMIT_REWRITE_H

/* Behind %gs while the program runs: a word for each of the first system calls, and one for any. */
#define HERMIT_GS_CALLS 4096
#define HERMIT_GS_CALLS_COUNT 511
#define HERMIT_GS_CALL(nr) (HERMIT_GS_CALLS + 8 * (nr))
#define HERMIT_GS_DOOR (HERMIT_GS_CALLS + 8 * HERMIT_GS_CALLS_COUNT)

/* Entry of the auxiliary vector: HERMIT_STUBS_VERSION; the words above can be used. */
#define AT_HERMIT 0x6865726d

#define HERMIT_STUBS_MAGIC "HermitRW"
#define HERMIT_STUBS_VERSION 1

#ifndef __ASSEMBLER__
#include <stdint.h>

/* How a site reaches its stub. */
enum hermit_tier {
    HERMIT_TIER_NONE = 0,
    HERMIT_TIER_PREVIOUS, /* jmp rel32 in the one instruction before the site */
    HERMIT_TIER_HOLE,     /* jmp rel8 at the site to a jmp rel32 in bytes that are not executed */
    HERMIT_TIER_PUN,      /* jmp rel32 at the site, its last three bytes are what follows */
    HERMIT_TIER_WINDOW,   /* jmp rel32 in the first of several instructions before the site */
};

struct hermit_site {
    uint64_t site;   /* bytes from the `syscall` up to struct hermit_stubs */
    uint32_t stub;   /* bytes from struct hermit_stubs to the stub */
    uint16_t length; /* bytes of the stub */
    uint8_t moved;   /* bytes of moved instructions, which end at the site; 0: none */
    uint8_t tier;    /* enum hermit_tier */
};
_Static_assert(sizeof(struct hermit_site) == 16, "on disk");

struct hermit_stubs {
    char magic[8];
    uint32_t version;
    uint32_t nsites;
    uint64_t addr;          /* of this header, before relocation; a multiple of the page size */
    uint64_t size;          /* bytes of the segment, a multiple of the page size */
    uint64_t hermit_offset; /* of Hermit's version in the file, a multiple of the page size */
    uint64_t sites;         /* bytes from here to struct hermit_site[nsites], by stub */
    uint64_t by_site;       /* bytes from here to uint32_t[nsites]: indices into it, by site */
    uint64_t reserved;
};
_Static_assert(sizeof(struct hermit_stubs) == 64, "on disk");
#endif

#endif
