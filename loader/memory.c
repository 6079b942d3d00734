/* SPDX-License-Identifier: MIT */
/* Guest RAM and the kernel image in it.
 *
 * Under KVM the first slot holds some RAM from HERMIT_RAM_GPA on and, behind it, the first file
 * window: one slot, because each costs time.  More RAM comes in slots of the guest's asking.  The
 * image's text is this executable's own pages, shared between all hermits; its data is private.
 * Under QEMU all RAM is one shared memory file which QEMU maps too. */
#include <loader/memory.h>

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <hermit/layout.h>
#include <kernel_symbols.h>
#include <loader/diag.h>
#include <loader/file_window.h>
#include <loader/guest_mem.h>
#include <loader/kernel_image.h>
#include <loader/kvm.h>
#include <loader/vm.h>

/* The first slot and how much of it, from HERMIT_RAM_GPA on, is RAM.  The size costs time, 3 us for
 * a MiB; one more slot, once the guest runs, costs 800 us, and a large program will need it. */
#define FIRST_SLOT (16ULL << 20) /* guest-physical end */
#define FIRST_RAM (8ULL << 20)
#define LARGE_SLOT (48ULL << 20)
#define LARGE_RAM (16ULL << 20)
#define LARGE_PROGRAM (1ULL << 20)                         /* bytes of its file */
#define QEMU_RAM_MAX (HERMIT_RAM_HOLE_GPA - (16ULL << 20)) /* in one piece, below the hole */
#define PAGE_UP(x) (((x) + HERMIT_PAGE_SIZE - 1) & ~(uint64_t)(HERMIT_PAGE_SIZE - 1))

static enum hermit_engine vm_engine;
static uint64_t limit, committed;
static char *ram; /* host address of HERMIT_RAM_GPA */
static uint64_t slot_bytes;
static gpa_t comm_gpa, boot_gpa, free_gpa, next_gpa;
static int ram_fd = -1;
struct hc_comm *vm_comm;

static void map_ram(void) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    if (vm_engine == HERMIT_ENGINE_QEMU) {
        ram_fd = memfd_create("hermit-ram", MFD_ALLOW_SEALING);
        if (ram_fd < 0 || ftruncate(ram_fd, (off_t)(HERMIT_RAM_GPA + slot_bytes)) != 0) {
            die(EXIT_HERMIT, "cannot create guest memory: %s", strerror(errno));
        }
        /* If QEMU could shorten it, an access here would be SIGBUS. */
        fcntl(ram_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
        flags = MAP_SHARED;
    }
    void *p = mmap(NULL, slot_bytes, PROT_READ | PROT_WRITE, flags, ram_fd,
                   ram_fd < 0 ? 0 : (off_t)HERMIT_RAM_GPA);
    if (p == MAP_FAILED) die(EXIT_HERMIT, "cannot reserve guest memory: %s", strerror(errno));
    ram = p;
}

/* Offset of an address of ours in our own executable file, or -1. */
static int find_offset(struct dl_phdr_info *info, size_t size, void *arg) {
    uintptr_t *address = arg;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + p->p_vaddr;
        if (p->p_type != PT_LOAD || *address < start || *address >= start + p->p_filesz) continue;
        *address = *address - start + p->p_offset;
        return 1;
    }
    return 0;
}

/* Maps len bytes of the embedded image at `at`, or copies them where that cannot be done. */
static void map_piece(int exe, const char *image, uint64_t len, char *at, int prot, int flags) {
    uintptr_t offset = (uintptr_t)image;
    if (exe >= 0 && dl_iterate_phdr(find_offset, &offset) == 1 && offset % HERMIT_PAGE_SIZE == 0 &&
        mmap(at, PAGE_UP(len), prot, flags | MAP_FIXED, exe, (off_t)offset) == at) {
        return;
    }
    if (mmap(at, PAGE_UP(len), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
             0) != at) {
        die(EXIT_HERMIT, "cannot map the kernel: %s", strerror(errno));
    }
    memcpy(at, image, len);
}

/* The image's text is shared with every other hermit; its data is private. */
static void map_image(void) {
    int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    const Elf64_Ehdr *e = (const Elf64_Ehdr *)kernel_image;
    const Elf64_Phdr *text = (const Elf64_Phdr *)(kernel_image + e->e_phoff), *data = text + 1;
    map_piece(exe, kernel_image + text->p_offset, text->p_filesz, ram, PROT_READ, MAP_SHARED);
    map_piece(exe, kernel_image + data->p_offset, data->p_filesz, ram + KERNEL_TEXT_GPA_SPAN,
              PROT_READ | PROT_WRITE, MAP_PRIVATE);
    if (exe >= 0) close(exe);
    /* All that booting touches is there before the guest asks for it: KVM then maps neighbours
     * along with the page of a fault, and no page is mapped twice, as zeroes and then as itself. */
    gpa_t end = free_gpa + HERMIT_BOOT_FRAMES * HERMIT_PAGE_SIZE;
    madvise(ram + KERNEL_TEXT_GPA_SPAN, end - KERNEL_DATA_GPA, MADV_POPULATE_WRITE);
}

