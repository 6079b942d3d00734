#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hermit-run's own behaviour: options, what the program sees, exit statuses, diagnostics."""
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import BUSYBOX, HermitTest  # noqa: E402
import elf_files  # noqa: E402


class Options(HermitTest):
    """Bad values are refused with one line; help and version work without an engine."""

    def test_help_and_version(self):
        for flag in ("--help", "-h"):
            o = self.hermit(flag)
            self.assertEqual((o.status, o.err), (0, b""))
            for word in (b"Usage:", b"--memory", b"--volume", b"--rootfs", b"--strace",
                         b"Examples"):
                self.assertIn(word, o.out)
        for flag in ("--version", "-V"):
            o = self.hermit(flag)
            self.assertEqual((o.status, o.err), (0, b""))
            self.assertRegex(o.out.decode(), r"^hermit-run \d+\.\d+")

    def test_bad_values(self):
        cases = [
            ([], "no program"), (["--no-such-option", "x"], "--no-such-option"),
            (["-Z", "x"], "-Z"),
            (["-m"], "needs a value"), (["-m", "lots", "x"], "--memory lots"),
            (["-m", "-1", "x"], "--memory"), (["-m", "0", "x"], "--memory"),
            (["-m", "1000T", "x"], "--memory"), (["-m", "64M7", "x"], "--memory"),
            (["--cpus", "0", "x"], "--cpus"), (["--cpus", "many", "x"], "--cpus"),
            (["--vmm", "xen", "x"], "--vmm xen"), (["--timeout", "soon", "x"], "--timeout soon"),
            (["--timeout", "-3", "x"], "--timeout"), (["-e", "=x", "y"], "--env"),
            (["--env-file", "none", "x"], "none"), (["-w", "relative", "x"], "--workdir relative"),
            (["-v", "/no/such/dir", BUSYBOX], "/no/such/dir"), (["-v", "", "x"], "--volume"),
            (["-v", "/tmp:rel", "x"], "--volume"), (["-v", "/tmp:/x:rx", "x"], "--volume"),
            (["-v", "/tmp:/a:ro:b", "x"], "--volume"),
            (["--rootfs", "/no/such/root", "/bin/sh"], "/no/such/root"),
            (["--strace=open,,read", "x"], "--strace"),
            (["--strace=nosuchcall", BUSYBOX], "nosuchcall"), (["-q", "--verbose", "x"], "exclude"),
        ]
        for arguments, part in cases:
            with self.subTest(arguments=arguments):
                self.assert_refused(self.hermit(*arguments), 125, part)

    def test_env_file_errors(self):
        for text, part in ((b"A=1\n=2\n", "line 2"), (b"A B=1\n", "line 1"), (b"A=\0\n", "NUL")):
            with self.subTest(text=text):
                self.put("env", text)
                self.assert_refused(self.hermit("--env-file", "env", BUSYBOX), 125, part)

    def test_memory_too_small_for_the_program(self):
        o = self.run_in("-m", "4M", self.program("big_bss.musl"))
        self.assertNotEqual(o.status, 0)
        self.assertEqual(o.err.count(b"\n"), 1, o.err)


