/* SPDX-License-Identifier: MIT */
/* Shared by the parts of hermit-rewrite. */
#ifndef REWRITE_REWRITE_TOOL_H
#define REWRITE_REWRITE_TOOL_H

#include <rewriter/rewrite.h>

enum { EXIT_DONE = 0, EXIT_USAGE = 1, EXIT_PARTIAL = 2, EXIT_REFUSED = 3 };

struct tool_options {
    struct rewrite_options rewrite;
    const char *out;    /* file, or directory for several inputs; NULL: in place */
    const char *report; /* "-": standard output; NULL: none */
    unsigned jobs;
    char **inputs;
    int ninputs;
    bool cache, serve;    /* fill the cache instead; with the files that standard input names */
    uint64_t cache_bytes; /* that it may take */
};

/* One file to rewrite. */
struct job {
    char *in, *out; /* malloc'ed */
    bool listed;    /* named on the command line; what directories hold may be anything */
};
struct jobs {
    struct job *items;
    size_t count, room;
};

/* What became of a file. */
struct analysis {
    enum rewrite_status status;
    bool parsed;        /* it is an ELF file of the right kind */
    const char *why;    /* REWRITE_REFUSED: the reason */
    const char *report; /* JSON, if it was asked for */
    const uint8_t *bytes;
    size_t size;  /* of the new object; 0: none */
    void *memory; /* the caller frees it; the pointers above lead into it */
};
/* analysis.c: rewrites a file's bytes in a process that can do nothing else (apart.h).  0 or an
 * errno. */
int analyse(const struct tool_options *o, const char *name, const uint8_t *bytes, size_t size,
            struct analysis *a);

/* fill.c: works for the cache; the exit status. */
int fill_cache(const struct tool_options *o);
/* options.c: ends the program on bad usage. */
void options_read(struct tool_options *o, int argc, char **argv);
/* files.c: all inputs, directories and patterns resolved.  False: something is not there (said). */
bool files_list(const struct tool_options *o, struct jobs *jobs);
/* Writes a file whole or not at all, with the mode of `like`.  0 or an errno. */
int files_write(const char *path, const char *like, const uint8_t *bytes, size_t size);

#endif
