# SPDX-License-Identifier: MIT
"""How the tests start a program: natively, or under hermit-run with one of its engines.

The native run is the oracle.  A missing engine makes a test exit 77, with the reason, which
ctest shows as skipped; a missing hermit-run is a failure.
"""
import os
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
ENGINES = ("native", "kvm", "qemu")
# hermit-run's own limit: a hanging guest then still ends with a message.
TIMEOUT_SECONDS = {"native": 30, "kvm": 50, "qemu": 160}

# Runs must not depend on earlier ones: no cache of rewritten objects.
NO_CACHE = {"XDG_CACHE_HOME": "/dev/null"}


class Outcome:
    """What a run left behind: exit status as a shell shows it, stdout, stderr."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err


def missing(engine):
    """Why this machine cannot run the engine, or None."""
    if engine == "kvm":
        if not os.path.exists("/dev/kvm"):
            return "no /dev/kvm on this machine"
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            return "no permission for /dev/kvm"
    if engine == "qemu" and shutil.which("qemu-system-x86_64") is None:
        return "no qemu-system-x86_64 in PATH"
    return None


class Engine:
    """Runs programs under one engine."""

    def __init__(self, name, hermit_run, cpus=1):
        self.name, self.hermit_run, self.cpus = name, hermit_run, cpus

    def require(self):
        """Ends the test with the skip status, or a failure, where the engine is not there."""
        reason = missing(self.name)
        if reason:
            print(f"SKIP: engine {self.name}: {reason}")
            sys.exit(SKIP)
        if self.name != "native" and not os.access(self.hermit_run, os.X_OK):
            sys.exit(f"FAIL: {self.hermit_run} is missing: build the target hermit-run first")

    def command(self, argv, options=()):
        """The command line that runs argv."""
        if self.name == "native":
            return list(argv)
        several = ["--cpus", str(self.cpus)] if self.cpus > 1 else []
        return [self.hermit_run, "--vmm", self.name, *several, *options, *argv]

    def run(self, argv, options=(), stdin=b"", env=None, cwd=None, timeout=None):
        """Runs argv to its end.  stdin: bytes, or what subprocess takes."""
        timeout = timeout or TIMEOUT_SECONDS[self.name]
        feed = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
        try:
            p = subprocess.run(self.command(argv, options), capture_output=True, check=False,
                               env={**os.environ, **NO_CACHE} if env is None else env, cwd=cwd,
                               timeout=timeout, **feed)
        except subprocess.TimeoutExpired as e:
            return Outcome(-1, e.stdout or b"",
                           (e.stderr or b"") + f"[no end after {timeout} s]\n".encode())
        status = p.returncode if p.returncode >= 0 else 128 - p.returncode
        return Outcome(status, p.stdout, p.stderr)


def add_arguments(parser, engines=ENGINES):
    """The options that every test script takes."""
    parser.add_argument("--engine", choices=engines, default=engines[0])
    parser.add_argument("--hermit-run", default="build/bin/hermit-run", metavar="PATH")
    parser.add_argument("--cpus", type=int, default=1, help="virtual CPUs")


def from_arguments(args):
    """The engine that the options name, checked."""
    engine = Engine(args.engine, os.path.abspath(args.hermit_run), args.cpus)
    engine.require()
    return engine


def work_directory():
    """A fresh directory that goes away at the end of the with block."""
    return tempfile.TemporaryDirectory(prefix="hermit-test-")
