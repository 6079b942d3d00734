/* SPDX-License-Identifier: MIT */
/* A thread, its CPU, program memory and the heap for host builds of kernel code. */
#include "fake_cpu.h"

#include <kernel/heap.h>
#include <kernel/string.h>
#include <kernel/syscall.h>
#include <kernel/uaccess.h>
#include <kernel/waitq.h>

/* From libc, whose headers do not go together with Linux's own. */
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void free(void *p);
long syscall(long nr, ...);

struct process fake_process;
struct thread fake_thread;
struct percpu fake_percpu;
unsigned char fake_user[FAKE_USER_BYTES] __attribute__((aligned(4096)));

void fake_cpu_reset(void) {
    memset(&fake_process, 0, sizeof(fake_process));
    memset(&fake_thread, 0, sizeof(fake_thread));
    memset(&fake_percpu, 0, sizeof(fake_percpu));
    memset(fake_user, 0, sizeof(fake_user));
    fake_process.pid = fake_process.pgid = fake_thread.tid = 2;
    fake_process.limits[RLIMIT_SIGPENDING].rlim_cur = 4;
    fake_thread.process = &fake_process;
    TAILQ_INIT(&fake_process.threads);
    TAILQ_INSERT_TAIL(&fake_process.threads, &fake_thread, in_process);
    fake_process.leader = &fake_thread;
    fake_process.thread_count = 1;
    fake_percpu.self = &fake_percpu;
    fake_percpu.thread = &fake_thread;
    syscall(__NR_arch_prctl, ARCH_SET_GS, &fake_percpu);
}

void syscall_trace_signal(int sig, const siginfo_t *info) {}
void syscall_trace_killed(int sig) {}

static int in_fake_user(gva_t at, uint64_t len) {
    gva_t base = (gva_t)fake_user;
    return at >= base && len <= FAKE_USER_BYTES && at - base <= FAKE_USER_BYTES - len;
}

int copy_from_user(void *dst, gva_t src, uint64_t len) {
    if (!in_fake_user(src, len)) return -EFAULT;
    memcpy(dst, (const void *)src, len);
    return 0;
}

int copy_to_user(gva_t dst, const void *src, uint64_t len) {
    if (!in_fake_user(dst, len)) return -EFAULT;
    memcpy((void *)dst, src, len);
    return 0;
}

void *kmalloc(size_t bytes) { return malloc(bytes); }
void *kzalloc(size_t bytes) { return calloc(1, bytes); }
void kfree(void *p) { free(p); }
void waitq_wake(struct waitq *q, uint32_t events) {}
