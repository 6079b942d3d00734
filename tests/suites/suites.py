# SPDX-License-Identifier: MIT
"""The suites: which processes to start, which cases each of them runs, what an outcome means."""
import functools
import glob
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.path.join(HERE, "..", ".."))
BUILD = os.environ.get("HERMIT_SUITES") or os.path.join(TOP, "build", "suites")

PASS, FAIL, TIMEOUT, SKIP = "pass", "fail", "timeout", "skip"
TIMED_OUT = -1  # a status

PYTHON = "/usr/bin/python3.11"
PYTHON_TESTS = "/usr/lib/python3.11/test"
PYTHON_MODULES = """int float dict list re json struct zlib hashlib threading thread queue signal
    time datetime mmap select epoll poll selectors os posix shutil glob tempfile pathlib io fileio
    largefile asyncio concurrent_futures gc faulthandler""".split()
GO_PACKAGES = """bufio bytes compress/flate compress/gzip container/heap container/list context
    crypto/sha256 encoding/json errors fmt hash/crc32 io io/fs log math math/big os path/filepath
    reflect regexp runtime sort strconv strings sync sync/atomic text/template time
    unicode/utf8""".split()


def directory(name):
    return os.path.join(BUILD, name)


def stamp(name):
    """Written when a suite's build is complete."""
    return os.path.join(directory(name), "stamp")


def built(name):
    """The build's stamp, or None."""
    try:
        with open(stamp(name), encoding="ascii") as f:
            return f.read().strip()
    except OSError:
        return None


def go_root():
    root = "/usr/share/go-1.19"
    return root if os.path.isdir(os.path.join(root, "src")) else None


def rust_root():
    """The sources of the installed rustc, or None."""
    roots = glob.glob("/usr/src/rustc-*")
    found = [r for r in roots if os.path.exists(os.path.join(r, "library/std/src/lib.rs"))]
    return found[0] if found and os.access("/usr/bin/rustc", os.X_OK) else None


def listing(argv, **how):
    """Lines that a program prints."""
    p = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True, timeout=120,
                       stdin=subprocess.DEVNULL, **how)
    return p.stdout.splitlines()


class Run:
    """One process: its name, its command line and the cases that it runs (one, mostly)."""

    def __init__(self, name, argv, cwd=None, cases=None):
        self.name, self.argv = name, argv
        self.cwd = cwd  # None: an empty directory of its own
        self.cases = cases or [name]


class Suite:
    """A suite whose processes run one case each and say the outcome with their exit status."""

    title = name = ""
    sp_flag = "-f"  # what sp does on fork
    volumes = ()  # further shares, beside /usr and /etc
    environment = {}
    seconds = 30  # time limit of a native run
    memory = "2G"  # of the virtual machine
    skip_status, skip_text = (), None

    def directory(self):
        return directory(self.name)

    def runs(self):
        """All processes of the suite."""
        raise NotImplementedError

    def verdicts(self, run, status, output):
        """{case: verdict} of a process that ended with status (TIMED_OUT: was killed)."""
        if status == TIMED_OUT:
            verdict = TIMEOUT
        elif status in self.skip_status:
            verdict = SKIP
        elif status == 0:
            verdict = SKIP if self.skip_text and self.skip_text in output else PASS
        else:
            verdict = FAIL
        return {run.name: verdict}

    def select(self, run, _cases):
        """The process that runs just these cases of run."""
        return run

    def rest(self, _run, _output):
        """A process for the cases that this one did not reach, or None."""
        return None


class Posix(Suite):
    """Open POSIX Test Suite. Statuses: 1 FAIL, 2 UNRESOLVED, 4 UNSUPPORTED, 5 UNTESTED."""

    name, title = "posix", "Open POSIX Test Suite 1.5.2, conformance/interfaces, static glibc"
    skip_status = (4, 5)

    def runs(self):
        top = os.path.join(self.directory(), "bin")
        return [Run(os.path.relpath(p, top), [p]) for p in sorted(glob.glob(f"{top}/*/*"))]


class Libevent(Suite):
    name, title = "libevent", "libevent 2.1.12 `regress`"
    skip_text = "SKIPPED"

    def runs(self):
        program = os.path.join(self.directory(), "bin", "regress")
        names = [l.strip() for l in listing([program, "--list-tests"])]
        return [Run(n, [program, "--no-fork", n]) for n in names if "/" in n]


