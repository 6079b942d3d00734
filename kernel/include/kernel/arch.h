/* SPDX-License-Identifier: MIT */
/* What the portable part of the kernel asks of the CPU. */
#ifndef KERNEL_ARCH_H
#define KERNEL_ARCH_H

#include <kernel/types.h>

struct regs;

static inline uint64_t arch_tsc(void) {
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}

static inline void arch_outb(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t arch_inb(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void arch_pause(void) { __asm__ volatile("pause" : : : "memory"); }

/* Halts until an interrupt comes, or returns at once if percpu()->pending is set. */
void arch_idle(void);

/* Other CPUs (smp.c).  The memory of a new one and the address of its task state segment; NULL: no
 * memory. */
struct percpu *cpu_area_create(uint32_t id, gva_t *tss);
void cpu_area_free(struct percpu *cpu);
/* Starts it at sched_cpu_main(), on its kstack_top. */
bool cpu_boot(struct percpu *cpu, gva_t tss);
/* Interrupts that CPU; runs: it is in the program, else it may sleep in the loader. */
void cpu_interrupt(uint32_t id, bool runs);
/* Lets the host run another CPU. */
void cpu_yield_host(void);

/* Page-table entry bits (Intel SDM vol. 3, table 4-19). */
#define PTE_P 1ULL
#define PTE_W 2ULL
#define PTE_U 4ULL
#define PTE_A 0x20ULL
#define PTE_D 0x40ULL
#define PTE_PS 0x80ULL
#define PTE_NONE 0x200ULL /* software: frame kept, access forbidden (PROT_NONE), P clear */
#define PTE_NX (1ULL << 63)
#define PTE_GPA 0x000ffffffffff000ULL

/* A new top-level table with the kernel window in it, or 0. */
gpa_t paging_create_root(void);
/* Frees all tables of the program's half; frames are the caller's affair. */
void paging_destroy_root(gpa_t root);
/* Makes root the current address space of this CPU. */
void paging_activate(gpa_t root);
/* Forgets cached translations of the program's half on this CPU. */
void paging_reload(void);
/* The 512-entry table that maps the 2 MiB around gva; NULL if there is none and !create, or when
 * memory is exhausted. */
uint64_t *paging_table(gpa_t root, gva_t gva, bool create);
/* Frees the table around gva, which must be empty; false if there is none.  A flush of any page is
 * due. */
bool paging_drop_table(gpa_t root, gva_t gva);
/* Forgets cached translations of root's program half on every CPU, before it returns or before the
 * CPU touches the program again. */
void paging_flush(gpa_t root);
/* The same for one page. */
void paging_flush_page(gpa_t root, gva_t page);
/* Makes [gpa, gpa+len) visible through frame_ptr(). False when memory is exhausted. */
bool paging_direct_add(gpa_t gpa, uint64_t len);

/* Index of gva within its paging_table(). */
static inline unsigned paging_index(gva_t gva) { return (gva >> PAGE_SHIFT) & 511; }
/* One plain 8-byte store: software KVM emulates writes to live tables. */
static inline void pte_set(uint64_t *pte, uint64_t value) {
    __asm__ volatile("movq %1, %0" : "=m"(*pte) : "r"(value));
}

#endif
