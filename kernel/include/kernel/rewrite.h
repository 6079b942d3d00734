/* SPDX-License-Identifier: MIT */
/* System calls that are jumps: objects that were rewritten before (rewrite_stubs.c), text that the
 * host's cache has rewritten (rewrite_text.c) and sites that become jumps while the program runs
 * (rewrite_lazy.c).
 *
 * A program never sees the addresses of stubs: where its PC is told, it is the site's. */
#ifndef KERNEL_REWRITE_H
#define KERNEL_REWRITE_H

#include <kernel/mm.h>
#include <kernel/process.h>

struct hermit_cached;

/* False with --rewrite off. */
bool rewrite_enabled(void);

/* A private mapping of len bytes of f from offset on, read and execute, is about to be made: is it
 * a stub segment?  If so *hermit_offset is where the file has Hermit's version of it. */
bool rewrite_find_stubs(struct file *f, uint64_t offset, uint64_t len, uint64_t *hermit_offset);
/* It was mapped. */
void rewrite_stubs_mapped(struct mm *mm, gva_t at, uint64_t len);

/* What the cache has for a file.  Lives as long as the open file does. */
struct rewritten {
    struct file *file;          /* the cache's: pages to map */
    struct hermit_cached *head; /* of it, with the list of pages; NULL: it has nothing (yet) */
};
/* A private mapping of len bytes of f from `offset` on was made at `at`, read and execute, and is
 * not used yet: it becomes what the cache has, if there is something and room for its stubs. */
void rewrite_text_mapped(struct mm *mm, gva_t at, uint64_t len, struct file *f, uint64_t offset);
/* The first len bytes of f are about to be mapped: a place with room for stubs above, or 0: any
 * place will do. */
gva_t rewrite_choose(struct mm *mm, struct file *f, uint64_t len, bool executed);
/* How many bytes behind the first len are for stubs. */
uint64_t rewrite_room(struct file *f, uint64_t len, bool executed);
/* The program is about to use [start, end) in another way: where stubs lie there, or, with `text`,
 * rewritten text does, that text becomes the original's again. */
void rewrite_restore(struct mm *mm, gva_t start, gva_t end, bool text);
/* The file whose text a mapping of f shows: f itself, if it is not rewritten. */
struct file *rewrite_original_file(struct file *f);
/* For rewrite_text.c: threads that are in stubs, or on the way to them, are at their sites again.
 */
void rewrite_leave_stubs(struct mm *mm);
/* rewrite_text.c's part of rewrite_show_original: of one page. */
void rewrite_show_text(struct mm *mm, gva_t at, uint8_t *bytes, uint64_t n);
/* Was the site in front of pc patched while the program ran? */
bool rewrite_is_patched(struct mm *mm, gva_t pc);

/* Where the program is if its PC is pc: the site, or the instruction that was moved, if pc lies in
 * a stub. */
gva_t rewrite_original_pc(struct mm *mm, gva_t pc);
/* Where it goes on if it says pc: an instruction that was moved is in the stub now. */
gva_t rewrite_resume_pc(struct mm *mm, gva_t pc);

/* Do sites become jumps while the program runs? */
bool rewrite_lazy_enabled(void);
/* A raw `syscall` was executed; regs->rip is behind it. */
void rewrite_trapped(struct regs *regs);
/* The mappings of [start, end) are about to change: what was patched there, or leads there, becomes
 * `syscall` again.  writable: and it is the program's wish to write there. */
void rewrite_undo(struct mm *mm, gva_t start, gva_t end, bool writable);
/* The address space ends. */
void rewrite_mm_end(struct mm *mm);
/* Puts the file's bytes back into a copy of [at, at + n) of the program's memory. */
void rewrite_show_original(struct mm *mm, gva_t at, uint8_t *bytes, uint64_t n);

/* rewrite_lazy.c, for rewrite_stubs.c: the site whose stub the kernel made around pc, or 0. */
gva_t rewrite_lazy_site(struct mm *mm, gva_t pc);

#endif
