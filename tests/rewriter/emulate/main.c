/* SPDX-License-Identifier: MIT */
/* emulate random [--seed N] [--count N]: random code; emulate file ELF...: the surroundings of the
 * sites of real objects.  Status 1 if the rewritten code does anything else than the old. */
#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rewriter/body.h>
#include <tests/rewriter/emulate/emulate.h>

#define LIMIT 300
#define RUNS_RANDOM 3 /* from each entry */
#define RUNS_FILE 4
#define BEFORE_MAX 6 /* instructions before the moved ones */

struct totals {
    unsigned objects, sites, runs, calls, tiers[HERMIT_TIER_WINDOW + 1], bad;
};

static void load_all(struct emu_machine *m, const struct rewrite *r, struct elf_in *out,
                     uint64_t bias) {
    if (elf_in_parse(out, r->bytes, r->size) != NULL) {
        fputs("emulate: the result is not readable\n", stderr);
        exit(1);
    }
    emu_load(&m[EMU_OLD], &r->elf, bias);
    emu_load(&m[EMU_LINUX], out, bias);
    emu_load(&m[EMU_HERMIT], out, bias);
    emu_reserve(&m[EMU_OLD], r->stubs.addr, r->stubs.size);
}

static void compare(struct emu_machine *m, uint64_t entry, uint64_t *seed, const char *name,
                    struct totals *t) {
    struct emu_trace was, is;
    struct emu_state state;
    char what[160];
    emu_random_state(&state, seed);
    emu_run(&m[EMU_OLD], entry, &state, LIMIT, &was);
    t->runs++;
    for (unsigned i = 0; i < was.count; i++)
        t->calls += was.events[i].call;
    for (int v = EMU_LINUX; v < EMU_VERSIONS; v++) {
        snprintf(what, sizeof(what), "%.80s, entered at 0x%" PRIx64 ", %s", name, entry,
                 emu_version_names[v]);
        emu_run(&m[v], entry, &state, 4 * LIMIT, &is);
        t->bad += !emu_same(&was, &is, what);
    }
}

static void count_sites(const struct rewrite *r, struct totals *t) {
    struct rewrite_totals n = rewrite_count(r);
    t->objects++;
    t->sites += n.sites;
    for (int i = 0; i <= HERMIT_TIER_WINDOW; i++)
        t->tiers[i] += n.tiers[i];
}

static bool rewrite(struct rewrite *r, const uint8_t *bytes, size_t size, const char *name,
                    struct totals *t) {
    static const struct rewrite_options o = {.hermit = true, .verify = true};
    rewrite_file(r, bytes, size, &o);
    if (r->status == REWRITE_REFUSED) {
        printf("%s: %s\n", name, r->why);
        t->bad++;
    } else {
        count_sites(r, t);
    }
    return r->bytes != NULL;
}

/* For a look at what failed. */
static void keep(const struct emu_object *o) {
    FILE *f = fopen(getenv("EMULATE_KEEP"), "we");
    if (f == NULL || fwrite(o->bytes, sizeof(o->bytes), 1, f) != 1 || fclose(f) != 0)
        perror("EMULATE_KEEP");
}

static void random_one(struct emu_machine *m, uint64_t seed, struct totals *t) {
    static struct emu_object o;
    struct rewrite r;
    struct elf_in out;
    char name[32];
    snprintf(name, sizeof(name), "seed %" PRIu64, seed);
    emu_random_object(&o, seed);
    if (getenv("EMULATE_KEEP") != NULL) keep(&o);
    if (rewrite(&r, o.bytes, sizeof(o.bytes), name, t)) {
        load_all(m, &r, &out, 0);
        for (unsigned i = 0; i < o.count; i++)
            for (int n = 0; n < RUNS_RANDOM; n++)
                compare(m, o.entries[i], &seed, name, t);
        elf_in_free(&out);
    }
    rewrite_free(&r);
}

