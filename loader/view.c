/* SPDX-License-Identifier: MIT */
/* Decides which host files the program sees and opens them.  Fills the table of shares.
 *
 * It runs on every start: one system call for a default share where possible, no scans. */
#include <loader/diag.h>
#include <loader/path.h>
#include <loader/view_parts.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Library directories; `linked`: on most hosts a link to the one in /usr.  Not the 32-bit ones:
 * such programs do not run here. */
static const struct {
    const char *path;
    bool linked;
} libraries[] = {{"/lib", true},
                 {"/lib64", true},
                 {"/usr/lib", false},
                 {"/usr/lib64", false},
                 {"/usr/local/lib", false}};

/* For the dynamic linkers of glibc and musl, for user, group and host names and for local time.
 * /etc/alternatives: libraries that are links into it. */
static const struct {
    const char *path;
    bool is_dir;
} settings[] = {{"/etc/passwd", false},        {"/etc/group", false},
                {"/etc/nsswitch.conf", false}, {"/etc/localtime", false},
                {"/etc/hosts", false},         {"/etc/resolv.conf", false},
                {"/etc/hostname", false},      {"/etc/services", false},
                {"/etc/ld.so.cache", false},   {"/etc/ld-musl-x86_64.path", false},
                {"/etc/alternatives", true}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Root, current directory, time zones, program, script interpreter. */
#define OTHER_SHARES 5

void *view_must(void *p) {
    if (!p) die(EXIT_HERMIT, "out of memory");
    return p;
}

void view_add_share(struct view_builder *b, struct share share, struct share_note note) {
    if (shares.count == b->capacity) die(EXIT_HERMIT, "too many shares");
    share.host = view_must(strdup(share.host));
    share.guest = view_must(strdup(share.guest));
    shares.items[shares.count] = share;
    b->notes[shares.count++] = note;
}

void view_add_symlink(struct view_builder *b, const char *path, const char *target) {
    struct view *v = b->v;
    for (size_t i = 0; i < v->symlink_count; i++)
        if (strcmp(v->symlinks[i].path, path) == 0) return;
    size_t n = v->symlink_count + 1;
    v->symlinks = view_must(realloc(v->symlinks, n * sizeof(*v->symlinks)));
    v->symlinks[n - 1] =
        (struct view_symlink){.path = view_must(strdup(path)), .target = view_must(strdup(target))};
    v->symlink_count = n;
}

char *view_canonical(int fd, const char *opened_as) {
    char proc[32], text[PATH_MAX];
    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(proc, text, sizeof(text) - 1);
    if (n <= 0 || text[0] != '/') return realpath(opened_as, NULL); /* no /proc here */
    text[n] = '\0';
    return strdup(text);
}

static void open_rootfs(struct view_builder *b) {
    const char *dir = b->o->rootfs;
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) die(EXIT_HERMIT, "--rootfs %s: %s", dir, strerror(errno));
    char *canonical = view_canonical(fd, dir);
    struct share share = {.host = dir, .guest = "/", .fd = fd, .is_dir = true};
    share.readonly = !b->o->rootfs_writable;
    view_add_share(b, share,
                   (struct share_note){.same_path = canonical && strcmp(canonical, "/") == 0});
    free(canonical);
}

