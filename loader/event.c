/* SPDX-License-Identifier: MIT */
/* Signals, timers and sleeping.  Handlers only count events in the communication page and kick the
 * engine; the engine raises the interrupt.  Owns the signal dispositions, the guest's timer and
 * the --timeout timer. */
#include <loader/event.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <loader/diag.h>
#include <loader/guest_mem.h>
#include <loader/hc_handle.h>
#include <loader/net.h>
#include <loader/services.h>
#include <loader/tty.h>
#include <loader/vm.h>

/* Passed on to the program; the rest keep their meaning for hermit-run. */
static const int forwarded[] = {SIGINT,  SIGTERM,  SIGHUP,  SIGQUIT, SIGUSR1,
                                SIGUSR2, SIGWINCH, SIGCONT, SIGALRM};
#define FORWARDED (sizeof(forwarded) / sizeof(forwarded[0]))
#define TIMEOUT_SIGNAL SIGRTMIN
#define TIMER_SIGNAL (SIGRTMIN + 1)
#define KICK_SIGNAL (SIGRTMIN + 2)
#define SPIN_MIN_NS 10000
#define SPIN_MAX_NS 60000
#define STUCK_NS 2000000000LL /* a signal not taken for so long, then repeated, ends the VM */

static sigset_t all_signals; /* that the main thread takes */
static void (*engine_kick)(uint32_t cpu);
static int end_fd = -1;
static uint32_t raised[HC_MAX_CPUS]; /* an interrupt is owed to this virtual CPU */
static int64_t posted_ns[65];        /* when a signal was first posted and not yet taken */
static uint32_t posted_at[65];       /* and how many events there were then */

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

void event_post(enum hc_event kind) {
    __atomic_fetch_add(&vm_comm->events[kind], 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&vm_comm->posted, 1, __ATOMIC_SEQ_CST);
    event_raise(0);
}

/* Has the guest looked at its events since `posted` had this value? */
static bool guest_saw(uint32_t posted) {
    return (int32_t)(__atomic_load_n(&vm_comm->seen, __ATOMIC_SEQ_CST) - posted) >= 0;
}

void event_raise(uint32_t cpu) {
    __atomic_store_n(&raised[cpu], 1, __ATOMIC_SEQ_CST);
    engine_kick(cpu);
}

int event_kick_signal(void) { return KICK_SIGNAL; }

/* Ends hermit-run from a signal handler, whatever the guest or a call of its is doing; nor may a
 * stderr that nobody reads prevent it. */
_Noreturn static void end_now(const char *why, int status) {
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    tty_restore();
    if (poll(&p, 1, 0) > 0) (void)!write(STDERR_FILENO, why, strlen(why));
    _exit(status);
}

static void on_forwarded(int sig) {
    int saved_errno = errno;
    bool untaken = posted_ns[sig] != 0 && !guest_saw(posted_at[sig]);
    if (!untaken)
        posted_ns[sig] = now_ns();
    else if (sig != SIGWINCH && sig != SIGCONT && now_ns() - posted_ns[sig] > STUCK_NS)
        end_now("hermit-run: killed: the guest does not react to the signal\n", 128 + sig);
    __atomic_fetch_add(&vm_comm->signal_counts[sig - 1], 1, __ATOMIC_SEQ_CST);
    event_post(HC_EVENT_SIGNAL);
    if (!untaken) posted_at[sig] = __atomic_load_n(&vm_comm->posted, __ATOMIC_SEQ_CST);
    errno = saved_errno;
}

static void on_kick(int sig) {} /* ends a system call */

static void on_timer(int sig) { event_post(HC_EVENT_TIMER); }

static void on_timeout(int sig) {
    end_now("hermit-run: stopped: the time given with --timeout is over\n", EXIT_TIMEOUT);
}

static void handle(int sig, void (*handler)(int)) {
    struct sigaction a = {.sa_handler = handler, .sa_mask = all_signals};
    sigaction(sig, &a, NULL);
    sigaddset(&all_signals, sig);
}

