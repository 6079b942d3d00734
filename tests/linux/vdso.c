/* SPDX-License-Identifier: MIT */
/* vdso(7): found through getauxval(3), its symbols and versions read from the image as a libc
 * does, its answers compared with the system calls. */
#include "check.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/time.h>
#include <time.h>

static const Elf64_Sym *symtab;
static const char *strtab;
static const Elf64_Half *versym;
static const Elf64_Verdef *verdef;
static uint32_t symbols;
static uintptr_t bias;

static void open_vdso(void) {
    uintptr_t base = getauxval(AT_SYSINFO_EHDR);
    CHECK(base != 0);
    CHECK_EQ(base % CHECK_PAGE, 0);
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)base;
    CHECK(memcmp(eh->e_ident, ELFMAG, SELFMAG) == 0);
    const Elf64_Phdr *ph = (const Elf64_Phdr *)(base + eh->e_phoff);
    const Elf64_Dyn *dyn = NULL;
    int loaded = 0;
    for (int i = 0; i < eh->e_phnum; i++) {
        if (ph[i].p_type == PT_LOAD) {
            bias = base + ph[i].p_offset - ph[i].p_vaddr;
            loaded++;
        }
        if (ph[i].p_type == PT_DYNAMIC) dyn = (const Elf64_Dyn *)(base + ph[i].p_offset);
    }
    CHECK_EQ(loaded, 1);
    CHECK(dyn != NULL);
    uintptr_t soname = 0;
    for (; dyn->d_tag != DT_NULL; dyn++) {
        const void *at = (const void *)(bias + dyn->d_un.d_ptr);
        if (dyn->d_tag == DT_SYMTAB) symtab = at;
        if (dyn->d_tag == DT_STRTAB) strtab = at;
        if (dyn->d_tag == DT_VERSYM) versym = at;
        if (dyn->d_tag == DT_VERDEF) verdef = at;
        if (dyn->d_tag == DT_HASH) symbols = ((const Elf32_Word *)at)[1];
        if (dyn->d_tag == DT_SONAME) soname = dyn->d_un.d_val;
        CHECK(dyn->d_tag != DT_RELA && dyn->d_tag != DT_REL);
    }
    CHECK(symtab && strtab && versym && verdef);
    CHECK_STR(strtab + soname, "linux-vdso.so.1");
}

static const char *version_name(Elf64_Half index) {
    for (const Elf64_Verdef *v = verdef;; v = (const void *)((const char *)v + v->vd_next)) {
        if ((v->vd_ndx & 0x7fff) == (index & 0x7fff))
            return strtab + ((const Elf64_Verdaux *)((const char *)v + v->vd_aux))->vda_name;
        if (v->vd_next == 0) return "";
    }
}

static void *symbol(const char *name) {
    for (uint32_t i = 0; i < symbols; i++) {
        if (symtab[i].st_shndx == SHN_UNDEF || strcmp(strtab + symtab[i].st_name, name) != 0)
            continue;
        CHECK_STR(version_name(versym[i]), "LINUX_2.6");
        return (void *)(bias + symtab[i].st_value);
    }
    printf("FAIL no symbol %s\n", name);
    exit(1);
}

static int64_t total(const struct timespec *ts) { return ts->tv_sec * 1000000000LL + ts->tv_nsec; }

/* Call, vDSO, call: the one in the middle lies in between. */
static void compare_clock(int (*get)(clockid_t, struct timespec *), clockid_t clock) {
    struct timespec a, b, c;
    for (int i = 0; i < 1000; i++) {
        CHECK_OK(syscall(SYS_clock_gettime, clock, &a));
        CHECK_OK(get(clock, &b));
        CHECK_OK(syscall(SYS_clock_gettime, clock, &c));
        CHECK(b.tv_nsec >= 0 && b.tv_nsec < 1000000000);
        CHECK(total(&a) <= total(&b));
        CHECK(total(&b) <= total(&c));
    }
}

int main(void) {
    open_vdso();
    int (*get)(clockid_t, struct timespec *) = symbol("__vdso_clock_gettime");
    int (*res)(clockid_t, struct timespec *) = symbol("__vdso_clock_getres");
    int (*day)(struct timeval *, void *) = symbol("__vdso_gettimeofday");
    long (*seconds)(long *) = symbol("__vdso_time");
    long (*cpu)(unsigned *, unsigned *, void *) = symbol("__vdso_getcpu");
    CHECK(symbol("clock_gettime") != NULL);
    ok("symbols and versions");

    const clockid_t clocks[] = {
        CLOCK_REALTIME, CLOCK_MONOTONIC,     CLOCK_BOOTTIME,         CLOCK_REALTIME_COARSE,
        CLOCK_TAI,      CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_PROCESS_CPUTIME_ID};
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
        compare_clock(get, clocks[i]);
    struct timespec a, b;
    CHECK_EQ(get(99, &a), -EINVAL);
    CHECK_OK(res(CLOCK_MONOTONIC, &a));
    CHECK_OK(syscall(SYS_clock_getres, CLOCK_MONOTONIC, &b));
    CHECK_EQ(total(&a), total(&b));
    ok("clocks");

    struct timeval tv;
    long before = syscall(SYS_time, NULL), stored = 0;
    long middle = seconds(&stored);
    CHECK_OK(day(&tv, NULL));
    CHECK(middle >= before && stored == middle && tv.tv_sec >= middle);
    CHECK(tv.tv_sec - before < 60 && tv.tv_usec >= 0 && tv.tv_usec < 1000000);
    ok("gettimeofday, time");

    unsigned nr = ~0u, node = ~0u;
    CHECK_OK(cpu(&nr, &node, NULL));
    CHECK(nr < 4096 && node < 1024);
    ok("getcpu");
    return 0;
}
