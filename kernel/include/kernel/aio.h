/* SPDX-License-Identifier: MIT */
/* Contexts of asynchronous I/O: requests and the events that they end as. io_setup(2).
 *
 * Transfers are made by who submits them, as in Linux for files that are not opened for direct
 * I/O; only IOCB_CMD_POLL is under way longer. */
#ifndef KERNEL_AIO_H
#define KERNEL_AIO_H

#include <hermit/linux_abi.h>
#include <kernel/types.h>

struct file;
struct aio_context;

#define AIO_MAX_NR 65536u /* /proc/sys/fs/aio-max-nr: requests of all contexts */

/* Makes a context for `count` requests; *id: its number, an address of the program where nothing is
 * to be read but zeros (libraries look there for a ring of events).  0, -EAGAIN or -ENOMEM. */
int aio_create(uint32_t count, gva_t *id);
/* The context of this number with a reference, or NULL. */
struct aio_context *aio_get(gva_t id);
void aio_put(struct aio_context *c);
/* Ends it and what is under way: 0, or -EINVAL if it has been ended already. */
int aio_destroy(struct aio_context *c);
/* execve(2): all contexts, whose memory is no more. */
void aio_destroy_all(void);
/* Requests of all contexts together. */
uint32_t aio_total(void);

/* One request; owned by its context once it was begun. */
struct aio_request;
/* -EAGAIN: as many are under way, or events wait, as the context has room for; -ENOMEM. */
int aio_request_new(struct aio_context *c, struct aio_request **out);
void aio_request_free(struct aio_request *r);
/* What its event will say, and the eventfd that is told of it (reference taken over; or NULL). */
void aio_request_describe(struct aio_request *r, uint64_t data, gva_t iocb, struct file *eventfd);
/* Its end, as an event. */
void aio_complete(struct aio_request *r, int64_t result);
/* Ends as soon as the file (reference taken over unless this fails) is ready for one of `events`.
 * 0, or -EINVAL: nothing tells when it is. */
int aio_poll(struct aio_request *r, struct file *f, uint32_t events);
/* Ends the request of this control block: -EINPROGRESS, its event will come; -EINVAL: none such. */
int aio_cancel(struct aio_context *c, gva_t iocb);

/* Waits for `least` events.  0, -EINTR, -ETIMEDOUT or -EINVAL (the context has been ended). */
int aio_wait(struct aio_context *c, uint32_t least, int64_t deadline_ns);
/* Takes the oldest event; false: there is none. */
bool aio_take(struct aio_context *c, struct io_event *event);

#endif
