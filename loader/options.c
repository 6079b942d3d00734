/* SPDX-License-Identifier: MIT */
/* The command line.  Owns nothing: fills struct options. */
#include <loader/diag.h>
#include <loader/options.h>
#include <loader/options_help.h>
#include <loader/path.h>

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_MASK 4095u
#define MEMORY_DEFAULT (256ULL << 20)
#define MEMORY_MIN (4ULL << 20)
#define MEMORY_MAX (190ULL << 30) /* below HERMIT_FILE_GPA with the hole and room to grow */
#define CPUS_MAX 64
#define STRINGS_MAX 1000   /* a line of --strace has to hold them */
#define STRINGS_DEFAULT 32 /* as strace(1) */
#define TRY_HELP "; try 'hermit-run --help'"

enum {
    OPT_CPUS = 256,
    OPT_ENV_FILE,
    OPT_CLEAR_ENV,
    OPT_ROOTFS,
    OPT_VMM,
    OPT_STRACE,
    OPT_STRACE_OUTPUT,
    OPT_STRACE_STRINGS,
    OPT_STRACE_SUMMARY,
    OPT_STRACE_TIMES,
    OPT_CHECK,
    OPT_JSON,
    OPT_STATS,
    OPT_TIMEOUT,
    OPT_VERBOSE,
    OPT_NO_ASLR,
    OPT_REWRITE,
    OPT_NET,
    OPT_NET_ALLOW,
    OPT_NET_BLOCK,
    OPT_IP,
    OPT_GATEWAY,
    OPT_MAC,
    OPT_DNS,
};

static const struct option long_options[] = {
    {"memory", required_argument, NULL, 'm'},
    {"cpus", required_argument, NULL, OPT_CPUS},
    {"env", required_argument, NULL, 'e'},
    {"env-file", required_argument, NULL, OPT_ENV_FILE},
    {"clear-env", no_argument, NULL, OPT_CLEAR_ENV},
    {"workdir", required_argument, NULL, 'w'},
    {"volume", required_argument, NULL, 'v'},
    {"rootfs", required_argument, NULL, OPT_ROOTFS},
    {"vmm", required_argument, NULL, OPT_VMM},
    {"strace", optional_argument, NULL, OPT_STRACE},
    {"strace-output", required_argument, NULL, OPT_STRACE_OUTPUT},
    {"strace-strings", required_argument, NULL, OPT_STRACE_STRINGS},
    {"strace-summary", no_argument, NULL, OPT_STRACE_SUMMARY},
    {"strace-times", no_argument, NULL, OPT_STRACE_TIMES},
    {"check", no_argument, NULL, OPT_CHECK},
    {"json", no_argument, NULL, OPT_JSON},
    {"stats", no_argument, NULL, OPT_STATS},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, OPT_VERBOSE},
    {"version", no_argument, NULL, 'V'},
    {"no-aslr", no_argument, NULL, OPT_NO_ASLR},
    {"rewrite", required_argument, NULL, OPT_REWRITE},
    {"net", required_argument, NULL, OPT_NET},
    {"publish", required_argument, NULL, 'p'},
    {"net-allow", required_argument, NULL, OPT_NET_ALLOW},
    {"net-block", required_argument, NULL, OPT_NET_BLOCK},
    {"ip", required_argument, NULL, OPT_IP},
    {"gateway", required_argument, NULL, OPT_GATEWAY},
    {"mac", required_argument, NULL, OPT_MAC},
    {"dns", required_argument, NULL, OPT_DNS},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* What can only be applied when all options are known: -e wins over files, wherever it stands. */
struct env_changes {
    bool clear;
    char **assignments, **files;
    size_t assignment_count, file_count;
};

static void *must(void *p) {
    if (!p) die(EXIT_HERMIT, "out of memory");
    return p;
}

static void push(char ***list, size_t *count, char *item) {
    *list = must(realloc(*list, (*count + 1) * sizeof(**list)));
    (*list)[(*count)++] = item;
}

static void set_memory(struct options *o, const char *text) {
    uint64_t bytes;
    if (!parse_size(text, &bytes))
        die(EXIT_HERMIT, "--memory %s: not a size (such as 64M or 2G)", text);
    if (bytes < MEMORY_MIN || bytes > MEMORY_MAX)
        die(EXIT_HERMIT, "--memory %s: out of range, 4M to 190G", text);
    o->memory_bytes = (bytes + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
}

static void set_cpus(struct options *o, const char *text) {
    uint64_t n = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits && digits <= 3 && !text[digits]) n = strtoul(text, NULL, 10);
    if (n < 1 || n > CPUS_MAX) die(EXIT_HERMIT, "--cpus %s: not a number from 1 to 64", text);
    o->cpus = (uint32_t)n;
}

