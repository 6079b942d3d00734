/* SPDX-License-Identifier: MIT */
/* Address spaces: VMAs, demand paging, copy-on-write. */
#ifndef KERNEL_MM_H
#define KERNEL_MM_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <kernel/types.h>

struct file;
struct rewrites;
struct rewritten_text;

/* What mlock(2) and madvise(2) say about a range. */
enum vma_state {
    VMA_LOCKED = 1,
    VMA_LOCKONFAULT = 2,
    VMA_DONTFORK = 4,
    VMA_WIPEONFORK = 8,
    VMA_READ_ONLY = 16, /* mprotect(2) may not make it writable: the file is sealed */
    VMA_STUBS = 32,     /* a rewritten object's stub segment, Hermit's version (rewrite.h) */
    VMA_PUN = 64,       /* stubs that the kernel made */
};
#define VMA_LOCKS (VMA_LOCKED | VMA_LOCKONFAULT)

/* A mapped range [start, end) with one protection and one backing. */
struct vma {
    RB_ENTRY(vma) node;
    gva_t start, end;
    uint32_t prot;     /* PROT_* */
    uint32_t flags;    /* MAP_SHARED or MAP_PRIVATE, MAP_ANONYMOUS, MAP_GROWSDOWN, ... */
    uint32_t state;    /* enum vma_state */
    struct file *file; /* holds a reference; NULL: anonymous */
    uint64_t offset;   /* bytes, of start within file */
    const char *name;  /* "[heap]", "[stack]", "[vdso]" or NULL; not owned */
    gva_t low, high;   /* of the ranges of this subtree, with what must stay free below */
    uint64_t gap;      /* the longest free range between two of them, bytes */
};

#define VMA_COUNT_MAX 65530 /* vm.max_map_count */

RB_HEAD(vma_tree, vma);

#define MM_AUXV_WORDS 52 /* tag and value of 26 entries, AT_NULL from the last one on */

struct mm {
    LIST_ENTRY(mm) link; /* all address spaces */
    struct vma_tree vmas;
    uint32_t vma_count;
    gpa_t root; /* PML4 */
    gva_t brk_start, brk;
    gva_t mmap_top; /* mappings are placed downward from here */
    gva_t stack_top;
    gva_t vdso; /* base of the vDSO image, 0: none */
    gva_t arg_start, arg_end, env_start, env_end;
    uint64_t auxv[MM_AUXV_WORDS];       /* as the program got it */
    uint64_t mapped, mapped_peak;       /* bytes in VMAs */
    uint32_t new_state;                 /* VMA_LOCKS of new mappings: mlockall(MCL_FUTURE) */
    gva_t fault_next, copy_next;        /* where a fault would continue the last one */
    uint32_t fault_window, copy_window; /* pages handled at the last one */
    bool has_stubs;                     /* some VMA is or was VMA_STUBS */
    struct rewrites *rewrites;          /* sites that were patched; NULL: none */
    LIST_HEAD(, rewritten_text) texts;  /* text from the cache of rewritten objects */
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
/* madvise(2) for a valid advice and a page-aligned range. */
int mm_advise(struct mm *mm, gva_t addr, uint64_t len, int advice);
/* mlock(2), munlock(2): state is what the pages have of VMA_LOCKS from now on.  -ENOMEM where
 * something is not mapped. */
int mm_lock(struct mm *mm, gva_t addr, uint64_t len, uint32_t state);
/* mlockall(2), munlockall(2): the state of all mappings that there are. */
void mm_lock_all(struct mm *mm, uint32_t state);
/* Bytes in mappings that are locked (VmLck). */
uint64_t mm_locked_bytes(struct mm *mm);
/* Bytes of private, writable mappings that are no stacks: what RLIMIT_DATA counts (VmData). */
uint64_t mm_data_bytes(struct mm *mm);
/* What mmap(2) asks before it maps len bytes more: 0, -EAGAIN (RLIMIT_MEMLOCK) or -ENOMEM
 * (RLIMIT_AS, RLIMIT_DATA, more than the machine could ever have).  replaced: bytes that the new
 * mapping takes the place of. */
int mm_may_map(struct mm *mm, uint64_t len, uint64_t replaced, uint32_t prot, uint32_t flags);
/* Bytes mapped in [addr, addr+len). */
uint64_t mm_mapped_in(struct mm *mm, gva_t addr, uint64_t len);
/* Bytes [start, end) (whole pages) of a file are no more: pages of mappings of files for which
 * `is` holds are dropped in every address space.  keep_private: not the copies that private
 * mappings have of their own. */
void mm_file_gone(bool (*is)(const struct file *f, const void *arg), const void *arg,
                  uint64_t start, uint64_t end, bool keep_private);
/* Whether some shared mapping of such a file may be written. */
bool mm_file_written(bool (*is)(const struct file *f, const void *arg), const void *arg);
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
