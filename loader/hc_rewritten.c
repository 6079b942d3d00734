/* SPDX-License-Identifier: MIT */
/* FILE_REWRITTEN: what the cache of rewritten objects has for an open file.  The guest gets no more
 * of the cache than that.  Owns nothing. */
#include <loader/hc_handle.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <loader/cache.h>
#include <loader/guest_mem.h>
#include <loader/vm.h>

int64_t hc_file_rewritten(union hc_args *args) {
    static union cache_head head; /* calls are served one at a time */
    struct hc_file_rewritten *a = &args->file_rewritten;
    struct handle *h = handle_get(a->handle);
    a->gpa = 0;
    a->cached = HC_NO_HANDLE;
    if (h == NULL) return -EBADF;
    if (handle_type(h) != S_IFREG) return -ENODATA;
    int fd = cache_find(h->fd, &head);
    /* What the guest may write to is not analysed outside of the sandbox. */
    bool wanted = h->readonly && (a->executed != 0 || cache_waits());
    if (fd == -ENOENT && wanted && cache_want(h->fd)) fd = cache_find(h->fd, &head);
    if (fd < 0) return fd;
    if (guest_copy_out(a->head, &head, sizeof(head)) != 0) {
        close(fd);
        return -EFAULT;
    }
    if (window_map(fd, 0, head.info.size, false, &a->gpa) == 0) {
        close(fd);
        return 0;
    }
    int64_t number = handle_new(fd, true);
    if (number < 0) return number;
    a->cached = (uint32_t)number;
    return 0;
}
