# SPDX-License-Identifier: MIT
"""The figures that a person wants first: one table of a run, in every report and in README.md."""
import textwrap

from . import tables

# (what or None for the case's title, suite, case, metric, what it is compared with, variant)
ROWS = (
    ("a static hello, start to end", "boot", "hello", "wall_ns", "native", "hermit"),
    ("the same (left: the bare-VM floor)", "boot", "hello", "wall_ns", "floor", "hermit"),
    ("until its `main()` begins", "boot", "main", "to_main_ns", "native", "hermit"),
    ("`python3 -c pass`, start to end", "boot", "python", "wall_ns", "native", "hermit"),
    ("redis-server, until it accepts connections", "boot", "redis", "ready_ns", "native",
     "hermit"),
    ("peak resident memory of a hello, guest included", "memory", "peak", "rss_kib", "native",
     "hermit"),
    ("redis at rest, PSS, guest included", "memory", "redis", "pss_kib", "native", "hermit"),
    ("100 idle programs at the same time, PSS of each", "density", "start100", "each", "native",
     "hermit"),
    ("getppid, `--rewrite off`", "syscall", "null", "ns", "native", "hermit-plain"),
    ("getppid, as it is: the site becomes a jump", "syscall", "null", "ns", "native", "hermit"),
    ("two threads wait for each other: futex", "thread", "futex", "ns", "native", "hermit"),
    ("two threads wait for each other: pipe", "thread", "pipe", "ns", "native", "hermit"),
    ("two threads wait for each other: AF_UNIX", "thread", "unix", "ns", "native", "hermit"),
    ("two threads wait for each other: TCP", "thread", "tcp", "ns", "native", "hermit"),
    ("pthread_create and join, musl", "thread", "create", "ns", "native", "hermit"),
    ("pthread_create and join, glibc", "thread", "create-glibc", "ns", "native", "hermit"),
    ("epoll_wait, one descriptor ready", "thread", "epoll", "ns", "native", "hermit"),
    ("compute loop", "thread", "loop", "ns", "native", "hermit"),
    ("compute loop, a piece, `--cpus 2` (left: `--cpus 1`)", "thread", "parallel", "ns",
     "hermit, 1 CPU", "hermit, 2 CPUs"),
    ("mmap, touch, munmap of 4 KiB", "memory", "mmap4k", "ns", "native", "hermit"),
    ("mmap, touch, munmap of 2 MiB", "memory", "mmap2m", "ns", "native", "hermit"),
    ("mmap, touch, munmap of 256 MiB", "memory", "mmap256m", "ns", "native", "hermit"),
    (None, "file", "read", "ns", "native", "hermit"),
    (None, "file", "find", "wall_ns", "native", "hermit"),
    (None, "file", "ls", "wall_ns", "native", "hermit"),
    ("SQLite's speed test, in memory", "apps", "sqlite", "wall_ns", "native", "hermit"),
    ("SQLite's speed test, on a `:rw` volume", "apps", "sqlite-file", "wall_ns", "native",
     "hermit"),
    ("python3, arithmetic and calls", "apps", "python-numbers", "wall_ns", "native", "hermit"),
    ("gcc's compiler proper, `cc1 -O2`", "apps", "compile", "wall_ns", "native", "hermit"),
    ("redis behind a port, GET", "net", "redis", "get1", "native", "hermit"),
    ("redis behind a port, GET, 16 at a time", "net", "redis", "get16", "native", "hermit"),
    ("memcached behind a port, get", "net", "memcached", "rate", "native", "hermit"),
    ("nginx behind a port, 1 KiB, connections kept", "net", "nginx", "1k", "native", "hermit"),
    ("TCP ping-pong with the host", "net", "echo", "p50_ns", "native", "hermit"),
)
PEER = "runsc"
HEADINGS = ["median (p5–p95)", "native", "Hermit", "ratio", "gVisor"]


def figure(row):
    if not row:
        return ""
    value = f"{tables.number(row['median'])} {tables.unit(row)}"
    return value if row["counted"] else f"{value} ({tables.spread(row)})"


def rows(run):
    """[cells by HEADINGS] of what this run has measured."""
    by_key = {(r["suite"], r["case"], r["metric"], r["variant"]): r for r in run["rows"]}
    found = []
    for what, *key, base, variant in ROWS:
        ours = by_key.get((*key, variant))
        if not ours:
            continue
        left, peer = by_key.get((*key, base)), by_key.get((*key, PEER))
        ratio = tables.number(ours["median"] / left["median"]) if left and left["median"] else ""
        what = what or ours["title"]
        what += ", more is better" if ours["better"] == "higher" else ""
        same_work = base == "native"
        found.append([what, figure(left), figure(ours), ratio, figure(peer) if same_work else ""])
    return found


def conditions(run):
    """The sentence that figures must not go without."""
    machine, spread = run["machine"], "Medians, in brackets the 5th and the 95th percentile"
    kvm = {"software": "whose `/dev/kvm` is a *software* hypervisor, without VMX or SVM, where a "
                       "VM exit costs some thirty times what it does in hardware",
           "hardware": "with KVM in hardware", "none": "without KVM"}[machine["kvm"]]
    return (f"{spread}, of interleaved runs on {machine['cpus']} CPUs of {machine['cpu']}, {kvm}; "
            f"{run['date'].split()[0]}, up to {run['settings']['samples']} samples each.")


def disk_kib(run):
    """Size of hermit-run, the kernel inside; None if it was not looked at."""
    return next((r["median"] for r in run["rows"] if (r["suite"], r["case"], r["variant"]) ==
                 ("memory", "disk", "hermit")), None)


def markdown(run):
    """Lines: the conditions, the table."""
    yield from textwrap.wrap(conditions(run), 100, break_on_hyphens=False)
    yield ""
    yield "| " + " | ".join(HEADINGS) + " |"
    yield "|---|---:|---:|---:|---:|"
    for line in rows(run):
        yield "| " + " | ".join(line) + " |"
    yield ""
    size = disk_kib(run)
    if size:
        yield f"The executable with the kernel inside is {tables.number(size)} KiB."
        yield ""
