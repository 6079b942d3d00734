# SPDX-License-Identifier: MIT
"""What others in the field have published, beside what this run measured.

A claim is a figure of its source, on its authors' machine.  Ours is a row of this run; where that
row is not there, nothing is said.
"""
from . import tables

# (system, source, what is claimed, suite, case, metric, variant, remark)
CLAIMS = (
    ("HermiTux", "Olivier et al., VEE 2019, and the project's announcement",
     "boots a program in at most 0.1 s", "boot", "hello", "wall_ns", "hermit",
     "theirs: KVM in hardware, until the program runs; ours: the whole process, to its end"),
    ("HermiTux", "the same", "about 9 MB of memory, a tenth of a Linux VM", "memory", "peak",
     "rss_kib", "hermit",
     "ours: peak resident memory of hermit-run with the guest in it"),
    ("Unikraft", "Kuenzer et al., EuroSys 2021", "2–7 MB of memory to run hello, nginx, redis, "
     "SQLite", "memory", "redis", "pss_kib", "hermit",
     "theirs: the least guest memory that works; ours: PSS of redis at rest, the VMM included"),
    ("Unikraft", "the same", "84 cycles for a system call of an unmodified binary", "syscall",
     "null", "cycles", "hermit",
     "ours: cycles of the time-stamp counter for getppid, its site turned into a jump at run time"),
    ("Unikraft", "the same", "boots in 3–40 ms, the VMM included", "boot", "hello", "wall_ns",
     "hermit", "theirs: by VMM, on KVM in hardware"),
    ("Firecracker", "Agache et al., NSDI 2020", "at most 125 ms from the start to user code of "
     "the guest", "boot", "hello", "first_ns", "hermit",
     "theirs: a whole Linux with its init, KVM in hardware"),
    ("UKL", "Raza et al., EuroSys 2023", "redis 1.26 × Linux", "net", "redis", "get1", "hermit",
     "theirs: redis linked into the kernel, two machines on a fast network; ours: unmodified, a "
     "published port, the client on the same machine; the ratio is to native"),
    ("UKL", "as it is quoted of their work", "memcached up to 3 × Linux", "net", "memcached",
     "rate", "hermit", "not comparable as above; the ratio is to native"),
)
HEADINGS = ["system", "their figure", "here", "spread", "source and how it was measured"]


def rows(run):
    """[(system, their figure, ours, spread, remark)]"""
    by_key = {(r["suite"], r["case"], r["metric"], r["variant"]): r for r in run["rows"]}
    found = []
    for system, source, figure, *key, remark in CLAIMS:
        row = by_key.get(tuple(key))
        if row:
            ours = f"{tables.number(row['median'])} {tables.unit(row)}"
            if row["suite"] == "net" and row.get("ratio"):
                ours += f", {tables.number(row['ratio'])} × native"
        else:
            ours = "not in this run"
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
