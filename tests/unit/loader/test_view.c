/* SPDX-License-Identifier: MIT */
/* loader/view*.c: what the program sees, on a small tree of files. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include <loader/view.h>

static struct child child;
static char root[PATH_MAX]; /* canonical path of the tree */
static char start[PATH_MAX];

/* Prints the view; directories as seen from the tree's root are shown with "@" for it. */
static void print_path(const char *path) {
    size_t n = strlen(root);
    if (strncmp(path, root, n) == 0)
        printf("@%s", path + n);
    else
        printf("%s", path);
}

static void dump(char **argv) {
    static struct options o;
    static struct view v;
    struct stat st;
    int argc = 0;
    while (argv[argc])
        argc++;
    options_parse(&o, argc, argv);
    view_build(&v, &o);
    for (uint32_t i = 0; i < shares.count; i++) {
        const struct share *s = &shares.items[i];
        printf("share ");
        print_path(s->guest);
        bool is_dir = fstat(s->fd, &st) == 0 && S_ISDIR(st.st_mode);
        bool cloexec = fcntl(s->fd, F_GETFD) == FD_CLOEXEC;
        bool path_only = (fcntl(s->fd, F_GETFL) & O_PATH) != 0;
        printf(" %s %s%s\n", s->readonly ? "ro" : "rw", s->is_dir ? "dir" : "file",
               is_dir == s->is_dir && cloexec && path_only ? "" : " BAD");
    }
    for (size_t i = 0; i < v.symlink_count; i++) {
        printf("link ");
        print_path(v.symlinks[i].path);
        printf(" -> %s\n", v.symlinks[i].target);
    }
    printf("program ");
    print_path(v.program);
    printf("\ncwd ");
    print_path(v.cwd);
    bool same = fstat(v.program_fd, &st) == 0 && st.st_ino == v.program_attr.ino &&
                (uint64_t)st.st_size == v.program_attr.size && st.st_mode == v.program_attr.mode &&
                st.st_dev == v.program_attr.dev;
    printf("\nattr %d\n", same);
}

/* Runs with `line` split at blanks; "@" at the start of a word is the tree. */
static void view_in(const char *cwd, const char *line) {
    char text[512], words[32][PATH_MAX + 64], *argv[33], dir[PATH_MAX + 64];
    int argc = 0;
    snprintf(text, sizeof(text), "hermit-run %s", line);
    for (char *p = strtok(text, " "); p; p = strtok(NULL, " "), argc++) {
        argv[argc] = words[argc];
        snprintf(words[argc], sizeof(words[0]), "%s%s", *p == '@' ? root : "", p + (*p == '@'));
    }
    argv[argc] = NULL;
    snprintf(dir, sizeof(dir), "%s%s", *cwd == '@' ? root : "", cwd + (*cwd == '@'));
    assert_int_equal(chdir(dir), 0);
    child_run(&child, dump, argv);
    assert_int_equal(chdir(start), 0);
}

static void make_file(const char *path, const char *content, mode_t mode) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static int make_tree(void **state) {
    char template[] = "/var/tmp/test_view.XXXXXX"; /* /tmp is the program's own */
    umask(022);
    assert_non_null(getcwd(start, sizeof(start)));
    assert_non_null(mkdtemp(template));
    assert_non_null(realpath(template, root));
    assert_int_equal(chdir(root), 0);
    assert_int_equal(mkdir("bin", 0755), 0);
    assert_int_equal(mkdir("work", 0755), 0);
    assert_int_equal(mkdir("work/sub", 0755), 0);
    assert_int_equal(mkdir("data", 0755), 0);
    assert_int_equal(mkdir("guest", 0755), 0);
    assert_int_equal(mkdir("guest/usr", 0755), 0);
    assert_int_equal(mkdir("guest/usr/bin", 0755), 0);
    make_file("bin/tool-1.2", "\177ELF", 0755);
    make_file("work/app", "\177ELF", 0755);
    make_file("work/plain", "text", 0644);
    make_file("data/prog", "\177ELF", 0755);
    make_file("guest/usr/bin/hello", "\177ELF", 0755);
    assert_int_equal(symlink("tool-1.2", "bin/tool"), 0);
    assert_int_equal(symlink("bin", "sbin"), 0);
    assert_int_equal(symlink("../sbin/tool", "work/outside"), 0);
    assert_int_equal(symlink("app", "work/alias"), 0);
    assert_int_equal(symlink("usr/bin", "guest/bin"), 0);
    assert_int_equal(symlink("/bin/hello", "guest/usr/bin/hi"), 0);
    assert_int_equal(symlink("/../../../etc", "guest/escape"), 0);
    char script[PATH_MAX + 32];
    snprintf(script, sizeof(script), "#! %s/sbin/tool -x\n", root);
    make_file("work/script", script, 0755);
    assert_int_equal(mkfifo("work/fifo", 0755), 0);
    assert_int_equal(chmod("work/fifo", 0755), 0);
    return chdir(start);
}

static int remove_tree(void **state) {
    char command[PATH_MAX + 16];
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    return system(command);
}