void event_init(void (*kick)(uint32_t cpu), int link_fd) {
    engine_kick = kick;
    end_fd = link_fd;
    sigemptyset(&all_signals);
    for (unsigned i = 0; i < FORWARDED; i++)
        handle(forwarded[i], on_forwarded);
    handle(TIMER_SIGNAL, on_timer);
    struct sigaction on = {.sa_handler = on_kick};
    sigaction(KICK_SIGNAL, &on, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* the write says so, too */
}

const sigset_t *event_signals(void) { return &all_signals; }

void event_set_timeout(uint64_t timeout_ns) {
    handle(TIMEOUT_SIGNAL, on_timeout);
    timer_t timer;
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = TIMEOUT_SIGNAL};
    struct itimerspec t = {.it_value = {.tv_sec = (time_t)(timeout_ns / 1000000000u),
                                        .tv_nsec = (long)(timeout_ns % 1000000000u)}};
    if (timer_create(CLOCK_MONOTONIC, &e, &timer) != 0 || timer_settime(timer, 0, &t, NULL) != 0) {
        die(EXIT_HERMIT, "--timeout: %s", strerror(errno));
    }
}

bool event_pending(uint32_t cpu) { return __atomic_load_n(&raised[cpu], __ATOMIC_SEQ_CST) != 0; }

void event_injected(uint32_t cpu) { __atomic_store_n(&raised[cpu], 0, __ATOMIC_SEQ_CST); }

/* ppoll with our signals let through only while it sleeps; -EINTR if the CPU is to be interrupted.
 */
static int sleep_on(uint32_t cpu, struct pollfd *fds, uint32_t count,
                    const struct timespec *timeout) {
    sigset_t blocked = all_signals, old;
    int r = 0;
    sigaddset(&blocked, KICK_SIGNAL);
    pthread_sigmask(SIG_BLOCK, &blocked, &old);
    if (event_pending(cpu))
        r = -EINTR;
    else if ((r = ppoll(fds, count, timeout, &old)) < 0)
        r = -errno;
    if (r == -EINTR) event_injected(cpu); /* the guest hears of it by the end of its sleep */
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return r;
}

void event_wait(uint32_t cpu) {
    struct pollfd end = {.fd = end_fd, .events = POLLIN};
    sleep_on(cpu, &end, 1, NULL);
}

/* Fills fds from the guest's entries; 0 or -errno. */
static int load_fds(const struct hc_wait *a, struct hc_wait_fd *in, struct pollfd *fds) {
    if (a->count > HC_MAX_WAIT_FDS) return -EINVAL;
    if (guest_copy_in(in, a->fds, a->count * sizeof(*in)) != 0) return -EFAULT;
    for (uint32_t i = 0; i < a->count; i++) {
        fds[i] = (struct pollfd){.fd = handle_fd(in[i].handle), .events = (short)in[i].events};
        if (fds[i].fd < 0) return -EBADF;
    }
    return 0;
}

static struct timespec timespec_of(int64_t ns) {
    return (struct timespec){.tv_sec = ns / 1000000000LL, .tv_nsec = ns % 1000000000LL};
}

/* What the next sleep of a virtual CPU begins with: so many ns of looking for the network's news.
 * A peer that answers at once is faster than falling asleep and waking up. */
static uint32_t net_spin_ns[HC_MAX_CPUS];

/* Sleeps that would have been over in time call for looking, looking in vain for less of it. */
static void adapt_spin(uint32_t cpu, bool came, int64_t took_ns) {
    uint32_t *spin = &net_spin_ns[cpu];
    if (came && took_ns < SPIN_MAX_NS)
        *spin = *spin == 0 ? SPIN_MIN_NS : 2 * *spin < SPIN_MAX_NS ? 2 * *spin : SPIN_MAX_NS;
    else if (took_ns > SPIN_MAX_NS)
        *spin = *spin > SPIN_MIN_NS ? *spin / 2 : 0;
}

/* Looks for news while they may come soon; no longer than `timeout`. */
static bool spin_for_net(uint32_t cpu, const struct timespec *timeout) {
    static uint32_t spinning; /* one CPU at a time: the peer needs one of the host's, too */
    int64_t start = now_ns(), most = net_spin_ns[cpu];
    bool news = false;
    if (most == 0 || (timeout != NULL && timeout->tv_sec == 0 && timeout->tv_nsec < most))
        return false;
    if (__atomic_exchange_n(&spinning, 1, __ATOMIC_ACQUIRE) != 0) return false;
    while (!news && !event_pending(cpu) && now_ns() - start < most) {
        sched_yield(); /* to the peer, where it shares the CPU */
        news = net_visit();
    }
    __atomic_store_n(&spinning, 0, __ATOMIC_RELEASE);
    return news;
}

/* As sleep_on, and wakes up for the network, too; fds has room for one more.  -EINTR: the guest
 * has news of its sockets. */
