/* SPDX-License-Identifier: MIT */
/* Path arithmetic.  Owns nothing. */
#include <loader/path.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINKS 40 /* as Linux */

static size_t parent_length(const char *path, size_t len) {
    while (len && path[len - 1] != '/')
        len--;
    return len ? len - 1 : 0;
}

struct walk {
    char rest[PATH_MAX]; /* still to be walked */
    char *out;
    size_t len;
    unsigned links;
};

/* Puts link text in front of what is left; the link itself is the last component of out. */
static int splice(struct walk *w, const char *text, size_t text_len, const char *after) {
    size_t after_len = strlen(after);
    if (++w->links > MAX_LINKS) return -ELOOP;
    if (text_len + 1 + after_len >= PATH_MAX) return -ENAMETOOLONG;
    memmove(w->rest + text_len + 1, after, after_len + 1);
    memcpy(w->rest, text, text_len);
    w->rest[text_len] = '/';
    w->len = text[0] == '/' ? 0 : parent_length(w->out, w->len);
    return 0;
}

int path_walk(const char *path, char *out, path_link_fn *link, void *ctx) {
    struct walk w = {.out = out};
    char text[PATH_MAX];
    if (strlen(path) >= PATH_MAX) return -ENAMETOOLONG;
    memcpy(w.rest, path, strlen(path) + 1);
    for (const char *p = w.rest + strspn(w.rest, "/"); *p; p += strspn(p, "/")) {
        size_t n = strcspn(p, "/");
        if (n == 2 && p[0] == '.' && p[1] == '.') {
            w.len = parent_length(out, w.len);
        } else if (n != 1 || p[0] != '.') {
            if (w.len + 1 + n >= PATH_MAX) return -ENAMETOOLONG;
            out[w.len] = '/';
            memcpy(out + w.len + 1, p, n);
            w.len += 1 + n;
            out[w.len] = '\0';
            ssize_t got = link ? link(ctx, out, text, sizeof(text)) : 0;
            if (got < 0) return (int)got;
            if (got > 0) {
                int error = splice(&w, text, (size_t)got, p + n);
                if (error) return error;
                p = w.rest;
                continue;
            }
        }
        p += n;
    }
    if (w.len == 0) out[w.len++] = '/';
    out[w.len] = '\0';
    return 0;
}

char *path_clean(const char *path) {
    char out[PATH_MAX];
    if (path[0] != '/' || path_walk(path, out, NULL, NULL) < 0) return NULL;
    return strdup(out);
}

char *path_join(const char *dir, const char *path) {
    char *joined;
    if (path[0] == '/') return strdup(path);
    return asprintf(&joined, "%s/%s", dir, path) < 0 ? NULL : joined;
}

const char *path_beneath(const char *prefix, const char *path) {
    size_t n = strlen(prefix);
    if (n == 1) return path + 1; /* "/" */
    if (strncmp(prefix, path, n) != 0) return NULL;
    if (path[n] == '\0') return path + n;
    return path[n] == '/' ? path + n + 1 : NULL;
}