static void set_workdir(struct options *o, const char *text) {
    if (text[0] != '/')
        die(EXIT_HERMIT, "--workdir %s: not an absolute path of the program's view", text);
    o->workdir = path_clean(text);
    if (!o->workdir) die(EXIT_HERMIT, "--workdir: path too long");
}

static void add_volume(struct options *o, const char *text) {
    struct volume_option volume;
    const char *error = parse_volume(text, &volume);
    if (error) die(EXIT_HERMIT, "--volume %s: %s", text, error);
    o->volumes = must(realloc(o->volumes, (o->volume_count + 1) * sizeof(*o->volumes)));
    o->volumes[o->volume_count++] = volume;
}

static void set_rootfs(struct options *o, const char *text) {
    char *dir = must(strdup(text));
    size_t len = strlen(dir);
    o->rootfs_writable = false;
    if (len >= 3 && (strcmp(dir + len - 3, ":rw") == 0 || strcmp(dir + len - 3, ":ro") == 0)) {
        o->rootfs_writable = dir[len - 1] == 'w';
        dir[len - 3] = '\0';
    }
    if (!dir[0]) die(EXIT_HERMIT, "--rootfs %s: the directory is empty (DIR[:ro|rw])", text);
    o->rootfs = dir;
}

static void set_vmm(struct options *o, const char *text) {
    if (strcmp(text, "auto") == 0)
        o->vmm = VMM_AUTO;
    else if (strcmp(text, "kvm") == 0)
        o->vmm = VMM_KVM;
    else if (strcmp(text, "qemu") == 0)
        o->vmm = VMM_QEMU;
    else
        die(EXIT_HERMIT, "--vmm %s: not one of auto, kvm, qemu", text);
}

static void set_rewrite(struct options *o, const char *text) {
    static const char *const modes[] = {[REWRITE_AUTO] = "auto",
                                        [REWRITE_LOAD] = "load",
                                        [REWRITE_LAZY] = "lazy",
                                        [REWRITE_OFFLINE] = "offline",
                                        [REWRITE_OFF] = "off"};
    for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(text, modes[i]) != 0) continue;
        o->rewrite = (enum rewrite_mode)i;
        return;
    }
    die(EXIT_HERMIT, "--rewrite %s: not one of auto, load, lazy, offline, off", text);
}

static void set_strings(struct options *o, const char *text) {
    size_t digits = strspn(text, "0123456789");
    unsigned long n = digits && digits <= 6 && !text[digits] ? strtoul(text, NULL, 10) : ULONG_MAX;
    if (n > STRINGS_MAX)
        die(EXIT_HERMIT, "--strace-strings %s: not a number of bytes from 0 to 1000", text);
    o->strace_strings = (uint32_t)n;
}

static void set_env(struct env_changes *c, char *text) {
    if (!text[0] || text[0] == '=')
        die(EXIT_HERMIT, "--env %s: no variable name (K=V, or K for the host's value)", text);
    push(&c->assignments, &c->assignment_count, text);
}

static void build_env(struct options *o, const struct env_changes *c) {
    if (!c->clear && !c->assignment_count && !c->file_count) {
        o->env = environ; /* the usual case costs nothing */
        while (o->env[o->env_count])
            o->env_count++;
        return;
    }
    size_t n = 0;
    while (!c->clear && environ[n])
        n++;
    o->env = must(calloc(n + 1, sizeof(*o->env)));
    memcpy(o->env, environ, n * sizeof(*o->env));
    o->env_count = n;
    for (size_t i = 0; i < c->file_count; i++) {
        const char *error = parse_env_file(c->files[i], o);
        if (error) die(EXIT_HERMIT, "--env-file %s: %s", c->files[i], error);
    }
    for (size_t i = 0; i < c->assignment_count; i++)
        if (!options_set_env(o, c->assignments[i])) die(EXIT_HERMIT, "out of memory");
}

static void set_timeout(struct options *o, const char *text) {
    if (!parse_duration(text, &o->timeout_ns))
        die(EXIT_HERMIT, "--timeout %s: not a duration (such as 10, 1.5s, 200ms, 2m or 1h)", text);
}

/* The options about looking into a program; false: not one of them. */
static bool apply_trace(struct options *o, int option) {
    switch (option) {
    case OPT_STRACE:
        options_set_strace(o, optarg);
        return true;
    case OPT_STRACE_OUTPUT:
        o->strace_output = optarg;
        return true;
    case OPT_STRACE_STRINGS:
        set_strings(o, optarg);
        return true;
    case OPT_STRACE_SUMMARY:
        o->strace_summary = true;
        return true;
    case OPT_STRACE_TIMES:
        o->strace_times = true;
        return true;
    case OPT_CHECK:
        o->check = true;
        return true;
    case OPT_JSON:
        o->json = true;
        return true;
    default:
        return false;
    }
}

