#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs one behaviour test: natively, or under hermit-run.  Exit status: 0, 1, 77 (skipped)."""
import argparse
import os
import random
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import engine as engines  # noqa: E402

SIGNAL_CASES = {"raise": [1, 2, 3, 6, 9, 13, 14, 15, 24, 31], "kill": [9, 15, 34, 64]}


class Runner:
    """One program under one engine; failures are printed and counted."""

    def __init__(self, program, engine, scratch, directory, cache=None):
        self.program, self.engine = program, engine
        self.directory, self.failures = directory, 0
        self.env = {**os.environ, **engines.NO_CACHE}
        self.options = []
        if cache:
            self.env["XDG_CACHE_HOME"] = cache
            self.options += ["--rewrite", "load"]
        if engine.name == "native" or scratch == "hostfs":
            self.env["TMPDIR"] = directory
            self.options += ["-v", f"{directory}:{directory}:rw"]
        else:
            self.env["TMPDIR"] = "/tmp"

    def run(self, *args, stdin=b"", engine=None):
        """Runs the program with these arguments."""
        engine = engine or self.engine
        return engine.run([self.program, *args], self.options, stdin=stdin, env=self.env)

    def expect(self, condition, what, outcome):
        """Counts and shows a failure."""
        if condition:
            return
        self.failures += 1
        print(f"FAIL: {what}: status {outcome.status}")
        for name, text in (("stdout", outcome.out), ("stderr", outcome.err)):
            if text:
                print(f"--- {name}\n{text[-4000:].decode(errors='replace')}")

    def default(self):
        """No arguments: exits 0 and says nothing but progress."""
        o = self.run()
        good = o.status == 0 and b"FAIL" not in o.out
        self.expect(good, "plain run", o)
        if good:
            sys.stdout.write(o.out.decode(errors="replace"))


def run_exit_status(r):
    """Every way to end, with the status that a shell shows."""
    def case(want, out, *args):
        o = r.run(*args)
        r.expect(o.status == want, f"{' '.join(args)}: want status {want}", o)
        if out is not None:
            r.expect(o.out == out, f"{' '.join(args)}: want output {out!r}", o)
        if r.engine.name != "native" and want > 128 and args[0] == "segv":
            r.expect(b"SIGSEGV" in o.err, "crash report on stderr", o)

    flushed = b"unflushed atexit\n"
    for n in (0, 1, 42, 255):
        case(n, flushed, "return", str(n))
        case(n, flushed, "exit", str(n))
        case(n, b"", "_exit", str(n))
    case(44, flushed, "exit", "300")
    case(255, flushed, "exit", "-1")
    case(7, b"", "sys_exit", "7")
    for how, signals in SIGNAL_CASES.items():
        for n in signals:
            case(128 + n, b"", how, str(n))
    for n in (17, 18, 23, 28):  # ignored by default
        case(99, b"unflushed still here\natexit\n", "raise", str(n))
    case(134, b"", "abort")
    case(139, b"", "segv", "0")
    case(139, b"", "segv", "4096")
    case(139, b"", "jump", "16")
    case(132, b"", "ud2")
    case(133, b"", "int3")
    case(139, b"", "hlt")
    case(139, b"", "noncanonical")
    case(136, b"", "divide", "0")


def run_auxv(r):
    """The checks, and that two runs differ where they must."""
    r.default()
    first, second = r.run("show"), r.run("show")
    a = dict(line.split() for line in first.out.decode().splitlines())
    b = dict(line.split() for line in second.out.decode().splitlines())
    names = ["random", "stack", "heap", "map", "vdso"]
    if r.program.endswith(".pie"):
        names.append("entry")
    r.expect(set(a) == set(b) and len(a) == 6, "both runs show six values", first)
    for name in names:
        r.expect(a.get(name) != b.get(name), f"{name} is the same in two runs", second)


def run_cpuid_bits(r):
    """The checks; under KVM the features are the machine's own."""
    r.default()
    if r.engine.name == "kvm":
        native = r.run("show", engine=engines.Engine("native", ""))
        shown = r.run("show")
        r.expect(native.out == shown.out, "features differ from native ones:\n"
                 + " ".join(sorted(set(native.out.decode().split())
                                   ^ set(shown.out.decode().split()))), shown)


