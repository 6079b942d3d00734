/* SPDX-License-Identifier: MIT */
/* The texts of --help and --version.  Owns nothing. */
#include <loader/diag.h>
#include <loader/options_help.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: hermit-run [OPTIONS] PROGRAM [ARGS...]\n"
    "Run an unmodified Linux x86-64 program as the only tenant of a tiny virtual machine.\n"
    "\n"
    "What the program gets:\n"
    "  -m, --memory SIZE       RAM limit, 4M to 190G, suffix K, M, G or T (default 256M)\n"
    "      --cpus N            virtual CPUs, 1 to 64 (default 1)\n"
    "  -e, --env K=V           set an environment variable; K alone: as on the host\n"
    "      --env-file FILE     read K=V lines from FILE\n"
    "      --clear-env         start from an empty environment, not from the caller's\n"
    "  -w, --workdir DIR       start in DIR, as the program sees it\n"
    "      --timeout DURATION  end the program after DURATION: 10, 1.5s, 200ms, 2m, 1h\n"
    "\n"
    "What the program sees (default: its own binary, library directories and the current\n"
    "directory, all read-only, and a private writable /tmp):\n"
    "  -v, --volume HOST[:GUEST][:ro|rw]\n"
    "                          share a file or directory, at GUEST (default: the same path),\n"
    "                          read-only unless rw; may be repeated\n"
    "      --rootfs DIR[:ro|rw]\n"
    "                          show DIR as / instead, and look PROGRAM up inside it\n"
    "\n"
    "What the program reaches:\n"
    "      --net none|user|host|tap:INTERFACE\n"
    "                          the network: nothing (default), outwards through this host's\n"
    "                          sockets, the host's network as any program of its own, or an\n"
    "                          address of its own, with its own TCP/IP stack, at a tap interface\n"
    "  -p, --publish [IP:]HOST[-HOST]:GUEST[/udp]\n"
    "                          connect a port of the host to the program's port GUEST; with\n"
    "                          --net user, which it implies; may be repeated\n"
    "      --net-allow CIDR[:PORT], --net-block CIDR[:PORT]\n"
    "                          --net user: where it may send to; the last one that fits counts;\n"
    "                          with an allowed one, all others are blocked; may be repeated\n"
    "      --ip ADDRESS/PREFIX, --gateway ADDRESS, --dns ADDRESS, --mac ADDRESS\n"
    "                          --net tap: what is not to be asked for; --dns may be repeated,\n"
    "                          --ip and --gateway once for IPv4 and once for IPv6\n"
    "\n"
    "How it runs:\n"
    "      --vmm auto|kvm|qemu engine (default auto: KVM, else QEMU)\n"
    "      --rewrite auto|load|lazy|offline|off\n"
    "                          make system calls jumps: as the cache knows them, and what is\n"
    "                          made often (auto); all before they are made (load); what is made\n"
    "                          often (lazy); where hermit-rewrite did so (offline); never (off)\n"
    "      --strace[=LIST]     show system calls on stderr; LIST as in strace(1): openat,read,\n"
    "                          %file, %network, %memory, %process, %signal, %desc, %ipc, !read\n"
    "      --strace-output FILE    write them to FILE\n"
    "      --strace-strings N      show N bytes of strings (default 32)\n"
    "      --strace-times          show when calls were made and how long they took\n"
    "      --strace-summary        show counts, times and errors by call at the end\n"
    "      --check             do not run PROGRAM: say whether it would run, and which system\n"
    "                          calls it can reach; status 1 if it would certainly fail\n"
    "      --json              with --check: as JSON\n"
    "      --stats             show boot time, exits, memory and calls on stderr at the end\n"
    "      --no-aslr           fixed addresses\n"
    "  -q, --quiet             no notes, only errors\n"
    "      --verbose           say what is done, with the kernel's messages\n"
    "  -V, --version           show the version\n"
    "  -h, --help              show this text\n"
    "\n"
    "Options end at PROGRAM: what follows is the program's.  A PROGRAM without '/' is searched\n"
    "in PATH.  Exit status: the program's; 128+N if signal N ended it; 124 on --timeout; 125 if\n"
    "hermit-run failed; 126 if PROGRAM cannot be executed; 127 if it was not found.\n"
    "\n"
    "Examples:\n"
    "  hermit-run ./app --flag                     run ./app in a virtual machine\n"
    "  hermit-run busybox sh                       a shell, found in PATH\n"
    "  hermit-run -v data:/data:rw ./app /data     let it write in ./data\n"
    "  hermit-run -m 1G --timeout 30s ./app        bound memory and time\n"
    "  hermit-run -p 8080:80 ./server              let others reach its port 80 as port 8080\n"
    "  hermit-run --rootfs ./alpine /bin/ls -l /   run inside another root file system\n"
    "  hermit-run --strace=openat,read ./app       see what it opens and reads\n"
    "  hermit-run --check ./app                    would it run?\n";

static _Noreturn void print(const char *text, size_t len) {
    while (len) {
        ssize_t n = write(STDOUT_FILENO, text, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) die(EXIT_HERMIT, "standard output: %s", strerror(errno));
        text += n;
        len -= (size_t)n;
    }
    _exit(0);
}

void options_help(void) { print(help, sizeof(help) - 1); }

void options_version(void) {
    static const char version[] = "hermit-run " HERMIT_VERSION "\n";
    print(version, sizeof(version) - 1);
}
