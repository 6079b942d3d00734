/* SPDX-License-Identifier: MIT */
/* Finds the program as execvp(3) does, on the host or in the view, and makes it visible together
 * with the links and the script interpreter that lead to it.  Owns nothing. */
#include <loader/diag.h>
#include <loader/hc_attr.h>
#include <loader/path.h>
#include <loader/view_parts.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST_DEFAULT_PATH "/bin:/usr/bin"
#define GUEST_DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define SCRIPT_LINE 256 /* bytes that Linux reads of "#!..." */
#define SCRIPT_DEPTH 4  /* scripts whose interpreters are scripts: as Linux allows */
/* A FIFO must not block the search, a terminal must not become the controlling one. */
#define PROGRAM_OPEN (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* Opens and checks a candidate: 0 with view.program_fd and .program set, or -errno. */
typedef int open_program_fn(struct view_builder *b, const char *path);

/* Could execve(2) run it?  -EPERM: no execute permission. */
static int check_program(struct view_builder *b, int fd) {
    struct statx st;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st) < 0) return -errno;
    if (S_ISDIR(st.stx_mode)) return -EISDIR;
    if (!S_ISREG(st.stx_mode)) return -EACCES;
    unsigned execute = st.stx_mode & 0111;
    if (execute == 0) return -EPERM;
    /* Only a mixed mode needs to know who asks. */
    if (execute != 0111 && faccessat(fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS) < 0) return -EPERM;
    attr_from_statx(&b->v->program_attr, &st);
    b->v->program_fd = fd;
    return 0;
}

/* A link on the way to a host file: the guest needs it too, unless a share shows it already. */
static ssize_t record_link(void *ctx, const char *path, char *text, size_t size) {
    struct view_builder *b = ctx;
    if (b->cwd && path_beneath(path, b->cwd)) return 0; /* getcwd(3) went through no link */
    ssize_t n = readlink(path, text, size - 1);
    if (n < 0) return errno == EINVAL ? 0 : -errno;
    text[n] = '\0';
    if (view_covering(path) < 0 && !path_beneath("/proc", path)) view_add_symlink(b, path, text);
    return n;
}

/* Makes an open host file visible at its canonical path and at the path it was opened by; returns
 * the former.  The walk is cheaper than asking /proc, and finds the links. */
static char *show_file(struct view_builder *b, const char *opened_as, int fd) {
    char path[PATH_MAX];
    char *full = view_must(path_join(b->cwd ? b->cwd : "/", opened_as));
    bool walked = (b->cwd || opened_as[0] == '/') && path_walk(full, path, record_link, b) == 0;
    char *canonical = walked ? strdup(path) : view_canonical(fd, opened_as);
    free(full);
    if (!canonical) die(EXIT_NOEXEC, "%s: %s", opened_as, strerror(errno));
    if (!view_shows_host(b, canonical)) {
        struct share share = {.host = canonical, .guest = canonical, .readonly = true};
        share.fd = open(canonical, O_PATH | O_CLOEXEC);
        if (share.fd >= 0) view_add_share(b, share, (struct share_note){.same_path = true});
    }
    return canonical;
}

static const char *guest_path_list(const struct options *o) {
    for (size_t i = 0; i < o->env_count; i++)
        if (strncmp(o->env[i], "PATH=", 5) == 0) return o->env[i] + 5;
    return GUEST_DEFAULT_PATH;
}

/* The element of a list of directories after this one, or NULL. */
static const char *next_directory(const char *dir) {
    const char *colon = strchr(dir, ':');
    return colon ? colon + 1 : NULL;
}

/* The program that env(1) would run for a "#!/usr/bin/env NAME" line, open, or -1; *candidate gets
 * its path.  words: what follows env, changed. */
static int find_for_env(const struct view_builder *b, char *words, char candidate[PATH_MAX]) {
    char *rest, *name = strtok_r(words, " \t\n", &rest);
    while (name && (name[0] == '-' || strchr(name, '='))) /* options, assignments */
        name = strtok_r(NULL, " \t\n", &rest);
    if (!name || strchr(name, '/')) return -1;
    for (const char *dir = guest_path_list(b->o); dir; dir = next_directory(dir)) {
        int n = snprintf(candidate, PATH_MAX, "%.*s/%s", (int)strcspn(dir, ":"), dir, name);
        if (candidate[0] != '/' || n >= PATH_MAX || access(candidate, X_OK) != 0) continue;
        int fd = open(candidate, PROGRAM_OPEN);
        if (fd >= 0) return fd;
    }
    return -1;
}

