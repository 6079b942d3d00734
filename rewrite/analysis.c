/* SPDX-License-Identifier: MIT */
/* Rewrites one file's bytes apart from this process, and reads what comes back.  Owns nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rewrite/apart.h>
#include <rewrite/rewrite_tool.h>

#define RESULT_MOST ((size_t)1 << 20) /* bytes of a result, and as many times its input's */
#define RESULT_TIMES 64u              /* the report has several hundred bytes a site */

struct task {
    const struct tool_options *o;
    const char *name;
    const uint8_t *bytes;
    size_t size;
};

/* What the work writes: this, and the three parts. */
struct result {
    uint32_t status, parsed;
    uint64_t why, report, size; /* bytes; why and report with their NUL, 0: none */
};

static uint64_t text_size(const char *text) { return text != NULL ? strlen(text) + 1 : 0; }

static void work(void *arg, FILE *out) {
    const struct task *t = arg;
    struct rewrite w = {0};
    char *report = NULL;
    size_t length = 0;
    rewrite_file(&w, t->bytes, t->size, &t->o->rewrite);
    FILE *text = t->o->report != NULL ? open_memstream(&report, &length) : NULL;
    if (text != NULL) {
        rewrite_report(&w, t->name, text);
        fclose(text);
    }
    struct result r = {.status = w.status,
                       .parsed = w.parsed,
                       .why = text_size(w.why),
                       .report = text_size(report),
                       .size = w.bytes != NULL ? w.size : 0};
    fwrite(&r, sizeof(r), 1, out);
    if (r.size != 0) fwrite(w.bytes, 1, w.size, out);
    if (r.why != 0) fwrite(w.why, 1, r.why, out);
    if (r.report != 0) fwrite(report, 1, r.report, out);
}

/* The next n bytes are a text. */
static bool take_text(const uint8_t **at, uint64_t n, const char **text) {
    *text = n != 0 ? (const char *)*at : NULL;
    *at += n;
    return n == 0 || ((*at)[-1] == 0 && memchr(*text, 0, n) == *at - 1);
}

/* False: this is not what work() writes. */
static bool read_result(const struct apart *p, struct analysis *a) {
    struct result r;
    if (p->size < sizeof(r)) return false;
    memcpy(&r, p->bytes, sizeof(r));
    uint64_t left = p->size - sizeof(r);
    if (r.size > left || r.why > left - r.size || r.report != left - r.size - r.why) return false;
    if (r.status > REWRITE_REFUSED || (r.status == REWRITE_REFUSED) != (r.why != 0)) return false;
    const uint8_t *at = p->bytes + sizeof(r);
    *a = (struct analysis){.status = r.status,
                           .parsed = r.parsed != 0,
                           .bytes = at,
                           .size = r.size,
                           .memory = p->bytes};
    at += r.size;
    return take_text(&at, r.why, &a->why) && take_text(&at, r.report, &a->report);
}

int analyse(const struct tool_options *o, const char *name, const uint8_t *bytes, size_t size,
            struct analysis *a) {
    struct task task = {o, name, bytes, size};
    struct apart got;
    *a = (struct analysis){.status = REWRITE_REFUSED};
    int error = apart_run(work, &task, RESULT_MOST + size * RESULT_TIMES, &got);
    if (error == ECANCELED || (error == 0 && !read_result(&got, a))) {
        free(got.bytes);
        *a = (struct analysis){.status = REWRITE_REFUSED, .why = "its analysis did not end well"};
        return 0;
    }
    return error;
}
