/* SPDX-License-Identifier: MIT */
/* Stub segments: which bytes are one, and the addresses in and around stubs.  The headers are also
 * damaged in every way that could lead out of the segment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hermit/boot.h>
#include <hermit/linux_abi.h>
#include <hermit/rewrite.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/rewrite.h>
#include <kernel/string.h>
#include <kernel/vfs.h>
#include <linux/elf.h>

#include "fake_cpu.h"
#include "kernel/mm_internal.h"

#define SEGMENT 8192u
#define HERMIT_AT (2 * SEGMENT)
#define SITES 3u

static _Alignas(
    4096) unsigned char fake_file[4 * SEGMENT]; /* the segment at SEGMENT, Hermit's at HERMIT_AT */
static struct vma segment;
static struct mm mm;
static struct hermit_boot boot;

const struct hermit_boot *boot_info(void) { return &boot; }
bool frame_is_ram(gpa_t gpa) { return false; }
void frame_put(gpa_t frame) {}
gva_t rewrite_lazy_site(struct mm *m, gva_t pc) { return 0; }
struct vma *mm_next(struct mm *m, gva_t addr) {
    return addr < segment.end ? &segment : NULL;
}
struct vma *mm_find(struct mm *m, gva_t addr) {
    return addr - segment.start < SEGMENT ? &segment : NULL;
}
int file_getattr(struct file *f, struct hc_attr *attr) {
    attr->size = sizeof(fake_file);
    return 0;
}
static int file_page(struct file *f, uint64_t offset, bool shared_write, gpa_t *out) {
    *out = offset;
    return offset < sizeof(fake_file) ? 0 : -ENXIO;
}
/* "Guest-physical" addresses are offsets into the file. */
uint64_t user_copy(void *dst, const void *src, uint64_t len) {
    uint64_t at = (uint64_t)src - HERMIT_DIRECT_GVA;
    if (at > sizeof(fake_file) - len) return len;
    memcpy(dst, fake_file + at, len);
    return 0;
}

static const struct file_ops ops = {.page = file_page};
static struct file file = {.ops = &ops};

static struct hermit_stubs header(void) {
    return (struct hermit_stubs){.magic = HERMIT_STUBS_MAGIC,
                                 .version = HERMIT_STUBS_VERSION,
                                 .nsites = SITES,
                                 .size = SEGMENT,
                                 .hermit_offset = HERMIT_AT,
                                 .sites = 64,
                                 .by_site = 64 + SITES * sizeof(struct hermit_site)};
}

/* By stub; the second has a window of 9 bytes. */
static const struct hermit_site sites[SITES] = {
    {.site = 0x3000, .stub = 0x200, .length = 20, .moved = 5, .tier = HERMIT_TIER_PREVIOUS},
    {.site = 0x1000, .stub = 0x220, .length = 24, .moved = 9, .tier = HERMIT_TIER_WINDOW},
    {.site = 0x2000, .stub = 0x240, .length = 15, .moved = 0, .tier = HERMIT_TIER_PUN},
};
static const uint32_t by_site[SITES] = {0, 2, 1};

static void write_segment(const struct hermit_stubs *h) {
    memcpy(fake_user, h, sizeof(*h));
    memcpy(fake_user + 64, sites, sizeof(sites));
    memcpy(fake_user + 64 + sizeof(sites), by_site, sizeof(by_site));
    memcpy(fake_file + SEGMENT, h, sizeof(*h));
    memcpy(fake_file + HERMIT_AT, h, sizeof(*h));
}

static int setup(void **state) {
    struct hermit_stubs h = header();
    fake_cpu_reset();
    boot.flags = 0;
    segment = (struct vma){.start = (gva_t)fake_user,
                           .end = (gva_t)fake_user + SEGMENT,
                           .prot = PROT_READ | PROT_EXEC,
                           .state = VMA_STUBS};
    mm.has_stubs = true;
    write_segment(&h);
    return 0;
}

static bool found(void) {
    uint64_t offset = 0;
    bool is = rewrite_find_stubs(&file, SEGMENT, SEGMENT, &offset);
    assert_int_equal(offset, is ? HERMIT_AT : 0);
    return is;
}

static void test_find(void **state) {
    uint64_t offset;
    assert_true(found());
    assert_false(rewrite_find_stubs(&file, 0, SEGMENT, &offset));
    assert_false(rewrite_find_stubs(&file, SEGMENT, SEGMENT / 2, &offset));
    boot.flags = HERMIT_BOOT_NO_REWRITE;
    assert_false(found());
}

static void test_find_refuses(void **state) {
    const struct hermit_stubs good = header();
#define REFUSED(field, value)                                                                      \
    do {                                                                                           \
        struct hermit_stubs h = good;                                                              \
        h.field = (value);                                                                         \
        write_segment(&h);                                                                         \
        assert_false(found());                                                                     \
    } while (0)
    REFUSED(magic[7], 'X');
    REFUSED(version, 2);
    REFUSED(size, SEGMENT + 4096);
    REFUSED(hermit_offset, HERMIT_AT + 1);
    REFUSED(hermit_offset, SEGMENT);
    REFUSED(hermit_offset, ~0xfffULL);
    REFUSED(hermit_offset, sizeof(fake_file) - SEGMENT + 4096);
    REFUSED(nsites, 0xffffffff);
    REFUSED(nsites, SEGMENT / sizeof(struct hermit_site));
    REFUSED(sites, ~0ULL - 7);
    REFUSED(sites, 0);
    REFUSED(sites, 68);
    REFUSED(by_site, ~0ULL - 3);
    REFUSED(by_site, SEGMENT - 4);
    REFUSED(by_site, 66);
    write_segment(&good);
    assert_true(found());
    fake_file[HERMIT_AT + 60] ^= 1; /* the two differ */
    assert_false(found());
}