/* The interpreter of a script is part of the program, and so is what it names for env(1). */
static void show_interpreter(struct view_builder *b, int script, unsigned depth) {
    char line[SCRIPT_LINE + 1], candidate[PATH_MAX];
    ssize_t n = pread(script, line, SCRIPT_LINE, 0);
    if (n < 3 || line[0] != '#' || line[1] != '!') return;
    line[n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    char *rest, *path = strtok_r(line + 2, " \t", &rest);
    if (!path || *path != '/') return;
    /* What is wrong with it, the guest's execve will say. */
    int fd = open(path, PROGRAM_OPEN);
    if (fd < 0) return;
    free(show_file(b, path, fd));
    if (strcmp(strrchr(path, '/'), "/env") == 0) {
        close(fd);
        fd = find_for_env(b, rest, candidate);
        if (fd < 0) return;
        free(show_file(b, candidate, fd));
    }
    if (depth < SCRIPT_DEPTH) show_interpreter(b, fd, depth + 1);
    close(fd);
}

static int open_on_host(struct view_builder *b, const char *path) {
    int fd = open(path, PROGRAM_OPEN);
    if (fd < 0) return -errno;
    int error = check_program(b, fd);
    if (error)
        close(fd);
    else
        b->v->program = show_file(b, path, fd);
    return error;
}

static int open_in_view(struct view_builder *b, const char *path) {
    char canonical[PATH_MAX];
    mode_t mode;
    char *full = view_must(path_join(b->v->cwd, path));
    int error = view_resolve(b, full, false, canonical);
    free(full);
    if (!error) error = view_mode(b, canonical, &mode);
    if (error) return error;
    if (S_ISDIR(mode)) return -EISDIR;
    int fd = view_open(canonical, PROGRAM_OPEN);
    if (fd < 0) return fd;
    error = check_program(b, fd);
    if (error)
        close(fd);
    else
        b->v->program = view_must(strdup(canonical));
    return error;
}

/* As execvp(3): a candidate that exists but cannot be run does not end the search, and is what is
 * reported if nothing better follows. */
static int search(struct view_builder *b, const char *name, const char *path,
                  open_program_fn *open) {
    char candidate[PATH_MAX];
    int worst = -ENOENT;
    for (const char *dir = path; dir; dir = next_directory(dir)) {
        int len = (int)strcspn(dir, ":");
        const char *slash = len ? "/" : ""; /* an empty element is the current directory */
        int n = snprintf(candidate, sizeof(candidate), "%.*s%s%s", len, dir, slash, name);
        if (n < 0 || (size_t)n >= sizeof(candidate)) continue;
        int error = open(b, candidate);
        if (error == 0) return 0;
        if (error == -EACCES || error == -EPERM || error == -EISDIR)
            worst = -EACCES;
        else if (error != -ENOENT && error != -ENOTDIR && error != -ESTALE)
            return error;
    }
    return worst;
}

static _Noreturn void not_found(const struct view_builder *b) {
    const char *name = b->o->program, *root = b->o->rootfs;
    bool searched = !strchr(name, '/'), on_host = access(name, F_OK) == 0;
    if (!root && searched && on_host)
        die(EXIT_NOTFOUND, "%s: not found in PATH; for the file here say ./%s", name, name);
    if (!root && searched) die(EXIT_NOTFOUND, "%s: not found in PATH", name);
    if (!root) die(EXIT_NOTFOUND, "%s: no such file", name);
    if (searched)
        die(EXIT_NOTFOUND, "%s: not found in the program's PATH inside --rootfs %s", name, root);
    if (!on_host) die(EXIT_NOTFOUND, "%s: no such file in --rootfs %s", name, root);
    char *guest = path_clean(view_must(path_join(b->v->cwd, name)));
    die(EXIT_NOTFOUND, "%s: not in --rootfs %s, where it is looked up: add -v %s:%s", name, root,
        name, guest ? guest : name);
}

static _Noreturn void not_runnable(const struct view_builder *b, int error) {
    const char *name = b->o->program;
    switch (error) {
    case -ENOENT:
        not_found(b);
    case -EISDIR:
        die(EXIT_NOEXEC, "%s: is a directory, not a program", name);
    case -EPERM:
        die(EXIT_NOEXEC, "%s: not executable (chmod +x makes it so)", name);
    case -EACCES:
        die(EXIT_NOEXEC, "%s: permission denied: a program must be readable and executable", name);
    default:
        die(EXIT_NOEXEC, "%s: %s", name, strerror(-error));
    }
}

/* An absolute path that a volume covers is the volume's. */
static bool in_volume(struct view_builder *b, const char *path) {
    char *clean = path_clean(path);
    int share = clean ? view_covering(clean) : -1;
    free(clean);
    return share >= 0 && b->notes[share].volume;
}

void view_find_program(struct view_builder *b) {
    const struct options *o = b->o;
    const char *host_path = getenv("PATH");
    int error;
    if (strchr(o->program, '/'))
        error = o->rootfs || in_volume(b, o->program) ? open_in_view(b, o->program)
                                                      : open_on_host(b, o->program);
    else if (o->rootfs)
        error = search(b, o->program, guest_path_list(o), open_in_view);
    else
        error = search(b, o->program, host_path ? host_path : HOST_DEFAULT_PATH, open_on_host);
    if (error) not_runnable(b, error);
    if (!o->rootfs) show_interpreter(b, b->v->program_fd, 0);
}
