/* SPDX-License-Identifier: MIT */
/* XSAVE and FXSAVE.  Owns what is known of the CPU's state components. */
#include <kernel/heap.h>
#include <kernel/string.h>
#include <kernel/xstate.h>

#define AREA_ALIGN 64
#define CPUID1_ECX_OSXSAVE (1u << 27)
#define CPUID_XSTATE 0xd
#define CPUID_XSAVEC 2u
#define DEFAULT_MXCSR_MASK 0xffbf

/* XTILECFG and XTILEDATA: a program must ask Linux for them (arch_prctl), and their 8 KiB would
 * not fit the signal stacks of programs that did not. */
#define XFEATURES_AMX (3ULL << 17)

static struct {
    bool known; /* written last: filling it in twice gives the same */
    uint64_t features;
    uint32_t size;
    uint32_t mxcsr_mask;
    bool compact; /* XSAVEC */
} cpu;

static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]) {
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(subleaf));
}

static uint64_t read_xcr0(void) {
    uint32_t lo, hi;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

static uint32_t standard_size(uint64_t xcr0, uint64_t features) {
    uint32_t regs[4];
    if (xcr0 == features) {
        cpuid(CPUID_XSTATE, 0, regs);
        return regs[1];
    }
    uint64_t extended = features & ~XSTATE_FPSSE;
    if (extended == 0) return offsetof(struct _xstate, ymmh);
    cpuid(CPUID_XSTATE, 63 - (uint32_t)__builtin_clzll(extended), regs);
    return regs[0] + regs[1];
}

/* cpuid is slow under virtualisation, so only when a program needs an answer. */
static void probe(void) {
    if (__atomic_load_n(&cpu.known, __ATOMIC_ACQUIRE)) return;
    struct _fpstate_64 fx __attribute__((aligned(16)));
    memset(&fx, 0, sizeof(fx));
    __asm__ volatile("fxsave64 %0" : "+m"(fx));
    cpu.mxcsr_mask = fx.mxcsr_mask ? fx.mxcsr_mask : DEFAULT_MXCSR_MASK;

    uint32_t regs[4];
    cpu.size = sizeof(struct _fpstate_64);
    cpuid(1, 0, regs);
    if (regs[2] & CPUID1_ECX_OSXSAVE) {
        uint64_t xcr0 = read_xcr0();
        cpu.features = xcr0 & ~XFEATURES_AMX;
        cpu.size = standard_size(xcr0, cpu.features);
        cpuid(CPUID_XSTATE, 1, regs);
        cpu.compact = (regs[0] & CPUID_XSAVEC) != 0;
    }
    __atomic_store_n(&cpu.known, true, __ATOMIC_RELEASE);
}

uint64_t xstate_features(void) {
    probe();
    return cpu.features;
}

uint32_t xstate_size(void) {
    probe();
    return cpu.size;
}

uint32_t xstate_mxcsr_mask(void) {
    probe();
    return cpu.mxcsr_mask;
}

/* The heap aligns to 16: the pointer to free lies just before the area. */
struct _xstate *xstate_alloc(void) {
    uint64_t bytes = max(xstate_size(), (uint32_t)sizeof(struct _xstate));
    void *block = kzalloc(bytes + AREA_ALIGN + sizeof(block));
    if (!block) return NULL;
    uint64_t at = (uint64_t)block + sizeof(block) + AREA_ALIGN - 1;
    void **area = (void **)(at & ~(uint64_t)(AREA_ALIGN - 1));
    area[-1] = block;
    return (struct _xstate *)area;
}

void xstate_free(struct _xstate *area) {
    if (area) kfree(((void **)area)[-1]);
}

void xstate_save(struct _xstate *area) {
    uint64_t mask = xstate_features();
    if (mask)
        __asm__ volatile("xsave64 %0"
                         : "+m"(*area)
                         : "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
                         : "memory");
    else
        __asm__ volatile("fxsave64 %0" : "+m"(*area) : : "memory");
}

void xstate_restore(const struct _xstate *area) {
    uint64_t mask = xstate_features();
    if (mask)
        __asm__ volatile("xrstor64 %0"
                         :
                         : "m"(*area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
                         : "memory");
    else
        __asm__ volatile("fxrstor64 %0" : : "m"(*area) : "memory");
}

/* XSAVEC leaves out what is in its initial state, so the area of a program without vectors stays
 * small; XRSTOR reads the compact format too. */
void xstate_switch_save(struct _xstate *area) {
    uint64_t mask = xstate_features();
    if (!cpu.compact) return xstate_save(area);
    __asm__ volatile("xsavec64 %0"
                     : "+m"(*area)
                     : "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
                     : "memory");
}

void xstate_switch_restore(const struct _xstate *area) { xstate_restore(area); }

bool xstate_valid(const struct _xstate *area) {
    if (area->fpstate.mxcsr & ~xstate_mxcsr_mask()) return false;
    if (xstate_features() == 0) return true;
    if (area->xstate_hdr.xfeatures & ~xstate_features()) return false;
    for (size_t i = 0; i < ARRAY_LEN(area->xstate_hdr.reserved1); i++)
        if (area->xstate_hdr.reserved1[i] != 0) return false;
    for (size_t i = 0; i < ARRAY_LEN(area->xstate_hdr.reserved2); i++)
        if (area->xstate_hdr.reserved2[i] != 0) return false;
    return true;
}
