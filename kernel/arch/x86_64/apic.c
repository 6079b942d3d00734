/* SPDX-License-Identifier: MIT */
/* See apic.h.  CPUs are numbered as their APICs are. */
#include "apic.h"

#include <kernel/arch.h>
#include <kernel/clock.h>
#include <kernel/frame.h>
#include <kernel/string.h>

#include "cpu.h"
#include "percpu_offsets.h"

#define LARGE_PAGE 0x200000ULL
#define APIC_SPURIOUS 0xf0
#define APIC_ENABLE (1u << 8)
#define APIC_SPURIOUS_VECTOR 0x3f
#define APIC_ICR_LOW 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LINT0 0x350
#define APIC_EXTINT 0x700
#define APIC_MASKED 0x10000
#define ICR_PENDING (1u << 12)
#define ICR_FIXED 0x4000u
#define ICR_INIT 0x4500u
#define ICR_STARTUP 0x4600u
#define ANSWER_MS 10000 /* an emulated CPU on a busy machine */
#define GDT_BYTES 0x50
#define TABLE_FLAGS (PTE_P | PTE_W | PTE_A)

extern uint64_t image_pd[512], kernel_pdpt[512];
extern const char boot_gdt[], tss_descriptor[], ap_start[], ap_start_end[];
/* The area of the CPU that is being started.  It takes it, leaving AP_TAKEN, and puts NULL here
 * when it needs the code and tables that it started on no more. */
struct percpu *ap_cpu;
void ap_wire_apic(void);

static volatile uint32_t *reg(uint32_t offset) {
    return (volatile uint32_t *)(LOCAL_APIC_GVA + offset);
}

void apic_enable(bool extint) {
    *reg(APIC_SPURIOUS) = APIC_ENABLE | APIC_SPURIOUS_VECTOR;
    *reg(APIC_LINT0) = extint ? APIC_EXTINT : APIC_MASKED;
}

void ap_wire_apic(void) { apic_enable(false); }

static void send(uint32_t id, uint32_t command) {
    while (*reg(APIC_ICR_LOW) & ICR_PENDING)
        arch_pause();
    *reg(APIC_ICR_HIGH) = id << 24;
    *reg(APIC_ICR_LOW) = command;
}

void apic_interrupt(uint32_t id) { send(id, ICR_FIXED | HERMIT_VEC_IPI); }

/* The kernel runs in ring 3. */
static void open_to_ring3(void) {
    if (image_pd[511] & PTE_U) return;
    pte_set(&image_pd[511], image_pd[511] | PTE_U);
    paging_reload();
}

/* Its first code and the tables it starts on: one to one for the code and the descriptor table in
 * the image's data, and the kernel window. */
static void put_start_code(void) {
    uint64_t *pml4 = frame_ptr(AP_TABLES_GPA), *pdpt = pml4 + 512, *pd = pdpt + 512;
    memset(pml4, 0, 3 * PAGE_SIZE);
    pml4[0] = (AP_TABLES_GPA + PAGE_SIZE) | TABLE_FLAGS;
    pdpt[0] = (AP_TABLES_GPA + 2 * PAGE_SIZE) | TABLE_FLAGS;
    for (gpa_t at = 0; at <= KERNEL_DATA_GPA; at += LARGE_PAGE)
        pd[at / LARGE_PAGE] = at | TABLE_FLAGS | PTE_PS | PTE_D;
    pml4[KERNEL_SLOT] = frame_gpa(kernel_pdpt) | TABLE_FLAGS | PTE_U;
    memcpy(frame_ptr(AP_START_GPA), ap_start, (size_t)(ap_start_end - ap_start));
}

/* ltr marks the descriptor busy, so each CPU needs its own (SDM vol. 3, 8.2.3). */
static void put_gdt(struct percpu *cpu, gva_t tss) {
    uint8_t *gdt = (uint8_t *)cpu + AREA_GDT, *at = gdt + (tss_descriptor - boot_gdt);
    memcpy(gdt, boot_gdt, GDT_BYTES);
    at[2] = (uint8_t)tss;
    at[3] = (uint8_t)(tss >> 8);
    at[4] = (uint8_t)(tss >> 16);
    at[5] = 0x89; /* available */
    at[7] = (uint8_t)(tss >> 24);
    uint32_t high = (uint32_t)(tss >> 32);
    memcpy(at + 8, &high, sizeof(high));
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } descriptor = {GDT_BYTES - 1, (uint64_t)gdt};
    memcpy((uint8_t *)cpu + AREA_GDT_DESCRIPTOR, &descriptor, sizeof(descriptor));
}

static bool answered(uint64_t ms) {
    for (uint64_t start = arch_tsc(); arch_tsc() - start < ms * clock_tsc_khz();) {
        if (__atomic_load_n(&ap_cpu, __ATOMIC_ACQUIRE) == NULL) return true;
        arch_pause();
    }
    return false;
}

/* Before the CPU has taken the area, it can be had back. */
static bool revoke(struct percpu *cpu) {
    if (__atomic_compare_exchange_n(&ap_cpu, &cpu, NULL, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return true;
    while (__atomic_load_n(&ap_cpu, __ATOMIC_ACQUIRE) != NULL)
        arch_pause();
    return false;
}

bool apic_boot_cpu(struct percpu *cpu, gva_t tss) {
    static bool late; /* one may come yet, and needs the code as it is */
    if (late) return false;
    open_to_ring3();
    put_start_code();
    put_gdt(cpu, tss);
    __atomic_store_n(&ap_cpu, cpu, __ATOMIC_SEQ_CST);
    send(cpu->id, ICR_INIT);
    answered(1); /* the manual wants 10 ms after INIT; an emulated CPU needs none */
    send(cpu->id, ICR_STARTUP | AP_START_GPA >> 12);
    if (answered(ANSWER_MS)) return true;
    late = revoke(cpu);
    return !late;
}
