/* SPDX-License-Identifier: MIT */
/* Shared by the parts of hermit-check: what was found out about one program. */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include <loader/view.h>
#include <rewriter/reach.h>

enum finding_kind {
    FINDING_FAIL,  /* the program would not run */
    FINDING_LIMIT, /* something of it would not work */
    FINDING_NOTE,
};

struct finding {
    enum finding_kind kind;
    char *text;   /* malloc'ed */
    char *remedy; /* what helps, or NULL */
};

/* Everything about a system call that the program can reach. */
struct check_row {
    const struct reach_call *call; /* the surest of the places it comes from */
    uint32_t places;
};

struct check {
    const struct options *options;
    const struct view *view;
    char *program; /* that is analysed: the script's interpreter for a script */
    struct libs libs;
    struct reach reach;
    ELF_LIST(struct finding) findings;
    ELF_LIST(struct check_row) rows; /* worst first */
};

/* files.c: opens what the program sees, and what only the host sees. */
int files_open(void *check, const char *path);
int files_open_outside(void *check, const char *path);

/* findings.c */
void finding_add(struct check *c, enum finding_kind kind, char *remedy, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What libraries, instruction sets, modes and so on say, apart from system calls. */
void findings_of_file(struct check *c, int fd);
void findings_of_libs(struct check *c);
void findings_of_code(struct check *c);

/* rows.c: one row a call, and what becomes of the program. */
void rows_build(struct check *c);
/* Level as in table.def; the calls that it has no number for do not exist. */
const char *row_level(const struct check_row *row);
const char *row_name(const struct check_row *row, char *room, size_t size);
const char *row_note(const struct check_row *row);
const char *row_reach(const struct check_row *row);
/* Would the program notice that the call is missing? */
bool row_is_missing(const struct check_row *row);

enum verdict { VERDICT_RUNS, VERDICT_LIMITS, VERDICT_FAILS };
/* The verdict; *why: what it is for, in a few words (malloc'ed, may be empty). */
enum verdict check_verdict(const struct check *c, char **why);

/* report.c, json.c: to standard output. */
void report_text(const struct check *c);
void report_json(const struct check *c);

#endif
