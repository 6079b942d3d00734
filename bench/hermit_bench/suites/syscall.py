# SPDX-License-Identifier: MIT
"""What a system call costs, by the ways that a program can make it."""
import os
import shutil
import subprocess

from ..model import CPU, WALL, Case, Metric, Variant, Work

CALLS = {"getppid": "getppid", "getuid": "getuid", "lseek": "lseek", "fcntl": "fcntl F_GETFD",
         "write_null": "write of a byte to /dev/null", "read_zero": "read of a byte of /dev/zero",
         "pread": "pread of 64 bytes of a file", "fstat": "fstat", "stat": "stat",
         "sigprocmask": "sigprocmask", "futex_wake": "futex wake, nobody waits",
         "clock_vdso": "clock_gettime (vDSO)", "clock_syscall": "clock_gettime (system call)",
         "pipe": "a byte through a pipe", "open_read_close": "open, read, close in memory",
         "mmap": "mmap and munmap of a page"}


def rewritten(ctx, name):
    """The program after hermit-rewrite; None where that is not built or leaves it alone."""
    rewrite = os.path.join(os.path.dirname(ctx.env.hermit), "hermit-rewrite")
    copy = ctx.scratch(name + "-rewritten")
    if os.path.exists(rewrite):
        subprocess.run([rewrite, "-o", copy, ctx.program(name)], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return copy if os.path.exists(copy) else None


def extra(ctx, name, arguments):
    """Variants beside the peers': rewritten offline, and linked with Hermit's musl."""
    peer, found = ctx.peer("hermit"), []
    if not peer:
        return found
    copy = rewritten(ctx, name)
    if copy:
        found.append(("hermit-offline", copy))
    if os.path.exists(ctx.program(name + "_musl")):
        found.append(("hermit-musl", ctx.program(name + "_musl")))
    return [Variant(label, ctx.sampler(peer, Work([path, *arguments]), json_out=True), "hermit")
            for label, path in found]


def count(ctx, peer):
    """Fewer rounds where a call is slow."""
    n = ctx.pick(10000, 200000)
    return str(n // 20 if peer.slow_calls else n // 2 if peer.name == "hermit-plain" else n)


def cases(ctx):
    many = ctx.pick("300000", "3000000")
    null = Case("syscall", "null", "null system call (getppid)",
                [Metric("cycles", "cycles a call", "cycles", 1),
                 Metric("ns", "time a call", "ns", 1)], [])
    null.variants = ctx.variants(
        "syscall/null", lambda peer: Work([ctx.program("getppid"), count(ctx, peer)
                                           if peer.name != "hermit" else many]), json_out=True)
    null.variants += extra(ctx, "getppid", [many])
    ms = ctx.pick("3", "20")  # for each call
    calls = Case("syscall", "calls", "system calls by their libc functions",
                 [Metric(key, title, "ns", 1) for key, title in CALLS.items()], [], kind="dots")
    calls.variants = ctx.variants(
        "syscall/calls", lambda peer: Work([ctx.program("calls"), directory(peer), ms]),
        json_out=True)
    peer = ctx.peer("hermit")
    if peer:
        calls.variants += extra(ctx, "calls", ["/tmp", ms])
    return [null, calls, *dd(ctx)]


def dd(ctx):
    """A program that does nothing but system calls: two for each byte."""
    busybox = shutil.which("busybox", path="/bin:/usr/bin")
    if not busybox:
        ctx.notes.append(("syscall/dd", "all", "no busybox (Debian: busybox-static)"))
        return
    n = ctx.pick(20000, 500000)
    work = Work([busybox, "dd", "if=/dev/zero", "of=/dev/null", "bs=1", f"count={n}"])
    fast = [p.name for p in ctx.peers if not p.slow_calls]
    yield Case("syscall", "dd", f"busybox dd bs=1 count={n}", [WALL, CPU],
               ctx.variants("syscall/dd", work, only=fast))


def directory(peer):
    """One whose files are in memory."""
    return "/dev/shm" if peer.name == "native" else "/tmp"
