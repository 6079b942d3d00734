# SPDX-License-Identifier: MIT
"""What others in the field have published, beside what this run measured.

A claim is a figure of its source, on its authors' machine.  Ours is a row of this run; where that
row is not there, nothing is said.
"""
from . import tables

VEE19 = "Olivier et al., VEE 2019; as reported with its release"
EUROSYS21 = "Kuenzer et al., EuroSys 2021"
EUROSYS23 = "Raza et al., EuroSys 2023"
NSDI20 = "Agache et al., NSDI 2020, and Firecracker's SPECIFICATION.md"

# (system, source, what is claimed, suite, case, metric, variant, compared with, remark)
CLAIMS = (
    ("HermiTux", VEE19, "boots a program in at most 0.1 s", "boot", "hello", "wall_ns", "hermit",
     None, "theirs: KVM in hardware, until the program runs; ours: start to end of the process"),
    ("HermiTux", VEE19, "9 MB of memory", "memory", "peak", "rss_kib", "hermit", None,
     "theirs: a virtual machine with a small program; ours: the peak of hermit-run with the guest "
     "in it, page by page"),
    ("HermiTux", VEE19, "a tenth of a Linux guest's memory", "memory", "rest", "pss_kib",
     "hermit", "linux-microvm",
     "theirs: a distribution in a virtual machine; ours: a program at rest against QEMU with a "
     "bare Linux and the same program, PSS of both"),
    ("Unikraft", EUROSYS21, "84 cycles for a system call of an unmodified binary", "syscall",
     "null", "cycles", "hermit", None,
     "theirs: a call that does nothing, trapped and translated at run time (Linux: 222 cycles); "
     "ours: getppid, by the time-stamp counter, its site turned into a jump"),
    ("Unikraft", EUROSYS21, "the same", "syscall", "null", "cycles", "hermit-plain", None,
     "ours with the instruction left as it is (`--rewrite off`)"),
    ("Unikraft", EUROSYS21, "2–7 MB of memory to run hello, nginx, redis, SQLite", "memory",
     "redis", "pss_kib", "hermit", None,
     "theirs: the least guest memory that works; ours: PSS of redis at rest, the VMM included"),
    ("Unikraft", EUROSYS21, "boots in 3–40 ms, the VMM included", "boot", "hello", "wall_ns",
     "hermit", None, "theirs: by VMM, KVM in hardware, until main(); ours: start to end"),
    ("Unikraft", EUROSYS21, "nginx, redis, SQLite 1.7–2.7 × a Linux guest", "apps", "sqlite",
     "wall_ns", "hermit", "native",
     "not the same question: theirs are built for it and run against Linux in a virtual machine; "
     "ours: SQLite unmodified, time as a multiple of a native process's"),
    ("Firecracker", NSDI20, "at most 125 ms from the start to user code of the guest", "boot",
     "main", "to_main_ns", "hermit", None,
     "theirs: a whole Linux to its init, KVM in hardware, serial console off; ours: to main() of "
     "the program"),
    ("Firecracker", NSDI20, "at most 5 MiB of overhead a virtual machine", "memory", "rest",
     "pss_kib", "hermit", None,
     "theirs: the VMM alone, without the guest's memory; ours: VMM, kernel and program together"),
    ("Firecracker", NSDI20, "150 virtual machines a second on one host", "density", "start100",
     "all_ns", "hermit", None,
     "theirs: a host with many cores; ours: until 100 programs that were started at the same time "
     "are all up"),
    ("UKL", EUROSYS23, "redis 1.26 × Linux", "net", "redis", "get1", "hermit", "native",
     "theirs: redis linked into the kernel and changed for it, two machines on a fast network; "
     "ours: unmodified, GET behind a published port, the client on the same CPUs"),
    ("UKL", "as the field quotes it; not in the abstract of the paper", "memcached 3 × Linux",
     "net", "memcached", "rate", "hermit", "native", "ours: as for redis"),
)
HEADINGS = ["system", "their figure", "here", "spread", "source and how it was measured"]


def rows(run):
    """[(system, their figure, ours, spread, remark)]"""
    by_key = {(r["suite"], r["case"], r["metric"], r["variant"]): r for r in run["rows"]}
    found = []
    for system, source, figure, *key, base, remark in CLAIMS:
        row, to = by_key.get(tuple(key)), by_key.get((*key[:3], base))
        if row and (to or not base):
            ours = f"{tables.number(row['median'])} {tables.unit(row)}"
            if to:
                ours += f", {tables.number(row['median'] / to['median'])} × {base}"
        else:
            row, ours = None, "not in this run"
        found.append((system, figure, ours, tables.spread(row) if row else "",
                      f"{source}; {remark}"))
    return found


def caveat(run):
    kvm = run["machine"]["kvm"]
    if kvm == "software":
        return ("This machine has KVM in software only, where a VM exit costs about thirty times "
                "what it does in hardware; their machines have it in hardware. None of the pairs "
                "below is a race on the same track.")
    return ("Their figures are of their machines. None of the pairs below is a race on the same "
            "track.")


def markdown(run):
    yield "## What the field claims"
    yield ""
    yield caveat(run)
    yield ""
    yield "| " + " | ".join(HEADINGS) + " |"
    yield "|---|---|---:|---:|---|"
    for line in rows(run):
        yield "| " + " | ".join(line) + " |"
    yield ""
