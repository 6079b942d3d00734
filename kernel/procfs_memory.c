/* SPDX-License-Identifier: MIT */
/* /proc files about the machine's memory. */
#include <kernel/frame.h>
#include <kernel/mm.h>
#include <kernel/process.h>
#include <kernel/string.h>

#include "procfs.h"

/* Pages by use.  Frames that no mapping of the program holds are the kernel's and of the file
 * systems in RAM. */
struct usage {
    uint64_t total, free, anon, mapped, tables, kernel; /* bytes */
};

static struct usage measure(void) {
    struct frame_usage use = frame_usage();
    struct mm_pages p = mm_pages(current_mm(), 0, HERMIT_USER_TOP);
    uint64_t ours = p.anon + p.tables;

    return (struct usage){
        .total = use.limit,
        .free = use.limit - min(use.used, use.limit),
        .anon = p.anon,
        .mapped = p.resident - p.anon,
        .tables = p.tables,
        .kernel = use.used - min(ours, use.used),
    };
}

void show_meminfo(struct tree_text *t) {
    struct usage u = measure();
    const struct {
        const char *name;
        uint64_t bytes;
    } rows[] = {
        {"MemTotal:", u.total},
        {"MemFree:", u.free},
        {"MemAvailable:", u.free},
        {"Buffers:", 0},
        {"Cached:", 0},
        {"SwapCached:", 0},
        {"Active:", u.anon},
        {"Inactive:", 0},
        {"Active(anon):", u.anon},
        {"Inactive(anon):", 0},
        {"Active(file):", 0},
        {"Inactive(file):", 0},
        {"Unevictable:", 0},
        {"Mlocked:", 0},
        {"SwapTotal:", 0},
        {"SwapFree:", 0},
        {"Dirty:", 0},
        {"Writeback:", 0},
        {"AnonPages:", u.anon},
        {"Mapped:", u.mapped},
        {"Shmem:", 0},
        {"KReclaimable:", 0},
        {"Slab:", u.kernel},
        {"SReclaimable:", 0},
        {"SUnreclaim:", u.kernel},
        {"KernelStack:", 0},
        {"PageTables:", u.tables},
        {"SecPageTables:", 0},
        {"NFS_Unstable:", 0},
        {"Bounce:", 0},
        {"WritebackTmp:", 0},
        {"CommitLimit:", u.total},
        {"Committed_AS:", u.anon},
        {"VmallocTotal:", 0},
        {"VmallocUsed:", 0},
        {"VmallocChunk:", 0},
        {"Percpu:", 0},
        {"AnonHugePages:", 0},
        {"ShmemHugePages:", 0},
        {"ShmemPmdMapped:", 0},
        {"FileHugePages:", 0},
        {"FilePmdMapped:", 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        text_printf(t, "%-16s%8lu kB\n", rows[i].name, (unsigned long)rows[i].bytes / 1024);
    text_printf(t, "HugePages_Total:       0\nHugePages_Free:        0\n"
                   "HugePages_Rsvd:        0\nHugePages_Surp:        0\n"
                   "Hugepagesize:       2048 kB\nHugetlb:               0 kB\n");
}

void show_vmstat(struct tree_text *t) {
    struct usage u = measure();
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"nr_free_pages", u.free / PAGE_SIZE},
        {"nr_zone_active_anon", u.anon / PAGE_SIZE},
        {"nr_mlock", 0},
        {"nr_inactive_anon", 0},
        {"nr_active_anon", u.anon / PAGE_SIZE},
        {"nr_inactive_file", 0},
        {"nr_active_file", 0},
        {"nr_unevictable", 0},
        {"nr_slab_reclaimable", 0},
        {"nr_slab_unreclaimable", u.kernel / PAGE_SIZE},
        {"nr_anon_pages", u.anon / PAGE_SIZE},
        {"nr_mapped", u.mapped / PAGE_SIZE},
        {"nr_file_pages", 0},
        {"nr_dirty", 0},
        {"nr_writeback", 0},
        {"nr_shmem", 0},
        {"nr_page_table_pages", u.tables / PAGE_SIZE},
        {"pgpgin", 0},
        {"pgpgout", 0},
        {"pswpin", 0},
        {"pswpout", 0},
        {"pgfault", current_process()->faults},
        {"pgmajfault", 0},
        {"oom_kill", 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        text_printf(t, "%s %lu\n", rows[i].name, (unsigned long)rows[i].value);
}

void show_zoneinfo(struct tree_text *t) {
    struct usage u = measure();
    unsigned long total = u.total / PAGE_SIZE;

    text_printf(t, "Node 0, zone   Normal\n  per-node stats\n      nr_anon_pages %lu\n",
                (unsigned long)u.anon / PAGE_SIZE);
    text_printf(t,
                "  pages free     %lu\n        min      0\n        low      0\n"
                "        high     0\n        spanned  %lu\n        present  %lu\n"
                "        managed  %lu\n        cma      0\n",
                (unsigned long)u.free / PAGE_SIZE, total, total, total);
    text_printf(t, "  start_pfn:           %lu\n", (unsigned long)(HERMIT_RAM_GPA >> PAGE_SHIFT));
}

/* All that was never handed out counts as blocks of the greatest order. */
void show_buddyinfo(struct tree_text *t) {
    unsigned long pages = (unsigned long)measure().free / PAGE_SIZE;

    text_printf(t, "Node 0, zone   Normal ");
    for (int order = 0; order < 10; order++)
        text_printf(t, "%6lu ", pages >> order & 1);
    text_printf(t, "%6lu \n", pages >> 10);
}
