/* SPDX-License-Identifier: MIT */
/* Every feature that CPUID shows can be used: one instruction of each is executed.
 *
 * With the argument "show" it prints the features, for comparison with another machine. */
#include "check.h"
#include "fault.h"

#include <cpuid.h>

enum { EAX, EBX, ECX, EDX };

static unsigned leaf(unsigned number, unsigned sub, int reg) {
    unsigned r[4] = {0};
    if ((unsigned)__get_cpuid_max(number & 0x80000000, NULL) < number) return 0;
    __cpuid_count(number, sub, r[EAX], r[EBX], r[ECX], r[EDX]);
    return r[reg];
}

static unsigned char memory[64] __attribute__((aligned(64)));

#define TRY(name, code)                                                                            \
    static void try_##name(void) {                                                                 \
        __asm__ volatile(code                                                                      \
                         :                                                                         \
                         : "D"(memory)                                                             \
                         : "rax", "rbx", "rcx", "rdx", "r8", "r9", "cc", "memory");                \
    }

TRY(sse2, "paddq %%xmm0, %%xmm0")
TRY(sse3, "haddps %%xmm0, %%xmm0")
TRY(pclmul, "pclmulqdq $0, %%xmm0, %%xmm0")
TRY(ssse3, "pabsb %%xmm0, %%xmm0")
TRY(fma, "vfmadd132ps %%xmm0, %%xmm0, %%xmm0")
TRY(cx16, "xor %%eax, %%eax\n\txor %%edx, %%edx\n\tlock cmpxchg16b (%%rdi)")
TRY(sse41, "pmulld %%xmm0, %%xmm0")
TRY(sse42, "crc32b %%al, %%eax")
TRY(movbe, "movbe (%%rdi), %%eax")
TRY(popcnt, "popcnt %%eax, %%eax")
TRY(aes, "aesenc %%xmm0, %%xmm0")
TRY(xsave, "xor %%ecx, %%ecx\n\txgetbv")
TRY(avx, "vaddps %%ymm0, %%ymm0, %%ymm0")
TRY(f16c, "vcvtph2ps %%xmm0, %%xmm0")
TRY(rdrand, "rdrand %%rax")
TRY(fsgsbase, "rdfsbase %%rax")
TRY(bmi1, "andn %%rax, %%rax, %%rax")
TRY(avx2, "vpaddd %%ymm0, %%ymm0, %%ymm0")
TRY(bmi2, "pext %%rax, %%rax, %%rax")
TRY(avx512f, "vpaddd %%zmm0, %%zmm0, %%zmm0")
TRY(avx512dq, "vpmullq %%zmm0, %%zmm0, %%zmm0")
TRY(rdseed, "rdseed %%rax")
TRY(adx, "adcx %%rax, %%rax")
TRY(avx512ifma, "vpmadd52luq %%zmm0, %%zmm0, %%zmm0")
TRY(clflushopt, "clflushopt (%%rdi)")
TRY(clwb, "clwb (%%rdi)")
TRY(avx512cd, "vplzcntd %%zmm0, %%zmm0")
TRY(sha, "sha1nexte %%xmm0, %%xmm0")
TRY(avx512bw, "vpaddb %%zmm0, %%zmm0, %%zmm0")
TRY(avx512vl, "vpaddd %%ymm16, %%ymm16, %%ymm16")
TRY(avx512vbmi, "vpermb %%zmm0, %%zmm0, %%zmm0")
TRY(avx512vbmi2, "vpcompressb %%zmm0, %%zmm0")
TRY(gfni, "gf2p8mulb %%xmm0, %%xmm0")
TRY(vaes, "vaesenc %%ymm0, %%ymm0, %%ymm0")
TRY(vpclmul, "vpclmulqdq $0, %%ymm0, %%ymm0, %%ymm0")
TRY(avx512vnni, "vpdpbusd %%zmm0, %%zmm0, %%zmm0")
TRY(avx512bitalg, "vpopcntb %%zmm0, %%zmm0")
TRY(vpopcntdq, "vpopcntd %%zmm0, %%zmm0")
TRY(rdpid, "rdpid %%rax")
TRY(lzcnt, "lzcnt %%rax, %%rax")
TRY(prefetchw, "prefetchw (%%rdi)")
TRY(rdtscp, "rdtscp")
TRY(sse4a, "extrq $1, $1, %%xmm0")
TRY(xgetbv1, "mov $1, %%ecx\n\txgetbv")

