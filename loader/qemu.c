/* SPDX-License-Identifier: MIT */
/* The QEMU engine: the same kernel and the same hypercalls on another virtual CPU.
 *
 * QEMU's RAM is a memory file that hermit-run maps too, so call blocks and buffers are shared as
 * under KVM.  The guest's serial port is a socket to hermit-run: a byte out is the doorbell, a byte
 * in is the interrupt.  Owns the QEMU process, which dies with hermit-run. */
#include <loader/qemu.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include <hermit/layout.h>
#include <loader/diag.h>
#include <loader/event.h>
#include <loader/guest_mem.h>
#include <loader/kernel_image.h>
#include <loader/memory.h>
#include <loader/sandbox.h>
#include <loader/services.h>
#include <loader/vm.h>

#define QEMU "qemu-system-x86_64"
#define CALIBRATION_NS 20000000LL
#define PATH_BYTES 64

static int link_fd = -1;
static pid_t child;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* QEMU's TCG gives the guest the host's TSC. */
static uint64_t host_tsc_khz(void) {
    int64_t start_ns = now_ns(), ns;
    uint64_t start = __rdtsc(), cycles;
    do {
        cycles = __rdtsc() - start;
        ns = now_ns() - start_ns;
    } while (ns < CALIBRATION_NS);
    return (uint64_t)((double)cycles * 1e6 / (double)ns);
}

/* A file in memory that QEMU opens by descriptor. */
static int memory_file(const char *name, const void *data, size_t len) {
    int fd = memfd_create(name, 0);
    size_t done = 0;
    while (fd >= 0 && done < len) {
        ssize_t n = write(fd, (const char *)data + done, len - done);
        if (n <= 0) break;
        done += (size_t)n;
    }
    if (fd < 0 || done < len) die(EXIT_HERMIT, "cannot create a memory file: %s", strerror(errno));
    return fd;
}

/* Hardware KVM can run QEMU's firmware; software KVM would emulate it instruction by instruction.
 */
static const char *accelerator(void) {
    const char *wanted = getenv("HERMIT_QEMU_ACCEL");
    if (wanted != NULL && (strcmp(wanted, "kvm") == 0 || strcmp(wanted, "tcg") == 0)) return wanted;
    if (access("/dev/kvm", R_OK | W_OK) != 0) return "tcg";
    FILE *f = fopen("/proc/cpuinfo", "re");
    if (f == NULL) return "tcg";
    char line[8192];
    const char *accel = "tcg";
    while (fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "flags", 5) != 0) continue;
        if (strstr(line, " vmx") != NULL || strstr(line, " svm") != NULL) accel = "kvm";
        break;
    }
    fclose(f);
    return accel;
}

static void exec_qemu(uint32_t cpus, int serial, int kernel, int initrd) {
    char machine[128], ram[160], kernel_path[PATH_BYTES], initrd_path[PATH_BYTES],
        chardev[PATH_BYTES];
    char size[32], smp[32];
    const char *accel = accelerator();
    uint64_t bytes = HERMIT_RAM_GPA + guest_mem_bytes();
    snprintf(machine, sizeof(machine),
             "microvm,accel=%s,memory-backend=ram,pic=on,pit=off,rtc=off,isa-serial=on,"
             "x-option-roms=off,auto-kernel-cmdline=off",
             accel);
    snprintf(ram, sizeof(ram),
             "memory-backend-file,id=ram,share=on,size=%llu,mem-path=/proc/self/fd/%d",
             (unsigned long long)bytes, memory_fd());
    snprintf(size, sizeof(size), "%lluB", (unsigned long long)bytes);
    snprintf(kernel_path, sizeof(kernel_path), "/proc/self/fd/%d", kernel);
    snprintf(initrd_path, sizeof(initrd_path), "/proc/self/fd/%d", initrd);
    snprintf(smp, sizeof(smp), "%u,sockets=%u,cores=1,threads=1", cpus, cpus);
    snprintf(chardev, sizeof(chardev), "socket,id=link,fd=%d", serial);
    const char *cpu = strcmp(accel, "kvm") == 0 ? "host,-arch-capabilities" : "max";
    execlp(QEMU, QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
           "-monitor", "none", "-parallel", "none", "-net", "none", "-sandbox",
           "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny", "-m", size,
           "-smp", smp, "-object", ram, "-machine", machine, "-cpu", cpu, "-chardev", chardev,
           "-serial", "chardev:link", "-kernel", kernel_path, "-initrd", initrd_path, (char *)NULL);
    fprintf(stderr, "hermit-run: cannot run " QEMU ": %s (install the package qemu-system-x86)\n",
            strerror(errno));
    _exit(EXIT_HERMIT);
}

static void spawn(uint32_t cpus, int serial, int kernel, int initrd) {
    pid_t parent = getpid();
    child = fork();
    if (child < 0) die(EXIT_HERMIT, "cannot start QEMU: %s", strerror(errno));
    if (child > 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(EXIT_HERMIT);
    setpgid(0, 0); /* the terminal's signals are the program's */
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    exec_qemu(cpus, serial, kernel, initrd);
}

/* Raises the guest's interrupt; async-signal-safe. */
static void kick(uint32_t cpu) {
    char byte = 0;
    (void)!send(link_fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void end_qemu(void) {
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* Serves a doorbell, which does not say whose it is; the first CPU, which may want to sleep, comes
 * last.  A guest that sleeps is told of the answer. */
static void serve(uint32_t cpus) {
    for (uint32_t cpu = cpus - 1; cpu > 0; cpu--)
        hc_serve(cpu, true);
    bool sleeps = __atomic_load_n(&vm_comm->calls[0].nr, __ATOMIC_RELAXED) == HC_WAIT;
    if (hc_serve(0, true) && sleeps) kick(0);
}

static void serve_until_exit(uint32_t cpus) {
    while (!__atomic_load_n(&vm_exit.done, __ATOMIC_ACQUIRE)) {
        if (event_pending(0)) event_injected(0);
        char bell; /* one at a time: hc_wait() looks for the next on the link */
        ssize_t n = read(link_fd, &bell, 1);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            end_qemu(); /* it may have closed only the link */
            die(EXIT_HERMIT, "QEMU ended before the program did");
        }
        serve(cpus);
    }
}

void qemu_run(const struct options *o, struct hermit_boot *block, size_t block_bytes) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        die(EXIT_HERMIT, "cannot create a socket pair: %s", strerror(errno));
    }
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    link_fd = ends[0];
    block->engine = HERMIT_ENGINE_QEMU;
    block->tsc_khz = host_tsc_khz();
    int kernel =
        memory_file("hermit-kernel", kernel_image, (size_t)(kernel_image_end - kernel_image));
    int initrd = memory_file("hermit-boot", block, block_bytes);
    spawn(o->cpus, ends[1], kernel, initrd);
    close(ends[1]);
    close(kernel);
    close(initrd);
    atexit(end_qemu);
    event_init(kick, link_fd);
    if (o->timeout_ns != 0) event_set_timeout(o->timeout_ns);
    sandbox_enter(o->net != HC_NET_NONE);
    serve_until_exit(o->cpus);
    end_qemu();
}