static void open_volume(struct view_builder *b, const struct volume_option *volume) {
    struct stat st;
    char path[PATH_MAX];
    const char *host = volume->host;
    int fd = open(host, O_PATH | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        die(EXIT_HERMIT, "--volume %s: no such file or directory on the host", host);
    if (fd < 0 || fstat(fd, &st) < 0) die(EXIT_HERMIT, "--volume %s: %s", host, strerror(errno));
    if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
        die(EXIT_HERMIT, "--volume %s: only directories and regular files can be shared", host);
    char *canonical = view_canonical(fd, host);
    if (!canonical) die(EXIT_HERMIT, "--volume %s: %s", host, strerror(errno));
    if (!volume->guest && strcmp(canonical, "/") == 0)
        die(EXIT_HERMIT, "--volume %s: is /; use --rootfs / to show the whole host", host);
    const char *guest = volume->guest ? volume->guest : canonical;
    int error = view_resolve(b, guest, true, path);
    if (error) die(EXIT_HERMIT, "--volume %s: %s: %s", host, guest, strerror(-error));
    struct share share = {.host = host,
                          .guest = path,
                          .fd = fd,
                          .readonly = !volume->writable,
                          .is_dir = S_ISDIR(st.st_mode)};
    struct share_note note = {.volume = true, .same_path = strcmp(canonical, path) == 0};
    view_add_share(b, share, note);
    free(canonical);
}

/* A volume says what is at and beneath its path; anything else that shows the host's object at the
 * same path makes a share of it pointless. */
static bool is_decided(const struct view_builder *b, const char *path) {
    int share = view_covering(path);
    return share >= 0 && (b->notes[share].volume || view_shows_host(b, path));
}

static void add_default(struct view_builder *b, const char *path, int fd, bool is_dir) {
    struct share share = {
        .host = path, .guest = path, .fd = fd, .readonly = true, .is_dir = is_dir};
    view_add_share(b, share, (struct share_note){.same_path = true});
}

/* Adds `path` as a link if it leads to a library directory, as a directory otherwise. */
static void add_library_link(struct view_builder *b, const char *path, const char *text) {
    char *joined = view_must(path_join("/", text)); /* all links tried are in / or /usr */
    if (text[0] != '/' && strncmp(path, "/usr/", 5) == 0) {
        free(joined);
        joined = view_must(path_join("/usr", text));
    }
    char *target = path_clean(joined);
    free(joined);
    for (size_t i = 0; target && i < COUNT(libraries); i++) {
        if (!path_beneath(libraries[i].path, target)) continue;
        view_add_symlink(b, path, text);
        free(target);
        return;
    }
    free(target);
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) add_default(b, path, fd, true);
}

static void add_library(struct view_builder *b, const char *path, bool linked) {
    char text[256];
    int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = linked ? -1 : open(path, flags);
    if (fd < 0 && (linked || errno == ENOTDIR)) {
        ssize_t n = readlink(path, text, sizeof(text) - 1);
        if (n > 0 && (size_t)n < sizeof(text) - 1) {
            text[n] = '\0';
            add_library_link(b, path, text);
            return;
        }
        if (n < 0 && errno == EINVAL) fd = open(path, flags);
    }
    if (fd >= 0) add_default(b, path, fd, true);
}

static void add_setting(struct view_builder *b, const char *path, bool is_dir) {
    if (is_decided(b, path)) return;
    int fd = open(path, O_PATH | O_CLOEXEC | (is_dir ? O_DIRECTORY : 0));
    if (fd >= 0) add_default(b, path, fd, is_dir);
}

static bool has_env(const struct options *o, const char *name) {
    size_t n = strlen(name);
    for (size_t i = 0; i < o->env_count; i++)
        if (strncmp(o->env[i], name, n) == 0 && o->env[i][n] == '=') return true;
    return false;
}

/* The current directory, unless that would show the whole host or a tree that the guest kernel
 * provides itself. */
static void add_cwd(struct view_builder *b) {
    static const char *const never[] = {"/proc", "/sys", "/dev"};
    b->v->cwd = view_must(strdup("/"));
    if (!b->cwd || strcmp(b->cwd, "/") == 0) return;
    for (size_t i = 0; i < COUNT(never); i++)
        if (path_beneath(never[i], b->cwd) && !path_beneath("/dev/shm", b->cwd)) return;
    int share = view_covering(b->cwd);
    bool replaced = share >= 0 && strcmp(shares.items[share].guest, b->cwd) == 0;
    char *path = view_must(strdup(b->cwd));
    if (!replaced && !view_shows_host(b, path)) {
        int fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) die(EXIT_HERMIT, "current directory %s: %s", path, strerror(errno));
        add_default(b, path, fd, true);
    }
    free(b->v->cwd);
    b->v->cwd = path;
}

