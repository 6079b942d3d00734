#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a third-party conformance suite: natively, natively as a single process, under hermit-run.

Natively and as a single process (SP: no fork, no execve; see sp.c) each case runs once for each
build of the suite; what passes as a single process is then asked of hermit-run. With --write-doc
the results go to docs/SUITES.md. Exit status 1 if a case fails that known/SUITE.txt does not
explain.
"""
import argparse
import json
import os
import re
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, ".."))
import document  # noqa: E402
import engine as engines  # noqa: E402
import runner  # noqa: E402
import suites  # noqa: E402
from suites import FAIL, PASS, SKIP, TIMEOUT  # noqa: E402

SMOKE_SECONDS = 1.0  # a smoke case takes at most this long natively


class Progress:
    """Stores results as they come, and says now and then how far it is."""

    def __init__(self, way, cache):
        self.way, self.cache = way, cache
        self.seen = {PASS: 0, FAIL: 0, TIMEOUT: 0, SKIP: 0}

    def done(self, run, results, output):
        before = sum(self.seen.values()) // 100
        for verdict, _ in results.values():
            self.seen[verdict] += 1
        self.cache.get(self.way.name).update(results)
        out = os.path.join(self.way.suite.directory(), "out", self.way.name)
        runner.save_output(out, run.name, output)
        if sum(self.seen.values()) // 100 != before:
            self.cache.save()
            print(self, flush=True)

    def __str__(self):
        return f"{self.way.name}: " + ", ".join(f"{n} {v}" for v, n in self.seen.items())


class Session:
    """One invocation: the suite, its processes and the results so far."""

    def __init__(self, args):
        self.args = args
        self.suite = suites.suite(args.suite)
        self.cache = runner.Cache(self.suite.directory(), suites.built(args.suite))
        self.runs = [r for r in self.suite.runs() if re.search(args.filter, r.name)]

    def way(self, name):
        return runner.Way(name, self.suite, self.args.sp,
                          os.path.abspath(self.args.hermit_run), self.args.cpus)

    def run(self, name, runs, retry):
        """Runs and stores."""
        progress = Progress(self.way(name), self.cache)
        runner.execute_all(progress.way, runs, self.args.jobs, self.cache.get("native"), retry,
                           progress.done)
        self.cache.save()

    def missing(self, way, runs):
        have = self.cache.get(way)
        return [r for r in runs if any(c not in have for c in r.cases)]

    def passing(self, way, runs):
        """Processes of the cases that pass there."""
        have = self.cache.get(way)
        chosen = [(r, [c for c in r.cases if have.get(c, [FAIL])[0] == PASS]) for r in runs]
        return [r if cases == r.cases else self.suite.select(r, cases)
                for r, cases in chosen if cases]

    def oracle(self, runs):
        """Native and SP results for these processes, from the cache where it has them."""
        if self.args.fresh:
            for way in ("native", "sp"):
                for r in runs:
                    for c in r.cases:
                        self.cache.get(way).pop(c, None)
        self.run("native", self.missing("native", runs), retry=True)
        able = self.passing("native", runs)
        self.run("sp", self.missing("sp", able), retry=True)
        return self.passing("sp", able)

    def smoke_runs(self, known):
        """A fixed choice: every n-th of the short processes that have no known failure."""
        runs = [r for r in self.runs if not any(known.cause(c) for c in r.cases)]
        step = max(1, len(runs) // (3 * self.args.smoke))
        quick = []
        for r in runs[::step]:
            if len(quick) < self.args.smoke and self.oracle([r]):
                if self.cache.get("native")[r.cases[0]][1] <= SMOKE_SECONDS:
                    quick.append(r)
        return quick


def report(session, runs, known, engine):
    """Prints what fails and returns the number of unexplained failures."""
    here, sp = session.cache.get(engine), session.cache.get("sp")
    cases = [c for r in runs for c in r.cases if sp.get(c, [FAIL])[0] == PASS]
    failing = [c for c in cases if here.get(c, [FAIL])[0] != PASS]
    new = [c for c in failing if not known.cause(c)]
    for c in failing:
        print(f"{here.get(c, ['not run'])[0]} {c}: {known.cause(c) or 'not explained'}")
    for c in cases:
        if known.cause(c) and c not in failing:
            print(f"passes now: {c}: {known.cause(c)}")
    print(f"{len(cases)} cases of {session.suite.name} pass as a single process, "
          f"{len(cases) - len(failing)} of them under {engine}; {len(new)} not explained")
    return len(new) if cases else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", choices=suites.NAMES)
    engines.add_arguments(parser, ("kvm", "qemu"))
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--filter", default="", metavar="RE", help="only processes of this name")
    parser.add_argument("--fresh", action="store_true", help="native and SP runs again, too")
    parser.add_argument("--failed", action="store_true", help="only what failed last time")
    parser.add_argument("--report", action="store_true", help="run nothing: from stored results")
    parser.add_argument("--no-retry", action="store_true", help="failures are run once only")
    parser.add_argument("--smoke", type=int, metavar="N", help="N short processes, all must pass")
    parser.add_argument("--sp", default="build/tests/suites/sp", metavar="PATH",
                        help="the program made from sp.c")
    parser.add_argument("--json", metavar="FILE", help="write the results of all ways")
    parser.add_argument("--write-doc", action="store_true", help="renew docs/SUITES.md")
    args = parser.parse_args()
    args.sp = os.path.abspath(args.sp)
    if not suites.built(args.suite):
        print(f"SKIP: the suite is not built: tests/suites/build.py {args.suite}")
        sys.exit(engines.SKIP)
    if os.geteuid() != 0 or not os.access(args.sp, os.X_OK):
        print(f"SKIP: native runs need root (a PID namespace) and {args.sp}")
        sys.exit(engines.SKIP)
    engines.from_arguments(args)
    # Ignored signals are inherited, handled ones are not: cases see the default actions.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    known = document.Known(os.path.join(HERE, "known", f"{args.suite}.txt"))
    session = Session(args)
    runs = session.smoke_runs(known) if args.smoke else session.oracle(session.runs)
    have = session.cache.get(args.engine)
    again = [] if args.report else [
        r for r in runs if not args.failed or any(have.get(c, [FAIL])[0] != PASS for c in r.cases)]
    session.run(args.engine, again, retry=not args.no_retry)
    unexplained = report(session, runs, known, args.engine)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(session.cache.data, f, indent=1)
    if args.write_doc:
        document.write(session, known, args.engine)
    sys.exit(1 if unexplained else 0)


if __name__ == "__main__":
    main()
