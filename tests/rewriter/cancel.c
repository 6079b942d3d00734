/* SPDX-License-Identifier: MIT */
/* A thread that waits in read(2) is cancelled: musl compares the program counter that the signal
 * handler sees with the range of its one system call there. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static int fds[2];

static void clean(void *arg) { puts("cleaned up"); }

static void *reader(void *arg) {
    char c;
    pthread_cleanup_push(clean, NULL);
    (void)!read(fds[0], &c, 1);
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int i = 0; i < 20; i++) {
        pthread_t t;
        void *result;
        if (pipe(fds) != 0) return 1;
        if (pthread_create(&t, NULL, reader, NULL) != 0) return 2;
        /* Before it waits or while it does: both must end it. */
        if (i % 2 != 0) usleep(2000);
        if (pthread_cancel(t) != 0 || pthread_join(t, &result) != 0) return 3;
        if (result != PTHREAD_CANCELED) return 4;
        close(fds[0]);
        close(fds[1]);
    }
    puts("all cancelled");
    return 0;
}
