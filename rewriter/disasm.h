/* SPDX-License-Identifier: MIT */
/* Decodes x86-64 instructions into what the analysis needs.  The one user of Capstone. */
#ifndef REWRITER_DISASM_H
#define REWRITER_DISASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disasm;

enum insn_kind {
    INSN_OTHER,
    INSN_BAD,     /* not an instruction: one byte was stepped over */
    INSN_PADDING, /* nop, int3 */
    INSN_SYSCALL,
    INSN_INT80, /* the 32-bit way into the kernel */
    INSN_CALL,
    INSN_JUMP,
    INSN_BRANCH, /* conditional jump */
    INSN_RETURN,
    INSN_STOP, /* hlt, ud2 */
};

/* General-purpose registers by their number in the instruction set. */
enum gpr { GPR_AX, GPR_CX, GPR_DX, GPR_BX, GPR_SP, GPR_BP, GPR_SI, GPR_DI, GPR_COUNT = 16 };
#define GPR_NONE 0xff

/* What an instruction does to the values that sites.c follows. */
enum insn_effect {
    EFFECT_NONE,  /* clobbers what `clobbers` says */
    EFFECT_CONST, /* dst = imm */
    EFFECT_BYTE,  /* lowest byte of dst = imm */
    EFFECT_COPY,  /* dst = src */
    EFFECT_MERGE, /* dst = dst or src (cmov) */
    EFFECT_LOAD,  /* dst = word at rsp + disp */
    EFFECT_STORE, /* word at rsp + disp = src, or imm if src is GPR_NONE */
    EFFECT_PUSH,  /* rsp -= 8; word at rsp = src, or imm if src is GPR_NONE */
    EFFECT_POP,   /* dst = word at rsp; rsp += 8 */
    EFFECT_STACK, /* rsp += imm */
};

struct insn {
    uint64_t addr;
    uint64_t target; /* of a direct call, jump or branch */
    uint64_t mem;    /* address of a memory operand that is fixed, 0: none */
    uint64_t imm;    /* of an immediate operand */
    int32_t disp;
    uint16_t clobbers; /* bit n: register n has another value afterwards */
    uint8_t len;
    uint8_t kind;   /* enum insn_kind */
    uint8_t effect; /* enum insn_effect */
    uint8_t dst, src;
    bool direct;     /* target is known */
    bool is_address; /* mem is not accessed: lea */
    bool has_imm;
    bool movable;     /* does the same at another place, as long as rip_disp is adjusted */
    uint8_t rip_disp; /* offset of the 4-byte displacement that counts from its end, 0: none */
};

/* NULL: Capstone refuses. */
struct disasm *disasm_open(void);
void disasm_close(struct disasm *d);
/* Decodes the instruction at addr, whose bytes are given.  False at the end only; what is not an
 * instruction comes as INSN_BAD, one byte long.  effects: fill effect, clobbers, movable and
 * rip_disp, which takes longer. */
bool disasm_next(struct disasm *d, const uint8_t *bytes, size_t len, uint64_t addr, bool effects,
                 struct insn *out);

#endif
