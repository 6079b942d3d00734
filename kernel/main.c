/* SPDX-License-Identifier: MIT */
/* From the first instruction in ring 3 to the program's first. */
#include <hermit/boot.h>
#include <hermit/linux_abi.h>
#include <kernel/arch.h>
#include <kernel/clock.h>
#include <kernel/exec.h>
#include <kernel/frame.h>
#include <kernel/frame_init.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/hostnet.h>
#include <kernel/initrd.h>
#include <kernel/log.h>
#include <kernel/main.h>
#include <kernel/process.h>
#include <kernel/process_init.h>
#include <kernel/stats.h>
#include <kernel/syscall.h>
#include <kernel/vdso.h>
#include <kernel/vfs.h>

struct hermit_stats hermit_stats;

/* The NULL-terminated vector of strings that a table of the boot block describes. */
static char **boot_strings(uint32_t table, uint32_t count) {
    const uint32_t *offsets = (const uint32_t *)boot_string(table);
    char **v = kmalloc((count + 1) * sizeof(*v));
    if (v == NULL) panic("out of memory at boot");
    for (uint32_t i = 0; i < count; i++)
        v[i] = (char *)(uint64_t)boot_string(offsets[i]);
    v[count] = NULL;
    return v;
}

static const char *error_text(int error) {
    switch (error) {
    case -ENOENT:
        return "no such file in the guest";
    case -EACCES:
        return "permission denied";
    case -ENOEXEC:
        return "not an executable format";
    case -ENOMEM:
        return "does not fit into memory; raise it with -m";
    case -ELOOP:
        return "too many levels of links or #! interpreters";
    default:
        return "cannot be read";
    }
}

_Noreturn static void exec_failed(const char *path, int error) {
    const char *why = exec_failure();
    kprint("hermit-run: %s: %s\n", path, *why != '\0' ? why : error_text(error));
    hypercall_exit(HC_EXIT_PROGRAM, error == -ENOMEM ? 125 : error == -ENOENT ? 127 : 126);
}

static struct file *open_boot_program(const struct hermit_boot *boot) {
    if (boot->argc == 0) panic("no program on the command line (-append PROGRAM)");
    if (boot->prog_handle != HERMIT_BOOT_NO_HANDLE) return hostfs_boot_program();
    const char *path = boot_string(boot->program);
    struct vpath *p = kmalloc(sizeof(*p));
    struct file *f = NULL;
    int r = p == NULL ? -ENOMEM : vfs_path(p, VFS_AT_CWD, path);
    if (r == 0) r = vfs_open(p, O_RDONLY, 0, &f);
    kfree(p);
    if (r != 0) exec_failed(path, r);
    return f;
}

static void run_program(const struct hermit_boot *boot) {
    char **argv = boot_strings(boot->argv, boot->argc);
    char **envp = boot_strings(boot->envp, boot->envc);
    const char *path = boot_string(boot->program);
    struct file *f = open_boot_program(boot);
    if (f == NULL) panic("out of memory at boot");
    int r = exec_program(f, path, argv, boot->argc, envp, boot->envc);
    if (r != 0) exec_failed(path, r);
    file_put(f);
    kfree(argv);
    kfree(envp);
}

void kernel_boot(const struct hermit_boot *boot, uint64_t tsc_start) {
    hermit_stats.tsc_start = tsc_start;
    hypercall_init(boot);
    if (boot->magic != HERMIT_BOOT_MAGIC || boot->version != HC_VERSION) {
        panic("loader and kernel are of different versions");
    }
    frame_init(boot->free_gpa, boot->ram_gpa + boot->ram_bytes, boot->ram_limit,
               boot->engine == HERMIT_ENGINE_KVM);
    if (!paging_direct_add(boot->ram_gpa, boot->ram_bytes) ||
        (boot->prog_gpa != 0 && !paging_direct_add(boot->prog_gpa, boot->prog_attr.size))) {
        panic("out of memory at boot");
    }
    clock_init(boot);
    process_init(boot);
    vdso_init();
    vfs_boot(boot);
    initrd_unpack();
    syscall_trace_init(boot);
    hostnet_up();
    hermit_stats.tsc_exec = arch_tsc();
    run_program(boot);
    hermit_stats.tsc_user = arch_tsc();
}
