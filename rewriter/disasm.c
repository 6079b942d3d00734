/* SPDX-License-Identifier: MIT */
/* See disasm.h.  Owns the Capstone handle. */
#include <capstone/capstone.h>
#include <stdlib.h>
#include <string.h>

#include <rewriter/disasm.h>

struct disasm {
    csh handle;
    cs_insn *insn;
};

struct disasm *disasm_open(void) {
    struct disasm *d = calloc(1, sizeof(*d));
    if (d == NULL) return NULL;
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &d->handle) != CS_ERR_OK) {
        free(d);
        return NULL;
    }
    cs_option(d->handle, CS_OPT_DETAIL, CS_OPT_ON);
    d->insn = cs_malloc(d->handle);
    if (d->insn == NULL) {
        cs_close(&d->handle);
        free(d);
        return NULL;
    }
    return d;
}

void disasm_close(struct disasm *d) {
    if (d == NULL) return;
    cs_free(d->insn, 1);
    cs_close(&d->handle);
    free(d);
}

/* Number of the register that a name of any width belongs to; narrow: not all of it. */
static uint8_t gpr_of(unsigned reg, bool *narrow) {
    static const uint16_t wide[][GPR_COUNT] = {
        {X86_REG_RAX, X86_REG_RCX, X86_REG_RDX, X86_REG_RBX, X86_REG_RSP, X86_REG_RBP, X86_REG_RSI,
         X86_REG_RDI, X86_REG_R8, X86_REG_R9, X86_REG_R10, X86_REG_R11, X86_REG_R12, X86_REG_R13,
         X86_REG_R14, X86_REG_R15},
        {X86_REG_EAX, X86_REG_ECX, X86_REG_EDX, X86_REG_EBX, X86_REG_ESP, X86_REG_EBP, X86_REG_ESI,
         X86_REG_EDI, X86_REG_R8D, X86_REG_R9D, X86_REG_R10D, X86_REG_R11D, X86_REG_R12D,
         X86_REG_R13D, X86_REG_R14D, X86_REG_R15D},
        {X86_REG_AX, X86_REG_CX, X86_REG_DX, X86_REG_BX, X86_REG_SP, X86_REG_BP, X86_REG_SI,
         X86_REG_DI, X86_REG_R8W, X86_REG_R9W, X86_REG_R10W, X86_REG_R11W, X86_REG_R12W,
         X86_REG_R13W, X86_REG_R14W, X86_REG_R15W},
        {X86_REG_AL, X86_REG_CL, X86_REG_DL, X86_REG_BL, X86_REG_SPL, X86_REG_BPL, X86_REG_SIL,
         X86_REG_DIL, X86_REG_R8B, X86_REG_R9B, X86_REG_R10B, X86_REG_R11B, X86_REG_R12B,
         X86_REG_R13B, X86_REG_R14B, X86_REG_R15B},
        {X86_REG_AH, X86_REG_CH, X86_REG_DH, X86_REG_BH}};
    for (size_t width = 0; width < sizeof(wide) / sizeof(wide[0]); width++) {
        for (uint8_t n = 0; n < GPR_COUNT; n++) {
            if (reg == X86_REG_INVALID || wide[width][n] != reg) continue;
            *narrow = width >= 2;
            return n;
        }
    }
    return GPR_NONE;
}

static uint8_t whole_gpr(const cs_x86_op *op) {
    bool narrow = true;
    if (op->type != X86_OP_REG) return GPR_NONE;
    uint8_t n = gpr_of(op->reg, &narrow);
    return narrow ? GPR_NONE : n;
}

static void find_clobbers(struct disasm *d, struct insn *out) {
    cs_regs read, written;
    uint8_t nread, nwritten;
    bool narrow;
    if (cs_regs_access(d->handle, d->insn, read, &nread, written, &nwritten) != CS_ERR_OK) {
        out->clobbers = 0xffff & ~(1u << GPR_SP);
        return;
    }
    for (uint8_t i = 0; i < nwritten; i++) {
        uint8_t n = gpr_of(written[i], &narrow);
        if (n != GPR_NONE) out->clobbers |= (uint16_t)(1u << n);
    }
}