class Programs(HermitTest):
    """What cannot be run is refused: 127 not found, 126 not executable."""

    def test_not_found(self):
        for name in ("./none", "/no/such/program", "no-such-program-in-path"):
            with self.subTest(name=name):
                self.assert_refused(self.run_in(name), 127, name)

    def test_not_executable(self):
        self.put("plain", b"\x7fELF" * 20, 0o644)
        self.assert_refused(self.run_in("./plain"), 126, "plain")
        os.mkdir(self.path("dir"), 0o755)
        self.assert_refused(self.run_in("./dir"), 126, "directory")

    def test_good_small_programs(self):
        for name, image in elf_files.good().items():
            with self.subTest(name=name):
                o = self.run_in(self.put(name, image, 0o755))
                self.assertEqual((o.status, o.out, o.err), (7, b"hi\n", b""))

    def test_hostile_elf_files(self):
        for name, image in elf_files.hostile().items():
            with self.subTest(name=name):
                o = self.run_in(self.put(name, image, 0o755))
                self.assert_refused(o, 127 if name == "interp-missing" else 126, name)

    def test_clear_words(self):
        hostile = elf_files.hostile()
        for name, part in (("32-bit", "32-bit"), ("arm", "machine"), ("big-endian", "big-endian"),
                           ("text-cut", "truncated"), ("text-file", "ELF"),
                           ("interp-missing", "interpreter")):
            with self.subTest(name=name):
                self.assertIn(part, self.run_in(self.put(name, hostile[name], 0o755)).err.decode())

    def test_script(self):
        self.put("script", b"#!/bin/busybox sh\necho \"$0 $1\"\nexit 9\n", 0o755)
        o = self.run_in("./script", "arg")
        self.assertEqual(o.status, 9, o.err)
        self.assertTrue(o.out.endswith(b"script arg\n"), o.out)
        self.put("bad", b"#!/no/such/interpreter\n", 0o755)
        self.assert_refused(self.run_in("./bad"), 127, "interpreter")

    def test_script_for_env(self):
        """What env(1) finds in PATH for a script is part of the program, wherever it lies."""
        bin_dir, here = self.path("bin"), self.path("here")
        os.mkdir(bin_dir)
        os.mkdir(here)
        shutil.copy(BUSYBOX, self.path("bin/sh"))
        self.put("bin/inner", b"#!/usr/bin/env sh\nshift\necho \"$@\"\n", 0o755)
        self.put("bin/tool", b"#!/usr/bin/env -S inner one\n", 0o755)
        o = self.run_in("tool", "two", env={"PATH": f"{bin_dir}:/usr/bin"}, cwd=here)
        self.assertEqual((o.status, o.out), (0, f"{bin_dir}/tool two\n".encode()), o.err)

    def test_path_search(self):
        os.mkdir(self.path("bin"))
        shutil.copy(BUSYBOX, self.path("bin/busybox-copy"))
        env = {"PATH": f"/nowhere:{self.path('bin')}:/usr/bin"}
        o = self.run_in("busybox-copy", "echo", "found", env=env)
        self.assertEqual((o.status, o.out), (0, b"found\n"), o.err)


class Environment(HermitTest):
    """--env, --env-file, --clear-env, --workdir, arguments."""

    def test_inherited_and_set(self):
        env = {"ONE": "1", "TWO": "2"}
        o = self.run_in("-e", "TWO=two", "--env", "NEW=a=b", BUSYBOX, "env", env=env)
        self.assertEqual(sorted(o.out.split()), [b"NEW=a=b", b"ONE=1", b"TWO=two"])
        o = self.run_in("--clear-env", "-e", "ONE", "-e", "EMPTY=", BUSYBOX, "env", env=env)
        self.assertEqual(sorted(o.out.split()), [b"EMPTY=", b"ONE=1"])

    def test_file(self):
        self.put("env", b"# comment\nA=1\n\nB=two words\nHOSTED\nNOT_SET\n")
        o = self.run_in("--clear-env", "--env-file", "env", "-e", "A=over", BUSYBOX, "env",
                        env={"HOSTED": "yes"})
        self.assertEqual(sorted(o.out.splitlines()), [b"A=over", b"B=two words", b"HOSTED=yes"])

    def test_arguments_are_the_programs(self):
        o = self.run_in(BUSYBOX, "echo", "-m", "--help", "--", "a b", "")
        self.assertEqual((o.status, o.out), (0, b"-m --help -- a b \n"))
        o = self.run_in("--", BUSYBOX, "printf", "%s", "x")
        self.assertEqual(o.out, b"x")

    def test_workdir(self):
        o = self.run_in(BUSYBOX, "pwd")
        self.assertEqual(o.out.decode().strip(), self.dir)
        os.mkdir(self.path("sub"))
        o = self.run_in("-w", self.path("sub"), BUSYBOX, "pwd")
        self.assertEqual(o.out.decode().strip(), self.path("sub"))
        o = self.run_in("-w", "/tmp", BUSYBOX, "pwd")
        self.assertEqual(o.out, b"/tmp\n")
        self.assert_refused(self.run_in("-w", "/usr/share/none", BUSYBOX, "pwd"), 125, "--workdir")


