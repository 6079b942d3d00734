/* SPDX-License-Identifier: MIT */
/* Private to pipe*.c and ramfs_file.c: the pipe behind both pipe2(2) and a FIFO with a name. */
#ifndef PIPE_H
#define PIPE_H

#include <kernel/splice.h>
#include <kernel/vfs.h>

/* A pipe without ends, or NULL.  The first pipe_detach that leaves no end frees it. */
struct pipe *pipe_new(void);
/* Adds the ends that the access mode in flags names. */
void pipe_attach(struct pipe *p, uint32_t flags);
/* open(2) of a FIFO: as pipe_attach, then waits for the other end where open(2) says so. */
int pipe_open(struct pipe *p, uint32_t flags);
/* Removes ends; true: the pipe is gone. */
bool pipe_detach(struct pipe *p, uint32_t flags);

int64_t pipe_read(struct pipe *p, uint32_t flags, const struct uio *u);
int64_t pipe_write(struct pipe *p, uint32_t flags, const struct uio *u);
uint32_t pipe_poll(struct pipe *p, uint32_t flags);
/* Woken whenever the state of an end changes. */
struct waitq *pipe_waitq(struct pipe *p);
int64_t pipe_ioctl(struct pipe *p, uint32_t request, gva_t arg);

#endif
