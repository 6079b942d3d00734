/* SPDX-License-Identifier: MIT */
/* Vector instructions compute right and their registers survive system calls and page faults. */
#include "check.h"

#include <cpuid.h>
#include <immintrin.h>

static int has_avx2, has_avx512;

static void detect(void) {
    unsigned a = 0, b = 0, c = 0, d = 0, xcr0 = 0, high;
    CHECK(__get_cpuid(1, &a, &b, &c, &d));
    if (c & bit_OSXSAVE) __asm__("xgetbv" : "=a"(xcr0), "=d"(high) : "c"(0));
    has_avx2 = 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
    has_avx2 = (b & bit_AVX2) != 0;
    has_avx512 = (b & bit_AVX512F) != 0;
    /* What is advertised is enabled. */
    CHECK(!has_avx2 || (xcr0 & 6) == 6);
    CHECK(!has_avx512 || (xcr0 & 0xe6) == 0xe6);
}

static uint64_t mix(uint64_t x) {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdUL;
    return x ^ x >> 29;
}

__attribute__((target("avx2"))) static void compute_avx2(void) {
    static uint32_t a[1024], b[1024], sum[1024];
    for (uint32_t i = 0; i < 1024; i++) {
        a[i] = (uint32_t)mix(i);
        b[i] = (uint32_t)mix(i + 5000);
    }
    for (int i = 0; i < 1024; i += 8) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(a + i));
        __m256i y = _mm256_loadu_si256((const __m256i *)(b + i));
        __m256i z = _mm256_add_epi32(_mm256_mullo_epi32(x, y), _mm256_srli_epi32(x, 7));
        _mm256_storeu_si256((__m256i *)(sum + i), z);
    }
    for (int i = 0; i < 1024; i++)
        CHECK_EQ(sum[i], a[i] * b[i] + (a[i] >> 7));
    __m256d v = _mm256_set_pd(1.5, 2.5, 3.5, 4.5);
    double out[4];
    _mm256_storeu_pd(out, _mm256_sqrt_pd(_mm256_mul_pd(v, v)));
    CHECK(out[0] == 4.5 && out[3] == 1.5);
    ok("AVX2");
}

__attribute__((target("avx512f"))) static void compute_avx512(void) {
    uint64_t a[64], out[64];
    for (uint64_t i = 0; i < 64; i++)
        a[i] = mix(i);
    for (int i = 0; i < 64; i += 8) {
        __m512i x = _mm512_loadu_si512(a + i);
        __mmask8 odd = _mm512_test_epi64_mask(x, _mm512_set1_epi64(1));
        __m512i y = _mm512_mask_add_epi64(_mm512_rol_epi64(x, 13), odd, x, x);
        _mm512_storeu_si512(out + i, y);
    }
    for (int i = 0; i < 64; i++)
        CHECK_EQ(out[i], a[i] & 1 ? a[i] * 2 : (a[i] << 13 | a[i] >> 51));
    ok("AVX-512");
}

/* Loads registers 0, 7 and 15 (and for AVX-512 31 and a mask), makes a system call and touches a
 * fresh page, and compares, a few thousand times. */
__attribute__((target("avx2"))) static void keep_avx2(volatile char *fresh) {
    uint64_t in[4], out[12];
    for (int round = 0; round < 2000; round++) {
        for (int i = 0; i < 4; i++)
            in[i] = mix((uint64_t)(round * 4 + i));
        __asm__ volatile("vmovdqu (%0), %%ymm0\n\tvmovdqu (%0), %%ymm7\n\tvmovdqu (%0), %%ymm15\n\t"
                         "mov $39, %%eax\n\tsyscall\n\tmovb $1, (%2)\n\t"
                         "vmovdqu %%ymm0, (%1)\n\tvmovdqu %%ymm7, 32(%1)\n\t"
                         "vmovdqu %%ymm15, 64(%1)"
                         :
                         : "r"(in), "r"(out), "r"(fresh + (size_t)round * CHECK_PAGE)
                         : "rax", "rcx", "r11", "xmm0", "xmm7", "xmm15", "memory");
        for (int i = 0; i < 12; i++)
            CHECK_EQ(out[i], in[i % 4]);
    }
    ok("AVX2 state");
}

__attribute__((target("avx512f"))) static void keep_avx512(volatile char *fresh) {
    uint64_t in[8], out[16], mask;
    for (int round = 0; round < 2000; round++) {
        for (int i = 0; i < 8; i++)
            in[i] = mix((uint64_t)(round * 8 + i));
        __asm__ volatile("vmovdqu64 (%1), %%zmm3\n\tvmovdqu64 (%1), %%zmm31\n\tkmovw %k4, %%k5\n\t"
                         "mov $39, %%eax\n\tsyscall\n\tmovb $1, (%3)\n\t"
                         "vmovdqu64 %%zmm3, (%2)\n\tvmovdqu64 %%zmm31, 64(%2)\n\tkmovw %%k5, %k0"
                         : "=&r"(mask)
                         : "r"(in), "r"(out), "r"(fresh + (size_t)round * CHECK_PAGE),
                           "r"((uint64_t)(round & 0xffff))
                         : "rax", "rcx", "r11", "xmm3", "xmm31", "k5", "memory");
        CHECK_EQ(mask & 0xffff, round & 0xffff);
        for (int i = 0; i < 16; i++)
            CHECK_EQ(out[i], in[i % 8]);
    }
    ok("AVX-512 state");
}

static char *fresh_pages(void) {
    char *p =
        mmap(NULL, 2000 * CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    return p;
}

int main(void) {
    detect();
    if (has_avx2) {
        compute_avx2();
        keep_avx2(fresh_pages());
    }
    if (has_avx512) {
        compute_avx512();
        keep_avx512(fresh_pages());
    }
    printf("ok avx2 %d, avx512 %d\n", has_avx2, has_avx512);
    return 0;
}
