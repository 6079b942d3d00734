/* SPDX-License-Identifier: MIT */
/* rseq(2): registration, the CPU's number, sequences that abort on signals and preemption. */
#include "thread.h"

#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/time.h>

#define SIGNATURE 0x53053053u
#define UNREGISTER 1

struct area {
    uint32_t cpu_id_start, cpu_id;
    uint64_t cs;
    uint32_t flags, node_id, mm_cid, end;
} __attribute__((aligned(32)));

struct sequence {
    uint32_t version, flags;
    uint64_t start, length, abort;
} __attribute__((aligned(32)));

/* A sequence that counts in *busy until *stop is set: 0, or 1 if it was aborted. */
int spin_in_sequence(volatile uint64_t *cs, volatile uint64_t *busy, volatile uint32_t *stop);
extern struct sequence spin_descriptor;
__asm__(".text\n"
        ".globl spin_in_sequence\n"
        "spin_in_sequence:\n"
        "    leaq spin_descriptor(%rip), %rax\n"
        "    movq %rax, (%rdi)\n"
        "1:  incq (%rsi)\n"
        "    cmpl $0, (%rdx)\n"
        "    je 1b\n"
        "    xorl %eax, %eax\n"
        "2:  ret\n"
        "    .long 0x53053053\n"
        "3:  movl $1, %eax\n"
        "    ret\n"
        ".data\n"
        ".balign 32\n"
        ".globl spin_descriptor\n"
        "spin_descriptor:\n"
        "    .long 0, 0\n"
        "    .quad 1b, 2b - 1b, 3b\n"
        ".text\n");

static long rseq(void *area, unsigned len, int flags, unsigned sig) {
    return syscall(SYS_rseq, area, len, flags, sig);
}

/* Each test runs in a thread of its own, in which libc's registration is undone first. */
static struct area *own_area(void) {
    static _Thread_local struct area area;
    extern const ptrdiff_t __rseq_offset __attribute__((weak));
    extern const unsigned __rseq_size __attribute__((weak));
    if (&__rseq_size != NULL && __rseq_size != 0)
        CHECK_OK(
            rseq((char *)__builtin_thread_pointer() + __rseq_offset, 32, UNREGISTER, SIGNATURE));
    area = (struct area){.cpu_id = UINT32_MAX};
    return &area;
}

static void *registration(void *arg) {
    struct area *a = own_area(), other;
    CHECK_ERR(rseq(a, 32, UNREGISTER, SIGNATURE), EINVAL);
    CHECK_ERR(rseq(a, 32, 2, SIGNATURE), EINVAL);
    CHECK_ERR(rseq(a, 31, 0, SIGNATURE), EINVAL);
    CHECK_ERR(rseq((char *)a + 4, 32, 0, SIGNATURE), EINVAL);
    CHECK_ERR(rseq((void *)(UINT64_MAX << 40), 32, 0, SIGNATURE), EFAULT);
    CHECK_OK(rseq(a, 32, 0, SIGNATURE));
    CHECK_EQ(a->cpu_id, a->cpu_id_start);
    CHECK(a->cpu_id < 4096);
    CHECK_EQ(a->node_id, 0);
    CHECK_ERR(rseq(a, 32, 0, SIGNATURE), EBUSY);
    CHECK_ERR(rseq(a, 32, 0, 1), EPERM);
    CHECK_ERR(rseq(&other, 32, 0, SIGNATURE), EINVAL);
    CHECK_ERR(rseq(a, 64, UNREGISTER, SIGNATURE), EINVAL);
    CHECK_ERR(rseq(a, 32, UNREGISTER, 1), EPERM);
    CHECK_ERR(rseq(&other, 32, UNREGISTER, SIGNATURE), EINVAL);
    CHECK_OK(rseq(a, 32, UNREGISTER, SIGNATURE));
    CHECK_EQ(a->cpu_id, UINT32_MAX);
    CHECK_EQ(a->cpu_id_start, 0);
    ok("registration");
    return NULL;
}