static bool is_stack_slot(const cs_x86_op *op) {
    return op->type == X86_OP_MEM && op->mem.base == X86_REG_RSP &&
           op->mem.index == X86_REG_INVALID && op->mem.segment == X86_REG_INVALID &&
           op->mem.disp == (int32_t)op->mem.disp;
}

static void find_move(const cs_x86_op *ops, struct insn *out) {
    uint8_t dst = whole_gpr(&ops[0]), src = whole_gpr(&ops[1]);
    if (dst != GPR_NONE && ops[1].type == X86_OP_IMM) {
        out->effect = EFFECT_CONST;
        out->imm = (uint64_t)ops[1].imm;
    } else if (dst != GPR_NONE && src != GPR_NONE) {
        out->effect = EFFECT_COPY;
    } else if (dst != GPR_NONE && is_stack_slot(&ops[1])) {
        out->effect = EFFECT_LOAD;
        out->disp = (int32_t)ops[1].mem.disp;
    } else if (is_stack_slot(&ops[0]) && (src != GPR_NONE || ops[1].type == X86_OP_IMM)) {
        out->effect = EFFECT_STORE;
        out->disp = (int32_t)ops[0].mem.disp;
        if (ops[1].type == X86_OP_IMM) out->imm = (uint64_t)ops[1].imm;
    }
    out->dst = dst;
    out->src = src;
    if (ops[0].type == X86_OP_REG && ops[0].size == 1 && ops[1].type == X86_OP_IMM) {
        bool narrow = true;
        unsigned reg = ops[0].reg;
        bool high =
            reg == X86_REG_AH || reg == X86_REG_BH || reg == X86_REG_CH || reg == X86_REG_DH;
        out->effect = high ? EFFECT_NONE : EFFECT_BYTE;
        out->dst = gpr_of(reg, &narrow);
        out->imm = (uint64_t)ops[1].imm;
    }
}

/* add, sub and lea: of interest on the stack pointer only. */
static void find_arithmetic(unsigned id, const cs_x86_op *ops, struct insn *out) {
    if (whole_gpr(&ops[0]) != GPR_SP) return;
    if (id == X86_INS_LEA && is_stack_slot(&ops[1])) {
        out->effect = EFFECT_STACK;
        out->imm = (uint64_t)ops[1].mem.disp;
    } else if (id != X86_INS_LEA && ops[1].type == X86_OP_IMM) {
        out->effect = EFFECT_STACK;
        out->imm = id == X86_INS_SUB ? -(uint64_t)ops[1].imm : (uint64_t)ops[1].imm;
    }
}

static bool is_cmov(unsigned id) {
    switch (id) {
    case X86_INS_CMOVA:
    case X86_INS_CMOVAE:
    case X86_INS_CMOVB:
    case X86_INS_CMOVBE:
    case X86_INS_CMOVE:
    case X86_INS_CMOVG:
    case X86_INS_CMOVGE:
    case X86_INS_CMOVL:
    case X86_INS_CMOVLE:
    case X86_INS_CMOVNE:
    case X86_INS_CMOVNO:
    case X86_INS_CMOVNP:
    case X86_INS_CMOVNS:
    case X86_INS_CMOVO:
    case X86_INS_CMOVP:
    case X86_INS_CMOVS:
        return true;
    default:
        return false;
    }
}

