# SPDX-License-Identifier: MIT
"""Runs the processes of a suite in one way (natively, as a single process, under hermit-run)."""
import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from suites import FAIL, PASS, SKIP, TIMED_OUT, TIMEOUT

OUTPUT_BYTES = 1 << 20  # what is kept of an output: its end
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LC_ALL": "C", "TZ": "UTC",
               "TMPDIR": "/tmp"}
# A run may take this many seconds, and this many times what the native run took.
LIMITS = {"kvm": (20, 4), "qemu": (60, 15)}
FORKED = f"[status {128 + signal.SIGSYS}]"  # what sp forbids will not go better the second time
RESTARTS = 40  # of a process with many cases, one of which ended it


class Way:
    """How a process of the suite is started."""

    def __init__(self, name, suite, sp=None, hermit_run=None, cpus=1):
        self.name, self.suite, self.sp = name, suite, sp
        self.hermit_run, self.cpus = hermit_run, cpus

    def limit(self, native_seconds):
        if self.name in LIMITS:
            base, factor = LIMITS[self.name]
            return base + factor * native_seconds
        return self.suite.seconds

    def command(self, run, cwd, seconds):
        if self.name == "native":
            return [self.sp, *run.argv]
        if self.name == "sp":
            return [self.sp, self.suite.sp_flag, *run.argv]
        shares = ["-v", "/usr:/usr", "-v", "/etc:/etc",
                  "-v", f"{cwd}:{cwd}:" + ("ro" if run.cwd else "rw")]
        for volume in self.suite.volumes:
            shares += ["-v", f"{volume}:{volume}"]
        return [self.hermit_run, "--vmm", self.name, "--quiet",
                "--memory", self.suite.memory, "--cpus", str(self.cpus), "--timeout",
                f"{seconds:.0f}s", *shares, *run.argv]


def start(command, cwd, env, seconds):
    """(status or TIMED_OUT, seconds taken, end of the output). All of its session is killed."""
    with tempfile.TemporaryFile() as out:
        began = time.monotonic()
        with subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out,
                              stderr=out, start_new_session=True) as p:
            try:
                status = p.wait(seconds)
            except subprocess.TimeoutExpired:
                status = TIMED_OUT
            try:
                os.killpg(p.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        took = time.monotonic() - began
        out.seek(max(0, out.seek(0, os.SEEK_END) - OUTPUT_BYTES))
        text = out.read().decode(errors="replace")
    if status < 0 and status != TIMED_OUT:
        status = 128 - status
    return status, took, text


def once(way, run, native_seconds):
    """One process: (verdicts, seconds, output, whether it was stopped)."""
    limit = way.limit(native_seconds)
    scratch = None if run.cwd else tempfile.mkdtemp(prefix="hermit-suite-")
    env = {**ENVIRONMENT, **way.suite.environment}
    try:
        command = way.command(run, run.cwd or scratch, limit)
        guard = 5 if way.name in LIMITS else 0  # hermit-run's own limit comes first
        status, took, text = start(command, run.cwd or scratch, env, limit + guard)
    finally:
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)
    if status == 124 and way.name in LIMITS and took >= limit - 1:
        status = TIMED_OUT
    return way.suite.verdicts(run, status, text), took, f"[status {status}]\n{text}", status


def execute(way, run, native_seconds):
    """(verdicts of all cases, seconds, output). A process that a case has ended goes on with the
    next one."""
    verdicts, seconds, texts, left = {}, 0.0, [], run
    for _ in range(RESTARTS):
        found, took, text, status = once(way, left, native_seconds)
        verdicts.update(found)
        seconds += took
        texts.append(text)
        left = way.suite.rest(left, text)
        if left is None:
            break
    missing = TIMEOUT if status == TIMED_OUT else FAIL
    return {c: verdicts.get(c, missing) for c in run.cases}, seconds, "\n".join(texts)


def execute_all(way, runs, jobs, native, retry, done):
    """Runs them, calls done(run, {case: [verdict, seconds]}, output) for each. native: such results
    of the native runs, for the time limits. With retry, what fails is run once more when all is
    done, alone: some cases are about time."""
    # A native timeout has had its chance; a guest is slower than one expects.
    again = (FAIL, TIMEOUT) if way.name in LIMITS else (FAIL,)
    failed = []

    def work(run):
        took = native.get(run.cases[0], [PASS, 1.0])[1]
        return run, execute(way, run, took)

    def take(run, outcome, first=True):
        verdicts, seconds, text = outcome
        if not first:
            verdicts = {c: v for c, v in verdicts.items() if v in (PASS, SKIP)}
        elif any(v in again for v in verdicts.values()) and FORKED not in text:
            failed.append(way.suite.select(run, [c for c in verdicts if verdicts[c] in again]))
        done(run, {c: [v, round(seconds, 2)] for c, v in verdicts.items()}, text)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(work, r) for r in runs]):
            take(*future.result())
    for run in failed if retry else []:
        take(*work(run), first=False)


def save_output(directory, name, text):
    """For looking into failures."""
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, re.sub(r"[^\w.-]", "_", name))
    with open(path, "w", encoding="utf-8", errors="replace") as f:
        f.write(text)


class Cache:
    """Results on disk, by way, valid for one build of the suite."""

    def __init__(self, directory, stamp):
        self.path = os.path.join(directory, "results.json")
        self.data = {"stamp": stamp}
        try:
            with open(self.path, encoding="utf-8") as f:
                data = json.load(f)
            if data.get("stamp") == stamp:
                self.data = data
        except (OSError, ValueError):
            pass

    def get(self, way):
        return self.data.setdefault(way, {})

    def save(self):
        with open(self.path + ".new", "w", encoding="utf-8") as f:
            json.dump(self.data, f, indent=0)
        os.replace(self.path + ".new", self.path)
