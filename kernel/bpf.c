/* SPDX-License-Identifier: MIT */
/* Checks and runs classic BPF programs.  Owns nothing. */
#include "bpf.h"

#define WORD_BITS 32

/* Instructions that compute, jump or move: those of socket filters without the packet's. */
static bool plain_instruction(uint16_t code) {
    switch (code) {
    case BPF_LD | BPF_IMM:
    case BPF_LD | BPF_MEM:
    case BPF_LD | BPF_W | BPF_ABS:
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_IMM:
    case BPF_LDX | BPF_MEM:
    case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_ST:
    case BPF_STX:
    case BPF_RET | BPF_K:
    case BPF_RET | BPF_A:
    case BPF_MISC | BPF_TAX:
    case BPF_MISC | BPF_TXA:
    case BPF_JMP | BPF_JA:
    case BPF_ALU | BPF_NEG:
        return true;
    default:
        break;
    }
    uint16_t operation = BPF_OP(code);
    if ((code & ~(uint16_t)(BPF_SRC(code) | operation)) == BPF_JMP)
        return operation >= BPF_JEQ && operation <= BPF_JSET;
    if ((code & ~(uint16_t)(BPF_SRC(code) | operation)) == BPF_ALU)
        return operation <= BPF_RSH || operation == BPF_XOR;
    return false;
}

static bool operand_valid(const struct sock_filter *f, uint32_t left, uint32_t size) {
    switch (f->code) {
    case BPF_LD | BPF_W | BPF_ABS:
        return f->k < size && f->k % sizeof(uint32_t) == 0;
    case BPF_ALU | BPF_DIV | BPF_K:
        return f->k != 0;
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K:
        return f->k < WORD_BITS;
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
        return f->k < BPF_MEMWORDS;
    case BPF_JMP | BPF_JA:
        return f->k < left;
    default:
        return BPF_CLASS(f->code) != BPF_JMP || (f->jt < left && f->jf < left);
    }
}

/* masks[i]: the words of memory that every way to instruction i has written. */
static bool reads_written(const struct sock_filter *code, uint32_t count, uint16_t *masks) {
    uint16_t valid = 0;
    for (uint32_t i = 0; i < count; i++)
        masks[i] = UINT16_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const struct sock_filter *f = &code[i];
        valid &= masks[i];
        switch (BPF_CLASS(f->code)) {
        case BPF_ST:
        case BPF_STX:
            valid |= (uint16_t)(1u << f->k);
            break;
        case BPF_LD:
        case BPF_LDX:
            if (BPF_MODE(f->code) == BPF_MEM && !(valid & 1u << f->k)) return false;
            break;
        case BPF_JMP:
            if (BPF_OP(f->code) == BPF_JA) {
                masks[i + 1 + f->k] &= valid;
            } else {
                masks[i + 1 + f->jt] &= valid;
                masks[i + 1 + f->jf] &= valid;
            }
            valid = UINT16_MAX; /* only jumps lead to the next one */
            break;
        default:
            break;
        }
    }
    return true;
}

bool bpf_valid(const struct sock_filter *code, uint32_t count, uint32_t size) {
    uint16_t masks[BPF_MAXINSNS];
    if (count == 0 || count > BPF_MAXINSNS) return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!plain_instruction(code[i].code)) return false;
        if (!operand_valid(&code[i], count - i - 1, size)) return false;
    }
    if (BPF_CLASS(code[count - 1].code) != BPF_RET) return false;
    return reads_written(code, count, masks);
}

static uint32_t compute(uint16_t operation, uint32_t a, uint32_t b) {
    switch (operation) {
    case BPF_ADD:
        return a + b;
    case BPF_SUB:
        return a - b;
    case BPF_MUL:
        return a * b;
    case BPF_DIV:
        return a / b;
    case BPF_OR:
        return a | b;
    case BPF_AND:
        return a & b;
    case BPF_XOR:
        return a ^ b;
    case BPF_LSH:
        return a << (b % WORD_BITS);
    case BPF_RSH:
        return a >> (b % WORD_BITS);
    default:
        return -a;
    }
}

static bool condition(uint16_t operation, uint32_t a, uint32_t b) {
    switch (operation) {
    case BPF_JEQ:
        return a == b;
    case BPF_JGT:
        return a > b;
    case BPF_JGE:
        return a >= b;
    default:
        return (a & b) != 0;
    }
}

uint32_t bpf_run(const struct sock_filter *f, const void *data, uint32_t size) {
    uint32_t a = 0, x = 0, memory[BPF_MEMWORDS] = {0};
    for (;; f++) {
        uint32_t operand = BPF_SRC(f->code) == BPF_X ? x : f->k;
        uint32_t *to = BPF_CLASS(f->code) == BPF_LDX ? &x : &a;
        switch (BPF_CLASS(f->code)) {
        case BPF_LD:
        case BPF_LDX:
            if (BPF_MODE(f->code) == BPF_IMM)
                *to = f->k;
            else if (BPF_MODE(f->code) == BPF_MEM)
                *to = memory[f->k];
            else if (BPF_MODE(f->code) == BPF_LEN)
                *to = size;
            else
                *to = ((const uint32_t *)data)[f->k / sizeof(uint32_t)];
            break;
        case BPF_ST:
            memory[f->k] = a;
            break;
        case BPF_STX:
            memory[f->k] = x;
            break;
        case BPF_ALU:
            if (BPF_OP(f->code) == BPF_DIV && operand == 0) return 0;
            a = compute(BPF_OP(f->code), a, operand);
            break;
        case BPF_JMP:
            if (BPF_OP(f->code) == BPF_JA)
                f += f->k;
            else
                f += condition(BPF_OP(f->code), a, operand) ? f->jt : f->jf;
            break;
        case BPF_RET:
            return BPF_RVAL(f->code) == BPF_A ? a : f->k;
        default:
            if (BPF_MISCOP(f->code) == BPF_TAX)
                x = a;
            else
                a = x;
            break;
        }
    }
}
