/* SPDX-License-Identifier: MIT */
/* /sys/devices/system/cpu and node: one package of single-threaded cores on one memory node, with
 * the caches that cpuid tells of. */
#include <cpuid.h>

#include <kernel/frame.h>
#include <kernel/log.h>
#include <kernel/sched.h>
#include <kernel/smp.h>

#include "sysfs.h"

#define CACHES_MAX 8
#define FIRST_SHARED_LEVEL 3 /* the lower ones belong to a core */
#define VALUE(name, text)                                                                          \
    { name, TREE_FILE, .constant = text }

struct cache {
    uint32_t level, type, line, ways, partitions, sets;
    uint32_t sharing; /* CPUs */
};

static struct cache caches[CACHES_MAX];
static int cache_count = -1; /* not asked yet: every cpuid costs a trap */

/* The leaf that describes caches: AMD's where it has one, else Intel's. */
static uint32_t cache_leaf(void) {
    uint32_t a, b, c = 0, d;
    const uint32_t topology_extensions = 1u << 22;

    if (__get_cpuid(0x80000001, &a, &b, &c, &d) && (c & topology_extensions)) return 0x8000001d;
    return 4;
}

static int find_caches(void) {
    uint32_t leaf, a, b, c, d;

    if (cache_count >= 0) return cache_count;
    leaf = cache_leaf();
    for (cache_count = 0; cache_count < CACHES_MAX; cache_count++) {
        if (!__get_cpuid_count(leaf, (uint32_t)cache_count, &a, &b, &c, &d)) break;
        if ((a & 31) == 0) break;
        caches[cache_count] = (struct cache){
            .level = a >> 5 & 7,
            .type = a & 31,
            .line = (b & 0xfff) + 1,
            .partitions = (b >> 12 & 0x3ff) + 1,
            .ways = (b >> 22) + 1,
            .sets = c + 1,
            .sharing = (a >> 14 & 0xfff) + 1,
        };
    }
    return cache_count;
}

static const struct cache *cache_of(const struct tree_text *t) {
    return &caches[t->node->number[TREE_CACHE]];
}
static uint32_t cpu_of(const struct tree_text *t) { return (uint32_t)t->node->number[TREE_CPU]; }

static void show_level(struct tree_text *t) { text_printf(t, "%u\n", cache_of(t)->level); }
static void show_line(struct tree_text *t) { text_printf(t, "%u\n", cache_of(t)->line); }
static void show_ways(struct tree_text *t) { text_printf(t, "%u\n", cache_of(t)->ways); }
static void show_sets(struct tree_text *t) { text_printf(t, "%u\n", cache_of(t)->sets); }
static void show_partitions(struct tree_text *t) {
    text_printf(t, "%u\n", cache_of(t)->partitions);
}
static void show_size(struct tree_text *t) {
    const struct cache *c = cache_of(t);

    text_printf(t, "%luK\n", (unsigned long)c->line * c->partitions * c->ways * c->sets / 1024);
}
static void show_type(struct tree_text *t) {
    static const char *const types[] = {"", "Data", "Instruction", "Unified"};
    uint32_t type = cache_of(t)->type;

    text_printf(t, "%s\n", type < ARRAY_LEN(types) ? types[type] : "");
}

/* The CPUs around this one that share a cache: *first and how many. */
static uint32_t sharers(const struct tree_text *t, uint32_t *first) {
    const struct cache *c = cache_of(t);
    uint32_t span = 1;

    while (c->level >= FIRST_SHARED_LEVEL && span < c->sharing)
        span *= 2;
    *first = cpu_of(t) / span * span;
    return min(span, cpu_count() - *first);
}

static uint64_t mask_of(uint32_t first, uint32_t count) {
    return (count >= 64 ? UINT64_MAX : (1ULL << count) - 1) << first;
}

static void put_list(struct tree_text *t, uint32_t first, uint32_t count) {
    text_cpu_list(t, first, count);
    text_append(t, "\n", 1);
}
static void put_mask(struct tree_text *t, uint32_t first, uint32_t count) {
    text_cpu_mask(t, mask_of(first, count));
    text_append(t, "\n", 1);
}

static void show_sharers_list(struct tree_text *t) {
    uint32_t first, count = sharers(t, &first);

    put_list(t, first, count);
}
static void show_sharers_mask(struct tree_text *t) {
    uint32_t first, count = sharers(t, &first);

    put_mask(t, first, count);
}
static void show_own(struct tree_text *t) { text_printf(t, "%u\n", cpu_of(t)); }
static void show_own_mask(struct tree_text *t) { put_mask(t, cpu_of(t), 1); }
static void show_all(struct tree_text *t) { put_list(t, 0, cpu_count()); }
static void show_all_mask(struct tree_text *t) { put_mask(t, 0, cpu_count()); }
static void show_kernel_max(struct tree_text *t) { text_printf(t, "63\n"); }
static void show_empty_line(struct tree_text *t) { text_append(t, "\n", 1); }

static const struct tree_entry cache_rows[] = {
    {"coherency_line_size", TREE_FILE, .show = show_line},
    {"id", TREE_FILE, .show = show_own},
    {"level", TREE_FILE, .show = show_level},
    {"number_of_sets", TREE_FILE, .show = show_sets},
    {"physical_line_partition", TREE_FILE, .show = show_partitions},
    {"shared_cpu_list", TREE_FILE, .show = show_sharers_list},
    {"shared_cpu_map", TREE_FILE, .show = show_sharers_mask},
    {"size", TREE_FILE, .show = show_size},
    {"type", TREE_FILE, .show = show_type},
    {"ways_of_associativity", TREE_FILE, .show = show_ways},
};
static const struct tree_dir cache_dir = TREE_ROWS(cache_rows);

