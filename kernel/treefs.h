/* SPDX-License-Identifier: MIT */
/* Trees of generated files (/proc, /sys): constant rows, directories with numbered members, text
 * that is made when it is read.  Private to treefs*.c, procfs*.c and sysfs*.c. */
#ifndef TREEFS_H
#define TREEFS_H

#include <hermit/linux_abi.h>
#include <kernel/vfs.h>

struct thread;
struct process;
struct tree_node;

/* What the numbers in a path mean. */
enum tree_number {
    TREE_PID,
    TREE_TID,
    TREE_FD,
    TREE_CPU,
    TREE_CACHE,
    TREE_NODE,
    TREE_PTY,
    TREE_NUMBERS
};
#define TREE_NONE (-1) /* that number does not occur in the path */

/* Text that grows; once memory runs out it stays as it is and `failed` is set. */
struct tree_text {
    char *data;
    size_t len, size; /* bytes */
    bool failed;
    const struct tree_node *node;
    struct thread *thread; /* whose file it is; the leader where it is the process's or nobody's */
    bool of_thread;        /* below a directory of one thread */
};

void text_printf(struct tree_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_append(struct tree_text *t, const void *data, size_t len);
/* Appends program memory; stops where it is not mapped. */
void text_append_user(struct tree_text *t, gva_t from, gva_t to);
/* Pads with blanks since byte `start` of the text. */
void text_pad(struct tree_text *t, size_t start, size_t columns);
/* A path as in /proc/mounts: blanks and the like as octal escapes. */
void text_append_escaped(struct tree_text *t, const char *text, const char *special);
/* CPUs 0 to count - 1: as "0-3" and as a hexadecimal mask, neither with a newline. */
void text_cpu_list(struct tree_text *t, uint32_t first, uint32_t count);
void text_cpu_mask(struct tree_text *t, uint64_t mask);

struct tree_entry {
    const char *name; /* without its number where it is the row of numbered members */
    uint32_t mode;
    void (*show)(struct tree_text *t);                                      /* S_IFREG */
    int64_t (*target)(const struct tree_node *n, char *buf, uint64_t size); /* S_IFLNK */
    const struct tree_dir *dir;                                             /* S_IFDIR */
    /* write(2) of the whole text at once: 0 or -errno.  NULL: the file cannot be written. */
    int (*store)(struct tree_text *t, const char *text, size_t len);
    const struct file_ops *ops;                                 /* instead of generated text */
    int (*open)(const struct tree_node *n, struct file *out);   /* with ops; 0 or -errno */
    void (*attr)(const struct tree_node *n, struct hc_attr *a); /* what the row does not say */
    const char *constant; /* the text itself, instead of show and target */
    bool opaque;          /* a link whose text is no path: following it ends at an object */
};

/* Members "name0", "name1", ...: one row for all. */
struct tree_numbered {
    enum tree_number meaning;
    /* The least number >= from that exists, or TREE_NONE. */
    int (*next)(const struct tree_node *dir, int from);
    /* Does it exist?  NULL: if next() says so. */
    bool (*exists)(const struct tree_node *dir, int number);
    struct tree_entry entry;
};

struct tree_dir {
    const struct tree_entry *entries;
    uint32_t count;
    const struct tree_numbered *numbered; /* NULL: none */
};

/* What a path names. */
struct tree_node {
    const struct tree_entry *entry;
    int32_t number[TREE_NUMBERS];
};

/* mount.priv of a mount of tree_ops. */
struct tree {
    struct tree_entry root;
    uint32_t magic;     /* statfs(2) */
    uint32_t file_size; /* st_size of files: 0 in /proc, a page in /sys */
};

/* treefs_file.c */
int tree_open_node(struct mount *m, const struct tree_node *n, uint32_t flags, struct file *out);
void tree_fill_attr(const struct mount *m, const struct tree_node *n, struct hc_attr *a);
void tree_fill_statfs(const struct mount *m, struct statfs *out);
/* For tree_entry.ops: the node of an open file, and the members that every one needs. */
const struct tree_node *tree_file_node(const struct file *f);
/* The node of an open directory of a tree; NULL: another kind of file. */
const struct tree_node *tree_file_directory(const struct file *f);
int tree_file_getattr(struct file *f, struct hc_attr *attr);
int tree_file_statfs(struct file *f, gpa_t buf);
void tree_file_release(struct file *f);

/* The thread (or the leader) that a node lies below; NULL if it has ended. */
struct thread *tree_thread(const struct tree_node *n);

/* Links of /proc/self/fd, which lead to open files and not to paths: procfs_fd.c.  The file is
 * borrowed (NULL: none). */
static inline bool tree_is_fd(const struct tree_node *n) {
    return n->number[TREE_FD] != TREE_NONE && S_ISLNK(n->entry->mode);
}
struct file *proc_fd_file(int fd);
void proc_fd_attr(int fd, struct hc_attr *attr);
/* open(2) through the link: 1 (out is complete), HC_SYMLINK (open the text's path) or -errno. */
int proc_fd_open(int fd, uint32_t flags, struct file *out);

/* file_share.c: `out` forwards to target, of which it takes a reference. */
void file_share(struct file *target, struct file *out);

#define TREE_DIR (S_IFDIR | 0555)
#define TREE_FILE (S_IFREG | 0444)
#define TREE_WRITABLE (S_IFREG | 0644)
#define TREE_OWNER (S_IFREG | 0400)
#define TREE_LINK (S_IFLNK | 0777)
#define TREE_ROWS(rows)                                                                            \
    { (rows), ARRAY_LEN(rows), NULL }

#endif