static void default_view(void **state) {
    struct stat st;
    view_in("@/work", "./app arg");
    child_prints(&child, "share @/work ro dir");
    child_prints(&child, "program @/work/app");
    child_prints(&child, "cwd @/work");
    child_prints(&child, "attr 1");
    child_does_not_print(&child, "share @/work/app");
    assert_null(strstr(child.out, "BAD"));
    if (access("/etc/passwd", F_OK) == 0) child_prints(&child, "share /etc/passwd ro file");
    if (lstat("/lib", &st) == 0 && S_ISLNK(st.st_mode)) {
        child_prints(&child, "link /lib -> usr/lib");
        child_prints(&child, "share /usr/lib ro dir");
    }
    child_does_not_print(&child, "share / ");
    child_does_not_print(&child, "share /etc ");
    child_does_not_print(&child, "share /usr/share/zoneinfo");
}

static void links_to_program(void **state) {
    view_in("@/work", "./alias");
    child_prints(&child, "program @/work/app");
    child_does_not_print(&child, "link @"); /* the current directory shows it */
    view_in("@/work", "./outside");
    child_prints(&child, "program @/bin/tool-1.2");
    child_prints(&child, "share @/bin/tool-1.2 ro file");
    child_prints(&child, "link @/sbin -> bin");
    child_prints(&child, "link @/bin/tool -> tool-1.2");
    child_does_not_print(&child, "link @/work");
    view_in("@/work", "../work/sub/../app");
    child_prints(&child, "program @/work/app");
}

static void unshared_directories(void **state) {
    view_in("/", "@/work/app");
    child_does_not_print(&child, "share / ");
    child_prints(&child, "share @/work/app ro file");
    child_prints(&child, "cwd /");
    view_in("/proc/self", "@/work/app");
    child_does_not_print(&child, "share /proc");
    child_prints(&child, "cwd /");
    view_in("/usr", "@/work/app");
    child_prints(&child, "share /usr ro dir");
    child_does_not_print(&child, "share /usr/lib");
    child_prints(&child, "cwd /usr");
}

static void scripts(void **state) {
    view_in("@/work", "./script");
    child_prints(&child, "program @/work/script");
    child_prints(&child, "share @/bin/tool-1.2 ro file");
    child_prints(&child, "link @/sbin -> bin");
}

static void path_search(void **state) {
    char path[3 * PATH_MAX];
    snprintf(path, sizeof(path), "/nonexistent:%s/data:%s/bin", root, root);
    setenv("PATH", path, 1);
    view_in("@/work", "tool");
    child_prints(&child, "program @/bin/tool-1.2");
    child_prints(&child, "link @/bin/tool -> tool-1.2");
    view_in("@/work", "app");
    child_fails(&child, 127, "app: not found in PATH; for the file here say ./app");
    view_in("@/work", "nothing");
    child_fails(&child, 127, "nothing: not found in PATH");
    snprintf(path, sizeof(path), ":/nonexistent");
    setenv("PATH", path, 1);
    view_in("@/work", "app");
    child_prints(&child, "program @/work/app");
    view_in("@/work", "plain");
    child_fails(&child, 126, "plain: permission denied: a program must be readable and executable");
    setenv("PATH", "/usr/bin:/bin", 1);
}

static void volumes(void **state) {
    view_in("@/work", "-v .:rw -v ../data:/srv/x -v plain:/etc/passwd ./app");
    child_prints(&child, "share @/work rw dir");
    child_prints(&child, "share /srv/x ro dir");
    child_prints(&child, "share /etc/passwd ro file");
    assert_null(strstr(strstr(child.out, "/etc/passwd") + 1, "/etc/passwd"));
    view_in("@/work", "-v ../data:/app /app/prog");
    child_prints(&child, "program /app/prog");
    child_does_not_print(&child, "share @/data");
    child_prints(&child, "cwd @/work");
    view_in("@/work", "-v ../data @/data/prog");
    child_prints(&child, "share @/data ro dir");
    child_does_not_print(&child, "share @/data/prog");
    view_in("@/work", "-v ../data:/usr ./app");
    child_does_not_print(&child, "share /usr/lib"); /* the volume says what is in /usr */
    view_in("@/work/sub", "-v ..:rw ../app");
    child_prints(&child, "cwd @/work/sub"); /* writable, as the volume */
    child_does_not_print(&child, "share @/work/sub");
}

static void volume_behind_link(void **state) {
    struct stat st;
    if (lstat("/lib", &st) < 0 || !S_ISLNK(st.st_mode)) skip();
    view_in("@/work", "-v ../data:/lib/hermit-test:rw ./app");
    child_prints(&child, "share /usr/lib/hermit-test rw dir");
    view_in("@/work", "-v ../data:/lib ./app");
    child_prints(&child, "share /lib ro dir");
    child_does_not_print(&child, "link /lib ");
    view_in("@/work", "-v ../data:/lib/hermit-test -v .:/usr/lib/hermit-test ./app");
    child_fails(&child, 125,
                "--volume ../data: /usr/lib/hermit-test is taken by .; give another guest path");
}

