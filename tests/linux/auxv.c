/* SPDX-License-Identifier: MIT */
/* The initial stack: argc, argv, envp, auxiliary vector; AT_RANDOM and addresses differ per run.
 *
 * With the argument "show" it prints what must differ between two runs. */
#include "check.h"

#include <elf.h>
#include <sys/auxv.h>

extern char **environ;

static const Elf64_auxv_t *vector(void) {
    char **p = environ;
    while (*p != NULL)
        p++;
    return (const Elf64_auxv_t *)(p + 1);
}

static unsigned long value(unsigned long type) {
    for (const Elf64_auxv_t *a = vector(); a->a_type != AT_NULL; a++)
        if (a->a_type == type) return a->a_un.a_val;
    printf("FAIL auxv.c: entry %lu is missing\n", type);
    check_stop();
    return 0;
}

static void plain_values(void) {
    CHECK_EQ(value(AT_PAGESZ), CHECK_PAGE);
    CHECK_EQ(value(AT_CLKTCK), 100);
    CHECK_EQ(value(AT_PHENT), sizeof(Elf64_Phdr));
    CHECK_EQ(value(AT_UID), getuid());
    CHECK_EQ(value(AT_EUID), geteuid());
    CHECK_EQ(value(AT_GID), getgid());
    CHECK_EQ(value(AT_EGID), getegid());
    CHECK_EQ(value(AT_SECURE), 0);
    CHECK_EQ(value(AT_FLAGS), 0);
    CHECK_EQ(value(AT_BASE), 0); /* no interpreter */
    CHECK_STR((const char *)value(AT_PLATFORM), "x86_64");
    CHECK_EQ(getauxval(AT_PAGESZ), CHECK_PAGE);
    unsigned eax = 1, ebx, ecx = 0, edx;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    CHECK_EQ(value(AT_HWCAP), edx);
    ok("values");
}

static void program_headers(void) {
    const Elf64_Phdr *ph = (const Elf64_Phdr *)value(AT_PHDR);
    unsigned long count = value(AT_PHNUM), entry = value(AT_ENTRY), bias = 0;
    int entry_found = 0, loads = 0;
    CHECK(count > 0 && count < 100);
    /* The first segment of both kinds of image holds the ELF header itself. */
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)((const char *)ph - sizeof(Elf64_Ehdr));
    CHECK(memcmp(eh->e_ident, ELFMAG, SELFMAG) == 0);
    CHECK_EQ(eh->e_phnum, count);
    if (eh->e_type == ET_DYN) bias = (unsigned long)eh;
    CHECK_EQ(entry, bias + eh->e_entry);
    for (unsigned long i = 0; i < count; i++) {
        if (ph[i].p_type != PT_LOAD) continue;
        loads++;
        if (entry >= bias + ph[i].p_vaddr && entry < bias + ph[i].p_vaddr + ph[i].p_memsz)
            entry_found = (ph[i].p_flags & PF_X) != 0;
    }
    CHECK(loads > 0 && entry_found);
    ok("AT_PHDR, AT_ENTRY");
}

static void stack_layout(char **argv) {
    struct stat name, self;
    const char *execfn = (const char *)value(AT_EXECFN);
    CHECK_OK(stat(execfn, &name));
    CHECK_OK(stat(argv[0], &self));
    CHECK_EQ(name.st_ino, self.st_ino);
    /* argc is right below argv and 16-byte aligned. */
    CHECK_EQ((uintptr_t)(argv - 1) % 16, 0);
    CHECK_EQ(((long *)argv)[-1], 1);
    CHECK(environ == argv + 2);
    CHECK((const char *)value(AT_RANDOM) > (const char *)argv);
    CHECK(argv[0] > (const char *)argv);
    const unsigned char *random = (const unsigned char *)value(AT_RANDOM);
    int sum = 0;
    for (int i = 0; i < 16; i++)
        sum |= random[i];
    CHECK(sum != 0);
    ok("stack");
}

/* Where the vDSO is offered it is an ELF image with symbols. */
static void vdso(void) {
    unsigned long at = getauxval(AT_SYSINFO_EHDR);
    CHECK(at != 0);
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)at;
    CHECK(memcmp(eh->e_ident, ELFMAG, SELFMAG) == 0);
    CHECK_EQ(eh->e_type, ET_DYN);
    CHECK_EQ(eh->e_machine, EM_X86_64);
    ok("AT_SYSINFO_EHDR");
}

int main(int argc, char **argv) {
    if (argc > 1) {
        const unsigned long *random = (const unsigned long *)value(AT_RANDOM);
        void *heap = sbrk(0),
             *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        printf("random %lx%lx\nstack %p\nheap %p\nmap %p\nentry %lx\nvdso %lx\n", random[0],
               random[1], (void *)argv, heap, map, value(AT_ENTRY), getauxval(AT_SYSINFO_EHDR));
        return 0;
    }
    plain_values();
    program_headers();
    stack_layout(argv);
    vdso();
    return 0;
}
