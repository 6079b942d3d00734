# SPDX-License-Identifier: MIT
"""hermit-run --check: the verdict, the table, and that what programs really call is in it."""
import json
import os
import re
import shutil
import subprocess
import sys

import harness
from harness import BUSYBOX, HermitTest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import elf_files  # noqa: E402

# A call that will never be supported, in a place that every run comes to.
ALWAYS = """#include <sys/swap.h>
int main(void) { return swapoff("/nothing") == 0; }
"""
SOMETIMES = """#include <sys/swap.h>
int main(int argc, char **argv) { return argc > 2 ? swapoff("/nothing") : 0; }
"""
WRAPPED = """#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) { return argc > 2 ? syscall(SYS_swapoff, argv[1]) : 0; }
"""
LIBRARY = "int answer(void) { return 0; }\n"
NEEDS_IT = "int answer(void);\nint main(void) { return answer(); }\n"
GO = """package main
import ("fmt"; "os"; "time")
func main() { entries, _ := os.ReadDir("/"); time.Sleep(1); fmt.Println(len(entries) > 0) }
"""
# Made by the kernel, or by what starts the program.
NOT_THE_PROGRAMS = {"execve", "restart_syscall"}


class CheckTest(HermitTest):
    def check(self, *arguments, status=0, **how):
        o = self.hermit("--check", *arguments, **how)
        self.assertEqual((o.status, o.err), (status, b""), o)
        return o.out.decode()

    def json(self, *arguments, status=0):
        return json.loads(self.check("--json", *arguments, status=status))

    def compile(self, name, source, *flags):
        compiler = shutil.which("cc")
        if not compiler:
            self.skipTest("no C compiler")
        subprocess.run([compiler, "-O1", "-x", "c", "-", "-x", "none", *flags, "-o",
                        self.path(name)], input=source, text=True, cwd=self.dir, check=True)
        return self.path(name)


class Verdict(CheckTest):
    """The first line and the exit status."""

    def test_runs(self):
        first = self.check(self.put("good", elf_files.good()["good"], 0o755)).splitlines()
        self.assertTrue(first[0].endswith("good: runs"), first)
        table = {line.split()[0]: line.split()[1:4] for line in first[3:]}
        self.assertEqual(sorted(table), ["exit", "write"])
        self.assertEqual(table["write"][:2], ["full", "always"])

    def test_limits(self):
        program = self.compile("sometimes", SOMETIMES)
        lines = self.check(program).splitlines()
        self.assertIn(": runs, with limits: swapoff", lines[0])
        row = [line.split() for line in lines if line.startswith("swapoff ")]
        self.assertEqual(row[0][:3], ["swapoff", "none", "called"])
        self.assertRegex(row[0][3], r"^libc.so.6:swapoff")

    def test_wrapper(self):
        """syscall(2) with a constant: the number is known where it is called."""
        calls = {c["call"]: c for c in self.json(self.compile("wrapped", WRAPPED))["calls"]}
        self.assertEqual(calls["swapoff"]["function"], "main")

    def test_certain_failure(self):
        for flags in ((), ("-static",)):
            with self.subTest(flags=flags):
                program = self.compile("always", ALWAYS, *flags)
                first = self.check(program, status=1).splitlines()[0]
                self.assertIn(": would fail: swapoff", first)

    def test_unusable_files(self):
        hostile = elf_files.hostile()
        for name, part in (("32-bit", "32-bit"), ("arm", "machine"), ("big-endian", "big-endian"),
                           ("text-file", "not an ELF"), ("interp-missing", "dynamic linker")):
            with self.subTest(name=name):
                out = self.check(self.put(name, hostile[name], 0o755), status=1)
                self.assertIn(": would fail: ", out.splitlines()[0])
                self.assertIn(part, out.splitlines()[0])

    def test_hostile_files_do_no_harm(self):
        for name, image in elf_files.hostile().items():
            with self.subTest(name=name):
                o = self.hermit("--check", self.put(name, image, 0o755))
                self.assertIn(o.status, (0, 1), o)

    def test_missing_library(self):
        os.mkdir(self.path("libs"))
        self.compile("libs/libanswer.so", LIBRARY, "-shared", "-fPIC")
        program = self.compile("needs", NEEDS_IT, "-Llibs", "-lanswer")
        out = self.check(program, status=1)
        self.assertIn("library libanswer.so (needed by needs) is missing", out)
        self.compile("needs", NEEDS_IT, "-Llibs", "-lanswer", "-Wl,-rpath,$ORIGIN/libs")
        self.assertIn("needs: runs", self.check(program).splitlines()[0])
        # From elsewhere the directory is not in the view.
        other = self.path("other")
        os.mkdir(other)
        out = self.check(program, status=1, cwd=other)
        self.assertIn(f"is not visible (add -v {self.path('libs')})", out)
        self.assertIn("needs: runs", self.check("-v", self.path("libs"), program, cwd=other))

    def test_scripts(self):
        self.put("script", b"#!/bin/busybox sh\ntrue\n", 0o755)
        self.assertIn("/bin/busybox interprets it", self.check("./script"))
        self.put("bad", b"#!/no/such/interpreter\n", 0o755)
        self.assertIn("would fail: the script's interpreter /no/such/interpreter",
                      self.check("./bad", status=1))

    def test_set_user_id(self):
        program = self.put("suid", elf_files.good()["good"], 0o4755)
        self.assertIn("set-user-ID", self.check(program).splitlines()[0])

    def test_tool_missing(self):
        copy = shutil.copy(harness.ENGINE.hermit_run, self.path("hermit-run"))
        p = subprocess.run([copy, "--check", BUSYBOX], capture_output=True, text=True, check=False)
        self.assertEqual((p.returncode, p.stdout), (125, ""))
        self.assertRegex(p.stderr, r"^hermit-run: --check: hermit-check is not installed.*\n$")

    def test_rootfs(self):
        os.makedirs(self.path("root/bin"))
        shutil.copy(BUSYBOX, self.path("root/bin/busybox"))
        self.assertIn("/bin/busybox: runs", self.check("--rootfs", "root", "/bin/busybox"))


