#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs attack.c under hermit-run: whatever it does, hermit-run survives it or ends soon, by itself,
with one clear line, and the host's files are as they were."""
import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import engine as engines  # noqa: E402

LIMIT_SECONDS = 20
OWN_STATUS = (124, 125)  # hermit-run's own
LINE = re.compile(rb"^hermit(-run)?: [^\n]+$", re.MULTILINE)
OPTIONS = None


class Hostile(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="hermit-hostile-")
        self.addCleanup(holder.cleanup)
        self.dir = holder.name
        for share in ("ro", "rw"):
            os.makedirs(os.path.join(self.dir, share, "dir"))
            os.symlink("/", os.path.join(self.dir, share, "link"))
            os.mkfifo(os.path.join(self.dir, share, "new"))
            with open(os.path.join(self.dir, share, "dir", "file"), "w") as f:
                f.write("untouched")

    def start(self, mode, *options):
        self.began = time.monotonic()
        shares = ("-v", f"{self.dir}/rw:/rw:rw", "-v", f"{self.dir}/ro:/ro:ro")
        return subprocess.Popen(
            [OPTIONS.hermit_run, "--vmm", "kvm", "-m", "64M", *shares, *options, OPTIONS.attack,
             *mode.split()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=os.path.join(self.dir, "ro"))

    def finish(self, process):
        try:
            out, err = process.communicate(timeout=LIMIT_SECONDS + 10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.fail("hermit-run hangs")
        self.assertLess(time.monotonic() - self.began, LIMIT_SECONDS)
        self.assertGreaterEqual(process.returncode, 0, f"ended by a signal; stderr: {err[-500:]}")
        if process.returncode in OWN_STATUS:
            self.assertRegex(err, LINE)
        with open(os.path.join(self.dir, "ro", "dir", "file")) as f:
            self.assertEqual(f.read(), "untouched")
        self.assertEqual(sorted(os.listdir(os.path.join(self.dir, "ro"))), ["dir", "link", "new"])
        return process.returncode, out, err

    def attack(self, mode, *options):
        return self.finish(self.start(mode, "--timeout", "12", *options))

    def test_random_calls(self):
        for seed in range(3):
            with self.subTest(seed=seed):
                self.attack(f"calls {seed}")

    def test_network(self):
        """Calls, slots and queues at random: nothing arrives at the host's loopback."""
        with socket.socket() as stream, \
                socket.socket(type=socket.SOCK_DGRAM) as datagram, socket.socket() as free:
            stream.bind(("127.0.0.1", 0))
            stream.listen()
            stream.settimeout(0)
            port = stream.getsockname()[1]
            datagram.bind(("127.0.0.1", port))
            datagram.settimeout(0)
            free.bind(("127.0.0.1", 0))
            published = free.getsockname()[1]
            free.close()
            for seed in range(3):
                with self.subTest(seed=seed):
                    status, out, err = self.attack(
                        f"net {seed} {port}", "-p", f"127.0.0.1:{published}:{published}",
                        "-p", f"127.0.0.1:{published}:{published}/udp")
                    self.assertIn(status, (0, 124, 125, 139), out + err)
                    self.assertRaises(BlockingIOError, stream.accept)
                    self.assertRaises(BlockingIOError, datagram.recv, 1)

    def test_results_into_read_only_memory(self):
        status, _, err = self.attack("text-out")
        self.assertEqual(status, 0, err)

    def test_instructions(self):
        status, out, err = self.attack("instructions")
        self.assertEqual(status, 0, out + err)

    def test_unmapped_memory(self):
        self.attack("holes")

    def test_kernel_overwritten(self):
        status, _, err = self.attack("kernel-text")
        self.assertEqual(status, 125, err)
        status, _, err = self.attack("kernel-data")
        self.assertNotEqual(status, 0, err)

    def test_wild_page_tables(self):
        status, _, err = self.attack("cr3")
        self.assertNotEqual(status, 0, err)

    def test_timeout_ends_a_deaf_guest(self):
        status, _, _ = self.finish(self.start("deaf", "--timeout", "1"))
        self.assertEqual(status, 124)

    def test_signals_end_a_deaf_guest(self):
        process = self.start("deaf")
        self.assertEqual(process.stdout.readline(), b"deaf\n")
        for _ in range(2):
            process.send_signal(signal.SIGTERM)
            time.sleep(2.5)
            if process.poll() is not None:
                break
        status, _, err = self.finish(process)
        self.assertEqual(status, 128 + signal.SIGTERM)
        self.assertIn(b"does not react", err)


def main():
    global OPTIONS
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hermit-run", required=True)
    parser.add_argument("--attack", required=True)
    OPTIONS, rest = parser.parse_known_args()
    engines.Engine("kvm", OPTIONS.hermit_run).require()
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
