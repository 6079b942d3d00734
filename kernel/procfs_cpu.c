/* SPDX-License-Identifier: MIT */
/* /proc/cpuinfo, from the cpuid instruction that the program itself would ask. */
#include <cpuid.h>

#include <kernel/clock.h>
#include <kernel/sched.h>
#include <kernel/smp.h>
#include <kernel/string.h>

#include "procfs.h"

enum cpuid_reg { EAX, EBX, ECX, EDX };

/* Linux's names of the bits, in Linux's order. */
static const struct {
    uint32_t leaf, subleaf;
    uint8_t reg, bit;
    const char *name;
} flags[] = {
    {1, 0, EDX, 0, "fpu"},
    {1, 0, EDX, 4, "tsc"},
    {1, 0, EDX, 6, "pae"},
    {1, 0, EDX, 8, "cx8"},
    {1, 0, EDX, 9, "apic"},
    {1, 0, EDX, 15, "cmov"},
    {1, 0, EDX, 19, "clflush"},
    {1, 0, EDX, 23, "mmx"},
    {1, 0, EDX, 24, "fxsr"},
    {1, 0, EDX, 25, "sse"},
    {1, 0, EDX, 26, "sse2"},
    {1, 0, EDX, 28, "ht"},
    {0x80000001, 0, EDX, 11, "syscall"},
    {0x80000001, 0, EDX, 20, "nx"},
    {0x80000001, 0, EDX, 26, "pdpe1gb"},
    {0x80000001, 0, EDX, 27, "rdtscp"},
    {0x80000001, 0, EDX, 29, "lm"},
    {0x80000007, 0, EDX, 8, "constant_tsc"},
    {1, 0, ECX, 0, "pni"},
    {1, 0, ECX, 1, "pclmulqdq"},
    {1, 0, ECX, 9, "ssse3"},
    {1, 0, ECX, 12, "fma"},
    {1, 0, ECX, 13, "cx16"},
    {1, 0, ECX, 19, "sse4_1"},
    {1, 0, ECX, 20, "sse4_2"},
    {1, 0, ECX, 21, "x2apic"},
    {1, 0, ECX, 22, "movbe"},
    {1, 0, ECX, 23, "popcnt"},
    {1, 0, ECX, 24, "tsc_deadline_timer"},
    {1, 0, ECX, 25, "aes"},
    {1, 0, ECX, 26, "xsave"},
    {1, 0, ECX, 28, "avx"},
    {1, 0, ECX, 29, "f16c"},
    {1, 0, ECX, 30, "rdrand"},
    {1, 0, ECX, 31, "hypervisor"},
    {0x80000001, 0, ECX, 0, "lahf_lm"},
    {0x80000001, 0, ECX, 5, "abm"},
    {0x80000001, 0, ECX, 6, "sse4a"},
    {0x80000001, 0, ECX, 8, "3dnowprefetch"},
    {7, 0, EBX, 0, "fsgsbase"},
    {7, 0, EBX, 3, "bmi1"},
    {7, 0, EBX, 5, "avx2"},
    {7, 0, EBX, 7, "smep"},
    {7, 0, EBX, 8, "bmi2"},
    {7, 0, EBX, 9, "erms"},
    {7, 0, EBX, 16, "avx512f"},
    {7, 0, EBX, 17, "avx512dq"},
    {7, 0, EBX, 18, "rdseed"},
    {7, 0, EBX, 19, "adx"},
    {7, 0, EBX, 20, "smap"},
    {7, 0, EBX, 21, "avx512ifma"},
    {7, 0, EBX, 23, "clflushopt"},
    {7, 0, EBX, 24, "clwb"},
    {7, 0, EBX, 28, "avx512cd"},
    {7, 0, EBX, 29, "sha_ni"},
    {7, 0, EBX, 30, "avx512bw"},
    {7, 0, EBX, 31, "avx512vl"},
    {0xd, 1, EAX, 0, "xsaveopt"},
    {0xd, 1, EAX, 1, "xsavec"},
    {0xd, 1, EAX, 2, "xgetbv1"},
    {7, 1, EAX, 4, "avx_vnni"},
    {7, 1, EAX, 5, "avx512_bf16"},
    {7, 0, ECX, 1, "avx512vbmi"},
    {7, 0, ECX, 2, "umip"},
    {7, 0, ECX, 6, "avx512_vbmi2"},
    {7, 0, ECX, 8, "gfni"},
    {7, 0, ECX, 9, "vaes"},
    {7, 0, ECX, 10, "vpclmulqdq"},
    {7, 0, ECX, 11, "avx512_vnni"},
    {7, 0, ECX, 12, "avx512_bitalg"},
    {7, 0, ECX, 14, "avx512_vpopcntdq"},
    {7, 0, ECX, 22, "rdpid"},
    {7, 0, EDX, 4, "fsrm"},
};