static volatile uint64_t busy;
static volatile uint32_t stop;
static struct area *spinning;
static _Atomic int handled, go;

#define ROUNDS 10
static sem_t arrived;

static void on_signal(int sig) {
    CHECK_EQ(spinning->cs, 0); /* aborted before the handler runs */
    if (++handled == ROUNDS) stop = 1;
    sem_post(&arrived);
}

static void *send_signals(void *arg) {
    while (busy == 0)
        sleep_ms(1);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_OK(syscall(SYS_tgkill, getpid(), *(int *)arg, SIGUSR1));
        CHECK_OK(sem_wait(&arrived));
    }
    return NULL;
}

static void *aborted_by_signal(void *arg) {
    int tid = gettid_(), aborted = 0;
    spinning = own_area();
    CHECK_OK(sem_init(&arrived, 0, 0));
    CHECK_OK(rseq(spinning, 32, 0, SIGNATURE));
    struct sigaction a = {.sa_handler = on_signal};
    CHECK_OK(sigaction(SIGUSR1, &a, NULL));
    pthread_t t = spawn(send_signals, &tid);
    while (handled < ROUNDS)
        aborted += spin_in_sequence(&spinning->cs, &busy, &stop);
    join(t);
    CHECK(aborted > 0);
    /* The end of a sequence is reached when nothing comes in between. */
    while (spin_in_sequence(&spinning->cs, &busy, &stop) != 0)
        ;
    ok("a signal aborts a sequence");
    return NULL;
}

static void *compete(void *arg) {
    while (!go)
        ;
    return NULL;
}

static void *aborted_by_switch(void *arg) {
    struct area *a = own_area();
    CHECK_OK(rseq(a, 32, 0, SIGNATURE));
    stop = 0;
    pthread_t t[4];
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(a->cpu_id, &one);
    CHECK_OK(sched_setaffinity(0, sizeof one, &one)); /* the others inherit it */
    for (int i = 0; i < 4; i++)
        t[i] = spawn(compete, NULL);
    CHECK_EQ(spin_in_sequence(&a->cs, &busy, &stop), 1);
    CHECK_EQ(a->cs, 0);
    go = 1;
    for (int i = 0; i < 4; i++)
        join(t[i]);
    ok("a switch aborts a sequence");
    return NULL;
}

#define M_QUERY 0
#define M_RSEQ 128
#define M_REGISTER_RSEQ 256

static _Atomic int done;

static void *send_barriers(void *arg) {
    while (!done)
        CHECK_OK(syscall(SYS_membarrier, M_RSEQ, 0, 0));
    CHECK_OK(syscall(SYS_membarrier, M_RSEQ, 1, 100000));
    CHECK_ERR(syscall(SYS_membarrier, M_RSEQ, 2, 0), EINVAL);
    return NULL;
}

static void *aborted_by_barrier(void *arg) {
    struct area *a = own_area();
    CHECK_OK(rseq(a, 32, 0, SIGNATURE));
    CHECK((syscall(SYS_membarrier, M_QUERY, 0, 0) & (M_RSEQ | M_REGISTER_RSEQ)) ==
          (M_RSEQ | M_REGISTER_RSEQ));
    CHECK_OK(syscall(SYS_membarrier, M_REGISTER_RSEQ, 0, 0));
    stop = 0;
    pthread_t t = spawn(send_barriers, NULL);
    for (int i = 0; i < ROUNDS; i++)
        CHECK_EQ(spin_in_sequence(&a->cs, &busy, &stop), 1);
    done = 1;
    join(t);
    ok("a barrier aborts a sequence");
    return NULL;
}

int main(void) {
    CHECK_ERR(syscall(SYS_membarrier, M_RSEQ, 0, 0), EPERM);
    join(spawn(registration, NULL));
    join(spawn(aborted_by_signal, NULL));
    join(spawn(aborted_by_switch, NULL));
    join(spawn(aborted_by_barrier, NULL));
    return 0;
}
