/* SPDX-License-Identifier: MIT */
/* Address spaces: VMAs, demand paging, copy-on-write. */
#ifndef KERNEL_MM_H
#define KERNEL_MM_H

#include <bsd/sys/tree.h>
#include <kernel/types.h>

struct file;

/* A mapped range [start, end) with one protection and one backing. */
struct vma {
    RB_ENTRY(vma) node;
    gva_t start, end;
    uint32_t prot;     /* PROT_* */
    uint32_t flags;    /* MAP_SHARED or MAP_PRIVATE, MAP_ANONYMOUS, MAP_GROWSDOWN, ... */
    struct file *file; /* holds a reference; NULL: anonymous */
    uint64_t offset;   /* bytes, of start within file */
    const char *name;  /* "[heap]", "[stack]", "[vdso]" or NULL; not owned */
};

RB_HEAD(vma_tree, vma);

#define MM_AUXV_WORDS 52 /* tag and value of 26 entries, AT_NULL from the last one on */

struct mm {
    struct vma_tree vmas;
    gpa_t root; /* PML4 */
    gva_t brk_start, brk;
    gva_t mmap_top; /* mappings are placed downward from here */
    gva_t stack_top;
    gva_t vdso; /* base of the vDSO image, 0: none */
    gva_t arg_start, arg_end, env_start, env_end;
    uint64_t auxv[MM_AUXV_WORDS];       /* as the program got it */
    uint64_t mapped, mapped_peak;       /* bytes in VMAs */
    gva_t fault_next, copy_next;        /* where a fault would continue the last one */
    uint32_t fault_window, copy_window; /* pages handled at the last one */
};

enum mm_access { MM_READ = 1, MM_WRITE = 2, MM_EXEC = 4 };

struct mm *mm_create(void);
void mm_destroy(struct mm *mm);
void mm_activate(struct mm *mm);

/* mmap(2)/munmap(2)/... without fd lookup: address or -errno.  A private or shared reference to
 * file is taken.  name as in struct vma. */
int64_t mm_map(struct mm *mm, gva_t addr, uint64_t len, uint32_t prot, uint32_t flags,
               struct file *file, uint64_t offset, const char *name);
int mm_unmap(struct mm *mm, gva_t addr, uint64_t len);
int mm_protect(struct mm *mm, gva_t addr, uint64_t len, uint32_t prot);
int64_t mm_remap(struct mm *mm, gva_t addr, uint64_t old_len, uint64_t new_len, uint32_t flags,
                 gva_t new_addr);
int mm_advise(struct mm *mm, gva_t addr, uint64_t len, int advice);
int mm_sync(struct mm *mm, gva_t addr, uint64_t len, int flags);
int mm_incore(struct mm *mm, gva_t addr, uint64_t len, gva_t vec);
/* brk(2): the new break. */
gva_t mm_brk(struct mm *mm, gva_t brk);
/* Maps the page at addr for `access`; 0, -EFAULT (SEGV_MAPERR), -EACCES (SEGV_ACCERR), -ENXIO
 * (SIGBUS past end of file) or -ENOMEM. */
int mm_fault(struct mm *mm, gva_t addr, uint32_t access);
/* Bytes of [start, end) that are present.  A private page is anonymous unless it is still its
 * file's; shared: held by more than one mapping or file.  tables: of the page tables below. */
struct mm_pages {
    uint64_t resident, anon, shmem, dirty, shared, tables;
};
struct mm_pages mm_pages(struct mm *mm, gva_t start, gva_t end);
/* prctl(2), PR_SET_VMA_ANON_NAME: names (NULL: no more) the anonymous mappings of a page-aligned
 * range.  -EBADF where a file is mapped, -ENOMEM for a gap. */
int mm_name(struct mm *mm, gva_t start, uint64_t len, const char *name);
/* The VMA that contains addr, or NULL.  mm_next: the first VMA that ends above addr. */
struct vma *mm_find(struct mm *mm, gva_t addr);
struct vma *mm_next(struct mm *mm, gva_t addr);
/* Guest-physical address of a present user page, mapping it on demand; 0 on -errno. */
int mm_translate(struct mm *mm, gva_t addr, uint32_t access, gpa_t *out);

#endif
