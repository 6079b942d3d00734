/* SPDX-License-Identifier: MIT */
/* prctl(2), PR_SET_MM and PR_SET_VMA: what /proc/self says about the process's memory. */
#include <kernel/mm.h>
#include <kernel/string.h>
#include <syscall/prctl.h>
#include <syscall/user.h>

#define NAME_SIZE 80 /* of an anonymous mapping's name, with NUL */

static bool name_valid(const char *name) {
    for (; *name; name++)
        if (*name < ' ' || *name > '~' || strchr("\\`$[]", *name)) return false;
    return true;
}

static int64_t set_vma(uint64_t what, gva_t start, uint64_t len, gva_t name_at) {
    char name[NAME_SIZE];
    if (what != PR_SET_VMA_ANON_NAME) return -EINVAL;
    if (name_at != 0) {
        int64_t n = strncpy_from_user(name, name_at, sizeof(name));
        if (n < 0) return n == -EFAULT ? -EFAULT : -EINVAL;
        if (!name_valid(name)) return -EINVAL;
    }
    if (start & PAGE_MASK) return -EINVAL;
    uint64_t pages = page_up(len);
    if (len != 0 && pages == 0) return -EINVAL;
    if (start + pages < start) return -EINVAL;
    if (pages == 0) return 0;
    if (start + pages > HERMIT_USER_TOP) return -ENOMEM;
    return mm_name(current_mm(), start, pages, name_at != 0 ? name : NULL);
}

static int64_t set_auxv(gva_t at, uint64_t len) {
    struct mm *mm = current_mm();
    uint64_t auxv[MM_AUXV_WORDS] = {0};
    if (at == 0 || len > sizeof(auxv)) return -EINVAL;
    if (copy_from_user(auxv, at, len) != 0) return -EFAULT;
    auxv[MM_AUXV_WORDS - 2] = AT_NULL;
    auxv[MM_AUXV_WORDS - 1] = AT_NULL;
    memcpy(mm->auxv, auxv, sizeof(auxv));
    return 0;
}

/* The places of arguments and environment only: the rest of the layout is the kernel's. */
static gva_t *place(struct mm *mm, uint64_t what) {
    switch (what) {
    case PR_SET_MM_ARG_START:
        return &mm->arg_start;
    case PR_SET_MM_ARG_END:
        return &mm->arg_end;
    case PR_SET_MM_ENV_START:
        return &mm->env_start;
    case PR_SET_MM_ENV_END:
        return &mm->env_end;
    default:
        return NULL;
    }
}

static int64_t set_mm(uint64_t what, uint64_t value, uint64_t c, uint64_t d) {
    struct mm *mm = current_mm();
    bool takes_size = what == PR_SET_MM_AUXV || what == PR_SET_MM_MAP;
    if (d != 0 || (c != 0 && !takes_size && what != PR_SET_MM_MAP_SIZE)) return -EINVAL;
    if (what == PR_SET_MM_MAP || what == PR_SET_MM_MAP_SIZE) return -EINVAL;
    if (!process_capable(CAP_SYS_RESOURCE)) return -EPERM;
    if (what == PR_SET_MM_AUXV) return set_auxv(value, c);
    if (value >= HERMIT_USER_TOP || value < HERMIT_USER_MIN) return -EINVAL;
    gva_t *field = place(mm, what);
    if (field == NULL) return -EINVAL;
    gva_t old = *field;
    *field = value;
    int error = mm->arg_start > mm->arg_end || mm->env_start > mm->env_end ? -EINVAL : 0;
    if (error == 0 && mm_find(mm, value) == NULL) error = -EFAULT;
    if (error != 0) *field = old;
    return error;
}

int64_t prctl_memory(int op, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    if (op == PR_SET_VMA) return set_vma(a, b, c, d);
    return op == PR_SET_MM ? set_mm(a, b, c, d) : -ENOSYS;
}
