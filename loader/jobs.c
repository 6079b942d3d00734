/* SPDX-License-Identifier: MIT */
/* Calls that wait for a disk, run by threads of their own so that no virtual CPU waits with them.
 * Owns the threads and the private copies of the calls.
 *
 * What a job uses cannot go away under it: the handle is pinned, its buffers are guest RAM, which
 * the loader never unmaps. */
#include <loader/services.h>

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include <loader/event.h>
#include <loader/hc_file_io.h>
#include <loader/thread.h>
#include <loader/vm.h>

#define THREADS_MAX 4

struct job {
    bool busy;
    uint32_t handle;
    struct handle *file;
    enum hc_nr nr;
    union hc_args args;
    struct transfer transfer;
    struct job *next;
};

static struct job jobs[HC_MAX_JOBS];
static struct job *first, **end = &first; /* not yet taken */
static unsigned threads, idle;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t added = PTHREAD_COND_INITIALIZER;

static int64_t run(struct job *j) {
    if (j->nr == HC_FILE_SYNC) return handle_sync(j->file, j->args.file_sync.what);
    return transfer_run(j->file, &j->transfer, &j->args.file_io.pos);
}

static void finish(struct job *j, int64_t result) {
    struct hc_call *call = &vm_comm->jobs[j - jobs];
    hc_lock();
    handle_unpin(j->handle);
    j->busy = false;
    call->u = j->args;
    call->result = result;
    __atomic_store_n(&call->state, HC_DONE, __ATOMIC_RELEASE);
    hc_unlock();
    event_post(HC_EVENT_JOB);
}

static struct job *take(void) {
    pthread_mutex_lock(&lock);
    idle++;
    while (first == NULL)
        pthread_cond_wait(&added, &lock);
    idle--;
    struct job *j = first;
    first = j->next;
    if (first == NULL) end = &first;
    pthread_mutex_unlock(&lock);
    return j;
}

static void *thread_main(void *arg) {
    for (;;) {
        struct job *j = take();
        finish(j, run(j));
    }
    return NULL;
}

/* False if there is no thread and none can be had. */
static bool enqueue(struct job *j) {
    pthread_mutex_lock(&lock);
    if (idle == 0 && threads < THREADS_MAX && thread_start(thread_main, NULL) == 0) threads++;
    bool can = threads > 0;
    if (can) {
        j->next = NULL;
        *end = j;
        end = &j->next;
        pthread_cond_signal(&added);
    }
    pthread_mutex_unlock(&lock);
    return can;
}

/* The job's private, checked copy of the call; 0 or -errno. */
static int64_t prepare(struct job *j, const struct hc_call *call) {
    j->nr = __atomic_load_n(&call->nr, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < sizeof(j->args.words) / sizeof(j->args.words[0]); i++)
        j->args.words[i] = __atomic_load_n(&call->u.words[i], __ATOMIC_RELAXED);
    if (j->nr == HC_FILE_SYNC)
        j->handle = j->args.file_sync.handle;
    else if (j->nr == HC_FILE_READ || j->nr == HC_FILE_WRITE)
        j->handle = j->args.file_io.handle;
    else
        return -EINVAL;
    j->file = handle_pin(j->handle);
    if (j->file == NULL) return -EBADF;
    int64_t r;
    if (j->nr == HC_FILE_SYNC)
        r = handle_sync_check(j->file, j->args.file_sync.what);
    else
        r = transfer_prepare(j->file, &j->args.file_io, j->nr == HC_FILE_WRITE, &j->transfer);
    if (r != 0) handle_unpin(j->handle);
    return r;
}

int64_t hc_job_start(union hc_args *args) {
    uint32_t number = args->job_start.job;
    if (number >= HC_MAX_JOBS || jobs[number].busy) return -EINVAL;
    struct job *j = &jobs[number];
    int64_t r = prepare(j, &vm_comm->jobs[number]);
    if (r != 0) return r;
    j->busy = true;
    if (enqueue(j)) return 0;
    j->busy = false;
    handle_unpin(j->handle);
    return -EAGAIN;
}
