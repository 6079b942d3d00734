/* SPDX-License-Identifier: MIT */
/* loader/options.c: the command line, and one clear line for what is wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include <loader/options.h>

#define TRY "; try 'hermit-run --help'"

static struct child child;

static void dump(char **argv) {
    struct options o;
    int argc = 0;
    while (argv[argc])
        argc++;
    static char *small[] = {(char *)"HOST=1", (char *)"KEEP=2", NULL};
    environ = small;
    static const char *const calls[] = {"read", NULL, "write", "readv"};
    options_parse(&o, argc, argv);
    options_check_calls(&o, calls, sizeof(calls) / sizeof(calls[0]));
    printf("memory %llu\ncpus %u\nvmm %d\ntimeout %llu\n", (unsigned long long)o.memory_bytes,
           o.cpus, o.vmm, (unsigned long long)o.timeout_ns);
    printf("strace %d '%s'\nflags %d%d%d%d\n", o.strace, o.strace_filter, o.stats, o.verbose,
           o.quiet, o.no_aslr);
    printf("workdir %s\n", o.workdir ? o.workdir : "-");
    printf("rootfs %s %d\n", o.rootfs ? o.rootfs : "-", o.rootfs_writable);
    for (size_t i = 0; i < o.volume_count; i++)
        printf("volume %s %s %d\n", o.volumes[i].host,
               o.volumes[i].guest ? o.volumes[i].guest : "-", o.volumes[i].writable);
    for (size_t i = 0; i < o.env_count; i++)
        printf("env %s\n", o.env[i]);
    printf("env end %d\nprogram %s\n", o.env[o.env_count] == NULL, o.program);
    for (size_t i = 0; i < o.argc; i++)
        printf("arg %s\n", o.argv[i]);
    printf("args end %d\n", o.argv[o.argc] == NULL);
}

/* Splits at blanks. */
static void run(const char *line) {
    char text[512], *argv[32];
    int argc = 0;
    snprintf(text, sizeof(text), "hermit-run %s", line);
    for (char *p = strtok(text, " "); p; p = strtok(NULL, " "))
        argv[argc++] = p;
    argv[argc] = NULL;
    child_run(&child, dump, argv);
}

static void defaults(void **state) {
    run("app");
    child_prints(&child, "memory 268435456");
    child_prints(&child, "cpus 1");
    child_prints(&child, "vmm 0");
    child_prints(&child, "timeout 0");
    child_prints(&child, "strace 0 ''");
    child_prints(&child, "flags 0000");
    child_prints(&child, "workdir -");
    child_prints(&child, "rootfs - 0");
    child_prints(&child, "env HOST=1");
    child_prints(&child, "env KEEP=2");
    child_prints(&child, "env end 1");
    child_prints(&child, "arg app");
    child_prints(&child, "args end 1");
}

static void all_options(void **state) {
    run("-m 5000000 --cpus 1 -w /a/../b -v x:/y:rw --volume z --rootfs r:rw --vmm qemu "
        "--strace=read,write --stats --timeout 1.5s --verbose --no-aslr -- app -v --foo");
    child_prints(&child, "memory 5001216");
    child_prints(&child, "workdir /b");
    child_prints(&child, "volume x /y 1");
    child_prints(&child, "volume z - 0");
    child_prints(&child, "rootfs r 1");
    child_prints(&child, "vmm 2");
    child_prints(&child, "timeout 1500000000");
    child_prints(&child, "strace 1 'read,write'");
    child_prints(&child, "flags 1101");
    child_prints(&child, "program app");
    child_prints(&child, "arg -v");
    child_prints(&child, "arg --foo");
    run("-qm1G --strace app --help");
    child_prints(&child, "memory 1073741824");
    child_prints(&child, "strace 1 ''");
    child_prints(&child, "flags 0010");
    child_prints(&child, "arg --help");
}

