#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What hermit-rewrite makes of the ELF files of a machine: survey.py HERMIT_REWRITE DIR...

Runs it with --dry-run --verify over every file and prints a summary in Markdown.  That a site is an
instruction is then judged by others: readelf says where the function around it begins, by its
unwinding record or by a symbol, and objdump has to find `syscall` there, decoding from that place.
Status 1 if a site that would be rewritten is contradicted, or --verify objects."""
import bisect
import json
import os
import re
import subprocess
import sys
import tempfile

TIERS = ("previous", "window", "hole")


def output(*args):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          errors="replace", check=False).stdout


def elf_files(roots, skipped):
    seen = set()
    for root in roots:
        for directory, names, files in os.walk(root):
            names[:] = sorted(n for n in names if os.path.join(directory, n) not in skipped)
            for name in sorted(files):
                path = os.path.join(directory, name)
                if os.path.islink(path) or not os.path.isfile(path):
                    continue
                with open(path, "rb") as f:
                    head = f.read(20)
                identity = os.stat(path).st_dev, os.stat(path).st_ino
                # 64 bits, for x86-64, a program or a library
                if (head[:5] == b"\x7fELF\x02" and head[16:20] in (b"\2\0>\0", b"\3\0>\0") and
                        identity not in seen):
                    seen.add(identity)
                    yield path


class Others:
    """What binutils say about a file's functions and instructions."""

    def __init__(self, path):
        self.path = path
        self.ranges = []  # (start, end) of functions
        for text in re.findall(r"FDE.* pc=([0-9a-f]+\.\.[0-9a-f]+)",
                               output("readelf", "--debug-dump=frames", path)):
            self.ranges.append(tuple(int(x, 16) for x in text.split("..")))
        for text in re.findall(r"^ *\d+: ([0-9a-f]+) +(\d+|0x[0-9a-f]+) FUNC",
                               output("readelf", "-sW", path), re.M):
            self.ranges.append((int(text[0], 16), int(text[0], 16) + int(text[1], 0)))
        self.ranges.sort()
        self.starts = [r[0] for r in self.ranges]
        self.decoded = {}

    def function(self, addr):
        """The start of the innermost function around addr; None: nobody says."""
        i = bisect.bisect_right(self.starts, addr) - 1
        while i >= 0 and addr - self.starts[i] < 1 << 20:
            if addr < self.ranges[i][1]:
                return self.starts[i]
            i -= 1
        return None

    def is_syscall(self, addr):
        """True, False, or None: nobody says where to begin."""
        start = self.function(addr)
        if start is None:
            return None
        if start not in self.decoded or self.decoded[start][0] <= addr:
            text = output("objdump", "-d", "--no-show-raw-insn", f"--start-address={start}",
                          f"--stop-address={addr + 2 + 256}", self.path)
            self.decoded[start] = (addr + 240, {
                int(m[0], 16) for m in re.findall(r"^ *([0-9a-f]+):\t *syscall *$", text, re.M)})
        return addr in self.decoded[start][1]


def survey(program, path, work):
    report = os.path.join(work, "report.json")
    p = subprocess.run([program, "--dry-run", "--verify", "--report", report, path], check=False,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with open(report, encoding="utf-8") as f:
        return p.returncode, p.stderr.strip(), (json.load(f) or [None])[0]


def main():
    program, *roots = sys.argv[1:]
    skipped = {r[1:] for r in roots if r.startswith("-")}
    total = {"files": 0, "with sites": 0, "suspicious": 0}
    counts, refused, left, wrong, unknown = {}, {}, {}, [], []
    with tempfile.TemporaryDirectory(prefix="hermit-survey-") as work:
        for path in elf_files([r for r in roots if not r.startswith("-")], skipped):
            status, said, report = survey(program, path, work)
            total["files"] += 1
            if status not in (0, 2) or report is None:
                reason = said.rsplit(": ", 1)[-1] or f"status {status}"
                refused[reason] = refused.get(reason, 0) + 1
                if "verify" in said or status not in (0, 2, 3):
                    wrong.append(f"{path}: {said or status}")
                continue
            total["suspicious"] += len(report["suspicious"])
            for kind, n in report["totals"].items():
                counts[kind] = counts.get(kind, 0) + n
            sites = [s for s in report["sites"] if s["tier"] in TIERS]
            total["with sites"] += bool(report["sites"])
            others = Others(path) if sites else None
            for site in report["sites"]:
                if site["tier"] not in TIERS:
                    left.setdefault(site["why"], []).append(path)
                    continue
                said = others.is_syscall(int(site["address"], 16))
                place = f"{path} {site['address']} {site['function'] or ''}".strip()
                if said is None:
                    unknown.append(place)
                elif not said:
                    wrong.append(f"{place}: objdump finds no syscall")
    print(f"{total['files']} files, {total['with sites']} with sites; "
          f"{counts.get('proven', 0)} sites proven; rewritten: "
          + ", ".join(f"{t} {counts.get(t, 0)}" for t in TIERS)
          + f"; {total['suspicious']} other `0f 05` are parts of instructions or data.\n")
    print("| left or refused | count | files |\n|---|---|---|")
    for why, paths in sorted(left.items()):
        print(f"| {why} | {len(paths)} | {len(set(paths))} |")
    for why, n in sorted(refused.items()):
        print(f"| refused: {why} | | {n} |")
    print(f"\nObjdump contradicts or the verifier objects: {len(wrong)}; nobody says where the "
          f"function begins: {len(unknown)}.")
    for line in wrong + [f"(unknown) {u}" for u in unknown]:
        print("   ", line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
