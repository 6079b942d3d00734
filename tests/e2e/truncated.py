#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A host file that gets shorter while the program has it mapped: SIGBUS and EFAULT in the program,
as on Linux, and no end of the virtual machine."""
import argparse
import os
import subprocess
import sys
import tempfile
import unittest

ARGS = None
PAGE = 4096


class Truncated(unittest.TestCase):
    def test_truncated(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "file")
            with open(path, "w", encoding="ascii") as f:
                f.write("x" * 4 * PAGE)
            command = [ARGS.program, path]
            if ARGS.engine != "native":
                command = [ARGS.hermit_run, "--vmm", ARGS.engine, "--timeout", "60s",
                           "-v", f"{scratch}:{scratch}:rw", *command]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
                self.assertEqual(p.stdout.readline(), b"ready\n")
                os.truncate(path, PAGE)
                out, _ = p.communicate(b"go\n", timeout=90)
        self.assertEqual((p.returncode, out), (0, b"xok a file truncated by others\n"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=["native", "kvm"], required=True)
    parser.add_argument("--hermit-run", required=True)
    parser.add_argument("--program", required=True)
    ARGS, rest = parser.parse_known_args()
    if ARGS.engine == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("skipped: no access to /dev/kvm")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *rest])
