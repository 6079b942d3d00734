/* SPDX-License-Identifier: MIT */
/* execve(2): what survives and what does not, arguments, environment, scripts, errors.
 *
 * Stages run one after the other in one process: each ends by executing the program again. */
#include "check.h"

#include <signal.h>
#include <sys/auxv.h>

static char self[4096];

static void on_signal(int sig) { (void)sig; }

static void find_self(const char *argv0) {
    const char *name = (const char *)getauxval(AT_EXECFN);
    if (name == NULL) name = argv0;
    if (name[0] == '/') {
        snprintf(self, sizeof self, "%s", name);
        return;
    }
    char here[2048];
    CHECK(getcwd(here, sizeof here) != NULL);
    snprintf(self, sizeof self, "%s/%s", here, name);
}

static void make_executable(const char *path, const char *text, size_t len) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, text, len), len);
    CHECK_OK(close(fd));
}

static void errors(void) {
    char *argv[] = {self, NULL}, *envp[] = {NULL};
    static const char zeros[64], elf32[64] = "\177ELF\1\1\1";
    CHECK_ERR(execve("none", argv, envp), ENOENT);
    CHECK_ERR(execve("", argv, envp), ENOENT);
    CHECK_ERR(execve("/", argv, envp), EACCES);
    put_file("plain", "text");
    CHECK_ERR(execve("plain", argv, envp), EACCES);
    CHECK_ERR(execve("plain/x", argv, envp), ENOTDIR);
    make_executable("zeros", zeros, sizeof zeros);
    CHECK_ERR(execve("zeros", argv, envp), ENOEXEC);
    make_executable("empty", "", 0);
    CHECK_ERR(execve("empty", argv, envp), ENOEXEC);
    make_executable("elf32", elf32, sizeof elf32);
    CHECK_ERR(execve("elf32", argv, envp), ENOEXEC);
    make_executable("badscript", "#!/does/not/exist\n", 18);
    CHECK_ERR(execve("badscript", argv, envp), ENOENT);
    CHECK_ERR(syscall(SYS_execveat, 999, "plain", argv, envp, 0), EBADF);
    CHECK_ERR(syscall(SYS_execveat, AT_FDCWD, "none", argv, envp, 0), ENOENT);
    CHECK_ERR(syscall(SYS_execveat, AT_FDCWD, "", argv, envp, 0), ENOENT);
    CHECK_ERR(syscall(SYS_execveat, AT_FDCWD, "plain", argv, envp, 0x8000), EINVAL);
    make_executable("noname", "#!\n", 3);
    CHECK_ERR(execve("noname", argv, envp), ENOEXEC);
    CHECK_OK(symlink("self", "self"));
    CHECK_ERR(execve("self", argv, envp), ELOOP);
    CHECK_ERR(execve(bad_pointer(), argv, envp), EFAULT);
    CHECK_ERR(execve(self, bad_pointer(), envp), EFAULT);
    char *bad_argv[] = {self, bad_pointer(), NULL};
    CHECK_ERR(execve(self, bad_argv, envp), EFAULT);
    ok("errors");
}

/* Leaves traces for stage "second" to look for. */
static void first_stage(void) {
    sigset_t set;
    char pid[16];
    const char *top = scratch();
    errors();
    put_file("keep", "0123456789");
    CHECK_EQ(dup2(open("keep", O_RDONLY), 100), 100);
    CHECK_EQ(lseek(100, 4, SEEK_SET), 4);
    CHECK_EQ(fcntl(100, F_DUPFD_CLOEXEC, 101), 101);
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    CHECK(signal(SIGUSR2, on_signal) != SIG_ERR);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    umask(031);
    snprintf(pid, sizeof pid, "%d", getpid());
    char *argv[] = {(char *)"other name", (char *)"second", pid, (char *)"", (char *)"a b\n", NULL};
    char *envp[] = {(char *)"ONE=1", (char *)"EMPTY=", (char *)"NOVALUE", NULL, NULL};
    char cwd[1100];
    snprintf(cwd, sizeof cwd, "TOP=%s", top);
    envp[3] = cwd;
    execve(self, argv, envp);
    CHECK(!"execve returned");
}

static void second_stage(int argc, char **argv) {
    extern char **environ;
    struct sigaction act;
    sigset_t set;
    char c, here[1024];
    CHECK_EQ(argc, 5);
    CHECK_STR(argv[0], "other name");
    CHECK_EQ(atoi(argv[2]), getpid());
    CHECK_STR(argv[3], "");
    CHECK_STR(argv[4], "a b\n");
    CHECK_STR(environ[0], "ONE=1");
    CHECK_STR(environ[1], "EMPTY=");
    CHECK_STR(environ[2], "NOVALUE");
    CHECK(environ[4] == NULL);
    CHECK_STR(getcwd(here, sizeof here), getenv("TOP"));
    CHECK_EQ(read(100, &c, 1), 1);
    CHECK_EQ(c, '4');
    CHECK_ERR(fcntl(101, F_GETFD), EBADF);
    CHECK_OK(sigaction(SIGUSR1, NULL, &act));
    CHECK(act.sa_handler == SIG_IGN);
    CHECK_OK(sigaction(SIGUSR2, NULL, &act));
    CHECK(act.sa_handler == SIG_DFL);
    CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &set));
    CHECK_EQ(sigismember(&set, SIGHUP), 1);
    CHECK_EQ(sigismember(&set, SIGTERM), 0);
    CHECK_EQ(umask(022), 031);
    ok("second stage");

    char text[5000];
    snprintf(text, sizeof text, "#! %s  script one  argument \nnever read\n", self);
    make_executable("script", text, strlen(text));
    char *next[] = {(char *)"dropped", (char *)"kept", NULL};
    char *envp[] = {(char *)"E=2", text, NULL};
    snprintf(text, sizeof text, "SELF=%s", self);
    execve("./script", next, envp);
    CHECK(!"execve returned");
}

/* Arguments of a script: interpreter, the rest of the line as one, the script, its arguments. */
static void script_stage(int argc, char **argv) {
    CHECK_EQ(argc, 4);
    CHECK_STR(argv[0], getenv("SELF"));
    CHECK_STR((const char *)getauxval(AT_EXECFN), "./script");
    CHECK_STR(argv[1], "script one  argument");
    CHECK_STR(argv[2], "./script");
    CHECK_STR(argv[3], "kept");
    CHECK_STR(getenv("E"), "2");
    ok("script");
    make_executable("outer", "#!./script", 10);
    char *next[] = {(char *)"x", NULL}, *envp[] = {(char *)"E=3", NULL};
    execve("./outer", next, envp);
    CHECK(!"execve returned");
}

static void nested_stage(int argc, char **argv) {
    CHECK_EQ(argc, 4);
    CHECK_STR(argv[2], "./script");
    CHECK_STR(argv[3], "./outer");
    ok("script whose interpreter is a script");
}

int main(int argc, char **argv) {
    find_self(argv[0]);
    if (argc == 1)
        first_stage();
    else if (strcmp(argv[1], "second") == 0)
        second_stage(argc, argv);
    else if (strcmp(getenv("E"), "2") == 0)
        script_stage(argc, argv);
    else
        nested_stage(argc, argv);
    return 0;
}
