/* SPDX-License-Identifier: MIT */
/* Starting and interrupting other virtual CPUs.  A CPU has two frames: struct percpu and its task
 * state segment (Intel SDM vol. 3, 8.7) in the first, the doors of rewritten sites in the second.
 */
#include <hermit/boot.h>
#include <hermit/rewrite.h>
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "apic.h"
#include "cpu.h"
#include "percpu_offsets.h"

#define TSS_RSP0 4
#define TSS_IST1 36

_Static_assert(PC_SIZE <= AREA_TSS, "the task state segment follows");

extern const char boot_tss[], boot_tss_end[];

struct percpu *cpu_area_create(uint32_t id, gva_t *tss) {
    gpa_t frame = frame_alloc_order(AREA_ORDER);
    if (frame == 0) return NULL;
    char *area = frame_ptr(frame);
    struct percpu *cpu = (struct percpu *)area;
    cpu->self = cpu;
    cpu->gate = 1;
    cpu->id = id;
    cpu->idle = CPU_HALTED;
    uint64_t rsp0 = (uint64_t)cpu + PC_TRAP_STACK_TOP, ist1 = (uint64_t)cpu + PC_IRQ_STACK_TOP;
    kassert(boot_tss_end - boot_tss <= PAGE_SIZE - AREA_TSS);
    memcpy(area + AREA_TSS, boot_tss, (size_t)(boot_tss_end - boot_tss));
    memcpy(area + AREA_TSS + TSS_RSP0, &rsp0, sizeof(rsp0));
    memcpy(area + AREA_TSS + TSS_IST1, &ist1, sizeof(ist1));
    memcpy(area + HERMIT_GS_CALLS, (const char *)percpu() + HERMIT_GS_CALLS, PAGE_SIZE);
    cpu->leaf_stack = (uint64_t)&cpu->leaf_stack;
    *tss = (gva_t)(area + AREA_TSS);
    return cpu;
}

void cpu_area_free(struct percpu *cpu) {
    for (unsigned i = 0; i < 1U << AREA_ORDER; i++)
        frame_put(frame_gpa(cpu) + i * PAGE_SIZE);
}

static bool on_qemu(void) { return boot_info()->engine == HERMIT_ENGINE_QEMU; }

bool cpu_boot(struct percpu *cpu, gva_t tss) {
    if (on_qemu()) return apic_boot_cpu(cpu, tss);
    union hc_args a = {
        .cpu_start = {.cpu = cpu->id, .gs_base = (gva_t)cpu, .tss = tss, .cr3 = cpu->root}};
    return hypercall(HC_CPU_START, &a) == 0;
}

void cpu_interrupt(uint32_t id, bool runs) {
    if (on_qemu())
        apic_interrupt(id);
    else if (runs && (boot_info()->flags & HERMIT_BOOT_IPI))
        arch_outb(HERMIT_PORT_IPI, (uint8_t)id);
    else
        arch_outb(HERMIT_PORT_KICK, (uint8_t)id);
}

void cpu_yield_host(void) {
    if (!on_qemu()) arch_outb(HERMIT_PORT_YIELD, 0);
}
