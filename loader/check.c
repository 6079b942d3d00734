/* SPDX-License-Identifier: MIT */
/* Finds and executes hermit-check.  Owns nothing. */
#include <loader/check.h>
#include <loader/diag.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const places[] = {"hermit-check", "../libexec/hermit/hermit-check"};

_Noreturn void check_program(char **argv) {
    char self[PATH_MAX], path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (!slash) die(EXIT_HERMIT, "--check: cannot tell where hermit-run is");
    slash[1] = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        int len = snprintf(path, sizeof(path), "%s%s", self, places[i]);
        if (len < 0 || (size_t)len >= sizeof(path) || access(path, F_OK) != 0) continue;
        execv(path, argv);
        if (errno == ENOENT) /* of its dynamic linker */
            die(EXIT_HERMIT, "--check: %s cannot run: install libc6", path);
        die(EXIT_HERMIT, "--check: %s: %s", path, strerror(errno));
    }
    die(EXIT_HERMIT,
        "--check: hermit-check is not installed beside %shermit-run; "
        "build it with the packages libcapstone-dev and libelf-dev",
        self);
}