class Libuv(Suite):
    name, title = "libuv", "libuv 1.44.2 `uv_run_tests_a`, cases that need no helper process"
    skip_status = (7,)
    environment = {"UV_RUN_AS_ROOT": "1"}

    def runs(self):
        program = os.path.join(self.directory(), "uv_run_tests_a")
        names = {l.strip() for l in listing([program, "--list"], env=self.environment)} - {""}
        return [Run(n, [program, n, n]) for n in sorted(names)]


class Golang(Suite):
    name, title = "go", "Go 1.19.8 standard library, tests and examples (`-test.short`)"
    skip_text = "--- SKIP"
    volumes = ("/usr/lib/go-1.19",)
    environment = {"GOROOT": "/usr/lib/go-1.19"}
    seconds = 60
    memory = "4G"  # runtime.TestMemmoveOverflow maps 3 GiB

    def runs(self):
        found = []
        for package in GO_PACKAGES:
            program = os.path.join(self.directory(), "bin", package.replace("/", "_") + ".test")
            cwd = os.path.join(go_root(), "src", package)
            for name in listing([program, "-test.list", "."], cwd=cwd):
                if re.match(r"(Test|Example)\w*$", name):
                    argv = [program, "-test.short", "-test.v", "-test.run", f"^{name}$"]
                    found.append(Run(f"{package}.{name}", argv, cwd))
        return found


class Rust(Suite):
    """The unit tests inside Rust's standard library, and its tests/*.rs: a process for each."""

    name, title = "rust", "Rust 1.63 standard library: its unit tests and `library/std/tests`"
    skip_text = "; 1 ignored;"
    seconds = 60

    def runs(self):
        found = []
        for program in sorted(glob.glob(os.path.join(self.directory(), "bin", "*"))):
            for line in listing([program, "--list"]):
                name, _, kind = line.rpartition(": ")
                if kind == "test":
                    found.append(Run(f"{os.path.basename(program)}::{name}",
                                     [program, "--exact", name]))
        return found


class CPython(Suite):
    """A process for each test class; tests/suites/pycases.py prints a line for each method. The
    classes that are all about process pools are left out: they take minutes to need fork."""

    name, title = "cpython", "CPython 3.11 `test`: " + " ".join(PYTHON_MODULES)
    sp_flag = "-F"
    environment = {"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    volumes = (HERE,)
    seconds = 90
    script = os.path.join(HERE, "pycases.py")

    def modules(self):
        for m in PYTHON_MODULES:
            package = os.path.join(PYTHON_TESTS, f"test_{m}")
            if os.path.isdir(package):
                names = sorted(os.path.basename(p)[:-3] for p in glob.glob(f"{package}/test_*.py"))
                yield from (f"test_{m}.{n}" for n in names)
            else:
                yield f"test_{m}"

    def runs(self):
        found = []
        for module in self.modules():
            classes = {}
            for line in listing([PYTHON, self.script, "--list", module], cwd="/tmp"):
                name, method = line.split()
                if name.startswith("ProcessPool"):
                    continue
                classes.setdefault(name, []).append(method)
            for name, methods in classes.items():
                found.append(Run(f"{module}.{name}", [PYTHON, self.script, module, name],
                                 cases=[f"{module}.{name}.{m}" for m in methods]))
        return found

    def verdicts(self, run, status, output):
        found, last = {}, None
        for word, method in re.findall(r"^\n?@@(start|pass|fail|skip) (\S+)$", output, re.M):
            if word == "start":
                last = method
            else:
                found[f"{run.name}.{method}"] = word
        if last and f"{run.name}.{last}" not in found:
            found[f"{run.name}.{last}"] = TIMEOUT if status == TIMED_OUT else FAIL
        if last is None and status == 0 and "\nskipped: " in output:  # the whole class
            found = dict.fromkeys(run.cases, SKIP)
        return {c: found[c] for c in run.cases if c in found}

    def rest(self, run, output):
        done = [f"{run.name}.{m}" for m in re.findall(r"^@@start (\S+)$", output, re.M)]
        left = [c for c in run.cases if c not in done]
        if not done or not left or "@@end" in output:
            return None
        return self.select(run, left)

    def select(self, run, cases):
        methods = [c[len(run.name) + 1:] for c in cases]
        return Run(run.name, [*run.argv[:4], *methods], run.cwd, list(cases))


@functools.lru_cache(maxsize=None)
def suite(name):
    return {s.name: s for s in (Posix, Libevent, Libuv, Golang, Rust, CPython)}[name]()


NAMES = ["posix", "libevent", "libuv", "go", "rust", "cpython"]
