/* SPDX-License-Identifier: MIT */
/* libFuzzer target: the analysis of --check reads any file without harm and comes to an end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <rewriter/list.h>
#include <rewriter/reach.h>

static void must(int condition) {
    if (!condition) abort();
}

/* Functions lie in order, do not overlap, and have the edges between theirs and the next's. */
static void check_code(const struct code *c) {
    for (uint32_t i = 0; i < code_count(c); i++) {
        const struct code_func *f = &c->funcs.items[i];
        must(f->start < f->end && f->end <= f[1].start);
        must(f->edges <= f[1].edges && f[1].edges <= c->edges.count);
        must(code_func_at(c, f->start) == i && code_func_starting(c, f->start) == i);
        must(elf_in_at(c->elf, f->start, f->end - f->start) != NULL);
    }
    for (size_t i = 0; i < c->sites.count; i++)
        must(code_func_at(c, c->sites.items[i].addr) == c->sites.items[i].func);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lib_object *o = list_must(calloc(1, sizeof(*o)));
    struct libs libs = {0};
    struct reach r;
    char name[] = "fuzzed";
    /* An exact copy on the heap: AddressSanitizer sees every byte read too many. */
    o->bytes = list_must(malloc(size ? size : 1));
    if (size) memcpy(o->bytes, data, size);
    o->path = list_must(strdup(name));
    o->name = o->path;
    if (elf_in_parse(&o->elf, o->bytes, size) == NULL) {
        LIST_PUSH(&libs.objects, o);
        must(reach_run(&r, &libs));
        check_code(&o->code);
        for (size_t i = 0; i < r.calls.count; i++)
            reach_place(&r, &r.calls.items[i]);
        reach_free(&r);
        libs_free(&libs);
        return 0;
    }
    free(o->bytes);
    free(o->path);
    free(o);
    return 0;
}
