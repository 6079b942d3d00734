#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Standard streams and signals: pipes, files, closed descriptors, terminals, Ctrl-C, SIGTERM."""
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import BUSYBOX, HermitTest  # noqa: E402


class Streams(HermitTest):
    """stdin, stdout and stderr as they are given."""

    def test_pipe_and_end_of_file(self):
        data = os.urandom(1 << 20)
        o = self.run_in(BUSYBOX, "cat", stdin=data)
        self.assertEqual((o.status, o.out == data, o.err), (0, True, b""))

    def test_regular_file(self):
        path = self.put("in", b"first\nsecond\n")
        with open(path, "rb") as stdin, open(self.path("out"), "wb") as stdout:
            p = harness.spawn([BUSYBOX, "cat"], stdin=stdin, stdout=stdout)
            self.assertEqual(p.wait(60), 0)
        with open(self.path("out"), "rb") as f:
            self.assertEqual(f.read(), b"first\nsecond\n")

    def test_shared_position(self):
        """What the program leaves in a file is there for whoever reads next; appending appends."""
        path = self.put("in", b"one\ntwo\n")
        with open(path, "r+b", buffering=0) as both:
            p = harness.spawn([BUSYBOX, "sh", "-c", "read x; echo $x"], stdin=both,
                              stdout=subprocess.PIPE)
            self.assertEqual(p.communicate(timeout=60)[0], b"one\n")
            self.assertEqual(both.read(), b"two\n")
        with open(path, "ab") as end:
            p = harness.spawn([BUSYBOX, "echo", "three"], stdin=subprocess.DEVNULL, stdout=end)
            self.assertEqual(p.wait(60), 0)
        with open(path, "rb") as f:
            self.assertEqual(f.read(), b"one\ntwo\nthree\n")

    def test_position_of_output(self):
        """Output goes behind what is there, whichever call writes it (cat uses sendfile)."""
        self.put("in", b"from the guest\n")
        for command in ((BUSYBOX, "cat", "in"), (BUSYBOX, "echo", "from the guest")):
            with self.subTest(command=command), open(self.path("out"), "wb", buffering=0) as out:
                out.write(b"before\n")
                p = harness.spawn(command, stdin=subprocess.DEVNULL, stdout=out, cwd=self.dir)
                self.assertEqual(p.wait(60), 0)
                out.write(b"after\n")
                with open(self.path("out"), "rb") as f:
                    self.assertEqual(f.read(), b"before\nfrom the guest\nafter\n")

    def test_closed_streams(self):
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            with self.subTest(closed=closed):
                p = subprocess.run(["sh", "-c", f'exec "$0" "$@" {closed}',
                                    harness.ENGINE.hermit_run, "--vmm", harness.ENGINE.name,
                                    BUSYBOX, "sh", "-c", "exit 5"],
                                   env=harness.ENVIRONMENT, timeout=100, check=False,
                                   stdin=subprocess.DEVNULL, capture_output=True)
                self.assertEqual(p.returncode, 5)

    def test_full_device(self):
        with open("/dev/full", "wb") as full:
            p = harness.spawn([BUSYBOX, "echo", "x"], stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE)
            self.assertIn(b"No space left", p.communicate(timeout=60)[1])
            self.assertEqual(p.returncode, 1)

    def test_slow_writer(self):
        """Input that comes bit by bit arrives bit by bit."""
        with harness.spawn([BUSYBOX, "sh", "-c", "while read x; do echo \"got $x\"; done"],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as p:
            for word in (b"a", b"b", b"c"):
                p.stdin.write(word + b"\n")
                self.assertEqual(p.stdout.readline(), b"got " + word + b"\n")
            p.stdin.close()
            self.assertEqual(p.wait(60), 0)


class Signals(HermitTest):
    """Signals sent to hermit-run are the program's."""

    def send(self, number, *command):
        with harness.spawn(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, bufsize=0) as p:
            self.assertEqual(p.stdout.readline(), b"ready\n")
            os.kill(p.pid, number)
            try:
                out = p.communicate(timeout=20)[0]
            except subprocess.TimeoutExpired:
                p.kill()
                self.fail(f"signal {number} did not end the program")
            return p.returncode, out

    def shell(self, script):
        return (BUSYBOX, "sh", "-c", script)

    def test_default_action(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1,
                       signal.SIGALRM):
            with self.subTest(number=number):
                status, out = self.send(number, *self.shell("echo ready; while :; do :; done"))
                self.assertEqual((status, out), (128 + number, b""))

    def test_while_asleep(self):
        status, _ = self.send(signal.SIGTERM, *self.shell("echo ready; exec busybox sleep 60"))
        self.assertEqual(status, 128 + signal.SIGTERM)

    def test_handler(self):
        script = "trap 'echo caught; exit 6' TERM; echo ready; while :; do :; done"
        self.assertEqual(self.send(signal.SIGTERM, *self.shell(script)), (6, b"caught\n"))

    def test_handler_interrupts_a_read(self):
        script = "trap 'echo caught; exit 6' USR1; echo ready; read x; read y; exit 9"
        with harness.spawn(self.shell(script), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, bufsize=0) as p:
            self.assertEqual(p.stdout.readline(), b"ready\n")
            time.sleep(0.3)
            os.kill(p.pid, signal.SIGUSR1)
            try:
                out = p.stdout.readline()
            finally:
                p.stdin.close()
            self.assertEqual((out, p.wait(60)), (b"caught\n", 6))

    def test_kill_leaves_nothing(self):
        p = harness.spawn([BUSYBOX, "sleep", "60"], stdin=subprocess.DEVNULL)
        time.sleep(0.3)
        p.kill()
        self.assertEqual(p.wait(60), -signal.SIGKILL)


class Terminal(HermitTest):
    """hermit-run on a pseudo-terminal of its own, as its controlling terminal."""

    def setUp(self):
        super().setUp()
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)
        termios.tcsetwinsize(self.slave, (33, 101))
        self.before = termios.tcgetattr(self.slave)

    def start(self, *command, native=False):
        arguments = [] if native else [harness.ENGINE.hermit_run, "--vmm", harness.ENGINE.name]

        def take_terminal():
            os.setsid()
            os.close(os.open(os.ttyname(self.slave), os.O_RDWR))

        # The child shares nothing but the terminal: preexec_fn is the way to a session leader.
        return subprocess.Popen([*arguments, *command], stdin=self.slave, stdout=self.slave,
                                stderr=self.slave, preexec_fn=take_terminal,
                                env={**harness.ENVIRONMENT, "TERM": "xterm"}, cwd=self.dir)

    def read_until(self, text, seconds=60):
        """Output up to and including text."""
        seen, end = b"", time.monotonic() + seconds
        while text not in seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                self.fail(f"{text!r} did not come; seen: {seen!r}")
            seen += os.read(self.master, 4096)
        return seen

    def finish(self, p, status):
        try:
            self.assertEqual(p.wait(20), status)
        finally:
            p.kill()
        self.assertEqual(termios.tcgetattr(self.slave), self.before, "modes are not restored")

    def output(self, *command, native=False):
        p = self.start(*command, native=native)
        self.assertEqual(p.wait(60), 0)
        os.write(self.slave, b"<end>")
        return self.read_until(b"<end>")

    def test_stty_reads_the_modes(self):
        want = self.output(BUSYBOX, "stty", "-a", native=True)
        self.assertEqual(self.output(BUSYBOX, "stty", "-a"), want)
        self.assertIn(b"rows 33; columns 101", want)

    def test_window_size(self):
        self.assertIn(b"33 101", self.output(BUSYBOX, "stty", "size"))

    def test_isatty(self):
        p = self.start(BUSYBOX, "sh", "-c", "test -t 0 && test -t 1 && test -t 2 && echo yes-tty")
        self.read_until(b"yes-tty")
        self.finish(p, 0)

    def test_modes_are_restored(self):
        p = self.start(BUSYBOX, "stty", "raw", "-echo")
        self.finish(p, 0)

    def test_modes_are_restored_after_a_crash(self):
        p = self.start(BUSYBOX, "sh", "-c", "echo ready; read -s -n 1 x; kill -SEGV $$")
        self.read_until(b"ready")
        time.sleep(0.3)
        os.write(self.master, b"x")
        self.finish(p, 128 + signal.SIGSEGV)

    def test_modes_are_restored_after_a_signal(self):
        p = self.start(BUSYBOX, "vi", "file")
        self.read_until(b"file")
        time.sleep(0.3)
        os.kill(p.pid, signal.SIGTERM)
        self.finish(p, 128 + signal.SIGTERM)

    def test_interrupt(self):
        p = self.start(BUSYBOX, "sh", "-c", "echo ready; exec busybox sleep 60")
        self.read_until(b"ready")
        time.sleep(0.3)
        os.write(self.master, b"\x03")
        self.finish(p, 128 + signal.SIGINT)

    def test_interrupt_handler(self):
        p = self.start(BUSYBOX, "sh", "-c", "trap 'echo caught; exit 5' INT; echo ready; "
                       "while :; do :; done")
        self.read_until(b"ready")
        os.write(self.master, b"\x03")
        self.read_until(b"caught")
        self.finish(p, 5)

    def test_quit(self):
        p = self.start(BUSYBOX, "sh", "-c", "echo ready; exec busybox sleep 60")
        self.read_until(b"ready")
        time.sleep(0.3)
        os.write(self.master, b"\x1c")
        self.finish(p, 128 + signal.SIGQUIT)

    def test_line_editing_and_end_of_file(self):
        p = self.start(BUSYBOX, "cat")
        os.write(self.master, b"abX\x7fc\n")
        self.read_until(b"\nabc\r\n")
        os.write(self.master, b"\x04")
        self.finish(p, 0)

    def test_shell_prompt(self):
        p = self.start(BUSYBOX, "sh")
        self.read_until(b"# " if os.geteuid() == 0 else b"$ ")
        os.write(self.master, b"echo $((6 * 7))-answer\r")
        self.read_until(b"42-answer")
        os.write(self.master, b"exit 3\r")
        self.finish(p, 3)

    def test_editor(self):
        os.mkdir(self.path("out"))
        path = self.path("out/note")
        p = self.start("-v", self.path("out") + ":" + self.path("out") + ":rw", BUSYBOX, "vi", path)
        self.read_until(b"note")
        for keys in (b"ihello from vi\x1b", b":wq\r"):
            time.sleep(0.5)
            os.write(self.master, keys)
        self.finish(p, 0)
        with open(path, "rb") as f:
            self.assertEqual(f.read(), b"hello from vi\n")

    def test_resize(self):
        p = self.start(BUSYBOX, "sh", "-c", "trap 'exec busybox stty size' WINCH; echo ready; "
                       "while :; do :; done")
        self.read_until(b"ready")
        termios.tcsetwinsize(self.master, (40, 77))
        self.read_until(b"40 77")
        self.finish(p, 0)


if __name__ == "__main__":
    harness.main(__doc__)
