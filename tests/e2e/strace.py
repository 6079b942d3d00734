# SPDX-License-Identifier: MIT
"""--strace: the lines of whole programs, filters, files, times and the summary."""
import os
import re

import harness
from harness import BUSYBOX, HermitTest

# A call, as in strace(1): thread, time, begin or continuation, result, duration.
CALL = re.compile(r"(?:\[pid +\d+\] )?(?: *\d+\.\d{6} )?"
                  r"(?:(?:<\.\.\. )?\w+(?:\(.*| resumed>.*)\) += "
                  r"(?:\?|-?\d+|0x[0-9a-f]+|0[0-7]+)(?: [A-Z(].*)?(?: <\d+\.\d{6}>)?"
                  r"|\w+\(.* <unfinished \.\.\.>"
                  r"|--- SIG\w+ \{si_signo=.*\} ---"
                  r"|\+\+\+ (?:exited with \d+|killed by SIG\w+) \+\+\+)$")


class Lines(HermitTest):
    def trace(self, *arguments, status=0, **how):
        o = self.run_in("--strace-output", self.path("trace"), *arguments, **how)
        self.assertEqual(o.status, status, o.err)
        with open(self.path("trace"), encoding="ascii") as f:
            return f.read().splitlines()

    def assert_formed(self, lines):
        for line in lines:
            self.assertRegex(line, CALL)

    def test_busybox(self):
        lines = self.trace(BUSYBOX, "ls", "-l", "/")
        self.assert_formed(lines)
        self.assertEqual(lines[-1], "+++ exited with 0 +++")
        self.assertEqual(lines[-2], "exit_group(0)".ljust(40) + "= ?")
        text = "\n".join(lines)
        self.assertRegex(text, r'openat\(AT_FDCWD, "/", O_RDONLY\|.*O_DIRECTORY.*\) = \d')
        self.assertRegex(text, r"getdents64\(3, 0x[0-9a-f]+ /\* \d+ entries \*/, \d+\)")

    def test_standard_error(self):
        o = self.run_in("--strace=write", BUSYBOX, "echo", "hi")
        self.assertEqual(o.out, b"hi\n")
        self.assertEqual(o.err.decode().splitlines(),
                         ['write(1, "hi\\n", 3)'.ljust(40) + "= 3", "+++ exited with 0 +++"])

    def test_threads(self):
        for libc in ("glibc", "musl"):
            with self.subTest(libc=libc):
                lines = self.trace(self.program(f"threads_basic.{libc}"))
                self.assert_formed(lines)
                text = "\n".join(lines)
                self.assertRegex(text, r"clone3?\(.*CLONE_VM\|.*CLONE_THREAD")
                self.assertRegex(text, r"\[pid +\d+\] .*futex\(0x[0-9a-f]+, FUTEX_WAIT")
                # What was cut goes on later, in the same thread.
                for begun in re.findall(r"^(\[pid +\d+\] )(\w+)\(.* <unfinished", text, re.M):
                    self.assertIn(f"{begun[0]}<... {begun[1]} resumed>", text)

    def test_signals(self):
        lines = self.trace(BUSYBOX, "sh", "-c", "trap 'echo x' USR1; kill -USR1 $$; kill -9 $$",
                           status=137)
        self.assert_formed(lines)
        self.assertTrue(any(line.startswith("--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, "
                                            "si_pid=2, si_uid=") for line in lines), lines)
        self.assertEqual(lines[-1], "+++ killed by SIGKILL +++")

    def test_waiting_is_shown(self):
        """A call that waits shows its begin at once."""
        lines = self.trace("--timeout", "2", BUSYBOX, "sleep", "60", status=124)
        self.assertRegex(lines[-1], r"^(clock_)?nanosleep\(.*\{tv_sec=60, tv_nsec=0\}")

    def test_filters(self):
        def names(filter_list):
            lines = self.trace(f"--strace={filter_list}", BUSYBOX, "cat", "/etc/passwd")
            return {line.split("(")[0] for line in lines if line[0] != "+"}

        everything = names("all")
        self.assertLessEqual({"openat", "brk", "exit_group", "close"}, everything)
        self.assertEqual(names("openat,close"), {"openat", "close"})
        self.assertEqual(names("!openat,close"), everything - {"openat", "close"})
        self.assertLessEqual(names("%memory"), {"brk", "mmap", "mprotect", "munmap"})
        self.assertIn("openat", names("%file"))
        self.assertNotIn("close", names("%file"))
        self.assertLessEqual({"openat", "close"}, names("%desc"))
        self.assertEqual(names("%desc,!close"), names("%desc") - {"close"})
        self.assertEqual(names("none"), set())
        self.assertEqual(names("%network"), names("%network") & {"sendfile"})
        self.assertIn("exit_group", names("%process"))

    def test_string_size(self):
        def shown(size):
            lines = self.trace("--strace=write", "--strace-strings", size, BUSYBOX, "echo",
                               "0123456789" * 9)
            return re.search(r'write\(1, "(.*?)"', lines[0])[1]

        self.assertEqual(shown("4"), "0123")
        self.assertEqual(shown("32"), "0123456789" * 3 + "01")
        self.assertEqual(shown("1000"), "0123456789" * 9 + "\\n")
        self.assertEqual(shown("0"), "")

    def test_times(self):
        lines = self.trace("--strace-times", BUSYBOX, "usleep", "100000")
        self.assert_formed(lines)
        for line in lines:
            self.assertRegex(line, r"^ *\d+\.\d{6} ")
        slept = [line for line in lines if "nanosleep(" in line]
        self.assertGreaterEqual(float(re.search(r"<(\d+\.\d+)>$", slept[0])[1]), 0.1)

    def test_summary(self):
        o = self.run_in("--strace-summary", BUSYBOX, "cat", "/nothing")
        self.assertEqual(o.status, 1)
        lines = o.err.decode().splitlines()[1:]
        self.assertEqual(lines[0], "% time     seconds  usecs/call     calls    errors syscall")
        self.assertRegex(lines[1], r"^-{6} -{11} -{11} -{9} -{9} -{16}$")
        table = {line.split()[-1]: line.split() for line in lines[2:]}
        self.assertEqual(table["openat"][3:], ["1", "1", "openat"])
        self.assertEqual(table["total"][0], "100.00")
        calls = sum(int(row[3]) for name, row in table.items()
                    if name != "total" and not name.startswith("-"))
        self.assertEqual(int(table["total"][3]), calls)
        # With lines too, and both in a file.
        lines = self.trace("--strace=openat", "--strace-summary", BUSYBOX, "cat", "/etc/passwd")
        self.assertTrue(lines[0].startswith("openat("))
        self.assertTrue(lines[-1].endswith(" total"))

    def test_output_file_that_cannot_be(self):
        missing = os.path.join(self.dir, "none", "trace")
        self.assert_refused(self.run_in("--strace-output", missing, BUSYBOX, "true"), 125,
                            "--strace-output")


if __name__ == "__main__":
    harness.main(__doc__)
