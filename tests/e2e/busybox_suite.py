#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The test suite of busybox's Debian source package on Debian's static busybox, natively and with
a wrapper that starts every applet under hermit-run.

The suite's own shell scripts run natively; each `busybox APPLET ...` and each link to it goes
through the wrapper, in a copy of the suite that is shared read-write.  Without --full only the
applets of QUICK run.  --write-docs renews docs/BUSYBOX_SUITE.md from a full run.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, os.path.join(HERE, ".."))
import engine as engines  # noqa: E402

BUSYBOX = "/bin/busybox"
QUICK = ["cat", "cmp", "cut", "expr", "factor", "fold", "head", "hexdump", "md5sum", "nl", "od",
         "paste", "printf", "rev", "sum", "tail", "tr", "uniq", "wc"]
# They need other machines, root's devices, or the source tree.
LEFT_OUT = {"all_sourcecode", "wget", "mdev", "mount", "mkfs.minix", "makedevs",
            "start-stop-daemon", "pidof", "hostid", "hostname"}
RESULT = re.compile(r"^(PASS|FAIL|SKIPPED|UNTESTED): (.*)$")
ADDRESS = re.compile(r"0x[0-9a-f]+")
DOCS = os.path.join(TOP, "docs", "BUSYBOX_SUITE.md")

# Why a case that passes natively does not pass here, by what the program or the kernel said.
REASONS = [
    (re.compile(r"can't (v)?fork|vfork|fork: (Function|Resource)"), "needs fork"),
    (re.compile(r"kernel panic"), "kernel panic"),
    (re.compile(r"program died: (SIG\w+)"), "crash"),
    (re.compile(r"stopped: the time given"), "does not end"),
    (re.compile(r"/proc/|/sys/"), "needs /proc"),
    (re.compile(r"can't open '/(dev|etc|usr)/|(/dev|/etc|/usr)/[^:]*: No such file"),
     "needs a host file that is not shared"),
    (re.compile(r"Function not implemented"), "needs a call that is missing"),
]


def fail(message):
    sys.exit(f"FAIL: {message}")


class Suite:
    """A private copy of the suite, with a program named busybox of our choice."""

    def __init__(self, source, directory, engine):
        self.engine = engine
        self.top = os.path.join(directory, engine.name)
        self.suite = os.path.join(self.top, "testsuite")
        self.bin = os.path.join(self.top, "bin")
        shutil.copytree(os.path.join(source, "testsuite"), self.suite, symlinks=True)
        shutil.copytree(os.path.join(source, "scripts"), os.path.join(self.top, "scripts"))
        os.makedirs(self.bin)
        shutil.copy(os.path.join(directory, "config", ".config"), self.bin)
        with open(os.path.join(self.bin, "busybox"), "w", encoding="utf-8") as f:
            f.write(self.wrapper())
        os.chmod(os.path.join(self.bin, "busybox"), 0o755)

    def wrapper(self):
        """A script that starts one applet."""
        command = BUSYBOX
        if self.engine.name != "native":
            options = ["--quiet", "--timeout", "60s", "-v", f"{self.top}:{self.top}:rw"]
            command = " ".join(self.engine.command([BUSYBOX], options))
        return ("#!/bin/sh\nname=${0##*/}\n"
                f'[ "$name" = busybox ] && exec {command} "$@"\nexec {command} "$name" "$@"\n')

    def run(self, applet, timeout):
        """Results of one applet: [(case, PASS|FAIL|SKIPPED|UNTESTED, what was printed)]."""
        env = {"PATH": "/usr/bin:/bin", "HOME": self.suite, "LC_ALL": "C", "SHELL": "/bin/sh",
               "bindir": self.bin, "tsdir": self.suite, "TMPDIR": self.suite}
        with tempfile.TemporaryFile() as out:
            with subprocess.Popen(["/bin/sh", "./runtest", "-v", applet], cwd=self.suite, env=env,
                                  stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                  start_new_session=True) as p:
                try:
                    p.wait(timeout)
                except subprocess.TimeoutExpired:
                    os.killpg(p.pid, 9)
                    print(f"{applet}: the suite did not end within {timeout} s under "
                          f"{self.engine.name}")
            out.seek(0)
            return parse(out.read().decode(errors="replace"))


def parse(text):
    """The result lines with the lines around them."""
    results, before = [], []
    for line in text.splitlines():
        m = RESULT.match(line)
        if m:
            results.append([m.group(2), m.group(1), before])
            before = []
        elif line.startswith("====="):  # the next case begins; what came since is the last one's
            if results:
                results[-1][2] += before
            before = []
        else:
            before.append(line)
    if results:
        results[-1][2] += before
    return [(name, verdict, "\n".join(lines)) for name, verdict, lines in results]


def applets(source):
    """Names with tests, sorted."""
    suite = os.path.join(source, "testsuite")
    found = {n[:-6] for n in os.listdir(suite) if n.endswith(".tests")}
    found |= {n for n in os.listdir(suite)
              if os.path.isdir(os.path.join(suite, n)) and not n.endswith("_test")}
    p = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True)
    built = set(p.stdout.split()) | {"busybox"}
    return sorted((found & built) - LEFT_OUT)

# Causes that were looked up where the output does not tell: the case's set-up or its pipe line.
LOOKED_UP = {
    "awk 'gcc build bug'": "needs fork (its input is unpacked by tar, which forks bunzip2)",
    "awk \"cmd\" | getline": "needs fork",
    "tar-handles-cz-options": "needs fork (tar forks gzip)",
    "tar Empty file is not a tarball.tar.gz": "needs fork (tar forks gunzip)",
    "zcat: dont delete gz src": "needs fork",
    "zcat: dont delete bz2 src": "needs fork",
    "xargs-works": "needs fork",
    "taskset (set_aff, needs CAP_SYS_NICE)": "needs fork",
    "which-uses-default-path": "looks for a host program that is not shared",
    "bc parsing of numbers": "too slow: three million one-line writes, a call to the host each",
}


