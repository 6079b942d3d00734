#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures hermit-run against native runs and against the bare-VM floor, interleaved.

Prints a Markdown table, or JSON with --json.  bench/README.md has the method.
"""
import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
RSS_SAMPLES = 3
TIMEOUT_S = 300


class Failure(Exception):
    """A command of a benchmark did not do its work."""


class Case:
    """One benchmark: the same work by several variants; the first is what ratios refer to."""

    def __init__(self, name, title, variants, unit="ms", metric=None, scale=1e-6, same=False,
                 prepare=None):
        self.name, self.title, self.variants = name, title, variants
        self.unit, self.metric, self.scale = unit, metric, scale
        self.same = same  # all variants must print the same
        self.prepare = prepare  # called before the first run


def measure(bench, mode, argv, capture):
    """One run: (what measure.c reports, standard output or None)."""
    read_fd, write_fd = os.pipe()
    try:
        p = subprocess.run([os.path.join(bench, "measure"), mode, str(write_fd), *argv],
                           stdin=subprocess.DEVNULL, pass_fds=[write_fd], check=False,
                           stdout=subprocess.PIPE if capture else subprocess.DEVNULL,
                           stderr=subprocess.PIPE, timeout=TIMEOUT_S)
        os.close(write_fd)
        write_fd = -1
        with os.fdopen(read_fd) as f:
            read_fd = -1
            report = f.read()
    except subprocess.TimeoutExpired as e:
        raise Failure(f"no end after {TIMEOUT_S} s: {' '.join(argv)}") from e
    finally:
        for fd in (read_fd, write_fd):
            if fd >= 0:
                os.close(fd)
    if p.returncode or not report:
        raise Failure(f"measure failed: {p.stderr.decode(errors='replace').strip()}")
    result = json.loads(report)
    if result["status"]:
        last = p.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise Failure(f"status {result['status']}: {' '.join(argv)} {' '.join(last)}".strip())
    return result, p.stdout


def percentile(values, p):
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(p / 100 * (len(ordered) - 1))))]


def check_same(bench, case):
    digests = {}
    for label, argv in case.variants:
        _, out = measure(bench, "time", argv, True)
        digests.setdefault(hashlib.sha256(out).hexdigest(), []).append((label, out.count(b"\n")))
    if len(digests) > 1:
        seen = "; ".join(f"{label}: {lines} lines" for v in digests.values() for label, lines in v)
        raise Failure("the variants print different things: " + seen)


def run_case(bench, case, samples, warmup):
    values = {label: [] for label, _ in case.variants}
    if case.same:
        check_same(bench, case)
    for i in range(warmup + samples):
        for label, argv in case.variants:  # A B A B: drift of the machine hits all alike
            result, out = measure(bench, "time", argv, case.metric is not None)
            value = json.loads(out)[case.metric] if case.metric else result["wall_ns"]
            if i >= warmup:
                values[label].append(value * case.scale)
    rows = []
    for label, argv in case.variants:
        rss = [measure(bench, "rss", argv, False)[0]["rss_kib"] for _ in range(RSS_SAMPLES)]
        v = values[label]
        rows.append({"benchmark": case.name, "title": case.title, "variant": label,
                     "unit": case.unit, "samples": len(v), "median": statistics.median(v),
                     "p5": percentile(v, 5), "p95": percentile(v, 95),
                     "rss_kib": max(rss)})
    for row in rows:
        row["ratio"] = row["median"] / rows[0]["median"]
    return rows


def getppid_variants(path, hermit, scratch, quick):
    """The same program natively and with its system call left alone, patched and rewritten."""
    few, many = ("30000", "300000") if quick else ("300000", "30000000")
    found = [("native", [path, few]), ("--rewrite off", [hermit, "--rewrite", "off", path, few]),
             ("--rewrite auto", [hermit, path, many])]
    rewrite = os.path.join(os.path.dirname(hermit), "hermit-rewrite")
    copy = os.path.join(scratch, "getppid")
    if os.path.exists(rewrite):
        subprocess.run([rewrite, "-o", copy, path], check=False, stderr=subprocess.DEVNULL)
    if os.path.exists(copy):
        found.append(("hermit-rewrite", [hermit, copy, many]))
    return found


def sqlite_cases(hermit, scratch, size):
    """SQLite's own speed test, on the host's libsqlite3; each variant has a database of its own,
    which the program makes anew."""
    program = os.path.join(scratch, "speedtest1")

    def prepare():
        p = subprocess.run([os.path.join(TOP, "scripts/fetch-source"), "sqlite3"], text=True,
                           capture_output=True, check=False)
        if p.returncode:
            raise Failure(p.stderr.strip())
        source = os.path.join(p.stdout.strip().splitlines()[-1], "test/speedtest1.c")
        p = subprocess.run(["cc", "-O2", "-o", program, source, "-lsqlite3"], text=True,
                           capture_output=True, check=False)
        if p.returncode:
            raise Failure("speedtest1 does not build (libsqlite3-dev?): " + p.stderr[-200:])

    def work(name):
        return [program, "--size", size, *([os.path.join(scratch, name)] if name else ["--memdb"])]

    options = [hermit, "-v", f"{scratch}:{scratch}:rw"]
    return [Case("sqlite", "SQLite's speed test, in memory",
                 [("native", work(None)), ("hermit-run", [*options, *work(None)])],
                 prepare=prepare),
            Case("sqlitefile", "SQLite's speed test, on a host file",
                 [("native", work("native.db")), ("hermit-run", [*options, *work("hermit.db")])],
                 prepare=prepare)]


def cases(bench, hermit, scratch, quick):
    def program(name):
        return os.path.join(bench, name)

    def pair(argv, *options):
        return [("native", argv), ("hermit-run", [hermit, *options, *argv])]

    found = [
        Case("boot", "hello, whole process",
             [("floor", [program("floor")]), ("hermit-run", [hermit, program("hello")]),
              ("native", [program("hello")])]),
        Case("getppid", "getppid", getppid_variants(program("getppid"), hermit, scratch, quick),
             unit="ns/call", metric="ns", scale=1),
        Case("getppid_musl", "getppid, Hermit's musl",
             pair([program("getppid_musl"), "300000" if quick else "3000000"]),
             unit="ns/call", metric="ns", scale=1),
        Case("loop", "compute loop",
             pair([program("loop"), "20000000" if quick else "100000000"]), metric="ns"),
    ]
    rounds = "2000" if quick else "20000"
    for what, title in (("futex", "futex ping-pong of two threads, round trip"),
                        ("pipe", "pipe ping-pong of two threads, round trip"),
                        ("create", "pthread create and join"),
                        ("epoll", "epoll_wait, one descriptor ready")):
        found.append(Case(what, title, pair([program("threads"), what, rounds]),
                          unit="us", metric="ns", scale=1e-3))
    work = [program("threads"), "parallel", "200" if quick else "2000"]
    found.append(Case("parallel", "compute loop, a worker a CPU",
                      [("hermit-run --cpus 1", [hermit, *work]),
                       ("hermit-run --cpus 2", [hermit, "--cpus", "2", *work])],
                      unit="us/piece", metric="ns", scale=1e-3))
    for size, rounds, title in (("4096", 20000, "4 KiB"), ("2097152", 200, "2 MiB"),
                                ("268435456", 2, "256 MiB")):
        rounds = str(max(1, rounds // 10) if quick else rounds)
        found.append(Case("mmap" + title.replace(" ", "").lower().removesuffix("ib"),
                          f"mmap, touch, munmap of {title}",
                          pair([program("mmap"), size, rounds], "-m", "512M"),
                          unit="us", metric="ns", scale=1e-3))
    python = "/usr/bin/python3"  # the distribution's, whatever comes first in PATH
    if os.access(python, os.X_OK):
        found.append(Case("python", "python3 -c pass, whole process",
                          pair([os.path.realpath(python), "-c", "pass"])))
    found += sqlite_cases(hermit, scratch, "2" if quick else "20")
    file_mib = 64 if quick else 1024
    path = os.path.join(scratch, "data")
    found.append(Case("readfile", f"read of a {file_mib} MiB file, 1 MiB a call",
                      pair([program("readfile"), path], "-v", scratch), metric="ns",
                      prepare=lambda: make_file(path, file_mib)))
    busybox = shutil.which("busybox")
    if busybox:
        tree = "/usr/share/doc" if quick else "/usr"
        for name, argv in (("find", ["find", tree]), ("ls", ["ls", "-lR", tree])):
            found.append(Case(name, "busybox " + " ".join(argv),
                              pair([os.path.realpath(busybox), *argv], "-v", "/usr"), same=True))
    return found


def make_file(path, mib):
    block = os.urandom(1 << 20)
    with open(path, "wb") as f:
        for _ in range(mib):
            f.write(block)


def number(value):
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def print_row(row):
    print(f"| {row['title']} | {row['variant']} | {number(row['median'])} {row['unit']} "
          f"| {number(row['p5'])}–{number(row['p95'])} | {row['ratio']:.2f} "
          f"| {row['rss_kib']} KiB | {row['samples']} |", flush=True)


def parse_args():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--hermit-run", default=os.path.join(TOP, "build/bin/hermit-run"),
                   metavar="PATH", help="default: build/bin/hermit-run")
    p.add_argument("--programs", metavar="DIR",
                   help="where the benchmark programs are (default: ../bench of hermit-run's)")
    p.add_argument("--only", action="append", metavar="NAME",
                   help="the name of a benchmark, as in README.md; repeatable")
    p.add_argument("--samples", type=int, default=20, metavar="N", help="per variant, default 20")
    p.add_argument("--quick", action="store_true", help="5 samples of smaller work: a smoke test")
    p.add_argument("--scratch", metavar="DIR",
                   help="where the file to read is made (default: the programs' directory)")
    p.add_argument("--json", action="store_true")
    return p.parse_args()


def main():
    args = parse_args()
    hermit = os.path.abspath(args.hermit_run)
    bench = os.path.abspath(args.programs or os.path.join(os.path.dirname(hermit), "../bench"))
    for path in (hermit, os.path.join(bench, "measure")):
        if not os.access(path, os.X_OK):
            sys.exit(f"bench/run.py: {path}: not there; build first (cmake --build build)")
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("skipped: no access to /dev/kvm")
        sys.exit(77)
    samples = 5 if args.quick else args.samples
    rows, failures = [], []
    with tempfile.TemporaryDirectory(dir=args.scratch or bench, prefix="scratch-") as scratch:
        todo = cases(bench, hermit, scratch, args.quick)
        unknown = set(args.only or []) - {c.name for c in todo}
        if unknown:
            sys.exit(f"bench/run.py: no such benchmark: {', '.join(sorted(unknown))}")
        if not args.json:
            print("| benchmark | variant | median | p5–p95 | ratio | peak RSS | samples |")
            print("|---|---|---|---|---|---|---|", flush=True)
        for case in todo:
            if args.only and case.name not in args.only:
                continue
            try:
                if case.prepare:
                    case.prepare()
                found = run_case(bench, case, samples, warmup=1 if args.quick else 3)
            except Failure as e:
                failures.append(f"{case.name}: {e}")
                continue
            rows += found
            if not args.json:
                for row in found:
                    print_row(row)
    if args.json:
        json.dump({"rows": rows, "failures": failures}, sys.stdout, indent=1)
        print()
    for failure in failures:
        print("bench/run.py: " + failure, file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
