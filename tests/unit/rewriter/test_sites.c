/* SPDX-License-Identifier: MIT */
/* ELF files read and their code understood: small files made here, byte by byte. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rewriter/sites.h>

#define BASE 0x400000ULL
#define CODE_AT 0x100ULL

static uint8_t image[4096];
static struct elf_in elf;
static struct code code;

/* A program of one segment with this code at its entry. */
static void make(const void *text, size_t len) {
    Elf64_Ehdr h = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                    .e_type = ET_EXEC,
                    .e_machine = EM_X86_64,
                    .e_version = EV_CURRENT,
                    .e_entry = BASE + CODE_AT,
                    .e_phoff = sizeof(h),
                    .e_ehsize = sizeof(h),
                    .e_phentsize = sizeof(Elf64_Phdr),
                    .e_phnum = 1,
                    .e_shentsize = sizeof(Elf64_Shdr)};
    Elf64_Phdr p = {.p_type = PT_LOAD,
                    .p_flags = PF_R | PF_X,
                    .p_vaddr = BASE,
                    .p_filesz = CODE_AT + len,
                    .p_memsz = CODE_AT + len,
                    .p_align = 4096};
    memset(image, 0, sizeof(image));
    memcpy(image, &h, sizeof(h));
    memcpy(image + sizeof(h), &p, sizeof(p));
    memcpy(image + CODE_AT, text, len);
}

static void load(const void *text, size_t len) {
    make(text, len);
    assert_null(elf_in_parse(&elf, image, CODE_AT + len));
    assert_true(code_build(&code, &elf));
}

static void unload(void) {
    code_free(&code);
    elf_in_free(&elf);
}

#define CODE(bytes) bytes, sizeof(bytes) - 1
#define SYSCALL "\x0f\x05"
#define RET "\xc3"

/* The one site's number, which must be known. */
static void expect_number(const void *text, size_t len, uint32_t number) {
    load(text, len);
    assert_int_equal(code.sites.count, 1);
    const struct values *v = &code.sites.items[0].number;
    assert_int_equal(v->kind, VALUES_SET);
    assert_int_equal(v->n, 1);
    assert_int_equal(v->v[0], number);
    unload();
}

static void expect_kind(const void *text, size_t len, enum values_kind kind, uint8_t entry) {
    load(text, len);
    assert_int_equal(code.sites.count, 1);
    assert_int_equal(code.sites.items[0].number.kind, kind);
    if (kind == VALUES_ENTRY) assert_int_equal(code.sites.items[0].number.entry, entry);
    unload();
}

static void constants(void **state) {
    expect_number(CODE("\xb8\x27\x00\x00\x00" SYSCALL RET), 39);     /* mov eax, 39 */
    expect_number(CODE("\x31\xc0" SYSCALL RET), 0);                  /* xor eax, eax */
    expect_number(CODE("\x48\xc7\xc0\x0f\x00\x00\x00" SYSCALL), 15); /* mov rax, 15 */
    expect_number(CODE("\x31\xc0\xb0\x38" SYSCALL RET), 56);         /* mov al, 56 */
    expect_number(CODE("\x6a\x3c\x58" SYSCALL), 60);                 /* push 60; pop rax */
    expect_number(CODE("\x41\xb8\xca\x00\x00\x00\x44\x89\xc0" SYSCALL RET), 202); /* by r8d */
}

static void through_memory_and_calls(void **state) {
    /* mov ebx, 1; call +0 .. ; mov eax, ebx: registers that calls preserve. */
    expect_number(CODE("\xbb\x01\x00\x00\x00\xe8\x05\x00\x00\x00\x89\xd8" SYSCALL RET RET), 1);
    /* sub rsp, 8; mov dword [rsp], 7; call; mov eax, [rsp] */
    expect_number(CODE("\x48\x83\xec\x08\xc7\x04\x24\x07\x00\x00\x00\xe8\x08\x00\x00\x00"
                       "\x8b\x04\x24" SYSCALL "\x58" RET "\x90" RET),
                  7);
    /* eax is not preserved. */
    expect_kind(CODE("\xb8\x01\x00\x00\x00\xe8\x03\x00\x00\x00" SYSCALL RET RET), VALUES_ANY, 0);
    /* mov eax, [rdi] */
    expect_kind(CODE("\x8b\x07" SYSCALL RET), VALUES_ANY, 0);
}

