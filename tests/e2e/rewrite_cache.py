#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The cache of rewritten objects: cold, warm, shared by several runs, damaged, forged, full, out of
date; and that a program cannot tell."""
import os
import re
import shutil
import stat
import subprocess
import sys
import time
import unittest

import harness
from harness import BUSYBOX, ENVIRONMENT

PYTHON = "/usr/bin/python3"
SCRIPT = "import os, json; print(os.stat('/usr/lib').st_ino, json.dumps([1]), os.getppid() >= 0)"
PATIENCE = 120  # seconds
BUILD = None


def tool():
    return os.path.join(os.path.dirname(harness.ENGINE.hermit_run), "hermit-rewrite")


def doors(outcome):
    """What --stats says: calls by syscall instructions, by jumps made meanwhile, by others; text
    from the cache, and not in it."""
    text = outcome.err.decode(errors="replace")
    calls = re.search(r"system calls: +(\d+) by syscall ins.*; (\d+) by such jumps, (\d+) by", text)
    objects = re.search(r"rewritten text: +(\d+) from the cache, (\d+) not", text)
    if not calls or not objects:
        raise AssertionError(text)
    return (*map(int, calls.groups()), *map(int, objects.groups()))


class Cache(harness.HermitTest):
    def setUp(self):
        super().setUp()
        if not os.access(tool(), os.X_OK):
            self.skipTest("hermit-rewrite is not built")
        self.home = self.path("home")
        os.mkdir(self.home)
        self.cache = os.path.join(self.home, ".cache", "hermit")
        self.env = {**ENVIRONMENT, "HOME": self.home}
        self.env.pop("XDG_CACHE_HOME", None)

    def hermit_run(self, *arguments, **how):
        how.setdefault("env", self.env)
        return self.run_in("--stats", *arguments, **how)

    def good(self, outcome, want):
        self.assertEqual((outcome.status, outcome.out), (0, want), outcome.err)
        return doors(outcome)

    def entries(self, kind="io"):
        names = os.listdir(self.cache) if os.path.isdir(self.cache) else []
        return [os.path.join(self.cache, n) for n in sorted(names) if n[0] in kind and n[1] == "1"]

    def until_warm(self, *arguments, want):
        """Runs the program until all of its text comes from the cache."""
        end = time.monotonic() + PATIENCE
        while True:
            d = self.good(self.hermit_run(*arguments), want)
            if d[4] == 0 and d[0] == 0:
                return d
            self.assertLess(time.monotonic(), end, f"still {d}")
            time.sleep(0.2)

    def fill(self, *files, options=()):
        return subprocess.run([tool(), "--cache", *options, *files], env=self.env, check=False,
                              capture_output=True, timeout=PATIENCE)

    def test_cold_and_warm(self):
        raw, _, other, _, missing = self.good(self.hermit_run(BUSYBOX, "echo", "a"), b"a\n")
        self.assertEqual((other, missing), (0, 1))
        self.assertGreater(raw, 0)
        raw, patched, other, objects, missing = self.until_warm(BUSYBOX, "echo", "a", want=b"a\n")
        self.assertEqual((raw, patched, objects, missing), (0, 0, 1, 0))
        self.assertGreater(other, 0)
        self.assertEqual(stat.S_IMODE(os.stat(self.cache).st_mode), 0o700)

    def test_libraries(self):
        native = subprocess.run([PYTHON, "-c", SCRIPT], capture_output=True, check=True).stdout
        self.good(self.hermit_run(PYTHON, "-c", SCRIPT), native)
        raw, patched, other, objects, _ = self.until_warm(PYTHON, "-c", SCRIPT, want=native)
        self.assertGreaterEqual(objects, 2)  # libc.so.6 and ld.so
        self.assertLess((raw + patched) * 1000, other)
        for mode in ("off", "lazy", "offline", "auto"):
            o = self.hermit_run("--rewrite", mode, PYTHON, "-c", SCRIPT)
            used = self.good(o, native)[3]
            self.assertEqual(used > 0, mode == "auto")

    def test_load(self):
        native = subprocess.run([PYTHON, "-c", SCRIPT], capture_output=True, check=True).stdout
        d = self.good(self.hermit_run("--rewrite", "load", PYTHON, "-c", SCRIPT), native)
        self.assertEqual(d[0], 0)
        self.assertGreater(d[2], 0)

    def test_stripped(self):
        """strip(1) moves Hermit's version of the stubs, which is used all the same."""
        if not shutil.which("strip"):
            self.skipTest("no strip")
        new, stripped = self.path("busybox"), self.path("busybox.stripped")
        subprocess.run([tool(), "-o", new, BUSYBOX], check=False, timeout=PATIENCE)
        subprocess.run(["strip", "-o", stripped, new], check=True)
        for program in (new, stripped):
            o = self.hermit_run("--rewrite", "offline", program, "echo", "c")
            raw, _, other, objects, _ = self.good(o, b"c\n")
            self.assertEqual((raw, objects), (0, 0))
            self.assertGreater(other, 0)

    def test_many_at_once(self):
        runs = [harness.subprocess.Popen(
            [harness.ENGINE.hermit_run, "--vmm", harness.ENGINE.name, BUSYBOX, "echo", "x"],
            env=self.env, cwd=self.dir, stdout=subprocess.PIPE) for _ in range(8)]
        for run in runs:
            self.assertEqual(run.communicate(timeout=PATIENCE)[0], b"x\n")
        self.until_warm(BUSYBOX, "echo", "x", want=b"x\n")
        self.assertEqual(len(self.entries("o")), 1)

    def damage(self, how):
        """Each file of the warm cache is changed by how(path): it is not used, but made again."""
        self.fill(BUSYBOX)
        self.assertEqual(self.good(self.hermit_run(BUSYBOX, "echo", "b"), b"b\n")[3], 1)
        for path in self.entries():
            how(path)
        d = self.good(self.hermit_run(BUSYBOX, "echo", "b"), b"b\n")
        self.assertEqual((d[2], d[3], d[4]), (0, 0, 1))
        self.until_warm(BUSYBOX, "echo", "b", want=b"b\n")

    def test_flipped_bits(self):
        for where in (9, 20, 4097, -5000, -1):
            def flip(path, where=where):
                if os.path.basename(path)[0] == "i":
                    return  # the same file
                with open(path, "r+b") as f:
                    data = bytearray(f.read())
                    data[where] ^= 0x10
                    f.seek(0)
                    f.write(data)
            with self.subTest(where=where):
                self.damage(flip)

    def test_cut_off(self):
        for size in (0, 100, 4096, 8192):
            with self.subTest(size=size):
                self.damage(lambda path, size=size: os.truncate(path, size))

    def test_writable_by_others(self):
        self.damage(lambda path: os.chmod(path, 0o622))

    def test_link(self):
        def link(path):
            copy = self.path("copy")
            shutil.copy(path, copy)
            os.unlink(path)
            os.symlink(copy, path)
        self.damage(link)

    def test_other_owner(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give files away")
        self.damage(lambda path: os.chown(path, 12345, 12345))

    def test_untrusted_directory(self):
        self.fill(BUSYBOX)
        os.chmod(self.cache, 0o777)
        d = self.good(self.hermit_run(BUSYBOX, "echo", "c"), b"c\n")
        self.assertEqual((d[3], d[4]), (0, 0))

    def test_replaced_program(self):
        """A file that changes is another one, even if it is as long as before."""
        program = self.path("program")
        shutil.copy(self.program("hello.glibc"), program)
        first = subprocess.run([program], capture_output=True, check=True).stdout
        self.until_warm(program, want=first)
        with open(program, "r+b") as f:
            data = f.read()
            at = data.index(first.strip()[:5])
            f.seek(at)
            f.write(b"Other")
        changed = subprocess.run([program], capture_output=True, check=True).stdout
        self.assertNotEqual(changed, first)
        self.assertEqual(self.good(self.hermit_run(program), changed)[3], 0)
        self.until_warm(program, want=changed)

    def test_same_contents(self):
        """Copies share what the cache has."""
        for name in ("one", "two"):
            shutil.copy(BUSYBOX, self.path(name))
            self.assertEqual(self.fill(self.path(name)).returncode, 0)
        self.assertEqual((len(self.entries("i")), len(self.entries("o"))), (2, 1))

    def test_size(self):
        for i in range(4):
            program = self.path(f"program{i}")
            shutil.copy(BUSYBOX, program)
            with open(program, "ab") as f:
                f.write(bytes([i]))
            self.assertEqual(self.fill(program, options=("--cache-size", "1")).returncode, 0)
            os.utime(self.entries("i")[0], (time.time() - 1000, time.time() - 1000))
        total = sum(os.stat(p).st_blocks * 512 for p in self.entries("o"))
        self.assertLessEqual(total, 1 << 20)
        self.assertGreater(total, 0)
        self.assertEqual(len(self.entries("i")), len(self.entries("o")))

    def test_no_home(self):
        env = {k: v for k, v in self.env.items() if k != "HOME"}
        d = self.good(self.hermit_run(BUSYBOX, "echo", "d", env=env), b"d\n")
        self.assertEqual((d[3], d[4]), (0, 0))
        o = self.hermit_run("--rewrite", "load", BUSYBOX, "echo", "d", env=env)
        self.assertEqual(o.status, 125)

    def test_unusable_home(self):
        env = {**self.env, "XDG_CACHE_HOME": "/proc/self"}
        d = self.good(self.hermit_run(BUSYBOX, "echo", "e", env=env), b"e\n")
        self.assertEqual((d[3], d[4]), (0, 0))

    def test_full_disk(self):
        disk = self.path("disk")
        os.mkdir(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], check=False,
                          capture_output=True).returncode != 0:
            self.skipTest("no right to mount")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=False)
        self.env["XDG_CACHE_HOME"] = disk
        self.assertEqual(self.fill(BUSYBOX).returncode, 1)
        self.assertFalse([n for n in os.listdir(os.path.join(disk, "hermit")) if n[0] in "oin"])
        self.good(self.hermit_run(BUSYBOX, "echo", "f"), b"f\n")

    def test_read_only_disk(self):
        disk = self.path("disk")
        os.mkdir(disk)
        self.env["XDG_CACHE_HOME"] = disk
        self.fill(BUSYBOX)
        commands = (["mount", "--bind", disk, disk], ["mount", "-o", "remount,bind,ro", disk])
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=False, capture_output=True)
        for command in commands:
            if subprocess.run(command, check=False, capture_output=True).returncode != 0:
                self.skipTest("no right to mount")
        self.assertEqual(self.good(self.hermit_run(BUSYBOX, "echo", "g"), b"g\n")[3], 1)
        self.good(self.hermit_run(PYTHON, "-c", "print(1)"), b"1\n")

    def test_text(self):
        """Libraries that come and go, and text that the program changes, with several CPUs."""
        program, library = (os.path.join(BUILD, n) for n in ("cached_text", "libcached.so"))
        self.assertEqual(self.fill(program, library, "/lib/x86_64-linux-gnu/libc.so.6",
                                   "/lib64/ld-linux-x86-64.so.2").returncode, 0)
        for cpus in ("1", "2"):
            o = self.hermit_run("--cpus", cpus, "-v", BUILD, program, library)
            d = self.good(o, b"ok\n")
            self.assertGreater(d[3], 10)

    def test_traces(self):
        """The same calls with the same results, whatever makes them."""
        self.fill(BUSYBOX)
        script = "cd /tmp; for i in 1 2 3; do echo $i > f$i; read x < f$i; echo $x; done; echo f?"
        seen = set()
        for mode in ("off", "lazy", "auto", "load", "offline"):
            trace = self.path("trace")
            o = self.run_in("--rewrite", mode, "--no-aslr", "--strace", "--strace-output", trace,
                            BUSYBOX, "sh", "-c", script, env=self.env)
            self.assertEqual((o.status, o.out.split(b"\n")[:3]), (0, [b"1", b"2", b"3"]), o.err)
            with open(trace, encoding="utf-8") as f:
                lines = re.sub(r"0x[0-9a-f]+|\b\d{9,}\b|\[pid +\d+\]", "N", f.read())
            seen.add("\n".join(l for l in lines.split("\n") if "getrandom" not in l))
        self.assertEqual(len(seen), 1)


if __name__ == "__main__":
    if "--build" in sys.argv:
        at = sys.argv.index("--build")
        BUILD = os.path.abspath(sys.argv[at + 1])
        del sys.argv[at:at + 2]
    harness.main(__doc__)
