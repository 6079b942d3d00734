/* SPDX-License-Identifier: MIT */
/* The first process of a Linux virtual machine that is a peer: runs one program and powers off.
 *
 * usage, from the kernel's command line: init PROGRAM [ARGS...].  Mounts what a program expects,
 * says how it ended as "hermit-bench: status N" on the console, and resets the machine, which ends
 * QEMU and Firecracker (started so that a reset is the end). */
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void mount_at(const char *type, const char *where) {
    mkdir(where, 0755);
    if (mount(type, where, type, 0, NULL) < 0) perror(where);
}

/* As a network namespace of a container has it. */
static void loopback_up(void) {
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    if (s < 0 || ioctl(s, SIOCSIFFLAGS, &lo) < 0) perror("lo");
    close(s);
}

/* The console's own translation would put carriage returns into the program's output. */
static void raw_output(void) {
    struct termios t;

    if (tcgetattr(1, &t) < 0) return;
    t.c_oflag &= ~(tcflag_t)OPOST;
    tcsetattr(1, TCSANOW, &t);
}

static int run(char **argv) {
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        execv(argv[0], argv);
        perror(argv[0]);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv) {
    int status = 2;

    mount_at("devtmpfs", "/dev");
    mount_at("proc", "/proc");
    mkdir("/tmp", 01777); /* in memory, as is all of the initial RAM disk */
    mkdir("/dev/shm", 01777);
    loopback_up();
    raw_output();
    if (argc > 1) status = run(argv + 1);
    printf("\nhermit-bench: status %d\n", status);
    fflush(stdout);
    tcdrain(1);
    reboot(RB_AUTOBOOT);
    return 1;
}