static void ask(uint32_t leaf, uint32_t subleaf, uint32_t r[4]) {
    memset(r, 0, 4 * sizeof(r[0]));
    __get_cpuid_count(leaf, subleaf, &r[EAX], &r[EBX], &r[ECX], &r[EDX]);
}

static void show_identity(struct tree_text *t) {
    uint32_t r[4], name[12] = {0}, family, model;
    const char *text = (const char *)name;

    ask(0, 0, r);
    text_printf(t, "vendor_id\t: %.4s%.4s%.4s\n", (char *)&r[EBX], (char *)&r[EDX],
                (char *)&r[ECX]);
    ask(1, 0, r);
    family = r[EAX] >> 8 & 15;
    model = (r[EAX] >> 4 & 15) | (family == 6 || family == 15 ? r[EAX] >> 12 & 0xf0 : 0);
    if (family == 15) family += r[EAX] >> 20 & 0xff;
    for (uint32_t i = 0; i < 3; i++)
        ask(0x80000002 + i, 0, name + 4 * i);
    while (*text == ' ')
        text++;
    text_printf(t, "cpu family\t: %u\nmodel\t\t: %u\n", family, model);
    text_printf(t, "model name\t: %.48s\nstepping\t: %u\n", *text ? text : "unknown", r[EAX] & 15);
}

static void show_flags(struct tree_text *t) {
    uint32_t leaf = 0, subleaf = 0, r[4] = {0};

    text_printf(t, "flags\t\t:");
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        /* Every cpuid costs a trap: ask once for bits that stand together. */
        if (flags[i].leaf != leaf || flags[i].subleaf != subleaf)
            ask(flags[i].leaf, flags[i].subleaf, r);
        leaf = flags[i].leaf;
        subleaf = flags[i].subleaf;
        if (r[flags[i].reg] >> flags[i].bit & 1) text_printf(t, " %s", flags[i].name);
    }
    text_append(t, "\n", 1);
}

void show_cpuinfo(struct tree_text *t) {
    uint32_t cpus = cpu_count();
    unsigned long khz = (unsigned long)clock_tsc_khz();
    uint32_t sizes[4], extended[4];

    ask(0x80000008, 0, sizes);
    ask(1, 0, extended);
    for (uint32_t i = 0; i < cpus; i++) {
        text_printf(t, "processor\t: %u\n", i);
        show_identity(t);
        text_printf(t, "cpu MHz\t\t: %lu.%03lu\n", khz / 1000, khz % 1000);
        text_printf(t, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n", cpus,
                    i, cpus);
        text_printf(t, "apicid\t\t: %u\nfpu\t\t: yes\nwp\t\t: yes\n", i);
        show_flags(t);
        text_printf(t, "bogomips\t: %lu.%02lu\nclflush size\t: %u\n", khz / 500, khz / 5 % 100,
                    (extended[EBX] >> 8 & 0xff) * 8);
        text_printf(t, "address sizes\t: %u bits physical, %u bits virtual\n\n", sizes[EAX] & 0xff,
                    sizes[EAX] >> 8 & 0xff);
    }
}
