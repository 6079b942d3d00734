/* SPDX-License-Identifier: MIT */
/* Claims and runs hypercalls.
 *
 * Owns the dispatch table and the counters.  The virtual CPUs' threads and the polling thread come
 * here; the claim (compare-exchange on the state word) lets one of them take a call.  The word is
 * the guest's to write, so that alone serialises nothing: a lock does, and no handlers but
 * HC_WAIT's run concurrently. */
#include <loader/services.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include <loader/hc_path.h>
#include <loader/vm.h>

uint64_t hc_counts[HC_COUNT];

typedef int64_t handler_fn(union hc_args *args);

static handler_fn *const handlers[HC_COUNT] = {
#define X(NAME, fn) [HC_##NAME] = hc_##fn,
    HC_LIST(X)
#undef X
};

/* After any other call the guest may know of a change to the host's directories, and must then see
 * it: the path cache ends. */
static bool brings_no_news(uint32_t nr, const union hc_args *args) {
    switch (nr) {
    case HC_FILE_LOCK:
        return args->file_lock.type == F_UNLCK;
    case HC_LOG:
    case HC_MEM_GROW:
    case HC_MEM_RELEASE:
    case HC_FS_OPEN:
    case HC_FS_STAT:
    case HC_FS_READLINK:
    case HC_FILE_WRITE:
    case HC_FILE_CLOSE:
        return true;
    default:
        return false;
    }
}

static pthread_mutex_t serving = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local uint32_t caller;

uint32_t hc_caller(void) { return caller; }

void hc_lock(void) { pthread_mutex_lock(&serving); }
void hc_unlock(void) { pthread_mutex_unlock(&serving); }

static bool sleeps(uint32_t nr) { return nr == HC_WAIT || nr == HC_EXIT; }

/* With the lock held but while a call sleeps: others are served meanwhile. */
static int64_t run(uint32_t nr, union hc_args *args, bool may_sleep) {
    if (nr >= HC_COUNT) return -ENOSYS;
    if (!may_sleep && sleeps(nr)) return -EDEADLK;
    hc_counts[nr]++;
    if (!brings_no_news(nr, args)) path_cache_drop();
    if (nr != HC_WAIT) return handlers[nr](args);
    pthread_mutex_unlock(&serving);
    int64_t result = hc_wait(args);
    pthread_mutex_lock(&serving);
    return result;
}

static bool serve_locked(struct hc_call *call, uint32_t state, bool may_sleep) {
    if (__atomic_load_n(&vm_exit.done, __ATOMIC_ACQUIRE)) return false; /* too late */
    if (!__atomic_compare_exchange_n(&call->state, &state, HC_CLAIMED, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
        return false;
    /* The guest can still write to the block: from here on only the copy counts. */
    uint32_t nr = __atomic_load_n(&call->nr, __ATOMIC_RELAXED);
    union hc_args args;
    for (unsigned i = 0; i < sizeof(args.words) / sizeof(args.words[0]); i++)
        args.words[i] = __atomic_load_n(&call->u.words[i], __ATOMIC_RELAXED);
    int64_t result = run(nr, &args, may_sleep);
    call->u = args;
    call->result = result;
    __atomic_store_n(&call->state, HC_DONE, __ATOMIC_RELEASE);
    return true;
}

bool hc_serve(uint32_t cpu, bool may_sleep) {
    struct hc_call *call = &vm_comm->calls[cpu];
    /* The plain look first: a polling thread must not keep taking the cache line for itself. */
    uint32_t state = __atomic_load_n(&call->state, __ATOMIC_RELAXED);
    if (state != HC_SUBMITTED && !(state == HC_RUNG && may_sleep)) return false;
    pthread_mutex_lock(&serving);
    caller = cpu;
    bool served = serve_locked(call, state, may_sleep);
    pthread_mutex_unlock(&serving);
    return served;
}

void hc_wait_served(void) {
    pthread_mutex_lock(&serving);
    pthread_mutex_unlock(&serving);
}