/* The options about the network; false: not one of them. */
static bool apply_net(struct options *o, int option) {
    switch (option) {
    case OPT_NET:
        options_set_net(o, optarg);
        return true;
    case 'p':
        options_add_publish(o, optarg);
        return true;
    case OPT_NET_ALLOW:
    case OPT_NET_BLOCK:
        options_add_net_rule(o, optarg, option == OPT_NET_ALLOW);
        return true;
    case OPT_IP:
        options_set_ip(o, optarg);
        return true;
    case OPT_GATEWAY:
        options_set_gateway(o, optarg);
        return true;
    case OPT_MAC:
        options_set_mac(o, optarg);
        return true;
    case OPT_DNS:
        options_add_dns(o, optarg);
        return true;
    default:
        return false;
    }
}

static void apply(struct options *o, struct env_changes *env, int option) {
    if (apply_trace(o, option) || apply_net(o, option)) return;
    switch (option) {
    case 'm':
        set_memory(o, optarg);
        break;
    case 'e':
        set_env(env, optarg);
        break;
    case 'w':
        set_workdir(o, optarg);
        break;
    case 'v':
        add_volume(o, optarg);
        break;
    case 'q':
        o->quiet = true;
        break;
    case 'h':
        options_help();
    case 'V':
        options_version();
    case OPT_CPUS:
        set_cpus(o, optarg);
        break;
    case OPT_ENV_FILE:
        push(&env->files, &env->file_count, optarg);
        break;
    case OPT_CLEAR_ENV:
        env->clear = true;
        break;
    case OPT_ROOTFS:
        set_rootfs(o, optarg);
        break;
    case OPT_VMM:
        set_vmm(o, optarg);
        break;
    case OPT_STATS:
        o->stats = true;
        break;
    case OPT_TIMEOUT:
        set_timeout(o, optarg);
        break;
    case OPT_VERBOSE:
        o->verbose = true;
        break;
    case OPT_NO_ASLR:
        o->no_aslr = true;
        break;
    case OPT_REWRITE:
        set_rewrite(o, optarg);
        break;
    }
}

/* getopt's own messages would go through the message catalogue and carry another prefix.
 * optopt: 0 for an unknown long option, else the option's value; only a long option can fail with
 * the value of a known option without argument. */
static _Noreturn void bad_option(int what, int argc, char **argv) {
    /* In a cluster of short options: the word before.  musl steps over the value that is missing.
     */
    const char *given = argv[optind <= argc ? optind - 1 : argc - 1];
    int name = (int)strcspn(given, "=");
    if (what == ':') {
        if (strncmp(given, "--", 2) == 0)
            die(EXIT_HERMIT, "option '%s' needs a value" TRY_HELP, given);
        die(EXIT_HERMIT, "option '-%c' needs a value" TRY_HELP, optopt);
    }
    if (optopt == 0) die(EXIT_HERMIT, "unknown or ambiguous option '%.*s'" TRY_HELP, name, given);
    if (optopt >= OPT_CPUS || strchr("qVh", optopt))
        die(EXIT_HERMIT, "option '%.*s' takes no value" TRY_HELP, name, given);
    die(EXIT_HERMIT, "unknown option '-%c'" TRY_HELP, optopt);
}

void options_parse(struct options *o, int argc, char **argv) {
    struct env_changes env = {0};
    static char all_calls[] = "";
    *o = (struct options){.strace_strings = STRINGS_DEFAULT,
                          .memory_bytes = MEMORY_DEFAULT,
                          .cpus = 1,
                          .vmm = VMM_AUTO,
                          .strace_filter = all_calls};
    opterr = 0;
    /* '+': what follows PROGRAM belongs to it. */
    for (int c; (c = getopt_long(argc, argv, "+:m:e:w:v:p:qVh", long_options, NULL)) != -1;) {
        if (c == '?' || c == ':') bad_option(c, argc, argv);
        apply(o, &env, c);
    }
    options_finish_net(o);
    diag_quiet = o->quiet;
    diag_verbose = o->verbose;
    if (o->json && !o->check) die(EXIT_HERMIT, "--json needs --check");
    /* Asking for a way of tracing asks for a trace; the summary alone is one of its own. */
    if (o->strace_output || o->strace_times) o->strace |= !o->strace_summary;
    if (o->quiet && o->verbose) die(EXIT_HERMIT, "--quiet and --verbose exclude each other");
    if (optind >= argc) die(EXIT_HERMIT, "no program given" TRY_HELP);
    if (!argv[optind][0]) die(EXIT_NOTFOUND, "the program's name is empty" TRY_HELP);
    o->program = argv[optind];
    o->argv = argv + optind;
    o->argc = (size_t)(argc - optind);
    build_env(o, &env);
}
