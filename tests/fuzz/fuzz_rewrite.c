/* SPDX-License-Identifier: MIT */
/* libFuzzer target: any file is rewritten or refused without harm, and what is rewritten passes
 * the verifier and is known again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <rewriter/list.h>
#include <rewriter/rewrite.h>

static void must(int condition) {
    if (!condition) abort();
}

static void must_be_known(const uint8_t *bytes, size_t size, const struct rewrite_options *o) {
    struct rewrite r;
    must(rewrite_file(&r, bytes, size, o) == REWRITE_ALREADY);
    must(r.bytes == NULL);
    rewrite_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    /* An exact copy on the heap: AddressSanitizer sees every byte read too many. */
    uint8_t *bytes = list_must(malloc(size ? size : 1));
    struct rewrite_options o = {.hermit = size % 2 != 0};
    struct rewrite r;
    if (size) memcpy(bytes, data, size);
    rewrite_file(&r, bytes, size, &o);
    if (r.bytes != NULL) {
        must(rewrite_verify(bytes, size, r.bytes, r.size) == NULL);
        must_be_known(r.bytes, r.size, &o);
    }
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    must(out != NULL);
    rewrite_report(&r, "fuzzed", out);
    fclose(out);
    free(text);
    rewrite_free(&r);
    free(bytes);
    return 0;
}