/* The function's start, up to BEFORE_MAX instructions before the moved ones and all of those that
 * the jump leaves, the site and what branches of the function lead to. */
static void file_site(struct emu_machine *m, struct rewrite *r, const struct plan_site *s,
                      const char *name, struct totals *t) {
    const struct body *b = plan_body(&r->plan, s->func);
    uint64_t seed = s->addr, at = s->addr - s->moved;
    uint64_t entries[64] = {b->start, s->addr};
    unsigned count = 2;
    for (uint8_t n = 0; n < s->nmoved; n++)
        if (n == 0 || s->insns[n].off >= s->patched) entries[count++] = at + s->insns[n].off;
    for (int n = 0; n < BEFORE_MAX; n++) {
        const struct body_insn *it = body_before(b, at);
        if (it == NULL || it->i.kind == INSN_JUMP || it->i.kind == INSN_RETURN ||
            it->i.kind == INSN_SYSCALL)
            break; /* what is before may be another site's */
        at = it->i.addr;
        if (it->reached || it->i.kind != INSN_PADDING) entries[count++] = at;
    }
    for (size_t i = 0; i < b->insns.count && count < 64; i++) {
        const struct insn *it = &b->insns.items[i].i;
        if (it->direct && it->kind != INSN_CALL && it->target + 64 > s->addr &&
            it->target < s->addr + 16 && body_at(b, it->target) != NULL)
            entries[count++] = it->target;
    }
    for (unsigned i = 0; i < count; i++)
        for (int n = 0; n < RUNS_FILE; n++)
            compare(m, entries[i], &seed, name, t);
}

static void file_one(struct emu_machine *m, const char *path, struct totals *t) {
    struct stat st;
    struct rewrite r;
    struct elf_in out;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *bytes = fd >= 0 && fstat(fd, &st) == 0
                         ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)
                         : MAP_FAILED;
    if (bytes == MAP_FAILED) {
        perror(path);
        exit(77);
    }
    close(fd);
    if (rewrite(&r, bytes, (size_t)st.st_size, path, t)) {
        load_all(m, &r, &out, r.elf.type == ET_EXEC ? 0 : 0x10000000);
        for (size_t i = 0; i < r.plan.sites.count; i++)
            if (r.plan.sites.items[i].tier != HERMIT_TIER_NONE)
                file_site(m, &r, &r.plan.sites.items[i], path, t);
        elf_in_free(&out);
    }
    rewrite_free(&r);
    munmap(bytes, (size_t)st.st_size);
}

int main(int argc, char **argv) {
    struct emu_machine m[EMU_VERSIONS];
    struct totals t = {0};
    uint64_t seed = 1, count = 200;
    bool files = argc > 1 && strcmp(argv[1], "file") == 0;
    if (argc < 2 || (!files && strcmp(argv[1], "random") != 0)) {
        fputs("usage: emulate random [FIRST-SEED COUNT] | emulate file ELF...\n", stderr);
        return 2;
    }
    for (int v = 0; v < EMU_VERSIONS; v++) {
        emu_open(&m[v], v);
        m[v].hidden_code = !files;
    }
    if (!files && argc > 3) {
        seed = strtoull(argv[2], NULL, 0);
        count = strtoull(argv[3], NULL, 0);
    }
    for (uint64_t i = 0; !files && i < count && t.bad < 20; i++)
        random_one(m, seed + i, &t);
    for (int i = 2; files && i < argc; i++)
        file_one(m, argv[i], &t);
    printf("%u objects, %u sites (previous %u, window %u, hole %u), %u runs, %u calls: %u wrong\n",
           t.objects, t.sites, t.tiers[HERMIT_TIER_PREVIOUS], t.tiers[HERMIT_TIER_WINDOW],
           t.tiers[HERMIT_TIER_HOLE], t.runs, t.calls, t.bad);
    for (int v = 0; v < EMU_VERSIONS; v++)
        emu_close(&m[v]);
    return t.bad != 0;
}
