/* SPDX-License-Identifier: MIT */
/* System V shared memory: shmget(2), shmat(2), shmdt(2), shmctl(2). */
#include <sys/ipc.h>
#include <sys/shm.h>

#include "check.h"
#include "fault.h"

#define NONE ((char *)-1)

static struct shmid_ds stat_of(int id) {
    struct shmid_ds ds;
    CHECK_OK(shmctl(id, IPC_STAT, &ds));
    return ds;
}

static void basics(void) {
    int id = shmget(IPC_PRIVATE, 5000, IPC_CREAT | 0640);
    CHECK(id >= 0);
    struct shmid_ds ds = stat_of(id);
    CHECK_EQ(ds.shm_segsz, 5000);
    CHECK_EQ(ds.shm_nattch, 0);
    CHECK_EQ(ds.shm_perm.mode & 0777, 0640);
    CHECK_EQ(ds.shm_cpid, getpid());
    CHECK_EQ(ds.shm_perm.uid, geteuid());
    char *p = shmat(id, NULL, 0), *q = shmat(id, NULL, SHM_RDONLY);
    CHECK(p != NONE && q != NONE && p != q);
    strcpy(p + 4990, "shared");
    CHECK_STR(q + 4990, "shared");
    CHECK_EQ(fault_writing(q), SIGSEGV);
    CHECK_ERR(mprotect(q, CHECK_PAGE, PROT_READ | PROT_WRITE), EACCES);
    CHECK_EQ(stat_of(id).shm_nattch, 2);
    CHECK_EQ(stat_of(id).shm_lpid, getpid());
    CHECK_OK(shmdt(q));
    CHECK_EQ(fault_reading(q), SIGSEGV);
    CHECK_EQ(stat_of(id).shm_nattch, 1);
    CHECK_ERR(shmdt(q), EINVAL);
    CHECK_ERR(shmdt(p + 1), EINVAL);
    /* Removed: the memory stays as long as it is attached. */
    CHECK_OK(shmctl(id, IPC_RMID, NULL));
    CHECK(stat_of(id).shm_perm.mode & 01000); /* SHM_DEST */
    CHECK_STR(p + 4990, "shared");
    CHECK_OK(shmdt(p));
    struct shmid_ds gone;
    CHECK_ERR(shmctl(id, IPC_STAT, &gone), EINVAL);
    CHECK_ERR(shmat(id, NULL, 0), EINVAL);
    ok("attach, detach, remove");
}

static void keys(void) {
    key_t key = 0x48650000 + (getpid() & 0xffff);
    CHECK_ERR(shmget(key, CHECK_PAGE, 0600), ENOENT);
    int id = shmget(key, CHECK_PAGE, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(id >= 0);
    CHECK_ERR(shmget(key, CHECK_PAGE, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    CHECK_EQ(shmget(key, CHECK_PAGE, IPC_CREAT | 0600), id);
    CHECK_EQ(shmget(key, 0, 0), id);
    CHECK_ERR(shmget(key, 2 * CHECK_PAGE, 0600), EINVAL);
    struct shmid_ds ds = stat_of(id);
    ds.shm_perm.mode = 0400;
    CHECK_OK(shmctl(id, IPC_SET, &ds));
    CHECK_EQ(stat_of(id).shm_perm.mode & 0777, 0400);
    CHECK_OK(shmctl(id, IPC_RMID, NULL));
    CHECK_ERR(shmget(key, CHECK_PAGE, 0600), ENOENT);
    CHECK_ERR(shmget(IPC_PRIVATE, 0, IPC_CREAT | 0600), EINVAL);
    CHECK_ERR(shmctl(id, IPC_RMID, NULL), EINVAL);
    CHECK_ERR(shmctl(id, 12345, NULL), EINVAL);
    ok("keys");
}

static void addresses(void) {
    int id = shmget(IPC_PRIVATE, 2 * CHECK_PAGE, IPC_CREAT | 0600);
    char *area =
        mmap(NULL, 4 * CHECK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    CHECK_ERR((intptr_t)shmat(id, area, 0), EINVAL); /* something is there */
    CHECK_ERR((intptr_t)shmat(id, area + 1, SHM_REMAP), EINVAL);
    CHECK_ERR((intptr_t)shmat(id, NULL, SHM_REMAP), EINVAL);
    CHECK(shmat(id, area + CHECK_PAGE + 5, SHM_RND | SHM_REMAP) == area + CHECK_PAGE);
    area[CHECK_PAGE] = 1;
    /* A hole in the middle counts as two attachments and goes with one shmdt. */
    CHECK_OK(munmap(area + CHECK_PAGE, CHECK_PAGE));
    CHECK_EQ(stat_of(id).shm_nattch, 1);
    CHECK_OK(shmdt(area + CHECK_PAGE));
    CHECK_EQ(stat_of(id).shm_nattch, 0);
    CHECK_EQ(area[3 * CHECK_PAGE], 0);
    CHECK_OK(munmap(area, 4 * CHECK_PAGE));
    CHECK_OK(shmctl(id, IPC_RMID, NULL));
    ok("addresses");
}

static void info(void) {
    struct shminfo limits;
    struct shm_info sum;
    int id = shmget(IPC_PRIVATE, 2 * CHECK_PAGE, IPC_CREAT | 0600);
    CHECK(shmctl(0, IPC_INFO, (struct shmid_ds *)&limits) >= 0);
    CHECK_EQ(limits.shmmin, 1);
    int top = shmctl(0, SHM_INFO, (struct shmid_ds *)&sum);
    CHECK(top >= 0);
    CHECK(sum.used_ids >= 1 && sum.shm_tot >= 2);
    struct shmid_ds ds;
    int found = 0;
    for (int i = 0; i <= top; i++)
        found |= shmctl(i, SHM_STAT, &ds) == id;
    CHECK(found);
    CHECK_OK(shmctl(id, SHM_LOCK, NULL));
    CHECK(stat_of(id).shm_perm.mode & 02000);
    CHECK_OK(shmctl(id, SHM_UNLOCK, NULL));
    CHECK_OK(shmctl(id, IPC_RMID, NULL));
    ok("SHM_INFO, SHM_STAT, SHM_LOCK");
}

int main(void) {
    fault_setup();
    basics();
    keys();
    addresses();
    info();
    return 0;
}
