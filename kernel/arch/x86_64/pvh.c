/* SPDX-License-Identifier: MIT */
/* The boot block of a kernel that QEMU loaded: hermit-run's, or, for a plain `qemu-system-x86_64
 * -kernel`, one built here.  Then the command line is `[-- ]PROGRAM [ARGS...]`, words separated by
 * blanks, `NAME=VALUE` words before the program are its environment, and the initial RAM disk
 * (cpio, newc) holds its files. */
#include <hermit/boot.h>
#include <kernel/arch.h>
#include <kernel/frame.h>
#include <kernel/initrd.h>
#include <kernel/log.h>
#include <kernel/string.h>
#include <kernel/virtio_mmio.h>

#include "cpu.h"
#include "pc_clock.h"
#include "pvh.h"

#define MAX_WORDS 128u
#define BLOCK_BYTES 8192u

extern uint64_t boot_pml4[512], low_pdpt[512];
extern const char __image_end[];
extern struct pc_clock pvh_clock;

static uint64_t own_block[BLOCK_BYTES / 8];

static uint64_t module_pd[512] __attribute__((aligned(PAGE_SIZE)));

/* The direct map has its first GiB at link time; QEMU puts a module at the end of RAM. */
static void map_module(const struct pvh_module *module) {
    gpa_t gib = module->address & ~((1ULL << 30) - 1);
    if (*paging_direct_entry(gib) & PTE_P) return;
    paging_link_direct(module_pd, frame_gpa(module_pd), gib);
}

const struct hermit_boot *pvh_loader_block(const struct pvh_start_info *start) {
    if (start->nr_modules == 0) return NULL;
    const struct pvh_module *module = frame_ptr(start->modlist);
    map_module(module);
    const struct hermit_boot *block = frame_ptr(module->address);
    return module->size >= sizeof(*block) && block->magic == HERMIT_BOOT_MAGIC ? block : NULL;
}

/* End of the RAM that begins at or below HERMIT_RAM_GPA. */
static gpa_t ram_end(const struct pvh_start_info *start) {
    const struct pvh_memmap *map = frame_ptr(start->memmap);
    for (uint32_t i = 0; i < start->memmap_entries; i++) {
        gpa_t end = map[i].address + map[i].size;
        if (map[i].type == 1 && map[i].address <= HERMIT_RAM_GPA && end > HERMIT_RAM_GPA)
            return end;
    }
    return HERMIT_RAM_GPA + (64ULL << 20);
}

static uint32_t here(const char *p) { return (uint32_t)(p - (const char *)own_block); }

/* QEMU appends words like this, which are meant for Linux. */
static const char device_word[] = "virtio_mmio.device=";

/* Cuts the command line into words: environment, then program and arguments. */
static void parse_words(struct hermit_boot *b, char *text, uint32_t *offsets) {
    bool program = false;
    for (char *at = text; *at != '\0';) {
        while (*at == ' ')
            at++;
        if (*at == '\0') break;
        char *word = at;
        while (*at != '\0' && *at != ' ')
            at++;
        if (*at != '\0') *at++ = '\0';
        if (!program && strcmp(word, "--") == 0) continue;
        if (strncmp(word, device_word, strlen(device_word)) == 0) continue;
        uint32_t count = b->argc + b->envc;
        if (count == MAX_WORDS) break;
        program |= strchr(word, '=') == NULL;
        offsets[count] = here(word);
        if (program)
            b->argc++;
        else
            b->envc++;
    }
    b->envp = here((const char *)offsets);
    b->argv = here((const char *)(offsets + b->envc));
}

static const char *cmdline(const struct pvh_start_info *start) {
    return start->cmdline != 0 ? frame_ptr(start->cmdline) : "";
}

static bool has_rdrand(void) {
    uint32_t a = 1, b, c = 0, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return c >> 30 & 1;
}

/* Entropy without a loader: RDRAND where the CPU has it (QEMU's does), and the TSC. */
static void seed_from_cpu(uint8_t *seed, size_t len) {
    for (size_t i = 0; i + 8 <= len; i += 8) {
        uint64_t r = 0, tsc = arch_tsc();
        if (has_rdrand()) __asm__ volatile("rdrand %0" : "=r"(r));
        r ^= tsc * 0x9e3779b97f4a7c15ULL;
        memcpy(seed + i, &r, 8);
    }
}

static struct hermit_boot *build(const struct pvh_start_info *start) {
    struct hermit_boot *b = (struct hermit_boot *)own_block;
    char *strings = (char *)(b + 1);
    uint32_t *offsets = (uint32_t *)strings;
    char *text = strings + MAX_WORDS * sizeof(uint32_t);
    size_t room = BLOCK_BYTES - (size_t)(text - (char *)own_block) - 32;
    strlcpy(text, cmdline(start), room);
    char *tail = text + strlen(text) + 1;
    memcpy(tail, "/\0hermit\0", 10);
    gpa_t image_end = frame_gpa(__image_end), end = ram_end(start);
    if (start->nr_modules > 0) {
        const struct pvh_module *module = frame_ptr(start->modlist);
        initrd_set(frame_ptr(module->address), module->size);
        if (module->address > image_end) end = min(end, page_down(module->address));
    }
    *b = (struct hermit_boot){
        .magic = HERMIT_BOOT_MAGIC,
        .version = HC_VERSION,
        .size = BLOCK_BYTES,
        .engine = HERMIT_ENGINE_QEMU,
        .ram_gpa = HERMIT_RAM_GPA,
        .ram_bytes = end - HERMIT_RAM_GPA,
        .free_gpa = page_up(image_end),
        .ram_limit = end - HERMIT_RAM_GPA,
        .tsc_khz = pvh_clock.tsc_khz,
        .tsc_base = pvh_clock.tsc_base,
        .realtime_ns = pvh_clock.realtime_ns,
        .umask = 022,
        .cpus = 1,
        .cwd = here(tail),
        .hostname = here(tail + 2),
        .strace_filter = here(tail + 9),
        .prog_handle = HERMIT_BOOT_NO_HANDLE,
    };
    if (virtio_mmio_find(b->tap.mac)) {
        b->net = HC_NET_TAP;
        b->tap.dhcp = 1;
    }
    parse_words(b, text, offsets);
    if (b->argc > 0) b->program = ((uint32_t *)((char *)b + b->argv))[0];
    seed_from_cpu(b->seed, sizeof(b->seed));
    return b;
}

const struct hermit_boot *pvh_boot_block(gpa_t info) {
    const struct pvh_start_info *start = frame_ptr(info);
    low_pdpt[0] = 0; /* the identity map */
    paging_activate(frame_gpa(boot_pml4));
    const struct hermit_boot *block = pvh_loader_block(start);
    if (block == NULL) return build(start);
    /* QEMU put it into RAM that is about to be used; its place is behind comm. */
    return memcpy(frame_ptr(block->comm + HC_COMM_BYTES), block, block->size);
}
