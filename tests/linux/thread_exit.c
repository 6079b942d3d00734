/* SPDX-License-Identifier: MIT */
/* Ends of threads: exit(2) of one, of the first one, of the last one; execve from another thread.
 */
#include "thread.h"

#define ROUNDS 10000

extern char **environ;

static void *nothing(void *arg) { return arg; }

/* Memory of the process must not grow with the number of threads that were. */
static void no_leak(void) {
    for (intptr_t i = 0; i < ROUNDS; i++)
        CHECK_EQ((intptr_t)join(spawn(nothing, (void *)i)), i);
    ok("ten thousand threads");
}

static void *detach(void *arg) {
    CHECK_OK(pthread_detach(pthread_self()));
    return NULL;
}

static void detached(void) {
    for (int i = 0; i < 100; i++)
        spawn(detach, NULL);
    for (int i = 0; i < 1000; i++) {
        if (strstr(get_file("/proc/self/status"), "Threads:\t1\n")) break;
        sleep_ms(1);
    }
    CHECK(strstr(get_file("/proc/self/status"), "Threads:\t1\n") != NULL);
    ok("detached threads");
}

static char *program;

static void *exec_self(void *arg) {
    char *argv[] = {program, (char *)"after-exec", NULL};
    sleep_ms(2);
    execve(program, argv, environ);
    return NULL;
}

static _Atomic uint32_t forever;

static void *sleep_forever(void *arg) {
    for (;;)
        futex(&forever, F_WAIT, 0, NULL, NULL, 0);
    return arg;
}

static void *spin_forever(void *arg) {
    while (forever == 0)
        ;
    return arg;
}

static int ends[2];

static void *read_forever(void *arg) {
    char c;
    (void)!read(ends[0], &c, 1);
    return NULL;
}

/* The others end, and whoever called execve has the process's number from then on. */
static void exec_from_thread(void) {
    CHECK_OK(pipe(ends));
    spawn(sleep_forever, NULL);
    spawn(spin_forever, NULL);
    spawn(read_forever, NULL);
    spawn(exec_self, NULL);
    sleep_forever(NULL);
}

static void *outlive(void *arg) {
    sleep_ms(20);
    CHECK_EQ(thread_state(getpid()), 'Z');
    CHECK_EQ(getpid() == gettid_(), 0);
    ok("first thread ended");
    exit(0);
}

static void after_exec(void) {
    CHECK_EQ(getpid(), gettid_());
    CHECK(strstr(get_file("/proc/self/status"), "Threads:\t1\n") != NULL);
    ok("execve from a thread");
    spawn(outlive, NULL);
    syscall(SYS_exit, 3);
}

int main(int argc, char **argv) {
    if (argc > 1) after_exec();
    program = argv[0];
    no_leak();
    detached();
    exec_from_thread();
    return 1;
}
