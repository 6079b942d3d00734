/* SPDX-License-Identifier: MIT */
/* Files as the program will see them, by way of the loader's view.  Owns nothing. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <check/check.h>
#include <loader/view_parts.h>

#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

int files_open(void *check, const char *path) {
    const struct check *c = check;
    char canonical[PATH_MAX];
    struct view v = *c->view;
    struct view_builder b = {.v = &v, .o = c->options};
    int error = view_resolve(&b, path, false, canonical);
    return error != 0 ? error : view_open(canonical, OPEN_FLAGS);
}

int files_open_outside(void *check, const char *path) {
    const struct check *c = check;
    if (c->options->rootfs != NULL) return -ENOENT;
    int fd = open(path, OPEN_FLAGS);
    return fd < 0 ? -errno : fd;
}