def configure(source, directory):
    """The suite asks a .config which features there are: busybox's default one."""
    target = os.path.join(directory, "config")
    os.makedirs(target)
    p = subprocess.run(["make", "-C", source, f"O={target}", "defconfig"], capture_output=True,
                       check=False)
    if p.returncode:
        fail("make defconfig: " + p.stderr.decode(errors="replace")[-500:])


def why_not(name, text):
    """The reason in a few words."""
    if name in LOOKED_UP:
        return LOOKED_UP[name]
    for pattern, reason in REASONS:
        m = pattern.search(text)
        if m:
            return f"{reason} ({m.group(1)})" if reason == "crash" else reason
    return "output differs"


def run_all(names, native, guest, timeout):
    """[(applet, case, native verdict, guest verdict, reason)]; cases in the suite's order."""
    rows = []
    for applet in names:
        want = native.run(applet, timeout)
        got = {}
        for name, verdict, text in guest.run(applet, timeout):
            got.setdefault(name, []).append((verdict, text))
        for name, verdict, _ in want:
            here, text = got[name].pop(0) if got.get(name) else ("not reached", "")
            reason = "" if here == verdict or verdict != "PASS" else why_not(name, text)
            rows.append((applet, ADDRESS.sub("0x...", name), verdict, here, reason))
        passed = sum(r[3] == "PASS" for r in rows if r[0] == applet)
        print(f"{applet}: {passed} of {sum(r[2] == 'PASS' for r in rows if r[0] == applet)}",
              flush=True)
    return rows


def cell(text):
    return text.replace("|", "\\|").replace("`", "'").strip()


def write_docs(rows, source):
    """The table of docs/."""
    passes = [r for r in rows if r[2] == "PASS"]
    here = [r for r in passes if r[3] == "PASS"]
    reasons = {}
    for r in passes:
        if r[3] != "PASS":
            reasons[r[4]] = reasons.get(r[4], 0) + 1
    lines = [
        "# The busybox test suite under hermit-run", "",
        "Generated by `tests/e2e/busybox_suite.py --full --write-docs`; do not edit.", "",
        f"Suite: {os.path.basename(source)}; program: Debian's busybox-static. Each applet that a",
        "case starts runs in a virtual machine of its own. Cases that the suite itself skips",
        "(feature not configured) are not counted.", "",
        f"- cases that pass natively: {len(passes)}",
        f"- of these, pass under hermit-run: {len(here)}",
    ]
    lines += [f"- {reason}: {n}" for reason, n in sorted(reasons.items(), key=lambda x: -x[1])]
    lines += ["", "## By applet", "", "| applet | native | hermit-run |", "|---|---|---|"]
    for applet in sorted({r[0] for r in passes}):
        mine = [r for r in passes if r[0] == applet]
        lines.append(f"| {applet} | {len(mine)} | {sum(r[3] == 'PASS' for r in mine)} |")
    lines += ["", "## Cases that differ from native, or fail natively", "",
              "| applet | case | native | hermit-run | why not |", "|---|---|---|---|---|"]
    for applet, name, native, guest, reason in rows:
        if native == "FAIL" or native != guest:
            lines.append(f"| {applet} | {cell(name)} | {native} | {guest} | {reason} |")
    with open(DOCS, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    engines.add_arguments(parser)
    parser.add_argument("--full", action="store_true", help="all applets, not only the quick ones")
    parser.add_argument("--write-docs", action="store_true", help="renew docs/BUSYBOX_SUITE.md")
    parser.add_argument("--applet", action="append", help="only this one (repeatable)")
    args = parser.parse_args()
    if args.write_docs and not args.full:
        parser.error("--write-docs needs --full")
    engine = engines.from_arguments(args)
    if not os.access(BUSYBOX, os.X_OK) or not shutil.which("make") or not shutil.which("gcc"):
        print("SKIP: needs busybox-static, make and gcc")
        sys.exit(engines.SKIP)
    p = subprocess.run([os.path.join(TOP, "scripts/fetch-source"), "busybox"], text=True,
                       capture_output=True, check=False)
    if p.returncode:
        print(f"SKIP: {p.stderr.strip()}")
        sys.exit(engines.SKIP)
    source = p.stdout.strip().splitlines()[-1]
    os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix="hermit-suite-") as directory:
        configure(source, directory)
        guest_directory = os.path.join(directory, "guest")
        os.makedirs(guest_directory)
        os.symlink("../config", os.path.join(guest_directory, "config"))
        native = Suite(source, directory, engines.Engine("native", ""))
        guest = Suite(source, guest_directory, engine)
        names = args.applet or [a for a in applets(source) if args.full or a in QUICK]
        rows = run_all(names, native, guest, 1200 if engine.name == "qemu" else 300)
    bad = [r for r in rows if r[2] == "PASS" and r[3] != "PASS"]
    for applet, name, _, guest_verdict, reason in bad:
        print(f"{guest_verdict} {applet}: {name}: {reason}")
    passes = sum(r[2] == "PASS" for r in rows)
    print(f"{passes} cases pass natively, {passes - len(bad)} of them under {engine.name}")
    if args.write_docs:
        write_docs(rows, source)
    # Only a full run may miss cases: what needs fork is known and stands in the table.
    sys.exit(1 if passes == 0 or (bad and not args.full) else 0)


if __name__ == "__main__":
    main()
