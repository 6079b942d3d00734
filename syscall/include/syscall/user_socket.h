/* SPDX-License-Identifier: MIT */
/* What the socket calls share: sockets from descriptors, addresses in program memory. */
#ifndef SYSCALL_USER_SOCKET_H
#define SYSCALL_USER_SOCKET_H

#include <kernel/socket.h>
#include <syscall/user.h>

/* The socket of a descriptor; *f holds the reference.  -EBADF, -ENOTSOCK. */
int socket_get(int fd, struct file **f, struct socket **s);
/* An address of the program; len 0 is none.  -EINVAL, -EFAULT. */
int sock_addr_get(struct sock_addr *addr, gva_t at, int32_t len);
/* Writes an address as far as the length at len_at allows, and its real length there. */
int sock_addr_put(const struct sock_addr *addr, gva_t at, gva_t len_at);

#endif
