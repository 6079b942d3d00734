/* SPDX-License-Identifier: MIT */
/* Sockets from descriptors, addresses from and to program memory. */
#include <syscall/user_socket.h>

int socket_get(int fd, struct file **f, struct socket **s) {
    *f = fd_get_io(fd);
    if (*f == NULL) return -EBADF;
    *s = socket_of(*f);
    if (*s != NULL) return 0;
    file_put(*f);
    return -ENOTSOCK;
}

int sock_addr_get(struct sock_addr *addr, gva_t at, int32_t len) {
    *addr = (struct sock_addr){0};
    if (len < 0 || len > (int32_t)SOCK_ADDR_MAX) return -EINVAL;
    addr->len = (uint32_t)len;
    return copy_from_user(addr->bytes, at, addr->len);
}

int sock_addr_put(const struct sock_addr *addr, gva_t at, gva_t len_at) {
    int32_t room;
    if (get_user(room, len_at) != 0) return -EFAULT;
    if (room < 0) return -EINVAL;
    if (copy_to_user(at, addr->bytes, min((uint32_t)room, addr->len)) != 0) return -EFAULT;
    return put_user(addr->len, len_at);
}