class Recall(CheckTest):
    """Every call that a program makes is in the list."""

    def listed(self, program):
        return {c["call"] for c in self.json(program)["calls"]}

    def assert_listed(self, used, program):
        self.assertGreater(len(used), 3)
        self.assertEqual(used - NOT_THE_PROGRAMS - self.listed(program), set(), program)

    def traced(self, *command):
        """Calls under hermit-run."""
        o = self.run_in("--strace-output", self.path("trace"), *command)
        self.assertEqual(o.status, 0, o.err)
        with open(self.path("trace"), encoding="utf-8", errors="replace") as f:
            names = re.findall(r"^(?:\[pid +\d+\] )?(?:<\.\.\. )?(\w+)[( ]", f.read(), re.M)
        return set(names)

    def natively(self, *command):
        """Calls of the program's own process under strace(1), empty without strace."""
        if not shutil.which("strace"):
            return set()
        subprocess.run(["strace", "-f", "-o", self.path("native"), *command], check=False,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        used, images = set(), {}
        with open(self.path("native"), encoding="utf-8", errors="replace") as f:
            for line in f:
                m = re.match(r"(\d+) +(?:<\.\.\. )?(\w+)[( ]", line)
                if not m:
                    continue
                # What a child executes is another program.
                if m[2] == "execve" and line.rstrip().endswith("= 0"):
                    images[m[1]] = m[1] in images or len(images) > 0
                if not images.get(m[1], False):
                    used.add(m[2])
        return used

    def both(self, *command):
        self.assert_listed(self.traced(*command), command[0])
        native = self.natively(*command)
        if native:
            self.assert_listed(native, command[0])

    def test_busybox(self):
        self.both(BUSYBOX, "ls", "-lR", "/usr/lib/locale")
        self.both(BUSYBOX, "sh", "-c", "ulimit -a; echo $((1+1)); cd /; read x </etc/passwd")
        self.both(BUSYBOX, "dd", "if=/etc/passwd", "of=/dev/null")

    def test_python(self):
        if not os.path.exists("/usr/bin/python3"):
            self.skipTest("no python3")
        self.both("/usr/bin/python3", "-c",
                  "import threading, time, os, tempfile\n"
                  "t = threading.Thread(target=time.sleep, args=(.01,))\n"
                  "t.start(); t.join(); os.listdir('/')\n"
                  "tempfile.TemporaryFile().write(b'x')")

    def test_sqlite(self):
        if not os.path.exists("/usr/bin/sqlite3"):
            self.skipTest("no sqlite3")
        self.both("/usr/bin/sqlite3", "/tmp/check-test.db",
                  "drop table if exists t; create table t(a); insert into t values(1); "
                  "select * from t")

    def test_threads(self):
        for libc in ("glibc", "musl"):
            with self.subTest(libc=libc):
                self.both(self.program(f"threads_basic.{libc}"))

    def test_go(self):
        if not shutil.which("go"):
            self.skipTest("no Go compiler")
        self.put("main.go", GO.encode())
        env = {**os.environ, "GO111MODULE": "off", "CGO_ENABLED": "0", "HOME": self.dir,
               "GOCACHE": self.path("cache")}
        for name, flags in (("plain", []), ("stripped", ["-ldflags", "-s -w"])):
            with self.subTest(name=name):
                subprocess.run(["go", "build", *flags, "-o", name, "main.go"], cwd=self.dir,
                               env=env, check=True)
                self.assertIn("epoll_pwait", self.listed(self.path(name)))
                native = self.natively(self.path(name))
                self.assert_listed(native or {"mmap", "futex", "clone", "write"}, self.path(name))


if __name__ == "__main__":
    harness.main(__doc__)
