/* SPDX-License-Identifier: MIT */
/* hermit-rewrite --cache: fills the cache for files that are named, or asked for on standard input
 * while hermit-run runs.  Owns nothing. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rewrite/cached.h>
#include <rewrite/rewrite_tool.h>

/* Reads a name that ends with NUL; false at the end of the input. */
static bool read_name(char name[PATH_MAX]) {
    size_t n = 0;
    for (;;) {
        int c = getchar_unlocked();
        if (c == EOF) return false;
        if (n < PATH_MAX) name[n++] = (char)c;
        if (c != 0) continue;
        if (name[n - 1] == 0) return true;
        n = 0; /* too long for any file */
    }
}

/* Nobody listens to what goes wrong: what is missing will be asked for again. */
static void serve(void) {
    char name[PATH_MAX];
    while (read_name(name)) {
        cache_file(name);
        char done = 1;
        if (write(STDOUT_FILENO, &done, 1) != 1) return;
    }
}

int fill_cache(const struct tool_options *o) {
    int status = EXIT_DONE;
    if (!cache_open()) {
        if (!o->serve)
            fprintf(stderr, "hermit-rewrite: the cache cannot be used: %s\n", strerror(errno));
        return EXIT_USAGE;
    }
    if (o->serve) serve();
    for (int i = 0; i < o->ninputs; i++) {
        int error = cache_file(o->inputs[i]);
        if (error == 0) continue;
        fprintf(stderr, "hermit-rewrite: %s: %s\n", o->inputs[i], strerror(error));
        status = EXIT_USAGE;
    }
    cache_bound(o->cache_bytes);
    return status;
}
