/* SPDX-License-Identifier: MIT */
/* /sys: what libraries and tools look up about processors, memory and devices. */
#include <hermit/linux_abi.h>

#include "sysfs.h"

#define VALUE(name, text)                                                                          \
    { name, TREE_FILE, .constant = text }

static const struct tree_dir empty_dir;

/* Mappings never use huge pages. */
static const struct tree_entry thp_rows[] = {
    VALUE("defrag", "always defer defer+madvise madvise [never]"),
    VALUE("enabled", "always madvise [never]"),
    VALUE("hpage_pmd_size", "2097152"),
    VALUE("shmem_enabled", "always within_size advise [never] deny force"),
    VALUE("use_zero_page", "0"),
};
static const struct tree_dir thp_dir = TREE_ROWS(thp_rows);

static const struct tree_entry huge_2m_rows[] = {
    VALUE("free_hugepages", "0"),         VALUE("nr_hugepages", "0"),
    VALUE("nr_hugepages_mempolicy", "0"), VALUE("nr_overcommit_hugepages", "0"),
    VALUE("resv_hugepages", "0"),         VALUE("surplus_hugepages", "0"),
};
static const struct tree_dir huge_2m_dir = TREE_ROWS(huge_2m_rows);

static const struct tree_entry huge_rows[] = {
    {"hugepages-2048kB", TREE_DIR, .dir = &huge_2m_dir},
};
static const struct tree_dir huge_dir = TREE_ROWS(huge_rows);

static const struct tree_entry ksm_rows[] = {VALUE("pages_shared", "0"),
                                             VALUE("pages_sharing", "0"), VALUE("run", "0")};
static const struct tree_dir ksm_dir = TREE_ROWS(ksm_rows);

static const struct tree_entry mm_rows[] = {
    {"hugepages", TREE_DIR, .dir = &huge_dir},
    {"ksm", TREE_DIR, .dir = &ksm_dir},
    {"transparent_hugepage", TREE_DIR, .dir = &thp_dir},
};
static const struct tree_dir mm_dir = TREE_ROWS(mm_rows);

static const struct tree_entry kernel_rows[] = {
    {"mm", TREE_DIR, .dir = &mm_dir},
    {"security", TREE_DIR, .dir = &empty_dir},
};
static const struct tree_dir kernel_dir = TREE_ROWS(kernel_rows);

static const struct tree_entry system_rows[] = {
    {"cpu", TREE_DIR, .dir = &sysfs_cpu_dir},
    {"node", TREE_DIR, .dir = &sysfs_node_dir},
};
static const struct tree_dir system_dir = TREE_ROWS(system_rows);

static const struct tree_entry devices_rows[] = {
    {"system", TREE_DIR, .dir = &system_dir},
    {"virtual", TREE_DIR, .dir = &empty_dir},
};
static const struct tree_dir devices_dir = TREE_ROWS(devices_rows);

static const struct tree_entry class_rows[] = {
    {"block", TREE_DIR, .dir = &empty_dir}, {"mem", TREE_DIR, .dir = &empty_dir},
    {"net", TREE_DIR, .dir = &empty_dir},   {"thermal", TREE_DIR, .dir = &empty_dir},
    {"tty", TREE_DIR, .dir = &empty_dir},
};
static const struct tree_dir class_dir = TREE_ROWS(class_rows);

static const struct tree_entry dev_rows[] = {
    {"block", TREE_DIR, .dir = &empty_dir},
    {"char", TREE_DIR, .dir = &empty_dir},
};
static const struct tree_dir dev_dir = TREE_ROWS(dev_rows);

/* "cgroup" is the place of a mount. */
static const struct tree_entry fs_rows[] = {{"cgroup", TREE_DIR, .dir = &empty_dir}};
static const struct tree_dir fs_dir = TREE_ROWS(fs_rows);

static const struct tree_entry rows[] = {
    {"block", TREE_DIR, .dir = &empty_dir},     {"bus", TREE_DIR, .dir = &empty_dir},
    {"class", TREE_DIR, .dir = &class_dir},     {"dev", TREE_DIR, .dir = &dev_dir},
    {"devices", TREE_DIR, .dir = &devices_dir}, {"firmware", TREE_DIR, .dir = &empty_dir},
    {"fs", TREE_DIR, .dir = &fs_dir},           {"kernel", TREE_DIR, .dir = &kernel_dir},
    {"module", TREE_DIR, .dir = &empty_dir},
};
static const struct tree_dir root_dir = TREE_ROWS(rows);

const struct tree sysfs_tree = {
    .root = {"", TREE_DIR, .dir = &root_dir},
    .magic = SYSFS_MAGIC,
    .file_size = PAGE_SIZE,
};