static void arguments(void **state) {
    expect_kind(CODE("\x48\x89\xf8" SYSCALL RET), VALUES_ENTRY, GPR_DI);
    expect_kind(CODE(SYSCALL RET), VALUES_ENTRY, GPR_AX);
    expect_kind(CODE("\x48\x8b\x44\x24\x08" SYSCALL RET), VALUES_ENTRY, WORD_ARGUMENT);
}

static void two_values(void **state) {
    /* mov eax, 1; test edi, edi; je over; mov eax, 2; over: syscall */
    load(CODE("\xb8\x01\x00\x00\x00\x85\xff\x74\x05\xb8\x02\x00\x00\x00" SYSCALL RET));
    const struct values *v = &code.sites.items[0].number;
    assert_int_equal(v->kind, VALUES_SET);
    assert_int_equal(v->n, 2);
    assert_int_equal(v->v[0] + v->v[1], 3);
    assert_false(v->more);
    unload();
}

static void wrong_decoding_is_left_behind(void **state) {
    /* jmp over a byte that would swallow what follows; then a call to the real code. */
    load(CODE("\xe8\x02\x00\x00\x00" RET "\x48\xb8\x27\x00\x00\x00" SYSCALL RET));
    /* Entry; the byte; what the call leads to: decoding begins anew there. */
    assert_int_not_equal(code_func_starting(&code, BASE + CODE_AT + 7), FUNC_NONE);
    assert_int_equal(code.sites.count, 1);
    assert_int_equal(code.sites.items[0].number.kind, VALUES_SET);
    assert_int_equal(code.sites.items[0].number.v[0], 39);
    unload();
    /* Bytes that are no instruction are counted, and what follows is found. */
    load(CODE("\x06\x06\xb8\x27\x00\x00\x00" SYSCALL RET));
    assert_int_equal(code.undecoded, 2);
    assert_int_equal(code.sites.items[0].number.v[0], 39);
    unload();
}

static void other_ways_in(void **state) {
    load(CODE("\xb8\x01\x00\x00\x00\xcd\x80" RET));
    assert_int_equal(code.sites.count, 1);
    assert_true(code.sites.items[0].int80);
    unload();
}

static void truncated_at_every_length(void **state) {
    make(CODE("\xb8\x27\x00\x00\x00" SYSCALL RET));
    for (size_t len = 0; len < CODE_AT + 8; len++) {
        const char *problem = elf_in_parse(&elf, image, len);
        assert_non_null(problem);
        assert_null(elf.segments.items);
    }
}

static void refused(void **state) {
    static const struct {
        size_t at;
        uint8_t value;
        const char *problem;
    } cases[] = {{0, 'X', "not an ELF file"},
                 {EI_CLASS, ELFCLASS32, "a 32-bit program"},
                 {EI_DATA, ELFDATA2MSB, "big-endian, for another machine"},
                 {offsetof(Elf64_Ehdr, e_machine), EM_386, "for another machine, not x86-64"},
                 {offsetof(Elf64_Ehdr, e_type), ET_REL, "not a program or library"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make(CODE(RET));
        image[cases[i].at] = cases[i].value;
        assert_string_equal(elf_in_parse(&elf, image, CODE_AT + 1), cases[i].problem);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants),
        cmocka_unit_test(through_memory_and_calls),
        cmocka_unit_test(arguments),
        cmocka_unit_test(two_values),
        cmocka_unit_test(wrong_decoding_is_left_behind),
        cmocka_unit_test(other_ways_in),
        cmocka_unit_test(truncated_at_every_length),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
