# SPDX-License-Identifier: MIT
"""The same programs with `syscall` instructions, with those that become jumps while they run, and
rewritten before: they make the same calls, with the same arguments and results."""
import os
import re
import subprocess

import harness
from harness import BUSYBOX, HermitTest

SCRIPT = (": >out; i=0; "
          "while [ $i -lt 60 ]; do i=$((i+1)); echo $i >>out; test -e out; read a <out; done; "
          "trap 'echo caught >>out' USR1; kill -USR1 $$; cd /; pwd")
# Until a site has been executed that often it is left alone.
DD = ("dd", "if=tree/119", "of=copy", "bs=1", "count=100")
TREE = ("tar", "cf", "tree.tar", "tree")


def without_chance(lines):
    """Addresses, times and random bytes differ from run to run."""
    text = "\n".join(lines)
    text = re.sub(r"0x[0-9a-f]{4,}", "ADDRESS", text)
    text = re.sub(r'getrandom\("(\\.|[^"\\])*"(\.\.\.)?', "getrandom(BYTES", text)
    text = re.sub(r"tv_n?u?sec=\d+|st_[amc]time=[^,}]*", "TIME", text)
    return re.sub(r" += ", " = ", text).splitlines()


class Trace(HermitTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("tree"))
        for i in range(120):
            self.put(f"tree/{i:03}", b"x" * i)
        for i in range(120):
            os.utime(self.path(f"tree/{i:03}"), (0, 0))
        os.utime(self.path("tree"), (0, 0))

    def trace(self, mode, *arguments):
        for name in ("out", "copy", "tree.tar"):
            self.put(name)
        o = self.run_in("--rewrite", mode, "--stats", "--strace-output", self.path("trace"),
                        "-v", f"{self.dir}:{self.dir}:rw", *arguments)
        said = re.search(rb"(\d+) by syscall instructions, (\d+) of these became jumps", o.err)
        self.assertTrue(said, o.err)
        with open(self.path("trace"), encoding="ascii") as f:
            lines = f.read().splitlines()
        return (o.status, o.out, without_chance(lines)), int(said[1]), int(said[2])

    def check(self, program, *arguments):
        """program: the file; it stays at one place, so that its name is the same."""
        place = self.path("busybox")
        subprocess.run(["cp", program, place], check=True)
        off, executed, jumps = self.trace("off", place, *arguments)
        self.assertEqual((off[0], jumps), (0, 0), off[2][-5:])
        self.assertGreater(len(off[2]), 10)
        lazy, left, jumps = self.trace("lazy", place, *arguments)
        self.assertEqual(lazy, off)
        self.assertGreater(jumps, 0)
        self.assertLess(left, executed)
        tool = os.path.join(os.path.dirname(harness.ENGINE.hermit_run), "hermit-rewrite")
        subprocess.run([tool, "--verify", place], check=True)
        offline, left, jumps = self.trace("auto", place, *arguments)
        self.assertEqual(offline, off)
        self.assertLess(left, executed / 10)

    def test_copy(self):
        self.check(BUSYBOX, *DD)

    def test_tree(self):
        self.check(BUSYBOX, *TREE)

    def test_script(self):
        self.check(BUSYBOX, "sh", "-c", SCRIPT)


if __name__ == "__main__":
    harness.main(__doc__)
