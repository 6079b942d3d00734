/* SPDX-License-Identifier: MIT */
/* What can be said about a program apart from its system calls.  Owns the list of findings. */
#include <elf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <check/check.h>
#include <rewriter/list.h>

#define ISA_V2 (1u << 1)
#define ISA_V3 (1u << 2)
#define ISA_V4 (1u << 3)

void finding_add(struct check *c, enum finding_kind kind, char *remedy, const char *format, ...) {
    char *text = NULL;
    va_list ap;
    va_start(ap, format);
    if (vasprintf(&text, format, ap) < 0) text = NULL;
    va_end(ap);
    LIST_PUSH(&c->findings, (struct finding){kind, list_must(text), remedy});
}

void findings_of_file(struct check *c, int fd) {
    struct stat st;
    if (fstat(fd, &st) == 0 && (st.st_mode & (S_ISUID | S_ISGID)) != 0)
        finding_add(c, FINDING_LIMIT, NULL,
                    "set-user-ID and set-group-ID modes are ignored: it runs as the caller");
}

/* -v DIR for the directory of a file. */
static char *volume_for(const char *path) {
    char *text = NULL;
    int len = (int)(strrchr(path, '/') - path);
    if (asprintf(&text, "add -v %.*s", len > 0 ? len : 1, path) < 0) text = NULL;
    return list_must(text);
}

void findings_of_libs(struct check *c) {
    const char *interp = c->libs.objects.items[0]->elf.interp;
    for (size_t i = 0; i < c->libs.missing.count; i++) {
        const struct lib_missing *m = &c->libs.missing.items[i];
        const char *what = interp != NULL && m->name == interp ? "dynamic linker" : "library";
        char *remedy = m->outside != NULL ? volume_for(m->outside) : NULL;
        if (m->problem != NULL)
            finding_add(c, FINDING_FAIL, remedy, "%s %s is not usable: %s", what, m->name,
                        m->problem);
        else if (m->outside != NULL)
            finding_add(c, FINDING_FAIL, remedy, "%s %s (needed by %s) is not visible", what,
                        m->name, m->needed_by);
        else
            finding_add(c, FINDING_FAIL, remedy, "%s %s (needed by %s) is missing", what, m->name,
                        m->needed_by);
    }
}

static bool cpu_has(uint32_t isa) {
    __builtin_cpu_init();
    bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("ssse3") &&
              __builtin_cpu_supports("popcnt");
    bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
              __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
    bool v4 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512vl");
    if ((isa & ISA_V4) != 0) return v2 && v3 && v4;
    if ((isa & ISA_V3) != 0) return v2 && v3;
    return (isa & ISA_V2) == 0 || v2;
}

static void check_isa(struct check *c, const struct lib_object *o) {
    uint32_t isa = o->elf.isa_needed;
    int level = isa & ISA_V4 ? 4 : isa & ISA_V3 ? 3 : 2;
    if (isa <= 1) return;
    if (!cpu_has(isa))
        finding_add(c, FINDING_FAIL, NULL, "%s needs x86-64-v%d, which this CPU is not", o->name,
                    level);
}

void findings_of_code(struct check *c) {
    for (size_t i = 0; i < c->libs.objects.count; i++)
        check_isa(c, c->libs.objects.items[i]);
    bool unknown = false, int80 = false;
    for (size_t i = 0; i < c->reach.calls.count; i++) {
        unknown |= c->reach.calls.items[i].number == REACH_UNKNOWN;
        int80 |= c->reach.calls.items[i].int80;
    }
    if (int80)
        finding_add(c, FINDING_LIMIT, NULL,
                    "contains int $0x80, the 32-bit way into the kernel, which does not work");
    if (unknown)
        finding_add(c, FINDING_NOTE, NULL,
                    "some calls have numbers that are computed at run time: not in the list");
    if (c->reach.loads_libraries)
        finding_add(c, FINDING_NOTE, NULL,
                    "can load libraries at run time (dlopen): what they call is not in the list");
}
