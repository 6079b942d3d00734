#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Locks on a writable share hold between two guests and a process of the host; SQLite agrees."""
import argparse
import fcntl
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import engine as engines  # noqa: E402

TIMES = 100
ROUNDS = 20


class Tester:
    """A directory that guests and the host share."""

    def __init__(self, engine, programs, directory):
        self.engine, self.directory, self.failures = engine, directory, 0
        self.native = engines.Engine("native", "")
        self.program = os.path.join(os.path.abspath(programs), "file_locks.glibc")

    def start(self, engine, argv, stdin=None):
        """Starts argv under the engine."""
        command = engine.command(argv, ["-v", f"{self.directory}:{self.directory}:rw"])
        return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    def expect(self, good, what):
        """Counts and shows a failure."""
        if not good:
            self.failures += 1
            print(f"FAIL: {what}")

    def everywhere(self, argv, stdin=None):
        """Runs argv in two guests and natively at the same time; all must succeed."""
        runs = [self.start(e, argv, subprocess.PIPE if stdin else None)
                for e in (self.engine, self.engine, self.native)]
        for run in runs:
            if stdin:
                run.stdin.write(stdin)
                run.stdin.close()
                run.stdin = None
        for run in runs:
            out = run.communicate()[0]
            self.expect(run.returncode == 0, f"{argv}: status {run.returncode}: {out}")

    def count(self, how):
        """Three processes add to one number."""
        path = os.path.join(self.directory, how)
        with open(path, "w", encoding="ascii") as f:
            f.write("0")
        self.everywhere([self.program, "count", path, how, str(TIMES)])
        with open(path, encoding="ascii") as f:
            got = f.read()
        self.expect(got == str(3 * TIMES), f"{how}: counted to {got}, want {3 * TIMES}")

    def attempt(self, path, how):
        """What a guest finds when it tries to lock path."""
        return self.start(self.engine, [self.program, "try", path, how]).communicate()[0].decode()

    def held_by_host(self):
        """A lock of the host's is seen, and its kind matters."""
        path = os.path.join(self.directory, "held")
        with open(path, "w+", encoding="ascii") as f:
            fcntl.lockf(f, fcntl.LOCK_EX)
            for how in ("posix", "ofd"):
                self.expect(self.attempt(path, how) == "held 1\n", f"{how}: not held")
            self.expect(self.attempt(path, "flock") == "free\n", "flock: held by lockf")
            fcntl.lockf(f, fcntl.LOCK_UN)
            fcntl.flock(f, fcntl.LOCK_EX)
            self.expect(self.attempt(path, "flock") == "held 0\n", "flock: not held")
            self.expect(self.attempt(path, "posix") == "free\n", "posix: held by flock")

    def sqlite(self, mode):
        """Three processes insert into one database."""
        shell = "/usr/bin/sqlite3"
        if not os.access(shell, os.X_OK):
            print("sqlite3 is not installed")
            return
        path = os.path.join(self.directory, f"{mode}.db")
        setup = f"PRAGMA journal_mode={mode}; CREATE TABLE t(x);"
        subprocess.run([shell, path, setup], check=True, stdout=subprocess.DEVNULL)
        insert = "INSERT INTO t VALUES(1);\n" * ROUNDS
        self.everywhere([shell, "-bail", path], f".timeout 40000\n{insert}".encode())
        query = "SELECT count(*) FROM t; PRAGMA integrity_check;"
        done = subprocess.run([shell, path, query], check=False, capture_output=True)
        self.expect(done.stdout == f"{3 * ROUNDS}\nok\n".encode(), f"{mode}: {done.stdout}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, help="directory of the behaviour tests")
    engines.add_arguments(parser)
    args = parser.parse_args()
    engine = engines.from_arguments(args)
    with engines.work_directory() as directory:
        t = Tester(engine, args.programs, directory)
        t.held_by_host()
        for how in ("flock", "posix", "ofd"):
            t.count(how)
        t.sqlite("delete")
        # QEMU cannot map host files, and a log's index is shared through a mapping.
        if engine.name == "kvm":
            t.sqlite("wal")
    sys.exit(1 if t.failures else 0)


if __name__ == "__main__":
    main()