class View(HermitTest):
    """What the program sees of the host."""

    def test_current_directory_is_read_only(self):
        self.put("file", b"data\n")
        self.assertEqual(self.run_in(BUSYBOX, "cat", "file").out, b"data\n")
        o = self.sh("echo changed > file; echo new > other")
        self.assertNotEqual(o.status, 0)
        self.assertEqual(o.err.count(b"Read-only file system"), 2, o.err)
        for command in (("rm", "file"), ("mkdir", "x"), ("chmod", "600", "file"),
                        ("mv", "file", "x")):
            o = self.run_in(BUSYBOX, *command)
            self.assertNotEqual(o.status, 0)
            self.assertIn(b"Read-only file system", o.err)
        self.assertEqual(sorted(os.listdir(self.dir)), ["file"])
        with open(self.path("file"), "rb") as f:
            self.assertEqual(f.read(), b"data\n")

    def test_private_tmp(self):
        name = f"/tmp/hermit-private-{os.getpid()}"
        o = self.sh(f"echo x > {name} && read l < {name} && echo $l; echo /tmp/hermit-private-*")
        self.assertEqual(o.out.decode(), f"x\n{name}\n")
        self.assertFalse(os.path.exists(name))

    def test_the_rest_is_hidden(self):
        for path in ("/etc/shadow", "/root", "/var/log", "/usr/share/doc"):
            with self.subTest(path=path):
                o = self.run_in(BUSYBOX, "ls", path)
                self.assertNotEqual(o.status, 0, o.out)

    def test_volumes(self):
        for name in ("a", "b"):
            os.mkdir(self.path(name))
            self.put(f"{name}/file", name.encode() + b"\n")
        where = ["-w", "/", "-v", self.path("a") + ":/data/ro", "-v", self.path("b") + ":/rw:rw"]
        o = self.sh("read x < /data/ro/file; read y < /rw/file; echo $x$y; echo more > /rw/new; "
                    "echo x > /data/ro/x", *where)
        self.assertEqual(o.out, b"ab\n")
        self.assertIn(b"Read-only", o.err)
        self.assertEqual(os.listdir(self.path("a")), ["file"])
        with open(self.path("b/new"), "rb") as f:
            self.assertEqual(f.read(), b"more\n")
        o = self.run_in("-v", self.path("a/file") + ":/one", BUSYBOX, "cat", "/one")
        self.assertEqual(o.out, b"a\n")

    def test_volume_cannot_be_left(self):
        os.mkdir(self.path("in"))
        self.put("secret", b"secret")
        os.symlink("../secret", self.path("in/relative"))
        os.symlink("/etc/shadow", self.path("in/absolute"))
        share = ["-w", "/in", "-v", self.path("in") + ":/in:rw"]
        for path in ("/in/../secret", "/in/relative", "/in/absolute", "../secret", "relative"):
            with self.subTest(path=path):
                o = self.run_in(*share, BUSYBOX, "cat", path)
                self.assertEqual((o.status, o.out), (1, b""))

    def test_rootfs(self):
        for name in ("bin", "etc", "tmp"):
            os.mkdir(self.path(name))
        shutil.copy(BUSYBOX, self.path("bin/busybox"))
        self.put("etc/name", b"inside\n")
        script = "pwd; read x < /etc/name; echo $x; echo /*; echo x > /etc/new"
        o = self.run_in("--rootfs", self.dir, "/bin/busybox", "sh", "-c", script)
        self.assertEqual(o.out.split()[:2], [b"/", b"inside"], o.err)
        self.assertIn(b"Read-only", o.err)
        o = self.run_in("--rootfs", self.dir + ":rw", "/bin/busybox", "sh", "-c", script)
        self.assertEqual(o.status, 0, o.err)
        self.assertTrue(os.path.exists(self.path("etc/new")))
        self.assert_refused(self.run_in("--rootfs", self.dir, "/bin/none"), 127, "--rootfs")


