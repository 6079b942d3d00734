/* SPDX-License-Identifier: MIT */
/* The command line of hermit-run(1), parsed and checked. */
#ifndef LOADER_OPTIONS_H
#define LOADER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hermit/net.h>
#include <hermit/tap.h>
#include <loader/net_policy.h>

enum vmm_choice { VMM_AUTO, VMM_KVM, VMM_QEMU };

/* Which system calls become jumps, and when (docs/REWRITING.md). */
enum rewrite_mode { REWRITE_AUTO, REWRITE_LOAD, REWRITE_LAZY, REWRITE_OFFLINE, REWRITE_OFF };

struct volume_option {
    char *host;
    char *guest; /* cleaned, or NULL: the canonical host path */
    bool writable;
};

/* -p: host ports [first, last] reach the guest's ports from `guest` on. */
struct publish_option {
    const char *text;        /* as given */
    struct net_addr address; /* AF_UNSPEC: all of the host's */
    uint16_t first, last, guest;
    bool udp;
};

struct options {
    uint64_t memory_bytes; /* page-aligned */
    uint32_t cpus;
    enum vmm_choice vmm;
    char **env; /* NULL-terminated environment of the program */
    size_t env_count;
    char *workdir; /* guest path, canonical, or NULL: the host's current directory */
    struct volume_option *volumes;
    size_t volume_count;
    char *rootfs; /* host path or NULL */
    bool rootfs_writable;
    bool strace;
    char *strace_filter;     /* comma-separated call names, "" all */
    char *strace_output;     /* host file, NULL: stderr */
    uint32_t strace_strings; /* bytes of a string that are shown */
    bool strace_times;       /* when, and how long */
    bool strace_summary;
    bool check, json; /* hermit-check instead of running */
    bool stats;
    bool verbose;
    bool quiet;
    bool no_aslr;
    enum rewrite_mode rewrite;
    uint64_t timeout_ns; /* 0: none */
    enum hc_net_mode net;
    bool net_given;
    const char *tap;                 /* name of the interface */
    struct hc_tap_config tap_config; /* 0: not given */
    bool tap_given;                  /* one of --ip, --gateway, --mac, --dns */
    struct publish_option *publish;
    size_t publish_count;
    struct net_rule *net_rules; /* in the order given */
    size_t net_rule_count;
    char *program; /* as given */
    char **argv;   /* argv[0] = program as given; NULL-terminated */
    size_t argc;
};

/* Parses; on bad input prints one line and exits 125; handles --help and --version itself. */
void options_parse(struct options *o, int argc, char **argv);

/* The calls that Linux has, by number (NULL: a gap), and classes of them: bit n of classes[] is
 * class_names[n], whose list ends with NULL. */
struct call_names {
    const char *const *names;
    const uint8_t *classes;
    size_t count;
    const char *const *class_names;
};
/* Notes --strace[=LIST] (text NULL: all). */
void options_set_strace(struct options *o, char *text);
/* Turns strace_filter into a plain list of names; exits 125 with one line if it names what there
 * is not. */
void options_expand_calls(struct options *o, const struct call_names *calls);

/* "256M", "1G", "4096": bytes, suffixes K M G T (binary).  false if malformed or out of range. */
bool parse_size(const char *text, uint64_t *bytes);
/* "10", "1.5s", "200ms", "2m", "1h": nanoseconds. */
bool parse_duration(const char *text, uint64_t *ns);
/* HOST[:GUEST][:ro|rw]; NULL on success or a static message that says what is wrong. */
const char *parse_volume(const char *text, struct volume_option *out);
/* [IP:]HOST[-HOST]:GUEST[-GUEST][/tcp|udp]; NULL or a message. */
const char *parse_publish(const char *text, struct publish_option *out);
/* CIDR[:PORT]; NULL or a message. */
const char *parse_net_rule(const char *text, struct net_rule *out);
/* Notes --net, -p, --net-allow and --net-block; exits 125 with one line on bad input. */
void options_set_net(struct options *o, const char *text);
void options_add_publish(struct options *o, const char *text);
void options_add_net_rule(struct options *o, const char *text, bool allow);
/* IPV4/PREFIX; aa:bb:cc:dd:ee:ff: NULL or a message. */
const char *parse_interface_address(const char *text, struct hc_tap_config *out);
const char *parse_mac(const char *text, uint8_t out[6]);
/* Notes --net tap:IF, and --ip, --gateway, --mac, --dns; likewise. */
void options_set_tap(struct options *o, const char *text);
void options_set_ip(struct options *o, const char *text);
void options_set_gateway(struct options *o, const char *text);
void options_set_mac(struct options *o, const char *text);
void options_add_dns(struct options *o, const char *text);
void options_finish_tap(const struct options *o);
/* What must be known of all of them. */
void options_finish_net(struct options *o);
/* Adds or replaces K=V in o->env (malloc'ed or NULL); K alone takes the host's value if there is
 * one.  false: out of memory. */
bool options_set_env(struct options *o, const char *assignment);
/* Appends the K=V lines of a file (docker's env-file format) ; NULL or a message. */
const char *parse_env_file(const char *path, struct options *o);

#endif
