/* SPDX-License-Identifier: MIT */
/* Signals that say a file is ready (SIGIO).  Owns struct file_owner, which a file has once one of
 * these calls was used on it. */
#include <hermit/linux_abi.h>
#include <kernel/file_owner.h>
#include <kernel/heap.h>
#include <kernel/sched.h>
#include <kernel/signal.h>
#include <kernel/string.h>
#include <kernel/uaccess.h>
#include <kernel/wait.h>
#include <kernel/waitq.h>

struct file_owner {
    struct file *file;
    int32_t type, id; /* F_OWNER_*, 0: nobody */
    uint32_t signal;  /* F_SETSIG, 0: SIGIO without details */
    int32_t fd;       /* which O_ASYNC was set through: si_fd */
    struct waitq_entry entry;
    struct wait_async host; /* instead of entry, for a file of the host */
};

#define HOST_EVENTS (POLLIN | POLLPRI)

static struct file_owner *owner_of(struct file *f) {
    if (f->owner == NULL && (f->owner = kzalloc(sizeof(*f->owner))) != NULL) f->owner->file = f;
    return f->owner;
}

/* How the signal says it: its si_code, and the events that stand for that in si_band. */
static const struct reason {
    uint32_t event;
    int code;
    int64_t band;
} reasons[] = {
    {POLLIN, POLL_IN, POLLIN | POLLRDNORM}, {POLLOUT, POLL_OUT, POLLOUT | POLLWRNORM | POLLWRBAND},
    {POLLERR, POLL_ERR, POLLERR},           {POLLPRI, POLL_PRI, POLLPRI | POLLRDBAND},
    {POLLHUP, POLL_HUP, POLLHUP | POLLERR},
};

/* What of this kind of signal has codes of its own that POLL_* would be taken for. */
static bool has_own_codes(uint32_t sig) {
    return sig == SIGILL || sig == SIGFPE || sig == SIGSEGV || sig == SIGBUS || sig == SIGTRAP ||
           sig == SIGCHLD || sig == SIGSYS;
}

static int deliver(const struct file_owner *o, int sig, const siginfo_t *info) {
    if (o->type != F_OWNER_TID) return signal_send(sig, info);
    struct thread *t = thread_find(o->id);
    return t != NULL ? signal_send_thread(t, sig, info) : 0;
}

static void tell(const struct file_owner *o, const struct reason *why) {
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    if (o->signal != 0) {
        info.si_code = has_own_codes(o->signal) ? SI_SIGIO : why->code;
        info.si_band = why->band;
        info.si_fd = o->fd;
        if (deliver(o, (int)o->signal, &info) == 0) return;
        memset(&info, 0, sizeof(info)); /* the queue is full: SIGIO says that something was lost */
    }
    info.si_code = SI_KERNEL;
    deliver(o, SIGIO, &info);
}

/* Is the owner the program, or one of its threads? */
static bool owner_exists(int type, int id) {
    const struct process *self = current_process();
    if (type == F_OWNER_PGRP) return id == self->pgid;
    return id != INIT_PID && thread_find(id) != NULL;
}

static void owner_wake(struct waitq_entry *e, uint32_t events) {
    const struct file_owner *o = container_of(e, struct file_owner, entry);
    if (o->id == 0 || !owner_exists(o->type, o->id)) return;
    uint32_t ready = file_poll(o->file);
    if (events != 0) ready &= events;
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (!(ready & reasons[i].event)) continue;
        tell(o, &reasons[i]);
        return;
    }
}

void file_owner_urgent(struct file *f) {
    siginfo_t info;
    const struct file_owner *o = f->owner;
    if (o == NULL || o->id == 0 || !owner_exists(o->type, o->id)) return;
    memset(&info, 0, sizeof(info));
    info.si_code = SI_KERNEL;
    deliver(o, SIGURG, &info);
}

/* The host says that there is something to read, or never will be. */
static void host_ready(struct wait_async *w) {
    owner_wake(&container_of(w, struct file_owner, host)->entry, 0);
}

/* Only the host knows of such a file. It tells levels, so what was told is not watched again until
 * the program has read; what is there already is no news. */
static void watch_host(struct file_owner *o) {
    o->host.handle = o->file->ops->wait_handle(o->file);
    o->host.events = HOST_EVENTS;
    o->host.ready = host_ready;
    if (o->host.handle != NO_HANDLE && !(file_poll(o->file) & HOST_EVENTS))
        wait_async_arm(&o->host);
}

void file_owner_read(struct file *f) {
    if (f->owner != NULL && f->flags & FASYNC && f->ops->wait_handle != NULL)
        wait_async_arm(&f->owner->host);
}

int file_owner_async(struct file *f, int fd, bool on) {
    struct waitq *q = f->ops->async ? file_waitq(f) : NULL;
    if (q == NULL && !(f->ops->async && f->ops->wait_handle != NULL)) return 0;
    struct file_owner *o = on ? owner_of(f) : f->owner;
    if (on && o == NULL) return -ENOMEM;
    if (o != NULL) waitq_remove(&o->entry);
    if (o != NULL) wait_async_disarm(&o->host);
    if (on) {
        o->fd = fd;
        o->entry.wake = owner_wake;
        if (q != NULL)
            waitq_add(q, &o->entry);
        else
            watch_host(o);
    }
    f->flags = on ? f->flags | FASYNC : f->flags & ~(uint32_t)FASYNC;
    return 0;
}

void file_owner_release(struct file *f) {
    if (f->owner == NULL) return;
    waitq_remove(&f->owner->entry);
    wait_async_disarm(&f->owner->host);
    kfree(f->owner);
}

static int set_owner(struct file *f, int type, int id) {
    if (id != 0 && (id == INIT_PID ? type == F_OWNER_PGRP : !owner_exists(type, id))) return -ESRCH;
    struct file_owner *o = owner_of(f);
    if (o == NULL) return -ENOMEM;
    o->type = type;
    o->id = id;
    return 0;
}

static int64_t set_owner_ex(struct file *f, gva_t at) {
    struct f_owner_ex ex;
    if (get_user(ex, at) != 0) return -EFAULT;
    if (ex.type < F_OWNER_TID || ex.type > F_OWNER_PGRP) return -EINVAL;
    return set_owner(f, ex.type, ex.pid);
}

static int64_t get_owner_ex(const struct file_owner *o, gva_t at) {
    struct f_owner_ex ex = {0};
    if (o != NULL) ex = (struct f_owner_ex){.type = o->type, .pid = o->id};
    return put_user(ex, at);
}

int64_t file_owner_fcntl(struct file *f, int cmd, uint64_t arg) {
    struct file_owner *o = f->owner;
    int who = (int)arg;
    switch (cmd) {
    case F_GETOWN:
        if (o == NULL) return 0;
        return o->type == F_OWNER_PGRP ? -o->id : o->id;
    case F_SETOWN:
        if (who == INT32_MIN) return -EINVAL;
        return who < 0 ? set_owner(f, F_OWNER_PGRP, -who) : set_owner(f, F_OWNER_PID, who);
    case F_GETOWN_EX:
        return get_owner_ex(o, arg);
    case F_SETOWN_EX:
        return set_owner_ex(f, arg);
    case F_GETSIG:
        return o != NULL ? o->signal : 0;
    default: /* F_SETSIG */
        if (arg > NSIGNALS) return -EINVAL;
        if ((o = owner_of(f)) == NULL) return -ENOMEM;
        o->signal = (uint32_t)arg;
        return 0;
    }
}