class Reports(HermitTest):
    """--strace, --stats, --timeout, crash reports; silence otherwise."""

    def test_silence(self):
        o = self.run_in(BUSYBOX, "true")
        self.assertEqual((o.status, o.out, o.err), (0, b"", b""))

    def test_strace(self):
        self.put("file", b"data\n")
        o = self.run_in("--strace", BUSYBOX, "cat", "file")
        self.assertEqual(o.out, b"data\n")
        text = o.err.decode()
        self.assertRegex(text, r'open(at)?\(.*"file", O_RDONLY.*\) += \d+')
        self.assertRegex(text, r"exit_group\(0\)")
        o = self.run_in("--strace", BUSYBOX, "cat", "missing")
        self.assertRegex(o.err.decode(), r'"missing", .*\) += -1 ENOENT')
        o = self.run_in("--strace=exit_group", BUSYBOX, "cat", "file")
        self.assertRegex(o.err.decode(), r"^exit_group\(0\) += \?\n\+\+\+ exited with 0 \+\+\+\n$")

    def test_stats(self):
        o = self.run_in("--stats", BUSYBOX, "cat", "/dev/null")
        self.assertEqual((o.status, o.out), (0, b""))
        sections = ["peak memory", "guest memory", "system calls", "exit_group"]
        if harness.ENGINE.name == "kvm":  # QEMU's own start and exits cannot be seen
            sections += ["boot", "VM exits"]
        for section in sections:
            self.assertIn(section, o.err.decode())

    def test_timeout(self):
        o = self.run_in("--timeout", "500ms", BUSYBOX, "sleep", "30")
        self.assert_refused(o, 124, "--timeout")
        o = self.run_in("--timeout", "500ms", BUSYBOX, "sh", "-c", "while :; do :; done")
        self.assert_refused(o, 124, "--timeout")
        self.assertEqual(self.run_in("--timeout", "40s", BUSYBOX, "true").status, 0)

    def test_crash_report(self):
        program = self.program("exit_status.musl")
        o = self.run_in(program, "segv", "4096")
        self.assertEqual(o.status, 139)
        text = o.err.decode()
        for part in ("SIGSEGV", "0x1000", "rip", "rax", "rsp", "exit_status.musl+0x"):
            self.assertIn(part, text)
        self.assertEqual(text.count("SIGSEGV"), 1, "one report")
        for how, signal in (("ud2", "SIGILL"), ("divide", "SIGFPE")):
            with self.subTest(how=how):
                self.assertIn(signal, self.run_in(program, how, "0").err.decode())

    def test_frame_of_the_crash(self):
        """The module offset of the first frame is the address that the symbol table has."""
        program = self.program("exit_status.musl")
        if shutil.which("nm") is None:
            self.skipTest("no nm")
        o = self.run_in(program, "segv", "4096")
        rip = int(o.err.decode().split("rip 0x")[1].split()[0], 16)
        symbols = subprocess.run(["nm", "-n", program], capture_output=True, text=True, check=True)
        below = [line.split()[2] for line in symbols.stdout.splitlines()
                 if line.split()[1] in "tT" and int(line.split()[0], 16) <= rip]
        self.assertEqual(below[-1], "main")

    def test_a_handled_fault_is_not_reported(self):
        o = self.run_in(self.program("mprotect.musl"))
        self.assertEqual((o.status, o.err), (0, b""))


class Engines(HermitTest):
    """Without a usable /dev/kvm: auto falls back with a note, --vmm kvm says how to get it."""

    def without_kvm(self, *arguments):
        script = ("mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && "
                  "mknod -m 666 /dev/urandom c 1 9 && mknod -m 666 /dev/zero c 1 5 && "
                  'mkdir /dev/shm && exec "$0" "$@"')
        command = ["unshare", "-m", "sh", "-c", script, harness.ENGINE.hermit_run, *arguments]
        return harness.engines.Engine("native", "").run(command, timeout=60)

    def setUp(self):
        super().setUp()
        probe = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"],
                               capture_output=True, check=False)
        if probe.returncode:
            self.skipTest("a private /dev needs root")

    def test_kvm(self):
        self.assert_refused(self.without_kvm("--vmm", "kvm", BUSYBOX, "true"), 125, "/dev/kvm",
                            "--vmm qemu")

    def test_auto(self):
        if shutil.which("qemu-system-x86_64") is None:
            self.skipTest("no qemu-system-x86_64")
        o = self.without_kvm(BUSYBOX, "echo", "fallen back")
        self.assertEqual((o.status, o.out), (0, b"fallen back\n"), o.err)
        self.assertIn(b"/dev/kvm", o.err)
        self.assertEqual(o.err.count(b"\n"), 1, o.err)
        o = self.without_kvm("--quiet", BUSYBOX, "true")
        self.assertEqual((o.status, o.err), (0, b""))


if __name__ == "__main__":
    harness.main(__doc__)