static void add_defaults(struct view_builder *b) {
    add_cwd(b);
    for (size_t i = 0; i < COUNT(libraries); i++)
        if (!is_decided(b, libraries[i].path))
            add_library(b, libraries[i].path, libraries[i].linked);
    for (size_t i = 0; i < COUNT(settings); i++)
        add_setting(b, settings[i].path, settings[i].is_dir);
    if (has_env(b->o, "TZ")) add_setting(b, "/usr/share/zoneinfo", true);
}

static void set_workdir(struct view_builder *b) {
    const char *dir = b->o->workdir;
    char path[PATH_MAX];
    mode_t mode = 0;
    int error = view_resolve(b, dir, false, path);
    if (!error) error = view_mode(b, path, &mode);
    if (error == -ENOENT && b->o->rootfs)
        die(EXIT_HERMIT, "--workdir %s: no such directory in --rootfs %s", dir, b->o->rootfs);
    if (error == -ENOENT && view_covering(dir) < 0 && access(dir, F_OK) == 0)
        die(EXIT_HERMIT, "--workdir %s is not visible to the program: add -v %s", dir, dir);
    if (error) die(EXIT_HERMIT, "--workdir %s: %s", dir, strerror(-error));
    if (!S_ISDIR(mode)) die(EXIT_HERMIT, "--workdir %s: %s", dir, strerror(ENOTDIR));
    free(b->v->cwd);
    b->v->cwd = view_must(strdup(path));
}

/* A default link such as /lib may lie on the way to a volume; its mount point is found by the
 * canonical path. */
static void settle_volumes(struct view_builder *b) {
    char path[PATH_MAX];
    for (uint32_t i = 0; i < shares.count; i++) {
        struct share *share = &shares.items[i];
        if (!b->notes[i].volume) continue;
        if (view_resolve(b, share->guest, true, path) == 0 && strcmp(path, share->guest) != 0) {
            free((char *)share->guest);
            share->guest = view_must(strdup(path));
        }
        for (uint32_t j = 0; j < shares.count; j++)
            if (j != i && strcmp(shares.items[j].guest, share->guest) == 0)
                die(EXIT_HERMIT, "--volume %s: %s is taken by %s; give another guest path",
                    share->host, share->guest, shares.items[j].host);
    }
}

static void build_default(struct view_builder *b) {
    char cwd[PATH_MAX];
    if (getcwd(cwd, sizeof(cwd)) && cwd[0] == '/')
        b->cwd = view_must(strdup(cwd));
    else if (!b->o->workdir)
        warn_line("the current directory has no path; the program starts in /");
    for (size_t i = 0; i < b->o->volume_count; i++)
        open_volume(b, &b->o->volumes[i]);
    add_defaults(b);
    settle_volumes(b);
    view_find_program(b);
    if (b->o->workdir) set_workdir(b);
}

static void build_rootfs(struct view_builder *b) {
    open_rootfs(b);
    b->v->cwd = view_must(strdup("/"));
    for (size_t i = 0; i < b->o->volume_count; i++)
        open_volume(b, &b->o->volumes[i]);
    settle_volumes(b);
    if (b->o->workdir) set_workdir(b);
    view_find_program(b); /* a relative path starts in the guest's directory */
}

void view_build(struct view *v, const struct options *o) {
    struct view_builder b = {.v = v, .o = o};
    *v = (struct view){.program_fd = -1};
    b.capacity = (uint32_t)(COUNT(libraries) + COUNT(settings) + OTHER_SHARES + o->volume_count);
    b.notes = view_must(calloc(b.capacity, sizeof(*b.notes)));
    shares.items = view_must(calloc(b.capacity, sizeof(*shares.items)));
    shares.count = 0;
    if (o->rootfs)
        build_rootfs(&b);
    else
        build_default(&b);
    for (uint32_t i = 0; diag_verbose && i < shares.count; i++)
        verbose("visible: %s (%s%s)", shares.items[i].guest, shares.items[i].host,
                shares.items[i].readonly ? ", read-only" : "");
    verbose("program: %s, working directory: %s", v->program, v->cwd);
    free(b.notes);
    free(b.cwd);
}
