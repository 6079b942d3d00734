/* SPDX-License-Identifier: MIT */
/* Pipes as splice(2) and fcntl(2) see them; file_ops.pipe finds the pipe of an open file. */
#ifndef KERNEL_SPLICE_H
#define KERNEL_SPLICE_H

#include <kernel/types.h>

struct pipe;
struct file;
struct uio;

/* F_GETPIPE_SZ, F_SETPIPE_SZ: bytes, or -EINVAL, -EPERM, -EBUSY, -ENOMEM. */
int64_t pipe_capacity(const struct pipe *p);
int64_t pipe_resize(struct pipe *p, uint32_t bytes);

/* Until there is something to read (1) or no writer is left (0); -EAGAIN, -ERESTARTSYS. */
int pipe_wait_data(struct pipe *p, bool nonblock);
/* Until something can be written (0); -EPIPE with SIGPIPE, -EAGAIN, -ERESTARTSYS. */
int pipe_wait_room(struct pipe *p, bool nonblock);
/* Puts in what fits now of bytes [at, u->len): how many, or -errno if none; nobody is told. */
int64_t pipe_put(struct pipe *p, uint32_t flags, const struct uio *u, uint64_t at);
void pipe_changed(struct pipe *p, bool took);

/* None of these waits; bytes moved, 0 if nothing could be, or -errno. */
/* Duplicates (tee) or moves up to len bytes from one pipe to another. */
int64_t pipe_copy(struct pipe *from, struct pipe *to, uint64_t len, bool tee);
/* Reads up to len bytes from `in` at *pos (NULL: where it is). */
int64_t pipe_fill(struct pipe *p, struct file *in, int64_t *pos, uint64_t len);
/* Writes up to len bytes to `out`, which may make this wait, at *pos (NULL: where it is). */
int64_t pipe_drain(struct pipe *p, struct file *out, int64_t *pos, uint64_t len);

#endif