static void find_effect(struct disasm *d, struct insn *out) {
    const cs_x86 *x = &d->insn->detail->x86;
    const cs_x86_op *ops = x->operands;
    unsigned id = d->insn->id;
    find_clobbers(d, out);
    out->dst = out->src = GPR_NONE;
    if (id == X86_INS_PUSH && x->op_count == 1) {
        out->effect = EFFECT_PUSH;
        out->src = whole_gpr(&ops[0]);
        if (ops[0].type == X86_OP_IMM) out->imm = (uint64_t)ops[0].imm;
        /* From memory: a value nobody knows. */
        if (ops[0].type == X86_OP_MEM || (ops[0].type == X86_OP_REG && out->src == GPR_NONE))
            out->src = GPR_SP;
    } else if (id == X86_INS_POP && x->op_count == 1) {
        out->effect = EFFECT_POP;
        out->dst = whole_gpr(&ops[0]);
    }
    if (x->op_count != 2) return;
    uint8_t dst = whole_gpr(&ops[0]), src = whole_gpr(&ops[1]);
    if (id == X86_INS_MOV || id == X86_INS_MOVABS) {
        find_move(ops, out);
    } else if ((id == X86_INS_XOR || id == X86_INS_SUB) && dst != GPR_NONE && dst == src) {
        out->effect = EFFECT_CONST;
        out->dst = dst;
        out->imm = 0;
    } else if (id == X86_INS_ADD || id == X86_INS_SUB || id == X86_INS_LEA) {
        find_arithmetic(id, ops, out);
    } else if (is_cmov(id) && dst != GPR_NONE && src != GPR_NONE) {
        out->effect = EFFECT_MERGE;
        out->dst = dst;
        out->src = src;
    }
}

/* What stubs may execute in the site's place.  A list of what is known to be harmless: everything
 * else depends on its address, or is too rare before a system call to think about. */
static bool is_plain(unsigned id) {
    static const uint16_t plain[] = {
        X86_INS_ADC,    X86_INS_ADD,    X86_INS_AND,    X86_INS_BSWAP,  X86_INS_BT,
        X86_INS_BTR,    X86_INS_BTS,    X86_INS_CDQ,    X86_INS_CDQE,   X86_INS_CMP,
        X86_INS_CQO,    X86_INS_CWDE,   X86_INS_DEC,    X86_INS_IMUL,   X86_INS_INC,
        X86_INS_LEA,    X86_INS_MOV,    X86_INS_MOVABS, X86_INS_MOVAPS, X86_INS_MOVD,
        X86_INS_MOVDQA, X86_INS_MOVDQU, X86_INS_MOVQ,   X86_INS_MOVSX,  X86_INS_MOVSXD,
        X86_INS_MOVUPS, X86_INS_MOVZX,  X86_INS_NEG,    X86_INS_NOP,    X86_INS_NOT,
        X86_INS_OR,     X86_INS_POP,    X86_INS_PUSH,   X86_INS_PXOR,   X86_INS_ROL,
        X86_INS_ROR,    X86_INS_SAR,    X86_INS_SBB,    X86_INS_SETA,   X86_INS_SETAE,
        X86_INS_SETB,   X86_INS_SETBE,  X86_INS_SETE,   X86_INS_SETG,   X86_INS_SETGE,
        X86_INS_SETL,   X86_INS_SETLE,  X86_INS_SETNE,  X86_INS_SHL,    X86_INS_SHR,
        X86_INS_SUB,    X86_INS_TEST,   X86_INS_XCHG,   X86_INS_XOR,    X86_INS_XORPS};
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (plain[i] == id) return true;
    return is_cmov(id);
}

/* Selectors, control and debug registers: loading gs would take the way into the kernel away. */
static bool is_special(unsigned reg) {
    return reg == X86_REG_CS || reg == X86_REG_DS || reg == X86_REG_ES || reg == X86_REG_FS ||
           reg == X86_REG_GS || reg == X86_REG_SS || (reg >= X86_REG_CR0 && reg <= X86_REG_CR15) ||
           (reg >= X86_REG_DR0 && reg <= X86_REG_DR15);
}

