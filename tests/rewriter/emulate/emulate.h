/* SPDX-License-Identifier: MIT */
/* Differential emulation: the same code before and after rewriting runs in Unicorn from the same
 * state, and must make the same system calls with the same registers, flags, reads and writes. */
#ifndef TESTS_EMULATE_H
#define TESTS_EMULATE_H

#include <unicorn/unicorn.h>

#include <rewriter/rewrite.h>

/* Where runs keep what is not of the object. */
#define EMU_STACK 0x7f0000000000ull /* with the red zone; rsp begins in its middle */
#define EMU_STACK_SIZE 0x4000ull
#define EMU_DATA 0x7e0000000000ull /* what registers may point to; fs is there too */
#define EMU_DATA_SIZE 0x2000ull
#define EMU_GS 0x7d0000000000ull   /* the words of hermit/rewrite.h */
#define EMU_DOOR 0x7c0000000000ull /* what they point to, 16 bytes each */
#define EMU_END 0x7b0000000000ull  /* where the first function returns to */

enum emu_version { EMU_OLD, EMU_LINUX, EMU_HERMIT, EMU_VERSIONS };
extern const char *const emu_version_names[EMU_VERSIONS];

struct emu_state {
    uint64_t regs[16], flags; /* in the order of the instruction set */
    uint64_t xmm[16][2];
};

/* A system call, or the end of a run. */
struct emu_event {
    uint64_t pc; /* as the old object has it */
    struct emu_state state;
    uint64_t accesses; /* a hash of all reads and writes until then */
    int error;         /* the end: of Unicorn; -1: too long */
    bool call;
};

#define EMU_EVENTS_MAX 8
struct emu_trace {
    struct emu_event events[EMU_EVENTS_MAX];
    unsigned count;
    bool wrong_slot; /* a slot for one call was used with another number */
};

/* One version of an object, loaded. */
struct emu_machine {
    uc_engine *uc;
    enum emu_version version;
    uint64_t bias;        /* of the object's addresses */
    bool hidden_code;     /* code cannot be read: it is not the same */
    const uint8_t *stubs; /* the segment in the file, NULL: none */
    struct hermit_stubs head;
    struct {
        uint64_t addr;
        uint8_t bytes[8];
    } * undo;
    size_t undos, undo_room;
    /* Of the run. */
    struct emu_trace *trace;
    unsigned steps, limit;
    uint64_t pc, accesses;
    bool over;
};

void emu_open(struct emu_machine *m, enum emu_version version);
void emu_close(struct emu_machine *m);
/* Maps the segments of e at bias; an object of the same shape may have been there. */
void emu_load(struct emu_machine *m, const struct elf_in *e, uint64_t bias);
/* Maps nothing to read or write where the new object has its stubs: who goes astray faults alike.
 */
void emu_reserve(struct emu_machine *m, uint64_t addr, uint64_t size);
/* Runs from entry (an address of the old object) until the program returns to EMU_END, faults,
 * makes too many calls or executes `limit` instructions.  Memory is afterwards as it was. */
void emu_run(struct emu_machine *m, uint64_t entry, const struct emu_state *from, unsigned limit,
             struct emu_trace *t);
/* Whether `is` does what `was` did; prints the difference. */
bool emu_same(const struct emu_trace *was, const struct emu_trace *is, const char *what);

/* emulate_random.c */
uint64_t emu_random(uint64_t *seed);
/* Registers that hold numbers and pointers. */
void emu_random_state(struct emu_state *s, uint64_t *seed);

/* An object of random code, and every address that something in it leads to. */
#define EMU_OBJECT_SIZE 0x4000u
#define EMU_ENTRIES_MAX 512
struct emu_object {
    _Alignas(16) uint8_t bytes[EMU_OBJECT_SIZE];
    uint64_t entries[EMU_ENTRIES_MAX];
    unsigned count;
};
void emu_random_object(struct emu_object *o, uint64_t seed);

#endif
