/* SPDX-License-Identifier: MIT */
/* Which files hermit-rewrite works on, and how it writes them. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <glob.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rewrite/rewrite_tool.h>
#include <rewriter/list.h>

static bool is_dir(const char *path) {
    struct stat st;
    return path != NULL && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* below: the part of the path that the output directory keeps. */
static void add(const struct tool_options *o, struct jobs *jobs, const char *path,
                const char *below, bool into_dir, bool listed) {
    struct job job = {.in = list_must(strdup(path)), .listed = listed};
    if (o->out == NULL)
        job.out = list_must(strdup(path));
    else if (!into_dir)
        job.out = list_must(strdup(o->out));
    else if (asprintf(&job.out, "%s/%s", o->out, below) < 0)
        job.out = list_must(NULL);
    LIST_PUSH(jobs, job);
}

/* Symbolic links are not followed: what they lead to is in the tree, or is not meant. */
static bool add_tree(const struct tool_options *o, struct jobs *jobs, char *path) {
    char *const roots[] = {path, NULL};
    size_t root = strlen(path);
    FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    bool good = fts != NULL;
    for (FTSENT *f; fts != NULL && (f = fts_read(fts)) != NULL;) {
        if (f->fts_info == FTS_F)
            add(o, jobs, f->fts_path, f->fts_path + root + strspn(f->fts_path + root, "/"), true,
                false);
        if (f->fts_info == FTS_DNR || f->fts_info == FTS_ERR) {
            fprintf(stderr, "hermit-rewrite: %s: %s\n", f->fts_path, strerror(f->fts_errno));
            good = false;
        }
    }
    if (fts != NULL) fts_close(fts);
    return good;
}

bool files_list(const struct tool_options *o, struct jobs *jobs) {
    bool good = true;
    for (int i = 0; i < o->ninputs; i++) {
        glob_t found = {0};
        bool exists = access(o->inputs[i], F_OK) == 0;
        if (exists || glob(o->inputs[i], 0, NULL, &found) != 0) {
            if (is_dir(o->inputs[i])) {
                good &= add_tree(o, jobs, o->inputs[i]);
            } else {
                char *copy = list_must(strdup(o->inputs[i]));
                add(o, jobs, o->inputs[i], basename(copy), o->ninputs > 1 || is_dir(o->out), true);
                free(copy);
            }
        }
        for (size_t n = 0; n < found.gl_pathc; n++) {
            const char *slash = strrchr(found.gl_pathv[n], '/');
            if (is_dir(found.gl_pathv[n]))
                good &= add_tree(o, jobs, found.gl_pathv[n]);
            else
                add(o, jobs, found.gl_pathv[n], slash ? slash + 1 : found.gl_pathv[n], true, true);
        }
        globfree(&found);
    }
    return good;
}

static void make_parents(char *path) {
    for (char *p = path + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = 0;
        mkdir(path, 0777); /* what fails shows when the file is opened */
        *p = '/';
    }
}

static int write_all(int fd, const uint8_t *bytes, size_t size) {
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno != EINTR) return errno;
        if (n > 0) bytes += n, size -= (size_t)n;
    }
    return 0;
}

/* The old file's owner and mode.  Who cannot give it to its owner does not give it that owner's
 * rights either. */
static int be_like(int fd, const struct stat *old) {
    struct stat st;
    mode_t mode = old->st_mode & 07777;
    if (fstat(fd, &st) != 0) return errno;
    bool same = st.st_uid == old->st_uid && st.st_gid == old->st_gid;
    if (!same && fchown(fd, old->st_uid, old->st_gid) != 0) mode &= 0777;
    return fchmod(fd, mode) == 0 ? 0 : errno;
}

/* Renamed into place: who has the old file mapped keeps it.  A symbolic link stays one. */
int files_write(const char *path, const char *like, const uint8_t *bytes, size_t size) {
    char *temporary = NULL;
    struct stat st;
    if (stat(like, &st) != 0) return errno;
    char *linked = realpath(path, NULL);
    const char *target = linked != NULL ? linked : path;
    if (asprintf(&temporary, "%s.XXXXXX", target) < 0) {
        free(linked);
        return ENOMEM;
    }
    make_parents(temporary);
    int fd = mkstemp(temporary), error = fd < 0 ? errno : 0;
    if (error == 0) error = write_all(fd, bytes, size);
    if (error == 0) error = be_like(fd, &st);
    /* Or a crash of the machine could leave the new name with nothing behind it. */
    if (error == 0 && fsync(fd) != 0 && errno != EINVAL) error = errno;
    if (fd >= 0 && close(fd) != 0 && error == 0) error = errno;
    if (error == 0 && rename(temporary, target) != 0) error = errno;
    if (error != 0 && fd >= 0) unlink(temporary);
    free(temporary);
    free(linked);
    return error;
}
