/* SPDX-License-Identifier: MIT */
/* From places in code to one row a system call, and from rows and findings to a verdict. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check/check.h>
#include <rewriter/list.h>
#include <syscall/syscall_levels.h>

#define NAMED_MAX 8 /* calls that the first line names */

static const struct syscall_support *support_of(const struct check_row *row) {
    uint32_t nr = row->call->number;
    return nr < HERMIT_SYSCALL_COUNT && hermit_syscall_names[nr] != NULL
               ? &hermit_syscall_support[nr]
               : NULL;
}

static int level_of(const struct check_row *row) {
    const struct syscall_support *s = support_of(row);
    return s != NULL ? s->level : SYSCALL_NONE;
}

const char *row_level(const struct check_row *row) {
    static const char *const names[] = {
        [SYSCALL_FULL] = "full", [SYSCALL_PARTIAL] = "partial", [SYSCALL_NONE] = "none"};
    return names[level_of(row)];
}

const char *row_name(const struct check_row *row, char *room, size_t size) {
    if (support_of(row) != NULL) return hermit_syscall_names[row->call->number];
    snprintf(room, size, "%u", row->call->number);
    return room;
}

const char *row_note(const struct check_row *row) {
    const struct syscall_support *s = support_of(row);
    return s != NULL ? s->note : "Linux has no such call either";
}

const char *row_reach(const struct check_row *row) {
    static const char *const names[] = {[REACH_REMOTE] = "unlikely",
                                        [REACH_POSSIBLE] = "possible",
                                        [REACH_CALLED] = "called",
                                        [REACH_ALWAYS] = "always"};
    return names[row->call->how];
}

bool row_is_missing(const struct check_row *row) {
    const struct syscall_support *s = support_of(row);
    return s != NULL && s->level == SYSCALL_NONE && !s->optional;
}

static int worst_first(const void *a, const void *b) {
    const struct check_row *x = a, *y = b;
    if (level_of(x) != level_of(y)) return level_of(x) > level_of(y) ? -1 : 1;
    if (x->call->how != y->call->how) return x->call->how > y->call->how ? -1 : 1;
    return x->call->number < y->call->number ? -1 : x->call->number > y->call->number;
}

void rows_build(struct check *c) {
    for (size_t i = 0; i < c->reach.calls.count; i++) {
        const struct reach_call *call = &c->reach.calls.items[i];
        struct check_row *last = c->rows.count > 0 ? &c->rows.items[c->rows.count - 1] : NULL;
        if (call->number == REACH_UNKNOWN || call->int80) continue;
        if (last != NULL && last->call->number == call->number) {
            last->places++;
            if (call->how > last->call->how) last->call = call;
        } else {
            LIST_PUSH(&c->rows, (struct check_row){call, 1});
        }
    }
    if (c->rows.count > 0)
        qsort(c->rows.items, c->rows.count, sizeof(c->rows.items[0]), worst_first);
}

static void append(char **text, const char *gap, const char *more) {
    char *all = NULL;
    if (asprintf(&all, "%s%s%s", *text, **text != 0 ? gap : "", more) < 0) all = NULL;
    free(*text);
    *text = list_must(all);
}

static void append_calls(const struct check *c, char **why, int least) {
    int named = 0;
    char room[16];
    for (size_t i = 0; i < c->rows.count; i++) {
        const struct check_row *row = &c->rows.items[i];
        if (!row_is_missing(row) || row->call->how < least) continue;
        if (named++ < NAMED_MAX) append(why, ", ", row_name(row, room, sizeof(room)));
    }
    if (named <= NAMED_MAX) return;
    char more[32];
    snprintf(more, sizeof(more), "and %d more", named - NAMED_MAX);
    append(why, " ", more);
}

enum verdict check_verdict(const struct check *c, char **why) {
    *why = list_must(strdup(""));
    for (size_t i = 0; i < c->findings.count; i++)
        if (c->findings.items[i].kind == FINDING_FAIL) append(why, "; ", c->findings.items[i].text);
    append_calls(c, why, REACH_ALWAYS);
    if (**why != 0) return VERDICT_FAILS;
    append_calls(c, why, REACH_POSSIBLE);
    for (size_t i = 0; i < c->findings.count; i++)
        if (c->findings.items[i].kind == FINDING_LIMIT)
            append(why, "; ", c->findings.items[i].text);
    return **why != 0 ? VERDICT_LIMITS : VERDICT_RUNS;
}
