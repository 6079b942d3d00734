/* SPDX-License-Identifier: MIT */
/* See rewrite.h. */
#include <stdlib.h>
#include <string.h>

#include <rewriter/rewrite.h>

static enum rewrite_status refuse(struct rewrite *r, const char *why) {
    r->why = why;
    free(r->bytes);
    r->bytes = NULL;
    return r->status = REWRITE_REFUSED;
}

struct rewrite_totals rewrite_count(const struct rewrite *r) {
    struct rewrite_totals t = {0};
    for (size_t i = 0; r->planned && i < r->plan.sites.count; i++) {
        const struct plan_site *s = &r->plan.sites.items[i];
        t.sites++;
        t.proven += s->proven;
        t.kept += s->keep;
        t.tiers[s->tier]++;
    }
    return t;
}

static enum rewrite_status write_out(struct rewrite *r, const struct rewrite_options *o) {
    struct elf_out out;
    const char *problem = elf_out_write(&out, &r->elf, &r->stubs, o->hermit);
    if (problem != NULL) return refuse(r, problem);
    r->bytes = out.bytes;
    r->size = out.size;
    if (o->verify) problem = rewrite_verify(r->elf.bytes, r->elf.size, r->bytes, r->size);
    return problem != NULL ? refuse(r, problem) : REWRITE_DONE;
}

enum rewrite_status rewrite_file(struct rewrite *r, const uint8_t *bytes, size_t size,
                                 const struct rewrite_options *o) {
    *r = (struct rewrite){.status = REWRITE_DONE};
    const char *problem = elf_in_parse(&r->elf, bytes, size);
    if (problem != NULL) return refuse(r, problem);
    r->parsed = true;
    if (elf_out_is_rewritten(&r->elf)) return r->status = REWRITE_ALREADY;
    if (r->elf.text_relocs) return refuse(r, "text relocations: the linker changes its code");
    if (!code_build_sites(&r->code, &r->elf)) return refuse(r, "no memory for the decoder");
    plan_build(&r->plan, &r->code, o->tiers != 0 ? o->tiers : PLAN_TIERS_ALL);
    r->planned = true;
    if (stubs_build(&r->stubs, &r->plan, elf_out_addr(&r->elf)) && (!o->dry_run || o->verify) &&
        write_out(r, o) == REWRITE_REFUSED)
        return r->status;
    if (o->dry_run) free(r->bytes);
    if (o->dry_run) r->bytes = NULL;
    struct rewrite_totals t = rewrite_count(r);
    if (t.tiers[HERMIT_TIER_NONE] > t.kept) r->status = REWRITE_PARTIAL;
    return r->status;
}

void rewrite_free(struct rewrite *r) {
    if (r->planned) {
        stubs_free(&r->stubs);
        plan_free(&r->plan);
        code_free(&r->code);
    }
    if (r->parsed) elf_in_free(&r->elf);
    free(r->bytes);
    *r = (struct rewrite){0};
}
