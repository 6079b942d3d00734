/* SPDX-License-Identifier: MIT */
/* The report for programs: one JSON object. */
#include <stdio.h>
#include <stdlib.h>

#include <check/check.h>

static void put_string(const char *text) {
    putchar('"');
    for (const unsigned char *p = (const unsigned char *)text; *p != 0; p++) {
        if (*p == '"' || *p == '\\')
            printf("\\%c", *p);
        else if (*p < 0x20 || *p >= 0x7f)
            printf("\\u%04x", *p);
        else
            putchar(*p);
    }
    putchar('"');
}

static void put_member(const char *name, const char *value) {
    put_string(name);
    fputs(": ", stdout);
    if (value != NULL)
        put_string(value);
    else
        fputs("null", stdout);
}

static void put_findings(const struct check *c) {
    static const char *const kinds[] = {
        [FINDING_FAIL] = "fail", [FINDING_LIMIT] = "limit", [FINDING_NOTE] = "note"};
    fputs(" \"findings\": [", stdout);
    for (size_t i = 0; i < c->findings.count; i++) {
        const struct finding *f = &c->findings.items[i];
        fputs(i > 0 ? ",\n  {" : "\n  {", stdout);
        put_member("kind", kinds[f->kind]);
        fputs(", ", stdout);
        put_member("text", f->text);
        fputs(", ", stdout);
        put_member("remedy", f->remedy);
        putchar('}');
    }
    fputs("],\n", stdout);
}

static void put_row(const struct check *c, const struct check_row *row) {
    char room[16];
    put_member("call", row_name(row, room, sizeof(room)));
    printf(", \"number\": %u, ", row->call->number);
    put_member("support", row_level(row));
    fputs(", ", stdout);
    put_member("reach", row_reach(row));
    fputs(", ", stdout);
    put_member("object", c->libs.objects.items[row->call->object]->path);
    fputs(", ", stdout);
    put_member("function", reach_place(&c->reach, row->call));
    printf(", \"address\": %lu, \"places\": %u, ", (unsigned long)row->call->addr, row->places);
    put_member("note", row_note(row));
}

void report_json(const struct check *c) {
    static const char *const words[] = {
        [VERDICT_RUNS] = "runs", [VERDICT_LIMITS] = "limits", [VERDICT_FAILS] = "fails"};
    char *why;
    enum verdict v = check_verdict(c, &why);
    fputs("{", stdout);
    put_member("program", c->program);
    fputs(",\n ", stdout);
    put_member("verdict", words[v]);
    fputs(",\n ", stdout);
    put_member("why", why);
    fputs(",\n", stdout);
    free(why);
    put_findings(c);
    fputs(" \"objects\": [", stdout);
    for (size_t i = 0; i < c->libs.objects.count; i++) {
        if (i > 0) fputs(", ", stdout);
        put_string(c->libs.objects.items[i]->path);
    }
    fputs("],\n \"calls\": [", stdout);
    for (size_t i = 0; i < c->rows.count; i++) {
        fputs(i > 0 ? ",\n  {" : "\n  {", stdout);
        put_row(c, &c->rows.items[i]);
        putchar('}');
    }
    fputs("]}\n", stdout);
}
