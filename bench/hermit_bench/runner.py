# SPDX-License-Identifier: MIT
"""One run of one command: by measure.c for times, in the open for what has to be watched."""
import json
import os
import select
import subprocess
import threading
import time

from . import proc
from .model import Failure

TIMEOUT_S = 300


class Runner:
    """Runs commands; knows where the measuring program is and on which CPUs to stay."""

    def __init__(self, programs, cpus=None, folder=None):
        self.programs, self.cpus = programs, cpus
        self.folder = folder  # the current directory of what is run: guests see it

    def program(self, name):
        return os.path.join(self.programs, name)

    def _popen(self, argv, **options):
        pin = (lambda: os.sched_setaffinity(0, self.cpus)) if self.cpus else None
        return subprocess.Popen(  # pylint: disable=all
            argv, preexec_fn=pin, cwd=self.folder, **options)

    def measure(self, mode, argv, capture=False, timeout=TIMEOUT_S):
        """(what measure.c reports, standard output or None)."""
        read_fd, write_fd = os.pipe()
        with os.fdopen(read_fd) as report:
            try:
                p = self._popen([self.program("measure"), mode, str(write_fd), *argv],
                                stdin=subprocess.DEVNULL, pass_fds=[write_fd],
                                stdout=subprocess.PIPE if capture else subprocess.DEVNULL,
                                stderr=subprocess.PIPE, start_new_session=True)
            finally:
                os.close(write_fd)
            try:
                out, err = p.communicate(timeout=timeout)
            except subprocess.TimeoutExpired as e:
                proc.stop(p, 0.2)
                raise Failure(f"no end after {timeout} s: {' '.join(argv[:6])}") from e
            except BaseException:
                proc.stop(p, 0.2)
                raise
            text = report.read()
        if p.returncode or not text:
            raise Failure(f"measure failed: {err.decode(errors='replace').strip()}")
        result = json.loads(text)
        result["stderr"] = err.decode(errors="replace")
        return result, out

    def start(self, argv):
        """Starts a program whose output is read through p.stdout; proc.stop ends it."""
        return self._popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, start_new_session=True)

    @staticmethod
    def drain(p):
        """Reads what a program still prints, so that it never waits for that: the thread."""
        def read():
            while p.stdout.read(65536):
                pass

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def hold(self, argv, ready, timeout=60):
        """Starts a program and waits until it has printed the bytes `ready` (on standard output or
        error): (Popen, seconds until then).  The caller stops it with proc.stop."""
        start = time.monotonic()
        p = self.start(argv)
        try:
            wait_for_output(p, ready, start + timeout)
        except BaseException:
            proc.stop(p, 0.2)
            raise
        return p, time.monotonic() - start


def wait_for_output(p, ready, deadline):
    seen = b""
    while ready not in seen:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([p.stdout], [], [], left)[0]:
            raise Failure(f"not ready in time; printed: {seen[-200:].decode(errors='replace')}")
        block = os.read(p.stdout.fileno(), 65536)
        if not block:
            raise Failure(f"ended; printed: {seen[-200:].decode(errors='replace')}")
        seen += block
