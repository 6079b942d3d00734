/* SPDX-License-Identifier: MIT */
/* The report for people: a verdict, what else there is to say, a table. */
#include <stdio.h>
#include <stdlib.h>

#include <check/check.h>

static void print_verdict(const struct check *c) {
    static const char *const words[] = {[VERDICT_RUNS] = "runs",
                                        [VERDICT_LIMITS] = "runs, with limits",
                                        [VERDICT_FAILS] = "would fail"};
    char *why;
    enum verdict v = check_verdict(c, &why);
    printf("%s: %s%s%s\n", c->options->program, words[v], *why != 0 ? ": " : "", why);
    free(why);
}

static void print_findings(const struct check *c) {
    for (size_t i = 0; i < c->findings.count; i++) {
        const struct finding *f = &c->findings.items[i];
        printf("  %s%s%s%s\n", f->text, f->remedy != NULL ? " (" : "",
               f->remedy != NULL ? f->remedy : "", f->remedy != NULL ? ")" : "");
    }
}

/* object:function, and how many other places. */
static void print_place(const struct check *c, const struct check_row *row) {
    const struct reach_call *call = row->call;
    const char *object = c->libs.objects.items[call->object]->name;
    const char *place = reach_place(&c->reach, call);
    char text[160];
    int n = place != NULL
                ? snprintf(text, sizeof(text), "%s:%s", object, place)
                : snprintf(text, sizeof(text), "%s:0x%lx", object, (unsigned long)call->addr);
    if (row->places > 1 && n > 0 && (size_t)n < sizeof(text))
        snprintf(text + n, sizeof(text) - (size_t)n, " +%u", row->places - 1);
    printf("%-40s", text);
}

void report_text(const struct check *c) {
    print_verdict(c);
    print_findings(c);
    if (c->rows.count == 0) return;
    printf("\n%-24s%-9s%-10s%-40s%s\n", "call", "support", "reach", "from", "note");
    for (size_t i = 0; i < c->rows.count; i++) {
        const struct check_row *row = &c->rows.items[i];
        char room[16];
        printf("%-24s%-9s%-10s", row_name(row, room, sizeof(room)), row_level(row), row_reach(row));
        print_place(c, row);
        printf("%s%s\n", *row_note(row) != 0 ? " " : "", row_note(row));
    }
}
