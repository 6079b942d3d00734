/* SPDX-License-Identifier: MIT */
/* Vector and x87 registers across a handler: preserved whatever the handler does, changed where
 * it changes the saved state in the frame, initial where the frame has none. */
#include "check.h"

#include <cpuid.h>
#include <signal.h>
#include <ucontext.h>

#define STATE_MAGIC1 0x46505853u
#define STATE_MAGIC2 0x46505845u
#define SW_BYTES 464 /* struct _fpx_sw_bytes in the FXSAVE area */
#define XMM_OFFSET 160
#define MXCSR_OFFSET 24

static volatile sig_atomic_t want_change, drop_state;
static int have_xsave, have_avx, have_avx512;
static unsigned char pattern[64] __attribute__((aligned(64)));

static void probe(void) {
    unsigned a = 0, b = 0, c = 0, d = 0, lo, hi;
    CHECK(__get_cpuid(1, &a, &b, &c, &d));
    have_xsave = (c & bit_OSXSAVE) != 0;
    if (!have_xsave) return;
    __asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    have_avx = (c & bit_AVX) && (lo & 6) == 6;
    if (have_avx && __get_cpuid_count(7, 0, &a, &b, &c, &d))
        have_avx512 = (b & bit_AVX512F) && (lo & 0xe6) == 0xe6;
}

static void on_signal(int sig, siginfo_t *info, void *context) {
    (void)sig;
    (void)info;
    ucontext_t *uc = context;
    unsigned char *fp = (unsigned char *)uc->uc_mcontext.fpregs;
    CHECK(fp != NULL);
    if (have_xsave) {
        uint32_t sw[5];
        memcpy(sw, fp + SW_BYTES, sizeof(sw));
        CHECK_EQ(sw[0], STATE_MAGIC1);
        CHECK_EQ((uintptr_t)fp & 63, 0);
        CHECK_EQ(uc->uc_flags & 1, 1);
        uint32_t magic2;
        memcpy(&magic2, fp + sw[1] - 4, 4);
        CHECK_EQ(magic2, STATE_MAGIC2);
    }
    if (want_change) memset(fp + XMM_OFFSET, 0x77, 16); /* xmm0 */
    if (drop_state) uc->uc_mcontext.fpregs = NULL;
    unsigned mxcsr = 0x1f80 | 0x6000; /* round toward zero: must not leak */
    __asm__ volatile("pxor %%xmm0, %%xmm0; pxor %%xmm7, %%xmm7; fninit; ldmxcsr %0"
                     :
                     : "m"(mxcsr)
                     : "xmm0", "xmm7");
    if (have_avx512)
        __asm__ volatile("vpxord %%zmm31, %%zmm31, %%zmm31; kxorw %%k3, %%k3, %%k3" ::: "memory");
    else if (have_avx)
        __asm__ volatile("vzeroall" ::: "memory");
}

static long signal_myself(long pid, unsigned char out[64], unsigned *mxcsr_out) {
    long result = SYS_kill;
    unsigned mxcsr = 0x1fc0; /* denormals are zeros */
    __asm__ volatile("ldmxcsr %[mxcsr]\n\t"
                     "movdqu %[in], %%xmm0\n\t"
                     "movdqu %[in], %%xmm7\n\t"
                     "syscall\n\t"
                     "movdqu %%xmm0, %[out]\n\t"
                     "stmxcsr %[mxcsr]"
                     : "+a"(result), [mxcsr] "+m"(mxcsr), [out] "=m"(*(char(*)[16])out)
                     : "D"(pid), "S"((long)SIGUSR1), [in] "m"(*(char(*)[16])pattern)
                     : "rcx", "r11", "memory", "xmm0", "xmm7");
    *mxcsr_out = mxcsr;
    mxcsr = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    return result;
}

static __attribute__((target("avx"))) void check_avx(long pid) {
    unsigned char out[64];
    long result = SYS_kill;
    __asm__ volatile("vmovdqu %[in], %%ymm13; syscall; vmovdqu %%ymm13, %[out]; vzeroupper"
                     : "+a"(result), [out] "=m"(out)
                     : "D"(pid), "S"((long)SIGUSR1), [in] "m"(pattern)
                     : "rcx", "r11", "memory", "xmm13");
    CHECK(memcmp(out, pattern, 32) == 0);
    ok("AVX");
}

static __attribute__((target("avx512f"))) void check_avx512(long pid) {
    unsigned char out[64];
    long result = SYS_kill;
    unsigned k = 0xa5a5, k_out;
    __asm__ volatile("vmovdqu64 %[in], %%zmm31; kmovw %[k], %%k3; syscall;"
                     "vmovdqu64 %%zmm31, %[out]; kmovw %%k3, %[k_out]; vzeroupper"
                     : "+a"(result), [out] "=m"(out), [k_out] "=r"(k_out)
                     : "D"(pid), "S"((long)SIGUSR1), [in] "m"(pattern), [k] "r"(k)
                     : "rcx", "r11", "memory");
    CHECK(memcmp(out, pattern, 64) == 0);
    CHECK_EQ(k_out, k);
    ok("AVX-512");
}

int main(void) {
    unsigned char out[64];
    unsigned mxcsr;
    unsigned short cw = 0x77f, cw_out; /* round up */
    struct sigaction a = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    long pid = getpid();
    probe();
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (unsigned char)(i + 1);
    CHECK_OK(sigaction(SIGUSR1, &a, NULL));

    __asm__ volatile("fldcw %0" : : "m"(cw));
    CHECK_OK(signal_myself(pid, out, &mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(cw_out));
    CHECK(memcmp(out, pattern, 16) == 0);
    CHECK_EQ(mxcsr, 0x1fc0);
    CHECK_EQ(cw_out, cw);
    __asm__ volatile("fninit");
    ok("SSE, x87 and their control words");
    if (have_avx) check_avx(pid);
    if (have_avx512) check_avx512(pid);

    want_change = 1;
    CHECK_OK(signal_myself(pid, out, &mxcsr));
    for (int i = 0; i < 16; i++)
        CHECK_EQ(out[i], 0x77);
    ok("changed state is honoured");

    drop_state = 1;
    CHECK_OK(signal_myself(pid, out, &mxcsr));
    for (int i = 0; i < 16; i++)
        CHECK_EQ(out[i], 0);
    CHECK_EQ(mxcsr, 0x1f80);
    ok("no state in the frame: initial state");
    return 0;
}
