/* SPDX-License-Identifier: MIT */
/* Four-level page tables; the tables themselves are RAM frames seen through the direct map. */
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/smp.h>
#include <kernel/string.h>

#include "cpu.h"
#include "percpu_offsets.h"

#define TABLE_FLAGS (PTE_P | PTE_W | PTE_U | PTE_A)

extern uint64_t boot_pml4[512], kernel_pdpt[512];
static bool boot_root_given;

static unsigned level_index(gva_t gva, unsigned level) {
    return (gva >> (PAGE_SHIFT + 9 * level)) & 511;
}

gpa_t paging_create_root(void) {
    if (!boot_root_given) { /* the tables that we run on serve the first program */
        boot_root_given = true;
        return percpu()->root = frame_gpa(boot_pml4);
    }
    gpa_t root = frame_alloc();
    if (root == 0) return 0;
    uint64_t *pml4 = frame_ptr(root);
    pml4[KERNEL_SLOT] = frame_gpa(kernel_pdpt) | PTE_P | PTE_W | PTE_U;
    return root;
}

/* Tables of the kernel image are not frames. */
static void drop_table(gpa_t table) {
    if (frame_is_ram(table)) frame_put(table);
}

/* level 1 is a table of page entries, which the caller has emptied. */
static void destroy_level(gpa_t table, unsigned level) {
    const uint64_t *entries = frame_ptr(table);
    for (unsigned i = 0; i < 512 && level > 1; i++) {
        if (entries[i] & PTE_P) destroy_level(entries[i] & PTE_GPA, level - 1);
    }
    drop_table(table);
}

/* A root that an idle CPU is still on ends with its last user: until then its first entry, of no
 * further use, says so. */
#define ROOT_DESTROYED PTE_NONE

void paging_destroy_root(gpa_t root) {
    uint64_t *pml4 = frame_ptr(root);
    for (unsigned i = 0; i < KERNEL_SLOT; i++) {
        uint64_t old = pml4[i];
        pte_set(&pml4[i], 0);
        if (old & PTE_P) destroy_level(old & PTE_GPA, 3);
    }
    smp_flush(root);
    if (smp_root_in_use(root))
        pte_set(&pml4[0], ROOT_DESTROYED);
    else
        drop_table(root);
}

void paging_reload(void) { monitor_set_cr3(percpu()->root); }

void paging_activate(gpa_t root) {
    struct percpu *cpu = percpu();
    gpa_t old = cpu->root;
    if (root == old) return;
    cpu->root = root;
    cpu->flush = 0;
    paging_reload();
    const uint64_t *pml4 = frame_ptr(old);
    if (pml4[0] == ROOT_DESTROYED && !smp_root_in_use(old)) drop_table(old);
}

void paging_flush(gpa_t root) {
    smp_flush_begin(root);
    if (percpu()->root == root) paging_reload();
    smp_flush_end(root);
}

void paging_flush_page(gpa_t root, gva_t page) {
    smp_flush_begin(root);
    if (percpu()->root == root) monitor_flush_page(page);
    smp_flush_end(root);
}

static uint64_t *next_table(uint64_t *entry, bool create) {
    if (!(*entry & PTE_P)) {
        if (!create) return NULL;
        gpa_t table = frame_alloc();
        if (table == 0) return NULL;
        pte_set(entry, table | TABLE_FLAGS);
    }
    return frame_ptr(*entry & PTE_GPA);
}

uint64_t *paging_table(gpa_t root, gva_t gva, bool create) {
    uint64_t *table = frame_ptr(root);
    for (unsigned level = 3; level >= 1 && table != NULL; level--) {
        table = next_table(&table[level_index(gva, level)], create);
    }
    return table;
}

bool paging_drop_table(gpa_t root, gva_t gva) {
    uint64_t *table = frame_ptr(root);
    for (unsigned level = 3; level >= 2 && table != NULL; level--) {
        table = next_table(&table[level_index(gva, level)], false);
    }
    if (table == NULL) return false;
    uint64_t *entry = &table[level_index(gva, 1)];
    if (!(*entry & PTE_P)) return false;
    gpa_t gone = *entry & PTE_GPA;
    pte_set(entry, 0);
    frame_put(gone);
    return true;
}

uint64_t *paging_direct_entry(gpa_t gpa) {
    return &kernel_pdpt[level_index(HERMIT_DIRECT_GVA + gpa, 2)];
}

void paging_link_direct(uint64_t *pd, gpa_t pd_gpa, gpa_t gib) {
    for (unsigned i = 0; i < 512; i++) {
        pte_set(&pd[i], (gib + i * 0x200000ULL) | TABLE_FLAGS | PTE_D | PTE_PS | PTE_NX);
    }
    pte_set(paging_direct_entry(gib), pd_gpa | TABLE_FLAGS);
}

bool paging_direct_add(gpa_t gpa, uint64_t len) {
    const uint64_t gib = 1ULL << 30;
    for (gpa_t at = gpa & ~(gib - 1); at < gpa + len; at += gib) {
        if (*paging_direct_entry(at) & PTE_P) continue;
        gpa_t table = frame_alloc();
        if (table == 0) return false;
        paging_link_direct(frame_ptr(table), table, at);
    }
    return true;
}