static int sleep_with_net(uint32_t cpu, struct pollfd *fds, uint32_t count,
                          const struct timespec *timeout) {
    fds[count] = (struct pollfd){.fd = net_fd(), .events = POLLIN};
    const struct timespec soon = {.tv_nsec = NET_SOON_NS};
    for (;;) {
        if (fds[count].fd >= 0 && spin_for_net(cpu, timeout)) return -EINTR;
        enum net_sleep how = net_sleep_begin();
        if (how == NET_NEWS) return -EINTR;
        int64_t start = now_ns();
        int r = sleep_on(cpu, fds, count + 1, how == NET_SOON ? &soon : timeout);
        if (how != NET_OFF) net_sleep_end();
        bool came = r > 0 && fds[count].revents != 0;
        if (how != NET_OFF) adapt_spin(cpu, came, now_ns() - start);
        if (!came && !(r == 0 && how == NET_SOON)) return r;
        bool news = net_visit();
        if (r > 1) return r - 1;
        if (news || timeout != NULL) return -EINTR;
    }
}

/* Sleeps with the fds that one CPU at a time may bring. */
static int64_t wait_for_files(uint32_t cpu, const struct hc_wait *a, const struct timespec *left) {
    static struct hc_wait_fd entries[HC_MAX_WAIT_FDS];
    static struct pollfd fds[HC_MAX_WAIT_FDS + 2];
    hc_lock();
    int r = load_fds(a, entries, fds);
    hc_unlock();
    if (r != 0) return r;
    fds[a->count] = (struct pollfd){.fd = end_fd, .events = POLLIN};
    r = sleep_with_net(cpu, fds, a->count + 1, left);
    if (r < 0) return r;
    if (fds[a->count].revents != 0) return -EINTR;
    int64_t ready = 0;
    for (uint32_t i = 0; i < a->count; i++) {
        entries[i].revents = (uint16_t)fds[i].revents;
        if (fds[i].revents != 0) ready++;
    }
    hc_lock();
    r = guest_copy_out(a->fds, entries, a->count * sizeof(entries[0]));
    hc_unlock();
    return r != 0 ? r : ready;
}

static int64_t wait_for_time(uint32_t cpu, const struct timespec *left) {
    struct pollfd end[2] = {{.fd = end_fd, .events = POLLIN}}; /* QEMU: another doorbell */
    int r = sleep_with_net(cpu, end, 1, left);
    return r < 0 ? r : r > 0 ? -EINTR : 0;
}

static int64_t close_files(const struct hc_wait *a) {
    if (a->close_count == 0) return 0;
    hc_lock();
    int64_t r = handle_close_many(a->closes, a->close_count);
    hc_unlock();
    return r;
}

int64_t hc_wait(union hc_args *args) {
    static pthread_mutex_t watching = PTHREAD_MUTEX_INITIALIZER;
    const struct hc_wait *a = &args->wait;
    uint32_t cpu = hc_caller();
    bool news = net_visit();
    int64_t r = close_files(a);
    if (r != 0 || news) return r != 0 ? r : -EINTR;
    /* The program waits: what it was told to wait for may come with the events word alone. */
    if (cpu == 0 && !guest_saw(__atomic_load_n(&vm_comm->posted, __ATOMIC_SEQ_CST))) return -EINTR;
    if (__atomic_load_n(&vm_comm->kicked[cpu], __ATOMIC_SEQ_CST) != 0) return -EINTR;
    struct timespec left = timespec_of(a->timeout_ns);
    const struct timespec *timeout = a->timeout_ns < 0 ? NULL : &left;
    if (a->count == 0) {
        r = wait_for_time(cpu, timeout);
    } else {
        if (pthread_mutex_trylock(&watching) != 0) return -EBUSY;
        r = wait_for_files(cpu, a, timeout);
        pthread_mutex_unlock(&watching);
    }
    return r == -EAGAIN ? -EINTR : r;
}

int64_t hc_timer(union hc_args *args) {
    static timer_t timer;
    static bool created;
    int64_t delay = args->timer.delay_ns;
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = TIMER_SIGNAL};
    if (delay < 0) return -EINVAL;
    if (!created && timer_create(CLOCK_MONOTONIC, &e, &timer) != 0) return -errno;
    created = true;
    struct itimerspec t = {.it_value = timespec_of(delay)};
    return timer_settime(timer, 0, &t, NULL) == 0 ? 0 : -errno;
}