static int next_cache(const struct tree_node *dir, int from) {
    return from < find_caches() ? max(from, 0) : TREE_NONE;
}
static const struct tree_numbered cache_members = {
    .meaning = TREE_CACHE,
    .next = next_cache,
    .entry = {"index", TREE_DIR, .dir = &cache_dir},
};
static const struct tree_dir caches_dir = {NULL, 0, &cache_members};

static const struct tree_entry topology_rows[] = {
    {"core_cpus", TREE_FILE, .show = show_own_mask},
    {"core_cpus_list", TREE_FILE, .show = show_own},
    {"core_id", TREE_FILE, .show = show_own},
    {"core_siblings", TREE_FILE, .show = show_all_mask},
    {"core_siblings_list", TREE_FILE, .show = show_all},
    {"die_cpus", TREE_FILE, .show = show_all_mask},
    {"die_cpus_list", TREE_FILE, .show = show_all},
    VALUE("die_id", "0"),
    {"package_cpus", TREE_FILE, .show = show_all_mask},
    {"package_cpus_list", TREE_FILE, .show = show_all},
    VALUE("physical_package_id", "0"),
    {"thread_siblings", TREE_FILE, .show = show_own_mask},
    {"thread_siblings_list", TREE_FILE, .show = show_own},
};
static const struct tree_dir topology_dir = TREE_ROWS(topology_rows);

static const struct tree_entry cpu_rows[] = {
    {"cache", TREE_DIR, .dir = &caches_dir},
    {"node0", TREE_LINK, .constant = "../../node/node0"},
    VALUE("online", "1"),
    {"topology", TREE_DIR, .dir = &topology_dir},
};
static const struct tree_dir cpu_dir = TREE_ROWS(cpu_rows);

static int next_cpu(const struct tree_node *dir, int from) {
    return from < (int)cpu_count() ? max(from, 0) : TREE_NONE;
}
static const struct tree_numbered cpu_members = {
    .meaning = TREE_CPU,
    .next = next_cpu,
    .entry = {"cpu", TREE_DIR, .dir = &cpu_dir},
};

static const struct tree_entry smt_rows[] = {VALUE("active", "0"),
                                             VALUE("control", "notsupported")};
static const struct tree_dir smt_dir = TREE_ROWS(smt_rows);

static const struct tree_entry cpus_rows[] = {
    {"isolated", TREE_FILE, .show = show_empty_line},
    {"kernel_max", TREE_FILE, .show = show_kernel_max},
    {"offline", TREE_FILE, .show = show_empty_line},
    {"online", TREE_FILE, .show = show_all},
    {"possible", TREE_FILE, .show = show_all},
    {"present", TREE_FILE, .show = show_all},
    {"smt", TREE_DIR, .dir = &smt_dir},
};
const struct tree_dir sysfs_cpu_dir = {cpus_rows, ARRAY_LEN(cpus_rows), &cpu_members};

static void show_node_memory(struct tree_text *t) {
    struct frame_usage use = frame_usage();
    uint64_t used = min(use.used, use.limit);
    const struct {
        const char *name;
        uint64_t bytes;
    } rows[] = {{"MemTotal:", use.limit}, {"MemFree:", use.limit - used}, {"MemUsed:", used}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        text_printf(t, "Node 0 %-15s%8lu kB\n", rows[i].name, (unsigned long)rows[i].bytes / 1024);
    text_printf(t, "Node 0 HugePages_Total:     0\nNode 0 HugePages_Free:      0\n"
                   "Node 0 HugePages_Surp:      0\n");
}

static const struct tree_entry node_rows[] = {
    {"cpulist", TREE_FILE, .show = show_all},
    {"cpumap", TREE_FILE, .show = show_all_mask},
    VALUE("distance", "10"),
    {"meminfo", TREE_FILE, .show = show_node_memory},
    VALUE("numastat", "numa_hit 0\nnuma_miss 0\nnuma_foreign 0\ninterleave_hit 0\nlocal_node 0\n"
                      "other_node 0"),
};
static int64_t cpu_target(const struct tree_node *n, char *buf, uint64_t size) {
    return ksnprintf(buf, size, "../../cpu/cpu%d", n->number[TREE_CPU]);
}
static const struct tree_numbered cpu_links = {
    .meaning = TREE_CPU,
    .next = next_cpu,
    .entry = {"cpu", TREE_LINK, .target = cpu_target},
};
static const struct tree_dir node_dir = {node_rows, ARRAY_LEN(node_rows), &cpu_links};

static int next_node(const struct tree_node *dir, int from) { return from <= 0 ? 0 : TREE_NONE; }
static const struct tree_numbered node_members = {
    .meaning = TREE_NODE,
    .next = next_node,
    .entry = {"node", TREE_DIR, .dir = &node_dir},
};

static const struct tree_entry nodes_rows[] = {
    VALUE("has_cpu", "0"), VALUE("has_memory", "0"), VALUE("has_normal_memory", "0"),
    VALUE("online", "0"),  VALUE("possible", "0"),
};
const struct tree_dir sysfs_node_dir = {nodes_rows, ARRAY_LEN(nodes_rows), &node_members};