static void find_movable(const cs_insn *insn, struct insn *out) {
    const cs_x86 *x = &insn->detail->x86;
    if (!is_plain(insn->id) || x->prefix[0] != 0 || x->addr_size != 8) return;
    for (uint8_t i = 0; i < x->op_count; i++) {
        const cs_x86_op *op = &x->operands[i];
        if (op->type == X86_OP_REG && is_special(op->reg)) return;
        if (op->type != X86_OP_MEM || op->mem.base != X86_REG_RIP) continue;
        int32_t disp;
        uint8_t at = x->encoding.disp_offset;
        if (x->encoding.disp_size != 4 || at == 0 || at + 4u > insn->size) return;
        memcpy(&disp, insn->bytes + at, sizeof(disp));
        if (disp != op->mem.disp) return;
        out->rip_disp = at;
    }
    out->movable = true;
}

static void find_operands(const cs_insn *insn, struct insn *out) {
    const cs_x86 *x = &insn->detail->x86;
    for (uint8_t i = 0; i < x->op_count; i++) {
        const cs_x86_op *op = &x->operands[i];
        if (op->type == X86_OP_IMM) {
            out->imm = (uint64_t)op->imm;
            out->has_imm = true;
        }
        if (op->type != X86_OP_MEM || op->mem.segment != X86_REG_INVALID) continue;
        if (op->mem.base == X86_REG_RIP)
            out->mem = insn->address + insn->size + (uint64_t)op->mem.disp;
        else if (op->mem.base == X86_REG_INVALID && op->mem.index == X86_REG_INVALID)
            out->mem = (uint64_t)op->mem.disp;
    }
    out->is_address = insn->id == X86_INS_LEA;
}

static enum insn_kind kind_of(const cs_insn *insn) {
    const cs_detail *detail = insn->detail;
    switch (insn->id) {
    case X86_INS_SYSCALL:
        return INSN_SYSCALL;
    case X86_INS_INT:
        return detail->x86.operands[0].imm == 0x80 ? INSN_INT80 : INSN_OTHER;
    case X86_INS_NOP:
    case X86_INS_INT3:
        return INSN_PADDING;
    case X86_INS_HLT:
    case X86_INS_UD2:
        return INSN_STOP;
    case X86_INS_JMP:
    case X86_INS_LJMP:
        return INSN_JUMP;
    case X86_INS_CALL:
    case X86_INS_LCALL:
        return INSN_CALL;
    default:
        break;
    }
    for (uint8_t i = 0; i < detail->groups_count; i++) {
        if (detail->groups[i] == X86_GRP_RET || detail->groups[i] == X86_GRP_IRET)
            return INSN_RETURN;
        /* loop is not among the jumps. */
        if (detail->groups[i] == X86_GRP_JUMP || detail->groups[i] == X86_GRP_BRANCH_RELATIVE)
            return INSN_BRANCH;
    }
    return INSN_OTHER;
}

/* A branch with 16 bits of displacement: some processors do that, some take 32. */
static bool is_ambiguous(const cs_insn *insn) {
    const cs_x86 *x = &insn->detail->x86;
    bool near = x->opcode[0] == 0xe8 || x->opcode[0] == 0xe9 ||
                (x->opcode[0] == 0x0f && (x->opcode[1] & 0xf0) == 0x80);
    return near && x->prefix[2] == 0x66 && (x->rex & 8) == 0;
}

bool disasm_next(struct disasm *d, const uint8_t *bytes, size_t len, uint64_t addr, bool effects,
                 struct insn *out) {
    if (len == 0) return false;
    *out = (struct insn){.addr = addr, .len = 1, .kind = INSN_BAD};
    const uint8_t *code = bytes;
    if (!cs_disasm_iter(d->handle, &code, &len, &addr, d->insn) || is_ambiguous(d->insn))
        return true;
    out->len = (uint8_t)d->insn->size;
    out->kind = (uint8_t)kind_of(d->insn);
    find_operands(d->insn, out);
    bool branch = out->kind == INSN_CALL || out->kind == INSN_JUMP || out->kind == INSN_BRANCH;
    if (branch && out->has_imm) {
        out->direct = true;
        out->target = out->imm;
        out->has_imm = false;
    }
    if (!effects) return true;
    find_effect(d, out);
    find_movable(d->insn, out);
    return true;
}