def run_args_env(r):
    """The checks, and large arguments straight from the command line."""
    r.default()
    for count, length in ((3, 100000), (1, 131071), (1000, 100), (1, 0)):
        o = r.run("verify", str(count), str(length), *["x" * length] * count)
        r.expect(o.status == 0, f"{count} arguments of {length} bytes", o)


def run_stdio_pipe(r):
    """Standard streams as pipes, up to the end of file."""
    rng = random.Random(1)
    lines = ["".join(rng.choices("abcxyz 0189", k=rng.randrange(200))) for _ in range(5000)]
    for text in ("", "no newline", "one\n", "\n".join(lines)):
        o = r.run(stdin=text.encode())
        r.expect(o.status == 0 and o.out == text.upper().encode(), f"{len(text)} bytes", o)
        count = text.count("\n") + (text != "" and not text.endswith("\n"))
        r.expect(f"{count} lines, {len(text)} bytes\n".encode() in o.err, "count on stderr", o)


def run_epoll_stdin(r):
    """The input comes out again, however it is waited for."""
    text = b"".join(b"line %d\n" % i for i in range(3000))
    for how in ("level", "edge", "nested"):
        o = r.run(how, stdin=text)
        r.expect(o.status == 0 and o.out == text, how, o)


def converse(r, how, master, stdin):
    """Feeds lines to a program that says `ready` and then repeats each; its status."""
    with subprocess.Popen(r.engine.command([r.program, how], r.options), stdin=stdin, env=r.env,
                          stdout=subprocess.PIPE) as p:
        os.close(stdin)
        limit = threading.Timer(engines.TIMEOUT_SECONDS[r.engine.name], p.kill)
        limit.start()
        right = p.stdout.readline() == b"ready\n"
        for line in (b"one\n", b"two\n", b"three\n", b"four\n", b"end\n"):
            if right:
                os.write(master, line)
                right = p.stdout.readline() == line
        os.close(master)
        if not right:
            p.kill()
        status = p.wait()
        limit.cancel()
    return status


def run_sigio_stdin(r):
    """The program hears of each line of a pipe and of a terminal."""
    for how in ("wait", "spin"):
        for what, make in (("pipe", os.pipe), ("terminal", os.openpty)):
            one, other = make()
            master, stdin = (other, one) if what == "pipe" else (one, other)
            status = converse(r, how, master, stdin)
            r.expect(status == 0, f"{how}, {what}", engines.Outcome(status, b"", b""))


def run_hello(r):
    """Output and status, and not a byte on stderr."""
    o = r.run()
    r.expect((o.status, o.out, o.err) == (0, b"Hello from ring 3!\n", b""), "hello", o)


SPECIAL = {"exit_status": run_exit_status, "auxv": run_auxv, "cpuid_bits": run_cpuid_bits,
           "epoll_stdin": run_epoll_stdin, "sigio_stdin": run_sigio_stdin,
           "args_env": run_args_env, "stdio_pipe": run_stdio_pipe, "hello": run_hello}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="path of NAME.glibc, NAME.musl or NAME.pie")
    parser.add_argument("--scratch", choices=("tmpfs", "hostfs"), default="tmpfs",
                        help="under hermit-run: where the program makes its files")
    parser.add_argument("--volume", action="append", default=[], help="hermit-run's -v")
    parser.add_argument("--cache", metavar="DIR", help="with text from the cache of rewritten "
                        "objects, which is there")
    engines.add_arguments(parser)
    args = parser.parse_args()
    engine = engines.from_arguments(args)
    name = os.path.basename(args.program).split(".")[0]
    with engines.work_directory() as directory:
        r = Runner(os.path.abspath(args.program), engine, args.scratch, directory, args.cache)
        r.options += [option for v in args.volume for option in ("-v", v)]
        SPECIAL.get(name, Runner.default)(r)
    sys.exit(1 if r.failures else 0)


if __name__ == "__main__":
    main()