static const struct feature {
    const char *name;
    unsigned leaf, sub;
    int reg, bit;
    void (*use)(void);
} features[] = {
    {"sse2", 1, 0, EDX, 26, try_sse2},
    {"sse3", 1, 0, ECX, 0, try_sse3},
    {"pclmulqdq", 1, 0, ECX, 1, try_pclmul},
    {"ssse3", 1, 0, ECX, 9, try_ssse3},
    {"fma", 1, 0, ECX, 12, try_fma},
    {"cx16", 1, 0, ECX, 13, try_cx16},
    {"sse4_1", 1, 0, ECX, 19, try_sse41},
    {"sse4_2", 1, 0, ECX, 20, try_sse42},
    {"movbe", 1, 0, ECX, 22, try_movbe},
    {"popcnt", 1, 0, ECX, 23, try_popcnt},
    {"aes", 1, 0, ECX, 25, try_aes},
    {"osxsave", 1, 0, ECX, 27, try_xsave},
    {"avx", 1, 0, ECX, 28, try_avx},
    {"f16c", 1, 0, ECX, 29, try_f16c},
    {"rdrand", 1, 0, ECX, 30, try_rdrand},
    {"fsgsbase", 7, 0, EBX, 0, try_fsgsbase},
    {"bmi1", 7, 0, EBX, 3, try_bmi1},
    {"avx2", 7, 0, EBX, 5, try_avx2},
    {"bmi2", 7, 0, EBX, 8, try_bmi2},
    {"avx512f", 7, 0, EBX, 16, try_avx512f},
    {"avx512dq", 7, 0, EBX, 17, try_avx512dq},
    {"rdseed", 7, 0, EBX, 18, try_rdseed},
    {"adx", 7, 0, EBX, 19, try_adx},
    {"avx512ifma", 7, 0, EBX, 21, try_avx512ifma},
    {"clflushopt", 7, 0, EBX, 23, try_clflushopt},
    {"clwb", 7, 0, EBX, 24, try_clwb},
    {"avx512cd", 7, 0, EBX, 28, try_avx512cd},
    {"sha_ni", 7, 0, EBX, 29, try_sha},
    {"avx512bw", 7, 0, EBX, 30, try_avx512bw},
    {"avx512vl", 7, 0, EBX, 31, try_avx512vl},
    {"avx512vbmi", 7, 0, ECX, 1, try_avx512vbmi},
    {"avx512_vbmi2", 7, 0, ECX, 6, try_avx512vbmi2},
    {"gfni", 7, 0, ECX, 8, try_gfni},
    {"vaes", 7, 0, ECX, 9, try_vaes},
    {"vpclmulqdq", 7, 0, ECX, 10, try_vpclmul},
    {"avx512_vnni", 7, 0, ECX, 11, try_avx512vnni},
    {"avx512_bitalg", 7, 0, ECX, 12, try_avx512bitalg},
    {"avx512_vpopcntdq", 7, 0, ECX, 14, try_vpopcntdq},
    {"rdpid", 7, 0, ECX, 22, try_rdpid},
    {"abm", 0x80000001, 0, ECX, 5, try_lzcnt},
    {"sse4a", 0x80000001, 0, ECX, 6, try_sse4a},
    {"3dnowprefetch", 0x80000001, 0, ECX, 8, try_prefetchw},
    {"rdtscp", 0x80000001, 0, EDX, 27, try_rdtscp},
    {"xgetbv1", 0xd, 1, EAX, 2, try_xgetbv1},
};

static int attempt(void (*use)(void)) {
    int sig = sigsetjmp(fault_return, 1);
    if (sig == 0) use();
    return sig;
}

/* The sizes of the XSAVE area that leaf 0xd states cover the enabled components. */
static void xsave_area(void) {
    unsigned xcr0, high;
    if (!(leaf(1, 0, ECX) & 1u << 27)) return;
    __asm__("xgetbv" : "=a"(xcr0), "=d"(high) : "c"(0));
    CHECK_EQ(xcr0 & ~leaf(0xd, 0, EAX), 0);
    unsigned need = 576;
    for (unsigned i = 2; i < 32; i++)
        if (xcr0 & 1u << i) {
            unsigned end = leaf(0xd, i, EAX) + leaf(0xd, i, EBX);
            need = end > need ? end : need;
        }
    CHECK_EQ(leaf(0xd, 0, EBX), need);
    ok("XSAVE area");
}

int main(int argc, char **argv) {
    int show = argc > 1 && strcmp(argv[1], "show") == 0;
    fault_setup();
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        const struct feature *f = &features[i];
        if (!(leaf(f->leaf, f->sub, f->reg) & 1u << f->bit)) continue;
        if (show) puts(f->name);
        int sig = attempt(f->use);
        if (sig != 0) printf("FAIL cpuid_bits.c: %s is shown but raises signal %d\n", f->name, sig);
        CHECK_EQ(sig, 0);
    }
    if (!show) xsave_area();
    return 0;
}