/* strip(1) has moved Hermit's version, and the section headers know. */
static void test_moved(void **state) {
    static const uint64_t at = HERMIT_AT;
    Elf64_Ehdr e = {.e_ident = ELFMAG, .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 3};
    Elf64_Shdr s = {.sh_type = SHT_PROGBITS, .sh_offset = at, .sh_size = SEGMENT};
    struct hermit_stubs h = header();
    uint64_t offset = 0;
    h.hermit_offset = 4096;
    write_segment(&h);
    assert_false(rewrite_find_stubs(&file, SEGMENT, SEGMENT, &offset));
    e.e_shoff = 4096 - sizeof(s) * 5 / 2; /* the last one is in two pages */
    memcpy(fake_file, &e, sizeof(e));
    memcpy(fake_file + e.e_shoff + 2 * sizeof(s), &s, sizeof(s));
    assert_true(rewrite_find_stubs(&file, SEGMENT, SEGMENT, &offset));
    assert_int_equal(offset, at);
    static const uint64_t bad[] = {SEGMENT, at + 1, sizeof(fake_file), ~0ULL, ~0xfffULL};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s.sh_offset = bad[i];
        memcpy(fake_file + e.e_shoff + 2 * sizeof(s), &s, sizeof(s));
        assert_false(rewrite_find_stubs(&file, SEGMENT, SEGMENT, &offset));
    }
    s.sh_offset = at;
    static const uint64_t tables[] = {sizeof(fake_file), ~0ULL, ~0xfffULL};
    for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        e.e_shoff = tables[i];
        memcpy(fake_file, &e, sizeof(e));
        assert_false(rewrite_find_stubs(&file, SEGMENT, SEGMENT, &offset));
    }
    memset(fake_file, 0, sizeof(e));
}

static void test_original_pc(void **state) {
    gva_t base = segment.start;
    assert_int_equal(rewrite_original_pc(&mm, base + 0x200), base - 0x3000 - 5);
    assert_int_equal(rewrite_original_pc(&mm, base + 0x205), base - 0x3000);
    assert_int_equal(rewrite_original_pc(&mm, base + 0x20c), base - 0x3000);
    assert_int_equal(rewrite_original_pc(&mm, base + 0x214), base + 0x214); /* behind it */
    assert_int_equal(rewrite_original_pc(&mm, base + 0x220), base - 0x1000 - 9);
    assert_int_equal(rewrite_original_pc(&mm, base + 0x223), base - 0x1000 - 6);
    assert_int_equal(rewrite_original_pc(&mm, base + 0x247), base - 0x2000);
    assert_int_equal(rewrite_original_pc(&mm, base + 0x100), base + 0x100);
    assert_int_equal(rewrite_original_pc(&mm, base - 0x2000), base - 0x2000);
    segment.prot = PROT_READ;
    assert_int_equal(rewrite_original_pc(&mm, base + 0x205), base + 0x205);
}

static void test_resume_pc(void **state) {
    gva_t base = segment.start, window = base - 0x1000 - 9;
    assert_int_equal(rewrite_resume_pc(&mm, window), window); /* the jump is there */
    assert_int_equal(rewrite_resume_pc(&mm, window + 3), base + 0x223);
    assert_int_equal(rewrite_resume_pc(&mm, window + 8), base + 0x228);
    assert_int_equal(rewrite_resume_pc(&mm, window + 9), window + 9);
    assert_int_equal(rewrite_resume_pc(&mm, base - 0x3000 - 1), base + 0x204);
    assert_int_equal(rewrite_resume_pc(&mm, base - 0x2000), base - 0x2000);
    assert_int_equal(rewrite_resume_pc(&mm, base - 8), base - 8);
}

/* Tables that the program has changed lead nowhere else than before. */
static void test_damaged_tables(void **state) {
    gva_t base = segment.start;
    memset(fake_user + 64, 0xff, sizeof(sites));
    assert_int_equal(rewrite_original_pc(&mm, base + 0x205), base + 0x205);
    setup(state);
    memset(fake_user + 64 + sizeof(sites), 0xff, sizeof(by_site));
    assert_int_equal(rewrite_resume_pc(&mm, base - 0x1004), base - 0x1004);
    setup(state);
    memset(fake_user, 0xff, 64);
    assert_int_equal(rewrite_original_pc(&mm, base + 0x205), base + 0x205);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_find, setup),
        cmocka_unit_test_setup(test_find_refuses, setup),
        cmocka_unit_test_setup(test_moved, setup),
        cmocka_unit_test_setup(test_original_pc, setup),
        cmocka_unit_test_setup(test_resume_pc, setup),
        cmocka_unit_test_setup(test_damaged_tables, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
