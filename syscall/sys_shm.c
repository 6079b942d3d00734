/* SPDX-License-Identifier: MIT */
/* Shared memory: memfd_create(2), System V segments. */
#include <hermit/linux_abi.h>
#include <kernel/hugetlb.h>
#include <kernel/shm.h>
#include <kernel/shmem.h>
#include <kernel/string.h>
#include <syscall/protos.h>
#include <syscall/user.h>

#define MEMFD_PREFIX "/memfd:"
#define MEMFD_NAME_MAX 249 /* as Linux: NAME_MAX without its own prefix */
#define MEMFD_KNOWN (MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_NOEXEC_SEAL | MFD_EXEC)

/* memfd_create(2). MFD_HUGETLB: a file of an empty pool. */
int64_t sys_memfd_create(gva_t name, uint32_t flags) {
    char path[sizeof(MEMFD_PREFIX) + MEMFD_NAME_MAX + 1] = MEMFD_PREFIX;
    uint32_t known = MEMFD_KNOWN;
    if (flags & MFD_HUGETLB) known |= (uint32_t)MFD_HUGE_MASK << MFD_HUGE_SHIFT;
    if (flags & ~known) return -EINVAL;
    if ((flags & MFD_EXEC) && (flags & MFD_NOEXEC_SEAL)) return -EINVAL;
    const uint64_t prefix = sizeof(MEMFD_PREFIX) - 1;
    int64_t len = strncpy_from_user(path + prefix, name, MEMFD_NAME_MAX + 1);
    if (len < 0) return len == -ENAMETOOLONG ? -EINVAL : len;
    uint64_t huge = hugetlb_size(flags >> MFD_HUGE_SHIFT & MFD_HUGE_MASK);
    if (flags & MFD_HUGETLB && huge == 0) return -ENODEV;
    uint32_t seals = flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL;
    if (flags & MFD_NOEXEC_SEAL) seals = F_SEAL_EXEC;
    uint32_t mode = flags & MFD_NOEXEC_SEAL ? 0666 : 0777;
    struct file *f = flags & MFD_HUGETLB ? hugetlb_create(path, huge, mode, seals)
                                         : shmem_create(path, 0, mode, seals);
    return f == NULL ? -ENOMEM : fd_install(f, 0, (flags & MFD_CLOEXEC) != 0);
}

/* shmget(2) */
int64_t sys_shmget(int key, uint64_t size, uint32_t flags) { return shm_get(key, size, flags); }

/* shmat(2) */
int64_t sys_shmat(int id, gva_t addr, uint32_t flags) { return shm_attach(id, addr, flags); }

/* shmdt(2) */
int64_t sys_shmdt(gva_t addr) { return shm_detach(addr); }

/* shmctl(2): the lock bit is noted, which is all it means where nothing is swapped. */
int64_t sys_shmctl(int id, int cmd, gva_t buf) { return shm_control(id, cmd, buf); }
