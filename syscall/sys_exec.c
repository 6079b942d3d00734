/* SPDX-License-Identifier: MIT */
/* execve(2), execveat(2): collects the strings; exec_program() does the rest. */
#include <kernel/heap.h>
#include <kernel/log.h>
#include <kernel/string.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define MAX_STRING (32 * PAGE_SIZE)   /* bytes of one string with its NUL */
#define ARGS_MIN (32 * PAGE_SIZE)     /* bytes that are always allowed in total */
#define ARGS_MAX (6ULL * 1024 * 1024) /* bytes, whatever RLIMIT_STACK says */
#define FIRST_SLOTS 64                /* slots of a list to begin with */

/* A copy of argv or envp. */
struct string_list {
    char **items;
    uint32_t count, slots;
};

static void list_free(struct string_list *list) {
    for (uint32_t i = 0; i < list->count; i++)
        kfree(list->items[i]);
    kfree(list->items);
}

static int list_add(struct string_list *list, char *text) {
    if (list->count == list->slots) {
        uint32_t slots = max(list->slots * 2, FIRST_SLOTS);
        char **items = krealloc(list->items, slots * sizeof(*items));
        if (items == NULL) return -ENOMEM;
        list->items = items;
        list->slots = slots;
    }
    list->items[list->count++] = text;
    return 0;
}

/* Length of a string of the program without its NUL, or -errno. */
static int64_t user_strlen(gva_t at) {
    char piece[256];
    for (uint64_t len = 0; len < MAX_STRING; len += sizeof(piece)) {
        int64_t n = strncpy_from_user(piece, at + len, sizeof(piece));
        if (n >= 0) return (int64_t)len + n;
        if (n != -ENAMETOOLONG) return n;
    }
    return -E2BIG;
}

/* Copies one string and takes it and its pointer off the budget. */
static int copy_string(struct string_list *list, gva_t at, uint64_t *budget) {
    int64_t len = user_strlen(at);
    if (len < 0) return (int)len;
    uint64_t cost = (uint64_t)len + 1 + sizeof(gva_t);
    if (cost > *budget) return -E2BIG;
    *budget -= cost;
    char *text = kmalloc((uint64_t)len + 1);
    if (text == NULL) return -ENOMEM;
    int err = copy_from_user(text, at, (uint64_t)len);
    text[len] = 0; /* whatever happened to the original meanwhile */
    if (err == 0) err = list_add(list, text);
    if (err != 0) kfree(text);
    return err;
}

/* A NULL list is an empty one, as on Linux. */
static int list_from_user(struct string_list *list, gva_t at, uint64_t *budget) {
    while (at != 0) {
        gva_t item;
        if (get_user(item, at) != 0) return -EFAULT;
        if (item == 0) break;
        int err = copy_string(list, item, budget);
        if (err != 0) return err;
        at += sizeof(item);
    }
    return 0;
}

static uint64_t args_budget(void) {
    uint64_t quarter = current_process()->limits[RLIMIT_STACK].rlim_cur / 4;
    return max(min(quarter, ARGS_MAX), (uint64_t)ARGS_MIN);
}

static int exec_file(struct file *f, const char *path, gva_t argv_at, gva_t envp_at) {
    struct string_list argv = {0}, envp = {0};
    uint64_t budget = args_budget();
    int err = list_from_user(&argv, argv_at, &budget);
    if (err == 0) err = list_from_user(&envp, envp_at, &budget);
    if (err == 0 && argv.count == 0) { /* programs rely on argv[0] */
        char *empty = kstrdup("");
        err = empty != NULL ? list_add(&argv, empty) : -ENOMEM;
        if (err != 0) kfree(empty);
    }
    if (err == 0) err = exec_program(f, path, argv.items, argv.count, envp.items, envp.count);
    list_free(&argv);
    list_free(&envp);
    return err;
}

/* Opens what is to run; regular and executable. */
static int exec_open(struct vpath *p, bool follow, struct file **out) {
    struct hc_attr attr;
    int err = vfs_stat(p, follow, &attr);
    if (err != 0) return err;
    if (S_ISLNK(attr.mode)) return -ELOOP;
    if (!S_ISREG(attr.mode)) return -EACCES;
    err = vfs_permission(&attr, X_OK);
    return err != 0 ? err : vfs_open(p, O_RDONLY, 0, out);
}

static int64_t exec_at(int dirfd, gva_t path_at, gva_t argv, gva_t envp, uint32_t flags) {
    if (flags & ~(uint32_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) return -EINVAL;
    char *path;
    int err = string_from_user(&path, path_at);
    if (err != 0) return err;
    /* One frame of the chain may be large; exec_program() is below this one. */
    struct vpath *p = kmalloc(sizeof(*p));
    struct file *f = NULL, *opened = NULL;
    if (p == NULL)
        err = -ENOMEM;
    else
        err = path_or_file(p, &opened, dirfd, path_at, flags);
    if (err == 0 && opened != NULL) { /* fexecve(3): by the name the file was opened with */
        ksnprintf(path, HC_MAX_PATH, "/dev/fd/%d", dirfd);
        err = opened->path != NULL ? vfs_path(p, AT_FDCWD, opened->path) : -EACCES;
    }
    if (err == 0) err = exec_open(p, (flags & AT_SYMLINK_NOFOLLOW) == 0, &f);
    if (opened != NULL) file_put(opened);
    kfree(p);
    if (err == 0) {
        err = exec_file(f, path, argv, envp);
        file_put(f);
    }
    kfree(path);
    return err;
}

/* execve(2) */
int64_t sys_execve(struct regs *r) { return exec_at(AT_FDCWD, r->rdi, r->rsi, r->rdx, 0); }

/* execveat(2) */
int64_t sys_execveat(struct regs *r) {
    return exec_at((int)r->rdi, r->rsi, r->rdx, r->r10, (uint32_t)r->r8);
}
