/* SPDX-License-Identifier: MIT */
/* Threads that read, write and fsync host files while others run. */
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "thread.h"

#define THREADS 4
#define RECORDS 200
#define RECORD 512
#define LARGE (3 << 20) /* beyond what one transfer's segments hold */

static int fd;

static void fill(char *record, int number) {
    for (int i = 0; i < RECORD; i++)
        record[i] = (char)(number * 7 + i);
}

/* Writes its records and makes them durable, one by one. */
static void *write_records(void *arg) {
    char record[RECORD];
    long self = (long)arg;
    for (int i = 0; i < RECORDS; i += THREADS) {
        int number = i + (int)self;
        fill(record, number);
        CHECK_EQ(pwrite(fd, record, RECORD, (off_t)number * RECORD), RECORD);
        CHECK_OK(i % 3 ? fdatasync(fd) : fsync(fd));
    }
    return NULL;
}

static atomic_int seen[RECORDS];

/* All threads share the position: each record goes to one of them. */
static void *read_records(void *arg) {
    char record[RECORD], want[RECORD];
    ssize_t n;
    while ((n = read(fd, record, RECORD)) == RECORD) {
        int found = -1;
        for (int i = 0; i < RECORDS && found < 0; i++) {
            fill(want, i);
            if (memcmp(record, want, RECORD) == 0 && atomic_load(&seen[i]) == 0) found = i;
        }
        CHECK(found >= 0);
        atomic_fetch_add(&seen[found], 1);
    }
    CHECK_EQ(n, 0);
    return NULL;
}

static void *write_large(void *arg) {
    long self = (long)arg;
    char *block = malloc(LARGE);
    memset(block, (int)self + 1, LARGE);
    CHECK_EQ(pwrite(fd, block, LARGE, self * LARGE), LARGE);
    CHECK_OK(fsync(fd));
    memset(block, 0, LARGE);
    CHECK_OK(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)); /* from the disk, if it can be */
    CHECK_EQ(pread(fd, block, LARGE, self * LARGE), LARGE);
    for (int i = 0; i < LARGE; i++)
        CHECK_EQ(block[i], (char)(self + 1));
    free(block);
    return NULL;
}

static void *append(void *arg) {
    int own = open("log", O_WRONLY | O_APPEND | O_DSYNC);
    char line[16];
    memset(line, 'a' + (int)(long)arg, sizeof(line));
    for (int i = 0; i < 50; i++)
        CHECK_EQ(write(own, line, sizeof(line)), (ssize_t)sizeof(line));
    CHECK_OK(close(own));
    return NULL;
}

static void all(void *(*work)(void *)) {
    pthread_t t[THREADS];
    for (long i = 0; i < THREADS; i++)
        t[i] = spawn(work, (void *)i);
    for (int i = 0; i < THREADS; i++)
        join(t[i]);
}

int main(void) {
    scratch();
    fd = open("records", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    all(write_records);
    ok("written");
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    all(read_records);
    ok("a shared position");
    CHECK_OK(ftruncate(fd, 0));
    all(write_large);
    ok("large transfers");
    int log = open("log", O_RDWR | O_CREAT | O_TRUNC, 0600);
    all(append);
    struct stat st;
    CHECK_OK(fstat(log, &st));
    CHECK_EQ(st.st_size, THREADS * 50 * 16);
    for (int i = 0; i < THREADS * 50; i++) {
        char line[16];
        CHECK_EQ(read(log, line, 16), 16);
        for (int k = 1; k < 16; k++)
            CHECK_EQ(line[k], line[0]);
    }
    ok("appended");
    return 0;
}
