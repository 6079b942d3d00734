/* SPDX-License-Identifier: MIT */
/* Leaf calls: the words that answer them and what is done when one is interrupted.  Owns
 * percpu.leaf and the words of hermit/rewrite.h. */
#include <hermit/rewrite.h>
#include <kernel/leaf.h>
#include <kernel/process.h>
#include <kernel/smp.h>

#include "cpu.h"
#include "percpu_offsets.h"

extern const char leaf_code[], leaf_code_end[], syscall_door[];

#define LEAF_NUMBER(nr, name) [LEAF_##name] = (nr),
static const uint16_t numbers[LEAF_COUNT] = {LEAF_CALLS(LEAF_NUMBER)};

static uint64_t *slot(struct percpu *cpu, uint32_t nr) {
    return (uint64_t *)((char *)cpu + HERMIT_GS_CALL(nr));
}

void leaf_switched(struct percpu *cpu, const struct thread *t) {
    const struct process *p = t->process;
    cpu->leaf[LEAF_getpid] = (uint32_t)p->pid;
    cpu->leaf[LEAF_getuid] = p->uid;
    cpu->leaf[LEAF_getgid] = p->gid;
    cpu->leaf[LEAF_geteuid] = p->euid;
    cpu->leaf[LEAF_getegid] = p->egid;
    cpu->leaf[LEAF_getppid] = INIT_PID;
    cpu->leaf[LEAF_getpgrp] = (uint32_t)p->pgid;
    cpu->leaf[LEAF_gettid] = (uint32_t)t->tid;
}

void leaf_changed(void) {
    struct percpu *cpu;
    for (uint32_t i = 0; (cpu = cpu_get(i)) != NULL; i++)
        leaf_switched(cpu, cpu->thread);
}

void leaf_close(void) {
    struct percpu *cpu;
    for (uint32_t i = 0; (cpu = cpu_get(i)) != NULL; i++) {
        for (uint32_t k = 0; k < LEAF_COUNT; k++)
            __atomic_store_n(slot(cpu, numbers[k]), (uint64_t)syscall_door, __ATOMIC_RELAXED);
    }
}

bool leaf_open(uint32_t nr) {
    return nr < HERMIT_GS_CALLS_COUNT && *slot(percpu(), nr) != (uint64_t)syscall_door;
}

bool leaf_finish(struct regs *regs) {
    uint64_t at = regs->rip - (uint64_t)leaf_code, saved_rsp = regs->r11;
    regs->r11 = regs->rflags;
    regs->rip = regs->rcx;
    if (at >= (uint64_t)(leaf_code_end - leaf_code)) { /* rsp is the program's yet */
        regs->orig_rax = regs->rax;
        return true;
    }
    uint64_t offset = at % LEAF_CODE_SIZE;
    if (offset >= LEAF_MOVED && offset < LEAF_MOVED_END) regs->rsp = saved_rsp;
    regs->rax = percpu()->leaf[at / LEAF_CODE_SIZE];
    return false;
}
