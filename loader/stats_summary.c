/* SPDX-License-Identifier: MIT */
/* --strace-summary: a table in the format of strace -c.  Owns nothing. */
#include <loader/stats.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <loader/guest_mem.h>
#include <loader/services.h>
#include <loader/vm.h>
#include <syscall/syscall_names.h>

struct line {
    const char *name;
    double seconds;
    uint32_t calls, errors;
};

static int by_time(const void *a, const void *b) {
    const struct line *x = a, *y = b;
    if (x->seconds != y->seconds) return x->seconds < y->seconds ? 1 : -1;
    return x->calls != y->calls ? (x->calls < y->calls ? 1 : -1) : strcmp(x->name, y->name);
}

static void print_line(FILE *to, const struct line *l, double all) {
    char errors[16] = "";
    if (l->errors) snprintf(errors, sizeof(errors), "%" PRIu32, l->errors);
    fprintf(to, "%6.2f %11.6f %11.0f %9" PRIu32 " %9s %s\n",
            all > 0 ? l->seconds * 100 / all : l->seconds, l->seconds,
            l->calls ? l->seconds * 1e6 / l->calls : 0, l->calls, errors, l->name);
}

void stats_print_summary(void) {
    static const char rule[] =
        "------ ----------- ----------- --------- --------- ----------------\n";
    struct hermit_stats s;
    struct line lines[HERMIT_SYSCALL_COUNT], total = {.name = "total"};
    unsigned n = 0;
    if (guest_copy_in(&s, vm_exit.stats, sizeof(s)) != 0) return;
    for (unsigned i = 0; i < HERMIT_SYSCALL_COUNT; i++) {
        if (s.calls[i] == 0 || hermit_syscall_names[i] == NULL) continue;
        lines[n] = (struct line){hermit_syscall_names[i],
                                 s.tsc_khz ? (double)s.call_cycles[i] / 1e3 / (double)s.tsc_khz : 0,
                                 s.calls[i], s.call_errors[i]};
        total.seconds += lines[n].seconds;
        total.calls += lines[n].calls;
        total.errors += lines[n++].errors;
    }
    qsort(lines, n, sizeof(lines[0]), by_time);
    FILE *to = trace_fd >= 0 ? fdopen(trace_fd, "w") : stderr;
    if (to == NULL) return;
    fprintf(to, "%% time     seconds  usecs/call     calls    errors syscall\n%s", rule);
    for (unsigned i = 0; i < n; i++)
        print_line(to, &lines[i], total.seconds);
    fputs(rule, to);
    print_line(to, &total, total.seconds);
    fflush(to);
}