static void environment(void **state) {
    char path[] = "/tmp/test_options.XXXXXX";
    char line[256];
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "FILE=f\nHOST=f\nX=f\n", 18), 18);
    close(fd);
    snprintf(line, sizeof(line), "-e X=e -e NEW=a=b -e KEEP -e UNSET --env-file %s app", path);
    run(line);
    child_prints(&child, "env HOST=f");
    child_prints(&child, "env KEEP=2");
    child_prints(&child, "env FILE=f");
    child_prints(&child, "env X=e"); /* -e wins, although it stands before */
    child_prints(&child, "env NEW=a=b");
    child_does_not_print(&child, "env UNSET");
    run("-e KEEP -e A= --clear-env app");
    child_prints(&child, "env KEEP=2");
    child_prints(&child, "env A=");
    child_does_not_print(&child, "env HOST");
    run("--clear-env app");
    child_prints(&child, "env end 1");
    child_does_not_print(&child, "env HOST");
    unlink(path);
}

static void fails(const char *line, const char *message) {
    run(line);
    child_fails(&child, 125, message);
    assert_string_equal(child.out, "");
}

static void bad_syntax(void **state) {
    fails("", "no program given" TRY);
    fails("-q", "no program given" TRY);
    fails("--foo app", "unknown or ambiguous option '--foo'" TRY);
    fails("--foo=1 app", "unknown or ambiguous option '--foo'" TRY);
    fails("--st app", "unknown or ambiguous option '--st'" TRY);
    fails("-x app", "unknown option '-x'" TRY);
    fails("--stats -qx app", "unknown option '-x'" TRY);
    fails("-m", "option '-m' needs a value" TRY);
    fails("--env", "option '--env' needs a value" TRY);
    fails("--quiet=1 app", "option '--quiet' takes no value" TRY);
    fails("--stats=1 app", "option '--stats' takes no value" TRY);
    fails("-q --verbose app", "--quiet and --verbose exclude each other");
}

static void bad_values(void **state) {
    fails("-m 1X app", "--memory 1X: not a size (such as 64M or 2G)");
    fails("-m 4095K app", "--memory 4095K: out of range, 4M to 190G");
    fails("-m 191G app", "--memory 191G: out of range, 4M to 190G");
    fails("--cpus 0 app", "--cpus 0: not a number from 1 to 64");
    fails("--cpus 65 app", "--cpus 65: not a number from 1 to 64");
    fails("--cpus two app", "--cpus two: not a number from 1 to 64");
    fails("-e =1 app", "--env =1: no variable name (K=V, or K for the host's value)");
    fails("--env-file /nonexistent app", "--env-file /nonexistent: No such file or directory");
    fails("-w a app", "--workdir a: not an absolute path of the program's view");
    fails("-v a:b app", "--volume a:b: the guest path is not absolute (HOST[:GUEST][:ro|rw])");
    fails("--rootfs :rw app", "--rootfs :rw: the directory is empty (DIR[:ro|rw])");
    fails("--vmm xen app", "--vmm xen: not one of auto, kvm, qemu");
    fails("--strace=Read app", "--strace=Read: not a list of system calls (such as openat,read)");
    fails("--strace=write,rea app", "--strace: there is no system call 'rea'");
    fails("--strace=reads app", "--strace: there is no system call 'reads'");
    fails("--timeout 1y app", "--timeout 1y: not a duration (such as 10, 1.5s, 200ms, 2m or 1h)");
}

/* A message is one line, whatever the argument holds. */
static void control_characters(void **state) {
    char *argv[] = {(char *)"hermit-run", (char *)"--vmm", (char *)"a\n\033[31m\177b", NULL};
    child_run(&child, dump, argv);
    child_fails(&child, 125, "--vmm a??[31m?b: not one of auto, kvm, qemu");
}

static void texts(void **state) {
    run("--version --foo");
    assert_int_equal(child.status, 0);
    assert_memory_equal(child.out, "hermit-run ", 11);
    run("--help");
    assert_int_equal(child.status, 0);
    assert_memory_equal(child.out, "Usage: hermit-run [OPTIONS] PROGRAM [ARGS...]\n", 46);
    assert_non_null(strstr(child.out, "Examples:"));
    for (char *p = strtok(child.out, "\n"); p; p = strtok(NULL, "\n"))
        assert_true(strlen(p) <= 96);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),    cmocka_unit_test(all_options),
        cmocka_unit_test(environment), cmocka_unit_test(bad_syntax),
        cmocka_unit_test(bad_values),  cmocka_unit_test(control_characters),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
