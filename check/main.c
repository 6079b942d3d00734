/* SPDX-License-Identifier: MIT */
/* hermit-check: will a program run?  hermit-run --check executes it with its own command line, so
 * that both see the same view.  Exit status: 0, 1 if the program would certainly fail, or
 * hermit-run's own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check/check.h>
#include <loader/diag.h>
#include <rewriter/list.h>

#define SCRIPTS_MAX 5 /* as Linux: scripts that run scripts */
#define SCRIPT_LINE 256

/* The interpreter that "#!..." names, malloc'ed; NULL: not a script. */
static char *interpreter_of(int fd) {
    char line[SCRIPT_LINE + 1];
    ssize_t n = pread(fd, line, SCRIPT_LINE, 0);
    if (n < 3 || line[0] != '#' || line[1] != '!') return NULL;
    line[n] = '\0';
    char *path = line + 2 + strspn(line + 2, " \t");
    path[strcspn(path, " \t\n")] = '\0';
    return list_must(strdup(path));
}

/* Replaces a script by what interprets it; false: that cannot be opened. */
static bool follow_script(struct check *c, int *fd) {
    char *interpreter;
    for (int depth = 0; (interpreter = interpreter_of(*fd)) != NULL; depth++) {
        int next = files_open(c, interpreter);
        if (next < 0 || depth == SCRIPTS_MAX) {
            char *remedy = NULL;
            if (access(interpreter, X_OK) == 0 && asprintf(&remedy, "add -v %s", interpreter) < 0)
                remedy = NULL;
            finding_add(c, FINDING_FAIL, remedy, "the script's interpreter %s: %s", interpreter,
                        next < 0 ? strerror(-next) : strerror(ELOOP));
            free(interpreter);
            return false;
        }
        finding_add(c, FINDING_NOTE, NULL,
                    "a script: %s interprets it, and what it runs is not "
                    "in the list",
                    interpreter);
        close(*fd);
        *fd = next;
        free(c->program);
        c->program = interpreter;
    }
    return true;
}

static void analyse(struct check *c, int fd) {
    struct lib_files files = {.open = files_open, .open_outside = files_open_outside, .ctx = c};
    for (size_t i = 0; i < c->options->env_count; i++) {
        const char *v = c->options->env[i];
        if (strncmp(v, "LD_LIBRARY_PATH=", 16) == 0) files.library_path = v + 16;
        if (strncmp(v, "LD_PRELOAD=", 11) == 0) files.preload = v + 11;
    }
    const char *problem = libs_load(&c->libs, &files, fd, c->program);
    if (problem != NULL) {
        finding_add(c, FINDING_FAIL, NULL, "%s", problem);
        return;
    }
    findings_of_libs(c);
    if (!reach_run(&c->reach, &c->libs)) die(EXIT_HERMIT, "--check: no memory for the decoder");
    findings_of_code(c);
    rows_build(c);
}

int main(int argc, char **argv) {
    struct options o;
    struct view v;
    options_parse(&o, argc, argv);
    view_build(&v, &o);
    struct check c = {.options = &o, .view = &v, .program = list_must(strdup(v.program))};
    int fd = v.program_fd;
    findings_of_file(&c, fd);
    if (follow_script(&c, &fd)) analyse(&c, fd);
    if (o.json)
        report_json(&c);
    else
        report_text(&c);
    char *why;
    bool fails = check_verdict(&c, &why) == VERDICT_FAILS;
    if (fflush(stdout) != 0) die(EXIT_HERMIT, "standard output: %s", strerror(errno));
    _exit(fails);
}
