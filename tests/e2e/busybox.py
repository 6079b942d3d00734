#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's static busybox: each applet invocation of busybox_cases.py, natively and under
hermit-run, in the same freshly made directory.  Output, exit status and what is left in the
directory must be the same."""
import argparse
import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), HERE]
import busybox_cases  # noqa: E402
import engine as engines  # noqa: E402

BUSYBOX = "/bin/busybox"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "TZ": "UTC", "LC_ALL": "C"}


def snapshot(top):
    """What a directory holds: names, kinds, modes, contents, and times that were set on purpose."""
    found = {}
    for folder, folders, names in os.walk(top):
        for name in sorted(folders + names):
            path = os.path.join(folder, name)
            st = os.lstat(path)
            entry = [stat.filemode(st.st_mode), st.st_nlink if stat.S_ISREG(st.st_mode) else 0]
            if stat.S_ISLNK(st.st_mode):
                entry.append(os.readlink(path))
            elif stat.S_ISREG(st.st_mode):
                with open(path, "rb") as f:
                    entry.append(hashlib.sha256(f.read()).hexdigest()[:16])
            if st.st_mtime < busybox_cases.FIXED_TIME + 1:
                entry.append(st.st_mtime)
            found[os.path.relpath(path, top)] = entry
    return found


class Suite:
    """Runs the cases in one directory that is made anew for each run."""

    def __init__(self, engine, directory, verbose):
        self.engine, self.verbose = engine, verbose
        self.directory = os.path.join(directory, "data")
        self.native = engines.Engine("native", "")
        self.failures, self.count = 0, 0

    def one_run(self, engine, line, stdin):
        shutil.rmtree(self.directory, ignore_errors=True)
        os.mkdir(self.directory)
        busybox_cases.prepare(self.directory)
        share = ["-v", f"{self.directory}:{self.directory}:rw"]
        o = engine.run([BUSYBOX, *shlex.split(line)], share, stdin=stdin, env=ENVIRONMENT,
                       cwd=self.directory)
        return {"status": o.status, "stdout": o.out, "stderr": o.err,
                "directory": snapshot(self.directory)}

    def report(self, name, want, got):
        """Compares two results; says what differs."""
        self.count += 1
        different = [k for k in want if want[k] != got[k]]
        if not different:
            if self.verbose:
                print(f"ok {name} [{want['status']}]")
            return
        self.failures += 1
        print(f"FAIL busybox {name}")
        for key in different:
            a, b = want[key], got[key]
            if isinstance(a, dict):
                a = {k: v for k, v in want[key].items() if got[key].get(k) != v}
                b = {k: v for k, v in got[key].items() if want[key].get(k) != v}
            print(f"  {key} native: {str(a)[:600]}\n  {key} hermit: {str(b)[:600]}")

    def case(self, line, stdin):
        want = self.one_run(self.native, line, stdin)
        got = self.one_run(self.engine, line, stdin)
        self.report(line, want, got)

    def closed_pipe(self):
        """`yes` into a reader that goes away ends with SIGPIPE."""
        def run(engine):
            with subprocess.Popen(engine.command([BUSYBOX, "yes", "word"]), env=ENVIRONMENT,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE) as p:
                head = p.stdout.read(50)
                p.stdout.close()
                err = p.stderr.read()
                status = p.wait(engines.TIMEOUT_SECONDS[engine.name])
            return {"status": status if status >= 0 else 128 - status, "stdout": head,
                    "stderr": err}

        self.report("yes | head (SIGPIPE)", run(self.native), run(self.engine))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    engines.add_arguments(parser)
    parser.add_argument("--only", metavar="TEXT", help="only command lines that contain TEXT")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth case")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    engine = engines.from_arguments(args)
    if not os.access(BUSYBOX, os.X_OK):
        print(f"SKIP: no {BUSYBOX}: install busybox-static")
        sys.exit(engines.SKIP)
    os.umask(0o022)
    cases = [c for c in busybox_cases.CASES if not args.only or args.only in c[0]][::args.every]
    with engines.work_directory() as directory:
        suite = Suite(engine, directory, args.verbose)
        for line, stdin in cases:
            suite.case(line, stdin)
        if not args.only:
            suite.closed_pipe()
    print(f"{suite.count} invocations under {engine.name}, {suite.failures} differ from native")
    sys.exit(1 if suite.failures else 0)


if __name__ == "__main__":
    main()
