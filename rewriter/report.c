/* SPDX-License-Identifier: MIT */
/* What became of an object's sites, as JSON. */
#include <rewriter/list.h>
#include <rewriter/rewrite.h>

static const char *const tier_names[] = {
    [HERMIT_TIER_NONE] = "none", [HERMIT_TIER_PREVIOUS] = "previous", [HERMIT_TIER_HOLE] = "hole",
    [HERMIT_TIER_PUN] = "pun",   [HERMIT_TIER_WINDOW] = "window",
};

static void put_string(FILE *out, const char *text) {
    if (text == NULL) {
        fputs("null", out);
        return;
    }
    putc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p != 0; p++) {
        if (*p == '"' || *p == '\\')
            fprintf(out, "\\%c", *p);
        else if (*p < 0x20 || *p >= 0x7f)
            fprintf(out, "\\u%04x", *p);
        else
            putc(*p, out);
    }
    putc('"', out);
}

static void put_member(FILE *out, const char *name, const char *value) {
    fprintf(out, "\"%s\": ", name);
    put_string(out, value);
}

static void put_hex(FILE *out, const char *name, const uint8_t *bytes, size_t len) {
    fprintf(out, "\"%s\": \"", name);
    for (size_t i = 0; bytes != NULL && i < len; i++)
        fprintf(out, "%02x", bytes[i]);
    putc('"', out);
}

static void put_addresses(FILE *out, const char *name, const uint64_t *items, size_t count) {
    fprintf(out, ",\n \"%s\": [", name);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s\"0x%lx\"", i > 0 ? ", " : "", (unsigned long)items[i]);
    putc(']', out);
}

/* The bytes that change, in one piece or several. */
static void put_patches(FILE *out, const struct rewrite *r, const struct plan_site *s) {
    const struct {
        uint64_t addr, len;
    } pieces[] = {{s->addr - s->moved, s->moved != 0 ? s->patched : 2},
                  {s->nop, s->nop != 0 ? 2 : 0},
                  {s->hole, s->tier == HERMIT_TIER_HOLE ? 5 : 0}};
    fputs(", \"bytes\": [", out);
    const char *comma = "";
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        for (size_t n = 0; pieces[i].len != 0 && n < r->stubs.patches.count; n++) {
            const struct stubs_patch *patch = &r->stubs.patches.items[n];
            if (patch->addr != pieces[i].addr) continue;
            fprintf(out, "%s{\"address\": \"0x%lx\", ", comma, (unsigned long)patch->addr);
            put_hex(out, "old", elf_in_at(&r->elf, patch->addr, patch->len), patch->len);
            fputs(", ", out);
            put_hex(out, "new", patch->bytes, patch->len);
            putc('}', out);
            comma = ", ";
        }
    }
    putc(']', out);
}

static void put_stub(FILE *out, const struct rewrite *r, size_t index) {
    for (size_t i = 0; i < r->stubs.planned.count; i++) {
        if (r->stubs.planned.items[i] != index) continue;
        const struct hermit_site *site = &r->stubs.sites.items[i];
        fprintf(out, ", \"stub\": \"0x%lx\", ", (unsigned long)(r->stubs.addr + site->stub));
        put_hex(out, "linux", r->stubs.linux_bytes + site->stub, site->length);
        fputs(", ", out);
        put_hex(out, "hermit", r->stubs.hermit_bytes + site->stub, site->length);
    }
}

static void put_site(FILE *out, const struct rewrite *r, size_t index) {
    const struct plan_site *s = &r->plan.sites.items[index];
    fprintf(out, "{\"address\": \"0x%lx\", ", (unsigned long)s->addr);
    put_member(out, "function", r->code.funcs.items[s->func].name);
    if (s->number >= 0)
        fprintf(out, ", \"number\": %ld, ", (long)s->number);
    else
        fputs(", \"number\": null, ", out);
    put_member(out, "tier", tier_names[s->tier]);
    if (s->tier != HERMIT_TIER_NONE) {
        put_patches(out, r, s);
        put_stub(out, r, index);
    } else {
        fputs(", ", out);
        put_member(out, "why", s->why);
    }
    putc('}', out);
}

static void put_totals(FILE *out, const struct rewrite *r) {
    struct rewrite_totals t = rewrite_count(r);
    fprintf(out, ",\n \"totals\": {\"sites\": %u, \"proven\": %u, \"kept\": %u", t.sites, t.proven,
            t.kept);
    for (size_t i = 0; i < sizeof(tier_names) / sizeof(tier_names[0]); i++)
        fprintf(out, ", \"%s\": %u", tier_names[i], t.tiers[i]);
    putc('}', out);
}

void rewrite_report(const struct rewrite *r, const char *name, FILE *out) {
    static const char *const states[] = {[REWRITE_DONE] = "done",
                                         [REWRITE_PARTIAL] = "partial",
                                         [REWRITE_ALREADY] = "already",
                                         [REWRITE_REFUSED] = "refused"};
    fputs("{", out);
    put_member(out, "file", name);
    fputs(",\n ", out);
    put_member(out, "status", states[r->status]);
    fputs(",\n ", out);
    put_member(out, "why", r->why);
    put_totals(out, r);
    if (r->planned) {
        put_addresses(out, "suspicious", r->plan.rejected.items, r->plan.rejected.count);
        put_addresses(out, "int80", r->plan.int80.items, r->plan.int80.count);
        put_addresses(out, "sysenter", r->plan.sysenter.items, r->plan.sysenter.count);
        put_addresses(out, "vsyscall", r->plan.vsys.items, r->plan.vsys.count);
    }
    fputs(",\n \"sites\": [", out);
    for (size_t i = 0; r->planned && i < r->plan.sites.count; i++) {
        fputs(i > 0 ? ",\n  " : "\n  ", out);
        put_site(out, r, i);
    }
    fputs("]}\n", out);
}
