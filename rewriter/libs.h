/* SPDX-License-Identifier: MIT */
/* A program and the libraries that its dynamic linker would load, found by the linker's own rules
 * inside what the program sees. */
#ifndef REWRITER_LIBS_H
#define REWRITER_LIBS_H

#include <rewriter/sites.h>

/* Where files come from. */
struct lib_files {
    /* Opens a file by absolute path: a descriptor, or -errno. */
    int (*open)(void *ctx, const char *path);
    /* The same outside the program's view, to say what is missing there; may be NULL. */
    int (*open_outside)(void *ctx, const char *path);
    void *ctx;
    const char *library_path, *preload; /* LD_LIBRARY_PATH and LD_PRELOAD, or NULL */
};

struct lib_object {
    char *path;       /* as found */
    const char *name; /* its last part */
    uint8_t *bytes;
    size_t size;
    struct elf_in elf;
    struct code code;
};

struct lib_missing {
    const char *name, *needed_by;
    char *outside;       /* where it is outside the view, or NULL */
    const char *problem; /* found, but not usable; NULL: not found */
};

struct libs {
    ELF_LIST(struct lib_object *) objects; /* the program, its libraries, the linker last */
    ELF_LIST(struct lib_missing) missing;
    struct lib_object *linker; /* NULL: static */
};

/* Reads a whole file; NULL: *problem says why. */
uint8_t *libs_read_file(int fd, size_t *size, const char **problem);
/* Loads the program from an open file and what it needs.  NULL, or what is wrong with the program
 * itself (static text).  path: canonical, for $ORIGIN.  Does not decode code. */
const char *libs_load(struct libs *l, const struct lib_files *files, int fd, const char *path);
void libs_free(struct libs *l);

#endif
