/* SPDX-License-Identifier: MIT */
/* The initial stack of a program: strings, auxiliary vector, environment, arguments (System V
 * AMD64 psABI 3.4.1), and the vDSO beside it. */
#include <hermit/boot.h>
#include <hermit/linux_abi.h>
#include <hermit/rewrite.h>
#include <kernel/hc.h>
#include <kernel/random.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <kernel/vdso.h>
#include <kernel/vfs.h>

#include "exec_internal.h"
#include "mm_internal.h"

#define STACK_INITIAL (33 * PAGE_SIZE) /* as Linux: 132 KiB, then on demand */
#define STACK_EAGER (2 * PAGE_SIZE)    /* mapped below the initial stack pointer */
#define STACK_RANDOM (1ULL << 34)
#define MMAP_RANDOM (1ULL << 38)
#define MMAP_GAP (16ULL << 20) /* least distance between stack and mappings */
#define VDSO_ROOM (16 * PAGE_SIZE)
#define AUX_MAX (MM_AUXV_WORDS / 2)

struct builder {
    gva_t sp;     /* strings grow down from here */
    gva_t vector; /* argc, argv, envp, auxv grow up from here */
    int error;
};

static void push_bytes(struct builder *b, const void *data, uint64_t len) {
    b->sp -= len;
    if (b->error == 0) b->error = copy_to_user(b->sp, data, len);
}

static void put_word(struct builder *b, uint64_t word) {
    if (b->error == 0) b->error = copy_to_user(b->vector, &word, sizeof(word));
    b->vector += sizeof(word);
}

static uint64_t strings_bytes(char *const *strings, uint32_t count) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += strlen(strings[i]) + 1;
    return bytes;
}

/* Copies strings upward from `at` and their addresses into the vector. */
static gva_t put_strings(struct builder *b, gva_t at, char *const *strings, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint64_t len = strlen(strings[i]) + 1;
        put_word(b, at);
        if (b->error == 0) b->error = copy_to_user(at, strings[i], len);
        at += len;
    }
    put_word(b, 0);
    return at;
}

static uint32_t hwcap(void) {
    uint32_t a = 1, c = 0, d, x;
    __asm__("cpuid" : "+a"(a), "=b"(x), "+c"(c), "=d"(d));
    return d;
}

static void put_auxv(struct builder *b, const struct exec *e, gva_t random, gva_t platform,
                     gva_t execfn, struct mm *mm) {
    const struct process *p = current_process();
    const bool rewriting = !(boot_info()->flags & HERMIT_BOOT_NO_REWRITE);
    const uint64_t aux[AUX_MAX][2] = {
        {AT_SYSINFO_EHDR, mm->vdso},
        {AT_MINSIGSTKSZ, signal_frame_size()},
        {AT_HWCAP, hwcap()},
        {AT_PAGESZ, PAGE_SIZE},
        {AT_CLKTCK, 100},
        {AT_PHDR, e->plan.phdr != 0 ? e->plan.phdr + e->base : 0},
        {AT_PHENT, sizeof(Elf64_Phdr)},
        {AT_PHNUM, e->plan.phnum},
        {AT_BASE, e->interp != NULL ? e->interp_base : 0},
        {AT_FLAGS, 0},
        {AT_ENTRY, e->plan.entry + e->base},
        {AT_UID, p->uid},
        {AT_EUID, p->euid},
        {AT_GID, p->gid},
        {AT_EGID, p->egid},
        {AT_SECURE, 0},
        {AT_RANDOM, random},
        {AT_HWCAP2, 2}, /* FSGSBASE instructions */
        {AT_EXECFN, execfn},
        {AT_PLATFORM, platform},
        {rewriting ? AT_HERMIT : AT_IGNORE, HERMIT_STUBS_VERSION},
        {AT_NULL, 0},
    };
    memcpy(mm->auxv, aux, sizeof(aux));
    for (unsigned i = 0; i < AUX_MAX; i++) {
        put_word(b, aux[i][0]);
        put_word(b, aux[i][1]);
        if (aux[i][0] == AT_NULL) break;
    }
}

