/* SPDX-License-Identifier: MIT */
/* hermit-rewrite's command line. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include <rewrite/rewrite_tool.h>

#define JOBS_MAX 256
#define CACHE_BYTES (256ULL << 20)

const char *argp_program_version = "hermit-rewrite " HERMIT_VERSION;

enum {
    OPT_REPORT = 256,
    OPT_TIERS,
    OPT_VERIFY,
    OPT_TARGET,
    OPT_DRY_RUN,
    OPT_CACHE,
    OPT_SIZE,
    OPT_SERVE
};

static const struct argp_option options[] = {
    {"output", 'o', "OUT", 0,
     "Write to OUT: a file, or a directory for several inputs "
     "(default: in place)",
     0},
    {"report", OPT_REPORT, "FILE", 0,
     "Write what became of each site to FILE as JSON (-: standard "
     "output)",
     0},
    {"tiers", OPT_TIERS, "LIST", 0, "Ways of rewriting to use: previous,window,hole (default: all)",
     0},
    {"verify", OPT_VERIFY, NULL, 0, "Check each result against its input before it is written", 0},
    {"target", OPT_TARGET, "hermit|linux", 0,
     "hermit (default): for Hermit, and runs on Linux; linux: without Hermit's stubs", 0},
    {"dry-run", OPT_DRY_RUN, NULL, 0, "Write no object", 0},
    {"jobs", 'j', "N", 0, "Files to work on at a time (default: 1)", 0},
    {"cache", OPT_CACHE, NULL, 0, "Write to hermit-run's cache of rewritten objects, not in place",
     0},
    {"cache-size", OPT_SIZE, "MIB", 0,
     "With --cache: forget what was not used for the longest time, until the cache takes no more "
     "than MIB mebibytes (default: 256)",
     0},
    {"serve", OPT_SERVE, NULL, 0,
     "With --cache: read names of files from standard input, each ending with a zero byte, and "
     "write a byte when one is done",
     0},
    {0}};

static const char doc[] =
    "Rewrites programs and libraries so that their system calls are jumps.\v"
    "ELF is a file, a directory (everything in it that is an x86-64 object) or a pattern.  Exit "
    "status: 0 done, 2 some sites are left (they work as before), 3 an input was refused, 1 bad "
    "usage or a file that cannot be read or written.";

static unsigned read_tiers(const char *list, struct argp_state *state) {
    static const struct {
        const char *name;
        unsigned bit;
    } names[] = {{"previous", PLAN_TIER(HERMIT_TIER_PREVIOUS)},
                 {"window", PLAN_TIER(HERMIT_TIER_WINDOW)},
                 {"hole", PLAN_TIER(HERMIT_TIER_HOLE)},
                 {"all", PLAN_TIERS_ALL}};
    unsigned tiers = 0;
    for (const char *p = list; *p != 0;) {
        size_t len = strcspn(p, ","), i = 0;
        while (i < 4 && (strlen(names[i].name) != len || memcmp(names[i].name, p, len) != 0))
            i++;
        if (i == 4) argp_error(state, "--tiers %s: previous, window and hole exist", list);
        tiers |= names[i].bit;
        p += len + (p[len] == ',');
    }
    if (tiers == 0) argp_error(state, "--tiers: none is named");
    return tiers;
}

static error_t parse_one(int key, char *arg, struct argp_state *state) {
    struct tool_options *o = state->input;
    char *end;
    switch (key) {
    case 'o':
        o->out = arg;
        return 0;
    case 'j':
        o->jobs = (unsigned)strtoul(arg, &end, 10);
        if (*end != 0 || o->jobs == 0 || o->jobs > JOBS_MAX)
            argp_error(state, "-j %s: a number from 1 to %d", arg, JOBS_MAX);
        return 0;
    case OPT_REPORT:
        o->report = arg;
        return 0;
    case OPT_TIERS:
        o->rewrite.tiers = read_tiers(arg, state);
        return 0;
    case OPT_VERIFY:
        o->rewrite.verify = true;
        return 0;
    case OPT_TARGET:
        if (strcmp(arg, "hermit") != 0 && strcmp(arg, "linux") != 0)
            argp_error(state, "--target %s: hermit or linux", arg);
        o->rewrite.hermit = strcmp(arg, "hermit") == 0;
        return 0;
    case OPT_DRY_RUN:
        o->rewrite.dry_run = true;
        return 0;
    case ARGP_KEY_ARGS:
        o->inputs = state->argv + state->next;
        o->ninputs = state->argc - state->next;
        return 0;
    case OPT_CACHE:
        o->cache = true;
        return 0;
    case OPT_SIZE:
        o->cache_bytes = strtoull(arg, &end, 10) << 20;
        if (*end != 0 || *arg == 0 || strlen(arg) > 7)
            argp_error(state, "--cache-size %s: not a number of mebibytes", arg);
        return 0;
    case OPT_SERVE:
        o->serve = true;
        return 0;
    case ARGP_KEY_END:
        if (o->serve && (!o->cache || o->ninputs > 0))
            argp_error(state, "--serve goes with --cache and without files");
        if (o->ninputs == 0 && !o->serve) argp_error(state, "no ELF is named");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void options_read(struct tool_options *o, int argc, char **argv) {
    static const struct argp argp = {options, parse_one, "ELF...", doc, NULL, NULL, NULL};
    *o = (struct tool_options){.jobs = 1, .rewrite.hermit = true, .cache_bytes = CACHE_BYTES};
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, o);
}
