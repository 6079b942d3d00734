/* SPDX-License-Identifier: MIT */
/* Thousands of signals to threads that compute: all registers and flags survive each of them. */
#include "thread.h"

#include <semaphore.h>
#include <signal.h>

#define SIGNALS 3000

static _Atomic int handled, stop, tid;
static sem_t arrived;

/* Spoils what the frame has to bring back. */
static void on_signal(int sig) {
    handled++;
    sem_post(&arrived);
    __asm__ volatile(
        "pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm9, %%xmm9; pcmpeqd %%xmm15, %%xmm15; std; cld"
        :
        :
        : "xmm0", "xmm9", "xmm15", "cc");
}

/* Loops with known values in all registers until *stop: 0, or the number of the register that
 * changed. */
long hold_registers(_Atomic int *stop_at);
__asm__(".text\n.globl hold_registers\nhold_registers:\n"
        "pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
        "movq $0x1111, %rax; movq $0x2222, %rbx; movq $0x3333, %rcx; movq $0x4444, %rdx\n"
        "movq $0x5555, %rsi; movq $0x6666, %rbp; movq $0x8888, %r8; movq $0x9999, %r9\n"
        "movq $0xaaaa, %r10; movq $0xbbbb, %r11; movq $0xcccc, %r12; movq $0xdddd, %r13\n"
        "movq $0xeeee, %r14; movq $0xffff, %r15\n"
        "movq %r8, %xmm0; movq %r9, %xmm9; movq %r10, %xmm15\n"
        "movq %rsi, -8(%rsp); movq %rbp, -128(%rsp)\n" /* the red zone */
        "1:\n"
        "stc\n"
        ".rept 16\n nop\n .endr\n"
        "jnc 9f\n"
        "std\n"
        ".rept 16\n nop\n .endr\n"
        "pushfq; popq %rax; cld; testq $0x400, %rax; jz 9f; movq $0x1111, %rax\n"
        "movq %rsi, -8(%rsp)\n"
        "cmpq $0x1111, %rax; jne 9f; cmpq $0x2222, %rbx; jne 9f; cmpq $0x3333, %rcx; jne 9f\n"
        "cmpq $0x4444, %rdx; jne 9f; cmpq $0x5555, %rsi; jne 9f; cmpq $0x6666, %rbp; jne 9f\n"
        "cmpq $0x8888, %r8; jne 9f; cmpq $0x9999, %r9; jne 9f; cmpq $0xaaaa, %r10; jne 9f\n"
        "cmpq $0xbbbb, %r11; jne 9f; cmpq $0xcccc, %r12; jne 9f; cmpq $0xdddd, %r13; jne 9f\n"
        "cmpq $0xeeee, %r14; jne 9f; cmpq $0xffff, %r15; jne 9f\n"
        "cmpq %rsi, -8(%rsp); jne 9f; cmpq %rbp, -128(%rsp); jne 9f\n"
        "movq %xmm0, %rax; cmpq %r8, %rax; jne 9f; movq %xmm9, %rax; cmpq %r9, %rax; jne 9f\n"
        "movq %xmm15, %rax; cmpq %r10, %rax; jne 9f; movq $0x1111, %rax\n"
        "cmpl $0, (%rdi); je 1b\n"
        "xorl %eax, %eax; jmp 8f\n"
        "9: cld; movl $1, %eax\n"
        "8: popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx\n"
        "ret\n");

static void *compute(void *arg) {
    tid = gettid_();
    CHECK_EQ(hold_registers(&stop), 0);
    return NULL;
}

/* Calls that come back with the right results meanwhile. */
static void *call(void *arg) {
    int fds[2];
    char c = 'x';
    CHECK_OK(pipe(fds));
    tid = gettid_();
    while (!stop) {
        CHECK_EQ(write(fds[1], &c, 1), 1);
        CHECK_EQ(read(fds[0], &c, 1), 1);
        CHECK_EQ(syscall(SYS_gettid), tid);
        CHECK_ERR(close(-1), EBADF);
    }
    return NULL;
}

static void storm(void *(*run)(void *), int wait) {
    stop = tid = handled = 0;
    CHECK_OK(sem_init(&arrived, 0, 0));
    pthread_t t = spawn(run, NULL);
    while (tid == 0)
        sleep_ms(1);
    for (int i = 0; i < SIGNALS; i++) {
        CHECK_OK(syscall(SYS_tgkill, getpid(), tid, SIGURG));
        if (wait) CHECK_OK(sem_wait(&arrived));
    }
    if (!wait) CHECK_OK(sem_wait(&arrived));
    stop = 1;
    join(t);
    if (wait) CHECK_EQ(handled, SIGNALS);
}

int main(void) {
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    CHECK_OK(sigaction(SIGURG, &a, NULL));
    storm(compute, 1);
    storm(compute, 0);
    ok("registers survive");
    storm(call, 1);
    storm(call, 0);
    ok("calls survive");
    return 0;
}
