/* SPDX-License-Identifier: MIT */
/* execve(2): the one ELF loader, for the first program as for the later ones. */
#include <hermit/boot.h>
#include <hermit/linux_abi.h>
#include <kernel/aio.h>
#include <kernel/creds.h>
#include <kernel/exec.h>
#include <kernel/frame.h>
#include <kernel/hc.h>
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/posix_timer.h>
#include <kernel/random.h>
#include <kernel/rseq.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/vfs.h>

#include "exec_internal.h"

#define MAX_SCRIPT_DEPTH 4
#define MAX_SHEBANG 256
#define HEADER_BYTES 2000 /* usual headers fit; a heap block of less than a page */

static const char *failure = "";

const char *exec_failure(void) { return failure; }

static int refuse(int error, const char *why) {
    failure = why;
    return error;
}

uint64_t exec_random(const struct exec *e, uint64_t limit) {
    uint64_t r;
    if (!e->randomize) return 0;
    random_bytes(&r, sizeof(r));
    return page_down(r & (limit - 1));
}

/* Reads the headers of f and checks them. */
static int load_plan(struct file *f, struct elf_plan *plan) {
    struct hc_attr attr;
    int r = file_getattr(f, &attr);
    if (r != 0) return r;
    char *header = kmalloc(HEADER_BYTES);
    if (header == NULL) return -ENOMEM;
    int64_t n = file_read_kernel(f, header, HEADER_BYTES, 0);
    if (n >= 0) {
        size_t span = elf_header_span(header, (size_t)n);
        if (span > (size_t)n && span <= attr.size) {
            kfree(header);
            header = kmalloc(span);
            if (header == NULL) return -ENOMEM;
            n = file_read_kernel(f, header, span, 0);
        }
    }
    const char *why = NULL;
    if (n >= 0) {
        why = elf_check(header, (size_t)n, attr.size, HERMIT_USER_MIN, HERMIT_USER_TOP, plan);
    }
    kfree(header);
    if (n < 0) return (int)n;
    return why == NULL ? 0 : refuse(-ENOEXEC, why);
}

static int open_program(const char *path, struct file **out) {
    struct vpath *p = kmalloc(sizeof(*p));
    if (p == NULL) return -ENOMEM;
    struct hc_attr attr;
    int r = vfs_path(p, VFS_AT_CWD, path);
    if (r == 0) r = vfs_stat(p, true, &attr);
    if (r == 0 && (attr.mode & S_IFMT) != S_IFREG) r = -EACCES;
    if (r == 0) r = vfs_permission(&attr, 1);
    if (r == 0) r = vfs_open(p, O_RDONLY, 0, out);
    kfree(p);
    return r;
}

static int load_interp(struct exec *e) {
    uint64_t len = e->plan.interp_len;
    if (len == 0) return 0;
    char *path = kmalloc(len);
    if (path == NULL) return -ENOMEM;
    int64_t n = file_read_kernel(e->file, path, len, (int64_t)e->plan.interp_offset);
    int r = n < 0 ? (int)n : 0;
    if (r == 0 && ((uint64_t)n != len || path[len - 1] != '\0')) {
        r = refuse(-ENOEXEC, "invalid interpreter path");
    }
    if (r == 0) {
        r = open_program(path, &e->interp);
        if (r != 0) {
            kverbose("hermit: interpreter %s: error %d\n", path, -r);
            r = refuse(r == -ENOENT ? -ENOENT : r,
                       "its interpreter (dynamic loader) is missing in the guest; add it with -v");
        }
    }
    kfree(path);
    return r == 0 ? load_plan(e->interp, &e->interp_plan) : r;
}

static void name_process(struct process *p, const struct file *f, const char *path) {
    const char *base = strrchr(path, '/');
    strlcpy(current_thread()->comm, base != NULL ? base + 1 : path, sizeof(current_thread()->comm));
    kfree(p->exe);
    p->exe = f->path != NULL ? kstrdup(f->path) : NULL;
}

static void reset_cpu_state(struct thread *t) {
    static const uint32_t mxcsr = 0x1f80;
    __asm__ volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
    t->fs_base = 0;
    t->clear_tid = 0;
    t->robust_list = 0;
    __asm__ volatile("wrfsbase %0" : : "r"(0ULL));
}

static void start(struct thread *t, uint64_t entry, uint64_t sp) {
    *t->regs = (struct regs){.orig_rax = (uint64_t)-1,
                             .rip = entry,
                             .cs = HERMIT_CS3,
                             .rflags = 0x202,
                             .rsp = sp,
                             .ss = HERMIT_SS3};
    percpu()->full_restore = 1;
}

/* The end of the program's segments, and of the stubs above. */
static gva_t image_end(struct mm *mm, const struct exec *e) {
    gva_t end = page_up(e->plan.high + e->base);
    const struct vma *v = mm_find(mm, end);
    return v != NULL && (v->state & VMA_STUBS) ? v->end : end;
}

