#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real programs, built static: the Lua interpreter from Debian's source package and SQLite's
library with a small shell.  Every script and session must end as it does natively."""
import argparse
import glob
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(HERE, ".."))
import engine as engines  # noqa: E402

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C", "GREETING": "hello"}
LUA_CASES = [
    (["language.lua", "one", "two words"], b""),
    (["compute.lua"], b""),
    (["files.lua"], b"line one\nline two\nno end"),
    (["failure.lua"], b""),
    (["-e", "print(#arg, arg[0])", "-"], b"print('from stdin', 1 + 1)\n"),
    (["-v", "-e", "os.exit(3)"], b""),
    (["-e", "syntax error here"], b""),
    (["none.lua"], b""),
]
SQL_ROWS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<5000) "
SQL_CASES = [
    ("create", "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, v REAL);"
     "INSERT INTO t(name, v) VALUES('a', 1.5), ('b', NULL), ('c''s', -2e10);"
     "SELECT * FROM t ORDER BY id DESC; SELECT count(*), sum(v), typeof(v) FROM t;"),
    ("bulk", "BEGIN; CREATE TABLE big(i INTEGER, s TEXT);" + SQL_ROWS +
     "INSERT INTO big SELECT i, printf('%05d-%s', i*7919%10007, hex(i)) FROM n; COMMIT;"
     "CREATE INDEX big_s ON big(s); SELECT s FROM big ORDER BY s LIMIT 3;"
     "SELECT count(*), min(s), max(s) FROM big WHERE s BETWEEN '05' AND '06';"),
    ("transactions", "BEGIN; DELETE FROM big WHERE i % 2; SELECT count(*) FROM big; ROLLBACK;"
     "SELECT count(*) FROM big; SAVEPOINT a; UPDATE t SET v=9; RELEASE a; SELECT * FROM t;"),
    ("wal", "PRAGMA journal_mode=DELETE; PRAGMA mmap_size=1000000; INSERT INTO t(name) VALUES('m');"
     "SELECT count(*) FROM big AS x JOIN big AS y ON x.i=y.i+1; VACUUM; PRAGMA integrity_check;"),
    ("errors", "SELECT * FROM missing;"),
    ("constraint", "INSERT INTO t(id) VALUES(1);"),
]


class Failure(Exception):
    """A build step that did not work."""


def newer(target, sources):
    return os.path.exists(target) and all(
        os.path.getmtime(target) >= os.path.getmtime(s) for s in sources)


def build_lua(directory):
    """The interpreter, statically linked; the path of the program."""
    p = subprocess.run([os.path.join(TOP, "scripts/fetch-source"), "lua5.4"], text=True,
                       capture_output=True, check=False)
    if p.returncode:
        raise Failure(p.stderr.strip())
    source = os.path.join(p.stdout.strip().splitlines()[-1], "src")
    target = os.path.join(directory, "lua")
    files = [f for f in sorted(glob.glob(os.path.join(source, "*.c")))
             if os.path.basename(f) not in ("luac.c", "onelua.c", "ltests.c")]
    if not newer(target, files):
        subprocess.run(["gcc", "-static", "-O2", "-DLUA_COMPAT_5_3", "-DLUA_USE_POSIX", "-o",
                        target, *files, "-lm"], check=True, stderr=subprocess.DEVNULL)
    return target


def build_sqlite(directory):
    """The SQL shell on Debian's libsqlite3.a, or None where the package is missing."""
    source, target = os.path.join(HERE, "sqlite_shell.c"), os.path.join(directory, "sqlite_shell")
    if not newer(target, [source]):
        p = subprocess.run(["gcc", "-static", "-O2", "-o", target, source, "-lsqlite3", "-lm"],
                           capture_output=True, check=False)
        if p.returncode:
            return None
    return target


class Checker:
    """Runs a program natively and under the engine, each in a directory of its own."""

    def __init__(self, engine):
        self.engine, self.native = engine, engines.Engine("native", "")
        self.count, self.failures = 0, 0

    def compare(self, name, argv, directories, stdin):
        results = []
        for engine, directory in zip((self.native, self.engine), directories):
            o = engine.run(argv, ["-v", f"{directory}:{directory}:rw", "-v", f"{HERE}:{HERE}"],
                           stdin=stdin, env=ENVIRONMENT, cwd=directory)
            results.append((o.status, o.out, o.err))
        self.count += 1
        if results[0] == results[1]:
            print(f"ok {name} [{results[0][0]}]")
            return
        self.failures += 1
        print(f"FAIL {name}")
        for label, a, b in zip(("status", "stdout", "stderr"), *results):
            if a != b:
                print(f"  {label} native: {str(a)[:800]}\n  {label} hermit: {str(b)[:800]}")


def run_lua(checker, program, directories):
    for arguments, stdin in LUA_CASES:
        argv = [os.path.join(HERE, "lua", a) if a.endswith(".lua") else a for a in arguments]
        checker.compare("lua " + " ".join(arguments), [program, *argv], directories, stdin)


def run_sqlite(checker, program, directories):
    for name, sql in SQL_CASES:
        checker.compare("sqlite " + name, [program, "test.db"], directories, sql.encode())
    files = []
    for directory in directories:
        with open(os.path.join(directory, "test.db"), "rb") as f:
            files.append(f.read())
    # Byte 24 on: the change counter and the version are equal, as all pages must be.
    checker.count += 1
    if files[0] != files[1]:
        checker.failures += 1
        print("FAIL sqlite: the database files differ")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    engines.add_arguments(parser)
    parser.add_argument("--build", default="build/tests/e2e", metavar="DIR",
                        help="where the programs are built and kept")
    args = parser.parse_args()
    engine = engines.from_arguments(args)
    directory = os.path.abspath(args.build)
    os.makedirs(directory, exist_ok=True)
    try:
        lua = build_lua(directory)
    except Failure as e:
        print(f"SKIP: {e}")
        sys.exit(engines.SKIP)
    sqlite = build_sqlite(directory)
    checker = Checker(engine)
    with engines.work_directory() as a, engines.work_directory() as b:
        run_lua(checker, lua, (a, b))
        if sqlite:
            run_sqlite(checker, sqlite, (a, b))
        else:
            print("sqlite: not run: libsqlite3-dev is not installed")
    print(f"{checker.count} runs under {engine.name}, {checker.failures} differ from native")
    sys.exit(1 if checker.failures else 0)


if __name__ == "__main__":
    main()