void memory_init(enum hermit_engine engine, uint64_t limit_bytes, uint64_t block_bytes,
                 uint64_t program_bytes) {
    bool large = program_bytes > LARGE_PROGRAM;
    uint64_t first_ram = large ? LARGE_RAM : FIRST_RAM;
    uint64_t first_end = large ? LARGE_SLOT : FIRST_SLOT;
    uint64_t image_end = KSYM___image_end - KERNEL_DATA_GVA + KERNEL_DATA_GPA;
    vm_engine = engine;
    limit = limit_bytes;
    bool kvm = engine == HERMIT_ENGINE_KVM;
    if (!kvm && limit > QEMU_RAM_MAX) {
        die(EXIT_HERMIT, "-m: under QEMU a program can have at most %llu MiB",
            (unsigned long long)(QEMU_RAM_MAX >> 20));
    }
    committed = kvm && limit > first_ram ? first_ram : limit;
    slot_bytes = kvm ? first_end - HERMIT_RAM_GPA : committed;
    comm_gpa = PAGE_UP(image_end);
    boot_gpa = comm_gpa + HC_COMM_BYTES;
    free_gpa = PAGE_UP(boot_gpa + block_bytes);
    if (free_gpa + (1 << 20) > HERMIT_RAM_GPA + committed) {
        die(EXIT_HERMIT, "-m: %llu bytes are too little memory for the kernel and the arguments",
            (unsigned long long)limit);
    }
    map_ram();
    if (kvm) map_image();
    uint64_t text = kvm ? KERNEL_TEXT_GPA_SPAN : 0;
    if (text != 0) guest_mem_add_readonly(HERMIT_RAM_GPA, text, ram);
    guest_mem_add(HERMIT_RAM_GPA + text, committed - text, ram + text);
    next_gpa = first_end;
    vm_comm = (struct hc_comm *)(ram + (comm_gpa - HERMIT_RAM_GPA));
    if (kvm) {
        window_init(HERMIT_RAM_GPA + first_ram, slot_bytes - first_ram, ram + first_ram);
    }
}

gpa_t memory_boot_gpa(void) { return boot_gpa; }

struct hermit_boot *memory_boot_block(void) {
    return (struct hermit_boot *)(ram + (boot_gpa - HERMIT_RAM_GPA));
}

void memory_describe(struct hermit_boot *b) {
    b->comm = comm_gpa;
    b->ram_gpa = HERMIT_RAM_GPA;
    b->ram_bytes = committed;
    b->free_gpa = free_gpa;
    b->ram_limit = limit;
}

void memory_attach(void) {
    int r = kvm_add_slot(HERMIT_RAM_GPA, slot_bytes, ram);
    if (r != 0) die(EXIT_HERMIT, "KVM: cannot add guest memory: %s", strerror(-r));
}

int memory_fd(void) { return ram_fd; }

/* Where the next slot of RAM goes: the hole below 4 GiB and the file windows stay free. */
static gpa_t place_ram(uint64_t bytes) {
    if (next_gpa < HERMIT_RAM_HOLE_GPA && next_gpa + bytes > HERMIT_RAM_HOLE_GPA) {
        next_gpa = HERMIT_RAM_HIGH_GPA;
    }
    return next_gpa;
}

int memory_grow(uint64_t bytes, gpa_t *gpa, uint64_t *granted) {
    if (vm_engine != HERMIT_ENGINE_KVM) return -ENOMEM; /* QEMU has it all from the start */
    uint64_t left = (limit - committed) & ~(uint64_t)(HERMIT_PAGE_SIZE - 1);
    if (bytes > left) bytes = left;
    if (bytes == 0) return -ENOMEM;
    gpa_t at = place_ram(bytes);
    if (at + bytes > HERMIT_FILE_GPA) return -ENOMEM;
    void *host = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (host == MAP_FAILED) return -ENOMEM;
    int r = kvm_add_slot(at, bytes, host);
    if (r == 0) r = guest_mem_add(at, bytes, host);
    if (r != 0) {
        munmap(host, bytes);
        return r;
    }
    next_gpa = at + bytes;
    committed += bytes;
    *gpa = at;
    *granted = bytes;
    return 0;
}

int memory_release(gpa_t gpa, uint64_t len) {
    void *p = guest_ptr(gpa, len);
    if (p == NULL) return -EFAULT;
    int advice = vm_engine == HERMIT_ENGINE_KVM ? MADV_DONTNEED : MADV_REMOVE;
    return madvise(p, len, advice) == 0 ? 0 : -errno;
}