/* Past this point the old program is gone: an error ends the process. */
static int commit(struct exec *e, struct mm *mm) {
    struct process *p = current_process();
    struct mm *old = p->mm;
    p->mm = mm;
    mm_activate(mm);
    if (old != NULL) mm_destroy(old);
    int r = exec_map_stack(mm, e);
    if (r == 0) r = exec_map_image(mm, e, e->file, &e->plan, false, &e->base);
    uint64_t entry = e->plan.entry + e->base;
    if (r == 0 && e->interp != NULL) {
        r = exec_map_image(mm, e, e->interp, &e->interp_plan, true, &e->interp_base);
        entry = e->interp_plan.entry + e->interp_base;
    }
    int64_t sp = r == 0 ? exec_build_stack(mm, e) : r;
    if (sp < 0) return refuse((int)sp, "does not fit into memory; raise it with -m");
    mm->brk_start = mm->brk = image_end(mm, e) + exec_random(e, 1ULL << 25);
    reset_cpu_state(current_thread());
    start(current_thread(), entry, (uint64_t)sp);
    return 0;
}

/* What execve(2) was asked for; a #! line changes argv on the way. */
struct request {
    const char *path; /* AT_EXECFN and comm: the script's, not its interpreter's */
    char *const *argv;
    char *const *envp;
    uint32_t argc, envc;
};

static int exec_elf(struct file *f, const struct request *q) {
    struct exec *e = kzalloc(sizeof(*e));
    if (e == NULL) return -ENOMEM;
    e->file = f;
    e->path = q->path;
    e->argv = q->argv;
    e->argc = q->argc;
    e->envp = q->envp;
    e->envc = q->envc;
    bool fixed = (current_thread()->personality & ADDR_NO_RANDOMIZE) != 0;
    e->randomize = !fixed && !(boot_info()->flags & HERMIT_BOOT_NO_ASLR);
    int r = load_plan(f, &e->plan);
    if (r == 0) r = load_interp(e);
    struct mm *mm = r == 0 ? mm_create() : NULL;
    if (r == 0 && mm == NULL) r = -ENOMEM;
    if (r == 0) {
        bool first = current_mm() == NULL;
        if (!first) thread_kill_others();
        r = commit(e, mm);
        if (r != 0 && !first) process_die(SIGKILL);
        if (r == 0) creds_exec(current_process());
        if (r == 0) name_process(current_process(), f, q->path);
    }
    if (e->interp != NULL) file_put(e->interp);
    kfree(e);
    return r;
}

static int exec_script(char *line, const char *script, const struct request *q, unsigned depth);

/* path: how the file was named at this level of scripts. */
static int exec_any(struct file *f, const char *path, const struct request *q, unsigned depth) {
    char line[MAX_SHEBANG];
    int64_t n = file_read_kernel(f, line, sizeof(line) - 1, 0);
    if (n < 0) return (int)n;
    line[n] = '\0';
    if (n < 2 || line[0] != '#' || line[1] != '!') return exec_elf(f, q);
    if (depth == MAX_SCRIPT_DEPTH) return refuse(-ELOOP, "too many levels of #! interpreters");
    return exec_script(line + 2, path, q, depth);
}

static bool blank(char c) { return c == ' ' || c == '\t'; }

/* Cuts "interpreter [argument]" in two; the argument is "" if there is none. */
static const char *split_line(char **line) {
    *strchrnul(*line, '\n') = '\0';
    while (blank(**line))
        ++*line;
    char *argument = *line;
    while (*argument != '\0' && !blank(*argument))
        argument++;
    if (*argument != '\0') *argument++ = '\0';
    while (blank(*argument))
        argument++;
    for (char *end = argument + strlen(argument); end > argument && blank(end[-1]);)
        *--end = '\0';
    return argument;
}

/* "#! interpreter [argument]": execve(2), "Interpreter scripts". */
static int exec_script(char *line, const char *script, const struct request *q, unsigned depth) {
    const char *argument = split_line(&line);
    if (*line == '\0') return refuse(-ENOEXEC, "its #! line names no interpreter");
    const char **args = kmalloc((q->argc + 3) * sizeof(*args));
    if (args == NULL) return -ENOMEM;
    struct request inner = *q;
    inner.argv = (char *const *)args;
    inner.argc = 0;
    args[inner.argc++] = line;
    if (*argument != '\0') args[inner.argc++] = argument;
    args[inner.argc++] = script;
    for (uint32_t i = 1; i < q->argc; i++)
        args[inner.argc++] = q->argv[i];
    struct file *f;
    int r = open_program(line, &f);
    if (r == 0) {
        r = exec_any(f, line, &inner, depth + 1);
        file_put(f);
    } else {
        refuse(r, "the interpreter of its #! line is missing in the guest; add it with -v");
    }
    kfree(args);
    return r;
}

int exec_program(struct file *exe, const char *path, char *const *argv, uint32_t argc,
                 char *const *envp, uint32_t envc) {
    failure = "";
    const struct request q = {path, argv, envp, argc, envc};
    int r = exec_any(exe, path, &q, 0);
    if (r != 0) return r;
    signal_reset_handlers();
    rseq_forget(current_thread());
    posix_timers_delete_all(current_process());
    aio_destroy_all();
    fd_close_on_exec();
    current_thread()->personality &= ~(uint32_t)READ_IMPLIES_EXEC; /* as of any 64-bit program */
    return 0;
}
