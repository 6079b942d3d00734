# SPDX-License-Identifier: MIT
"""The command line of hermit-bench."""
import argparse
import datetime
import json
import os
import re
import shlex
import signal
import sys
import tempfile
import time

from . import baseline, machine, peers, proc, progress, schedule, suites
from .context import Context
from .peers import hermit, linuxvm
from .peers.base import Env
from .report import html, markdown, text
from .runner import Runner

SCHEMA = 1
SKIPPED = 77
QUICK_S = 35  # for all cases together; preparation comes on top
FULL_CASE_S = 14  # for a case of weight 1; what is slow may take longer for its two samples
OURS = ("", "native", *(kind.name for kind in hermit.KINDS))  # whose failure is an error
AGAIN = 3  # times that a suspect is measured again
AGAIN_CASE_S = 15

EPILOG = """examples:
  hermit-bench --quick                       what it is about, in under a minute
  hermit-bench boot syscall                  two suites
  hermit-bench --peers native,hermit,runsc   against gVisor only
  hermit-bench --json new.json --baseline old.json
  hermit-bench --from new.json --html report.html --markdown report.md
"""


def arguments(argv):
    p = argparse.ArgumentParser(
        prog="hermit-bench", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures programs as guests of Hermit against what else could run them.")
    p.add_argument("suites", nargs="*", metavar="SUITE[/CASE]",
                   help=f"default: all of {', '.join(suites.ALL)}")
    p.add_argument("--quick", action="store_true", help="under 60 s: fewer cases, less work")
    p.add_argument("--peers", default="auto", metavar="auto|LIST", help="names, comma-separated")
    p.add_argument("--list", action="store_true", help="show peers and cases, measure nothing")
    p.add_argument("--samples", type=int, metavar="N", help="per variant (default 20, quick 10)")
    p.add_argument("--time", type=float, metavar="SECONDS",
                   help="for all cases together; fewer samples if they do not fit (default "
                   f"{FULL_CASE_S} for each; quick {QUICK_S})")
    p.add_argument("--budget", type=float, metavar="SECONDS", help="the same, for each case")
    p.add_argument("--pin", metavar="CPUS", help="run everything on these CPUs: 0,2-3")
    out = p.add_argument_group("reports")
    out.add_argument("--json", metavar="FILE", help="everything, with every sample")
    out.add_argument("--html", metavar="FILE", help="a page")
    out.add_argument("--markdown", metavar="FILE")
    out.add_argument("--from", dest="source", metavar="FILE",
                     help="measure nothing, report on the run in this JSON file")
    out.add_argument("--baseline", metavar="FILE",
                     help="compare with an earlier run's JSON; status 1 if it got worse by more "
                     "than noise")
    out.add_argument("--agree", metavar="FILE",
                     help="say which medians are outside of the spread of an earlier run's JSON, "
                     "of this machine")
    out.add_argument("--slack", type=float, default=1.0, metavar="X",
                     help="with --baseline: take X times as much for noise")
    where = p.add_argument_group("where things are")
    where.add_argument("--hermit-run", metavar="PATH")
    where.add_argument("--programs", metavar="DIR", help="the measured programs")
    where.add_argument("--scratch", metavar="DIR", help="where files are made (default: TMPDIR)")
    where.add_argument("--linux-kernel", metavar="FILE", help="for the peers that boot Linux")
    where.add_argument("--fetch-kernel", action="store_true",
                       help="get Debian's cloud kernel into the cache, and end")
    where.add_argument("--firecracker", metavar="PATH")
    where.add_argument("--image", action="append", default=[], metavar="NAME=COMMAND",
                       help="what boots an image that prints hello: unikraft, osv, nanos")
    args = p.parse_args(argv)
    args.words = sys.argv[1:] if argv is None else argv
    return args


def fail(message):
    sys.exit("hermit-bench: " + message)


def cpu_list(spec):
    found = set()
    for part in spec.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    if not found <= os.sched_getaffinity(0):
        fail(f"--pin {spec}: not CPUs that there are")
    return found


def locate(args):
    """(hermit-run, directory of the programs), by where this file is."""
    here = os.path.dirname(os.path.abspath(sys.argv[0]))
    candidates = [args.hermit_run] if args.hermit_run else [
        os.path.join(here, "hermit-run"), os.path.join(here, "../build/bin/hermit-run")]
    runner = next((os.path.abspath(c) for c in candidates if os.access(c, os.X_OK)), None)
    if not runner:
        fail(f"{candidates[0]}: not there; build first, or --hermit-run")
    base = os.path.dirname(runner)
    candidates = [args.programs] if args.programs else [
        os.path.join(base, "../bench"), os.path.join(base, "../libexec/hermit-bench")]
    programs = next((os.path.abspath(c) for c in candidates
                     if os.access(os.path.join(c, "measure"), os.X_OK)), None)
    if not programs:
        fail(f"{candidates[0]}: the measured programs are not there; --programs")
    return runner, programs


def selected(ctx, names, quick):
    """The cases to run."""
    wanted = names or list(suites.ALL)
    unknown = [n for n in wanted if n.partition("/")[0] not in suites.ALL]
    if unknown:
        fail(f"no such suite: {', '.join(unknown)}; there are {', '.join(suites.ALL)}")
    found = []
    for suite, module in suites.ALL.items():
        if suite not in {n.partition("/")[0] for n in wanted}:
            continue
        ctx.suite = suite
        cases = module.cases(ctx)
        named = {n.partition("/")[2] for n in wanted if n.startswith(suite + "/")}
        if named - {c.name for c in cases}:
            fail(f"{suite} has {', '.join(c.name for c in cases)}")
        found += [c for c in cases if (c.name in named if named else not (quick and c.slow))]
    return found


def plan_of(args, cases):
    samples, warmup = (args.samples or 10, 1) if args.quick else (args.samples or 20, 3)
    if args.budget:
        return schedule.Plan(samples, warmup, args.budget)
    full_s = FULL_CASE_S * sum(c.weight for c in cases if c.variants)
    return schedule.Plan(samples, warmup, 0.0, args.time or (QUICK_S if args.quick else full_s),
                         leave_out=args.quick)


def commit(source):
    """Which sources these are, where they are a git checkout; else ""."""
    if not os.path.exists(os.path.join(source, ".git")):
        return ""
    name = machine.first_line("git", "-C", source, "describe", "--always", "--dirty")
    return f" ({name})" if re.fullmatch(r"[\w.-]+", name) else ""


def describe(args, ctx, left_out, plan):
    now = datetime.datetime.now().astimezone()
    return {"schema": SCHEMA, "date": now.isoformat(" ", "minutes"),
            "version": machine.first_line(ctx.env.hermit, "--version") + commit(ctx.source),
            "machine": machine.describe(),
            "settings": {"mode": "quick" if args.quick else "full", "samples": plan.samples,
                         "warmup": plan.warmup,
                         "command": shlex.join(["hermit-bench", *args.words]),
                         "pinned": args.pin or "", "suites": args.suites or list(suites.ALL)},
            "peers": [{"name": p.name, "title": p.title, "version": p.version()}
                      for p in ctx.all_peers],
            "left_out": left_out, "rows": [], "failures": [], "failed": False, "notes": [],
            "interrupted": False}


def measure(args, ctx, left_out):
    cases = selected(ctx, args.suites, args.quick)
    if args.list:
        for peer in ctx.all_peers:
            print(f"{peer.name:14} {peer.title}; {peer.version()}")
        for name, why in left_out.items():
            print(f"{name:14} not here: {why}")
        for case in cases:
            print(f"{case.suite}/{case.name}: {case.title}")
        return None
    for name, why in left_out.items():
        print(f"without {name}: {why}", file=sys.stderr)
    plan = plan_of(args, cases)
    run, shown = describe(args, ctx, left_out, plan), progress.Progress()

    def done(case, collected):
        rows = collected.rows()
        run["rows"] += rows
        ours = {v.label: v.peer in OURS for v in case.variants}
        for label, why in collected.failures.items():
            run["failures"].append(f"{case.suite}/{case.name}, {label}: {why}")
            run["failed"] = run["failed"] or ours.get(label, True)
        if rows:
            print(text.case(rows) + "\n", flush=True)

    def skipped(case):
        ctx.notes.append((f"{case.suite}/{case.name}", "all", "no time left for it"))
        print(f"without {case.suite}/{case.name}: no time left for it", file=sys.stderr)

    began = time.monotonic()
    run["interrupted"] = not schedule.run(cases, plan, shown, done, skipped)
    run["seconds"] = round(time.monotonic() - began)
    if args.baseline and not run["interrupted"]:
        measure_again(args, run, cases, shown)
    run["notes"] = [list(n) for n in ctx.notes]
    return run


def measure_again(args, run, cases, shown):
    """What seems to be worse than the baseline is measured again, longer: a disturbance of the
    machine does not come back each time, a regression does."""
    old = load(args.baseline)
    for _ in range(AGAIN):
        worse, _, _ = baseline.compare(run, old, args.slack)
        suspects = [c for c in cases if (c.suite, c.name) in worse]
        if not suspects:
            return

        def replace(case, collected):
            rows = collected.rows()
            if rows:
                run["rows"] = [r for r in run["rows"]
                               if (r["suite"], r["case"]) != (case.suite, case.name)] + rows

        print("again, since it seems worse: "
              + ", ".join(f"{c.suite}/{c.name}" for c in suspects), file=sys.stderr)
        plan = schedule.Plan(2 * (args.samples or 20), 1, AGAIN_CASE_S)
        if not schedule.run(suspects, plan, shown, replace, lambda case: None):
            run["interrupted"] = True
            return


def write_reports(args, run):
    for path, content in ((args.json, lambda: json.dumps(run, indent=None) + "\n"),
                          (args.html, lambda: html.page(run)),
                          (args.markdown, lambda: markdown.report(run))):
        if path:
            with open(path, "w", encoding="utf-8") as f:
                f.write(content())
            print(f"wrote {path}", file=sys.stderr)


def load(path):
    try:
        with open(path, encoding="utf-8") as f:
            run = json.load(f)
    except (OSError, ValueError) as e:
        fail(f"{path}: {e}")
    if run.get("schema") != SCHEMA:
        fail(f"{path}: not a run of this version of hermit-bench")
    return run


def judge(args, run):
    """Prints the comparison; true if it got worse."""
    worse, better, count = baseline.compare(run, load(args.baseline), args.slack)
    worse = [line for lines in worse.values() for line in lines]
    for line in worse:
        print("worse: " + line)
    for line in better:
        print("note: " + line)
    print(f"{count} figures compared with {args.baseline}, {len(worse)} worse")
    return bool(worse)


def run_here(args):
    hermit_run, programs = locate(args)
    proc.become_subreaper()
    where = args.scratch and os.path.abspath(args.scratch)
    with tempfile.TemporaryDirectory(dir=where, prefix="hermit-bench-") as scratch:
        given = {"linux_kernel": args.linux_kernel and os.path.abspath(args.linux_kernel),
                 "firecracker": args.firecracker and os.path.abspath(args.firecracker),
                 "image": dict(i.partition("=")[::2] for i in args.image)}
        env = Env(hermit_run, programs, scratch, given)
        try:
            chosen, left_out = peers.choose(env, args.peers, args.quick)
        except ValueError as e:
            fail(str(e))
        if not any(p.name.startswith("hermit") for p in chosen) and args.peers == "auto":
            print("skipped: neither KVM nor QEMU here")
            sys.exit(SKIPPED)
        pinned = cpu_list(args.pin) if args.pin else None
        source = os.path.abspath(os.path.join(programs, "../.."))
        folder = os.path.join(scratch, "here")
        os.mkdir(folder)
        ctx = Context(env, chosen, Runner(programs, pinned, folder), args.quick, source)
        try:
            return measure(args, ctx, left_out)
        finally:
            for peer in chosen:
                peer.close()


def main(argv=None):
    args = arguments(argv)
    if args.fetch_kernel:
        print(linuxvm.fetch_kernel())
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to tidy up, as on Ctrl-C
    try:
        run = load(args.source) if args.source else run_here(args)
    except KeyboardInterrupt:
        print("\nhermit-bench: interrupted before the first case was done", file=sys.stderr)
        return 130
    if run is None:
        return 0
    if run["rows"]:
        print(text.short(run))
    write_reports(args, run)
    for failure in run["failures"]:
        print("hermit-bench: " + failure, file=sys.stderr)
    if args.agree:
        count, apart = baseline.agreement(run, load(args.agree))
        print("\n".join(["apart: " + line for line in apart]
                        + [f"{count - len(apart)} of {count} medians are within the spread"]))
    worse = judge(args, run) if args.baseline else False
    if run["interrupted"]:
        print("hermit-bench: interrupted; this is what was done until then", file=sys.stderr)
        return 130
    return 1 if worse or run["failed"] and not args.source else 0


if __name__ == "__main__":
    sys.exit(main())