static int map_vdso(struct mm *mm, gva_t at) {
    uint32_t pages = vdso_image_pages();
    struct vma data = {.start = at,
                       .end = at + PAGE_SIZE,
                       .prot = PROT_READ,
                       .flags = MAP_PRIVATE | MAP_ANONYMOUS,
                       .name = "[vvar]"};
    struct vma image = {.start = data.end,
                        .end = data.end + pages * PAGE_SIZE,
                        .prot = PROT_READ | PROT_EXEC,
                        .flags = MAP_PRIVATE | MAP_ANONYMOUS,
                        .name = "[vdso]"};
    struct vma *v = vma_insert(mm, &data), *w = vma_insert(mm, &image);
    if (v == NULL || w == NULL) return -ENOMEM;
    mm->vdso = image.start;
    int r = pages_place(mm, v, vdso_vvar_gpa());
    return r != 0 ? r : pages_place(mm, w, vdso_image_gpa());
}

/* Bytes of strings and words on the stack, an upper bound. */
static uint64_t stack_need(const struct exec *e) {
    uint64_t words = 1 + e->argc + 1 + e->envc + 1 + 2 * AUX_MAX;
    return strings_bytes(e->argv, e->argc) + strings_bytes(e->envp, e->envc) + words * 8 +
           strlen(e->path) + 128;
}

int exec_map_stack(struct mm *mm, struct exec *e) {
    uint64_t need = stack_need(e);
    mm->stack_top = HERMIT_USER_TOP - VDSO_ROOM - exec_random(e, STACK_RANDOM);
    uint64_t limit = current_process()->limits[RLIMIT_STACK].rlim_cur;
    uint64_t room = min(max(limit, 128 * PAGE_SIZE), HERMIT_USER_TOP / 6);
    mm->mmap_top = page_down(mm->stack_top - room - MMAP_GAP - exec_random(e, MMAP_RANDOM));
    uint64_t len = page_up(max(STACK_INITIAL, need + STACK_EAGER));
    uint32_t prot = PROT_READ | PROT_WRITE | (e->plan.exec_stack ? PROT_EXEC : 0);
    int64_t r = mm_map(mm, mm->stack_top - len, len, prot,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, NULL, 0, "[stack]");
    if (r < 0) return (int)r;
    gva_t eager = page_down(mm->stack_top - need - STACK_EAGER);
    pages_populate(mm, mm_find(mm, eager), eager, mm->stack_top);
    return map_vdso(mm, mm->stack_top + PAGE_SIZE);
}

int64_t exec_build_stack(struct mm *mm, const struct exec *e) {
    uint64_t args = strings_bytes(e->argv, e->argc), envs = strings_bytes(e->envp, e->envc);
    uint64_t words = 1 + e->argc + 1 + e->envc + 1 + 2 * AUX_MAX;
    struct builder b = {.sp = mm->stack_top - 8}; /* ends in a null word, as Linux's does */
    push_bytes(&b, e->path, strlen(e->path) + 1);
    gva_t execfn = b.sp;
    b.sp -= args + envs;
    gva_t strings = b.sp;
    uint8_t seed[16];
    random_bytes(seed, sizeof(seed));
    push_bytes(&b, seed, sizeof(seed));
    gva_t random = b.sp;
    push_bytes(&b, "x86_64", sizeof("x86_64"));
    gva_t platform = b.sp;

    gva_t sp = (b.sp - words * 8) & ~15ULL;
    b.vector = sp;
    put_word(&b, e->argc);
    mm->arg_start = strings;
    mm->arg_end = mm->env_start = put_strings(&b, strings, e->argv, e->argc);
    mm->env_end = put_strings(&b, mm->env_start, e->envp, e->envc);
    put_auxv(&b, e, random, platform, execfn, mm);
    return b.error != 0 ? b.error : (int64_t)sp;
}
