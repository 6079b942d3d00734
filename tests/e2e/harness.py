# SPDX-License-Identifier: MIT
"""What the unittest scripts of this directory share: options, the engine, small helpers."""
import argparse
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
import engine as engines  # noqa: E402

BUSYBOX = "/bin/busybox"
ENGINE = None  # the engine under test
PROGRAMS = None  # directory of the programs of tests/linux
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "TZ": "UTC", "LC_ALL": "C",
               **engines.NO_CACHE}


class HermitTest(unittest.TestCase):
    """A test in a directory of its own."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="hermit-test-")
        self.addCleanup(holder.cleanup)
        self.dir = os.path.realpath(holder.name)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def put(self, name, data=b"", mode=0o644):
        path = self.path(name)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, mode)
        return path

    def hermit(self, *arguments, **how):
        """hermit-run with these arguments, options first; no engine is added."""
        how.setdefault("env", ENVIRONMENT)
        how.setdefault("cwd", self.dir)
        return engines.Engine("native", "").run([ENGINE.hermit_run, *arguments],
                                                timeout=engines.TIMEOUT_SECONDS[ENGINE.name], **how)

    @staticmethod
    def stop(p):
        if p.poll() is None:
            p.kill()
        p.communicate()

    def ready(self, *arguments, **how):
        """A running hermit-run whose program has said that it is ready; it ends with the test."""
        p = spawn(["--timeout", "120s", *arguments], stdout=subprocess.PIPE, **how)
        self.addCleanup(self.stop, p)
        self.assertEqual(p.stdout.readline(), b"ready\n")
        return p

    def run_in(self, *arguments, **how):
        """As hermit(), under the engine that is being tested."""
        return self.hermit("--vmm", ENGINE.name, *arguments, **how)

    def sh(self, script, *options, **how):
        """A busybox shell script in the guest."""
        return self.run_in(*options, BUSYBOX, "sh", "-c", script, **how)

    def program(self, name):
        path = os.path.join(PROGRAMS, name)
        if not os.path.exists(path):
            self.skipTest(f"{path} is not built")
        return path

    def assert_refused(self, outcome, status, *parts):
        """One clear line from hermit-run itself, nothing on standard output."""
        text = outcome.err.decode(errors="replace")
        self.assertEqual(outcome.status, status, text)
        self.assertEqual(outcome.out, b"")
        self.assertEqual(text.count("\n"), 1, text)
        self.assertTrue(text.startswith("hermit-run: "), text)
        self.assertTrue(text.endswith("\n"), text)
        for part in parts:
            self.assertIn(part, text)


def spawn(arguments, **how):
    """hermit-run under the engine being tested, as a running process."""
    return subprocess.Popen([ENGINE.hermit_run, "--vmm", ENGINE.name, *arguments],
                            env=ENVIRONMENT, **how)


def main(doc):
    """Parses the options common to all scripts and runs the tests of the calling module."""
    global ENGINE, PROGRAMS  # set once, before any test runs
    parser = argparse.ArgumentParser(description=doc)
    engines.add_arguments(parser, ("kvm", "qemu"))
    parser.add_argument("--programs", default="build/tests/linux", metavar="DIR")
    parser.add_argument("tests", nargs="*", help="CLASS or CLASS.test to run")
    args = parser.parse_args()
    # Tests import this module by its name; the script that runs is another module.
    ENGINE = engines.from_arguments(args)
    PROGRAMS = os.path.abspath(args.programs)
    if not os.access(BUSYBOX, os.X_OK):
        print(f"SKIP: no {BUSYBOX}: install busybox-static")
        sys.exit(engines.SKIP)
    unittest.main(module="__main__", argv=[sys.argv[0], "-v", *args.tests])