static void bad_volumes(void **state) {
    view_in("@/work", "-v missing ./app");
    child_fails(&child, 125, "--volume missing: no such file or directory on the host");
    view_in("@/work", "-v / ./app");
    child_fails(&child, 125, "--volume /: is /; use --rootfs / to show the whole host");
    view_in("@/work", "-v fifo ./app");
    child_fails(&child, 125, "--volume fifo: only directories and regular files can be shared");
    view_in("@/work", "-v .:/a -v sub:/a ./app");
    child_fails(&child, 125, "--volume .: /a is taken by sub; give another guest path");
}

static void bad_programs(void **state) {
    view_in("@/work", "./missing");
    child_fails(&child, 127, "./missing: no such file");
    view_in("@/work", "./sub");
    child_fails(&child, 126, "./sub: is a directory, not a program");
    view_in("@/work", "./plain");
    child_fails(&child, 126, "./plain: not executable (chmod +x makes it so)");
    view_in("@/work", "./fifo");
    child_fails(&child, 126,
                "./fifo: permission denied: a program must be readable and executable");
    view_in("@/work", "./app/x");
    child_fails(&child, 126, "./app/x: Not a directory");
}

static void workdir(void **state) {
    view_in("@/work", "-w @/work/sub ./app");
    child_prints(&child, "cwd @/work/sub");
    view_in("@/work", "-w /tmp ./app");
    child_prints(&child, "cwd /tmp");
    view_in("@/work", "-v ../data:/srv/x -w /srv ./app");
    child_prints(&child, "cwd /srv");
    view_in("@/work", "-w /etc/. ./app"); /* an ancestor of what is shared */
    child_prints(&child, "cwd /etc");
    view_in("@/work", "-w /sbin ./app");
    child_fails(&child, 125, "--workdir /sbin is not visible to the program: add -v /sbin");
    view_in("@/work", "-w /nonexistent ./app");
    child_fails(&child, 125, "--workdir /nonexistent: No such file or directory");
    view_in("@/work", "-v .:/d -w /d/plain ./app");
    child_fails(&child, 125, "--workdir /d/plain: Not a directory");
}

static void rootfs(void **state) {
    view_in("@", "--rootfs guest /bin/hello");
    child_prints(&child, "share / ro dir");
    child_prints(&child, "program /usr/bin/hello");
    child_prints(&child, "cwd /");
    child_prints(&child, "attr 1");
    child_does_not_print(&child, "share /usr");
    child_does_not_print(&child, "link ");
    view_in("@", "--rootfs guest:rw -e PATH=/bin hi"); /* links stay inside */
    child_prints(&child, "share / rw dir");
    child_prints(&child, "program /usr/bin/hello");
    view_in("@", "--rootfs guest -w /bin ./hello");
    child_prints(&child, "program /usr/bin/hello");
    child_prints(&child, "cwd /usr/bin");
    view_in("@", "--rootfs guest -v data:/bin/new /usr/bin/new/prog");
    child_prints(&child, "share /usr/bin/new ro dir");
    child_prints(&child, "program /usr/bin/new/prog");
    view_in("@/work", "--rootfs ../guest -v ./app:/app ./app");
    child_prints(&child, "program /app");
}

static void bad_rootfs(void **state) {
    view_in("@", "--rootfs missing /bin/hello");
    child_fails(&child, 125, "--rootfs missing: No such file or directory");
    view_in("@", "--rootfs work/app /bin/hello");
    child_fails(&child, 125, "--rootfs work/app: Not a directory");
    view_in("@", "--rootfs guest /escape/passwd");
    child_fails(&child, 127, "/escape/passwd: no such file in --rootfs guest");
    view_in("@/work", "--rootfs ../guest ./app");
    child_fails(&child, 127,
                "./app: not in --rootfs ../guest, where it is looked up: add -v ./app:/app");
    view_in("@", "--rootfs guest -e PATH=/usr/sbin hello");
    child_fails(&child, 127, "hello: not found in the program's PATH inside --rootfs guest");
    view_in("@", "--rootfs guest -w /work /bin/hello");
    child_fails(&child, 125, "--workdir /work: no such directory in --rootfs guest");
    view_in("@", "--rootfs guest /usr");
    child_fails(&child, 126, "/usr: is a directory, not a program");
}

static void quiet_and_verbose(void **state) {
    view_in("@/work", "--verbose ./app");
    assert_int_equal(child.status, 0);
    assert_non_null(strstr(child.err, "hermit-run: visible: /etc/passwd"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_view),
        cmocka_unit_test(links_to_program),
        cmocka_unit_test(unshared_directories),
        cmocka_unit_test(scripts),
        cmocka_unit_test(path_search),
        cmocka_unit_test(volumes),
        cmocka_unit_test(volume_behind_link),
        cmocka_unit_test(bad_volumes),
        cmocka_unit_test(bad_programs),
        cmocka_unit_test(workdir),
        cmocka_unit_test(rootfs),
        cmocka_unit_test(bad_rootfs),
        cmocka_unit_test(quiet_and_verbose),
    };
    unsetenv("TZ");
    setenv("PATH", "/usr/bin:/bin", 1);
    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
