#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Test suites of real programs on the host, with and without rewriting:
suites.py HERMIT_REWRITE [--quick] [busybox|python|openssl|go ...]

The programs, or the libraries that they load, are rewritten for Linux (--target linux); each case
must end as it does without.  A case that does not end the same way twice without rewriting is
not counted.  Exits 77 where nothing that was asked for is installed."""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "e2e"), os.path.join(HERE, "..")]
import busybox_suite  # noqa: E402
import engine as engines  # noqa: E402

SKIP = 77
LIBRARIES = "/lib/x86_64-linux-gnu"
MODULES = """test_os test_posix test_socket test_subprocess test_threading test_signal test_select
test_selectors test_asyncio test_ssl test_mmap test_fcntl test_io test_fileio test_tempfile
test_shutil test_pty test_poll test_epoll test_queue test_time test_wait3 test_wait4 test_fork1
test_popen test_thread test_sqlite3 test_hashlib test_socketserver test_httplib
test_concurrent_futures test_pathlib test_glob test_resource test_eintr test_faulthandler""".split()
QUICK_MODULES = "test_select test_fcntl test_mmap test_fork1 test_wait4".split()
PACKAGES = "os os/exec os/signal syscall net internal/poll time io/ioutil os/user".split()


class Missing(Exception):
    """Something is not installed."""


class Machine:
    """The rewriter, a directory, and how long one command may take."""

    def __init__(self, program, work, quick):
        self.program, self.work, self.quick = os.path.abspath(program), work, quick

    def path(self, *names):
        return os.path.join(self.work, *names)

    def rewrite(self, old, new):
        p = subprocess.run([self.program, "--verify", "--target", "linux", "-o", new, old],
                           capture_output=True, text=True, check=False)
        if p.returncode not in (0, 2):
            sys.exit(f"FAIL: {old}: {p.stderr}")
        return new

    def libraries(self, *names):
        """A directory for LD_LIBRARY_PATH, with libc and others rewritten."""
        folder = self.path("lib")
        os.makedirs(folder, exist_ok=True)
        for name in ("libc.so.6", *names):
            if os.path.exists(os.path.join(LIBRARIES, name)):
                self.rewrite(os.path.realpath(os.path.join(LIBRARIES, name)),
                             os.path.join(folder, name))
        return folder

    def output(self, argv, folder=None, timeout=1800, **how):
        env = {**os.environ, "LC_ALL": "C", "HOME": self.work, "TMPDIR": self.work}
        if folder:
            env["LD_LIBRARY_PATH"] = folder
        how.setdefault("cwd", self.work)
        p = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=False, timeout=timeout, **how)
        return p.returncode, p.stdout.decode(errors="replace")


class OtherBusybox(busybox_suite.Suite):
    """The suite with another executable."""

    def __init__(self, source, directory, path):
        self.path = path
        super().__init__(source, directory, engines.Engine("native", ""))

    def wrapper(self):
        return super().wrapper().replace(busybox_suite.BUSYBOX, self.path)


def busybox(m):
    """[(case, result)] three times: twice as it is, once rewritten."""
    if not os.access(busybox_suite.BUSYBOX, os.X_OK) or not shutil.which("make"):
        raise Missing("busybox-static, make")
    p = subprocess.run([os.path.join(busybox_suite.TOP, "scripts/fetch-source"), "busybox"],
                       text=True, capture_output=True, check=False)
    if p.returncode:
        raise Missing(p.stderr.strip())
    source = p.stdout.strip().splitlines()[-1]
    names = busybox_suite.QUICK if m.quick else busybox_suite.applets(source)
    new = m.rewrite(busybox_suite.BUSYBOX, m.path("busybox"))
    runs = []
    for name, path in (("a", busybox_suite.BUSYBOX), ("b", busybox_suite.BUSYBOX), ("c", new)):
        directory = m.path(name)
        os.makedirs(directory)
        if name == "a":
            busybox_suite.configure(source, directory)
        else:
            os.symlink("../a/config", os.path.join(directory, "config"))
        suite = OtherBusybox(source, directory, path)
        found = {}
        for applet in names:
            for case, verdict, _ in suite.run(applet, 300):
                case = f"{applet}: {busybox_suite.ADDRESS.sub('0x', case)}"
                found.setdefault(case, []).append(verdict)
        runs.append(found)
    return runs


def python(m):
    exe = "/usr/bin/python3"
    code, _ = m.output([exe, "-c", "import test.test_os"])
    if code:
        raise Missing("libpython3-testsuite")
    folder = m.libraries("libsqlite3.so.0", "libcrypto.so.3", "libssl.so.3", "libm.so.6")
    runs = []
    for where in (None, None, folder):
        found = {}
        for module in QUICK_MODULES if m.quick else MODULES:
            _, text = m.output([exe, "-m", "unittest", "-v", "test." + module], where)
            for case, verdict in re.findall(r"^(\w+ \([\w.]+\)).*?\.\.\. (?:.*\n)*?.*?"
                                            r"\b(ok|FAIL|ERROR|skipped)\b", text, re.M):
                found.setdefault(f"{module}: {case}", []).append(verdict)
        runs.append(found)
    return runs


def openssl(m):
    """P-256: what one version signs the other verifies, and both derive the same key."""
    exe = shutil.which("openssl", path="/usr/bin:/bin")
    if not exe:
        raise Missing("openssl")
    folder = m.libraries("libcrypto.so.3", "libssl.so.3")
    text = m.path("text")
    with open(text, "wb") as f:
        f.write(bytes(range(256)) * 100)

    def one(name, mine, other):
        """Makes keys and signatures with `mine`, checks them with `other`."""
        key = m.path(name)
        found = {}
        steps = [
            ("genkey", mine, ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key]),
            ("public", mine, ["ec", "-in", key, "-pubout", "-out", key + ".pub"]),
            ("check", other, ["pkey", "-in", key, "-check", "-noout"])]
        for i in range(5 if m.quick else 50):
            steps += [(f"sign {i}", mine, ["dgst", "-sha256", "-sign", key, "-out", key + ".sig",
                                           text]),
                      (f"verify {i}", other, ["dgst", "-sha256", "-verify", key + ".pub",
                                              "-signature", key + ".sig", text])]
        for who, where in (("mine", mine), ("other", other)):
            steps.append((f"derive {who}", where, [
                "pkeyutl", "-derive", "-inkey", key, "-peerkey", key + ".pub", "-out",
                f"{key}.{who}"]))
        steps.append(("speed", mine, ["speed", "-seconds", "1", "ecdsap256", "ecdhp256"]))
        for case, where, args in steps:
            found[case] = [m.output([exe, *args], where)[0]]
        with open(key + ".mine", "rb") as a, open(key + ".other", "rb") as b:
            found["the same key"] = [a.read() == b.read()]
        return found
    crossed = one("new", folder, None), one("old", None, folder)
    plain = one("plain", None, None)
    both = {f"{k} {c}": v for k, f in zip(("rewritten", "original"), crossed)
            for c, v in f.items()}
    want = {f"{k} {c}": v for k in ("rewritten", "original") for c, v in plain.items()}
    return want, want, both


def go(m):
    exe = shutil.which("go")
    if not exe:
        raise Missing("go")
    root = m.output([exe, "env", "GOROOT"])[1].strip()
    runs = ({}, {}, {})
    for package in PACKAGES[3:4] if m.quick else PACKAGES:
        old, folder = m.path("test.old"), os.path.join(root, "src", package)
        env = {**os.environ, "CGO_ENABLED": "0", "GOCACHE": m.path("cache"), "GOFLAGS": ""}
        p = subprocess.run([exe, "test", "-c", "-o", old, package], env=env, cwd=m.work,
                           capture_output=True, text=True, check=False)
        if p.returncode:
            raise Missing(f"go test -c {package}: {p.stderr[-200:]}")
        new = m.rewrite(old, m.path("test.new"))
        for found, program in zip(runs, (old, old, new)):
            _, text = m.output([program, "-test.v", "-test.short"], cwd=folder)
            for verdict, case in re.findall(r"^--- (PASS|FAIL|SKIP): (\S+)", text, re.M):
                found.setdefault(f"{package}: {case}", []).append(verdict)
        for name in glob.glob(m.path("test.*")):
            os.unlink(name)
    return runs


def compare(runs):
    """Cases that are the same each time without rewriting; of them, that pass; that differ."""
    first, second, rewritten = runs
    stable = [c for c in first if first[c] == second.get(c)]
    good = ("PASS", "ok", 0, True)
    passed = [c for c in stable if all(v in good for v in first[c])]
    return stable, passed, [c for c in stable if rewritten.get(c) != first[c]]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--quick", action="store_true", help="a small part of each")
    parser.add_argument("suites", nargs="*", default=["busybox", "openssl", "go", "python"])
    args = parser.parse_intermixed_args()
    status, ran = 0, 0
    print("| suite | cases | pass | differ after rewriting |\n|---|---|---|---|", flush=True)
    for name in args.suites:
        with tempfile.TemporaryDirectory(prefix="hermit-suites-") as work:
            try:
                runs = globals()[name](Machine(args.program, work, args.quick))
            except Missing as e:
                print(f"{name}: skipped: needs {e}", file=sys.stderr)
                continue
            stable, passed, differ = compare(runs)
        print(f"| {name} | {len(stable)} | {len(passed)} | {len(differ)} |", flush=True)
        for case in differ:
            print(f"{name}: {case}: {runs[0][case]}, rewritten {runs[2].get(case)}",
                  file=sys.stderr)
        status |= bool(differ) or not passed
        ran += 1
    sys.exit(status if ran else SKIP)


if __name__ == "__main__":
    main()
