# SPDX-License-Identifier: MIT
"""Many instances on one machine: what one more costs, how many fit, starts at the same time."""
import re
import subprocess
import time

from .. import proc
from ..model import Case, Failure, Metric, Unsupported, Variant, Work
from ..runner import wait_for_output
from ..stats import percentile

BUDGET_KIB = 4 << 20  # 4 GiB
STARTUP_MS_MAX = 300  # peers that take longer would need minutes
BUSY_S = 2.0


def available_kib():
    with open("/proc/meminfo", encoding="ascii") as f:
        return int(re.search(r"MemAvailable:\s+(\d+)", f.read()).group(1))


def start_together(ctx, argv, number, timeout_s=120):
    """Starts all, then waits until each has said that it is ready: [(Popen, seconds)]."""
    started, found = [], []
    try:
        for _ in range(number):
            since = time.monotonic()
            started.append((ctx.runner.start(argv), since))
        deadline = time.monotonic() + timeout_s
        for p, since in started:
            wait_for_output(p, b"ready", deadline)
            found.append((p, time.monotonic() - since))
    except BaseException:
        stop_all(p for p, _ in started)
        raise
    return found


def stop_all(processes):
    processes = list(processes)
    for p in processes:
        if p.poll() is None:
            p.terminate()
    for p in processes:
        try:
            p.wait(5)
        except subprocess.TimeoutExpired:
            pass
        proc.stop(p, 0.5)


def idle(ctx, peer, number):
    """What is there while all are up: PSS of each, and memory that the machine has less, kernel
    memory included."""
    argv = peer.command(Work([ctx.program("hold")]))

    def sample():
        before, start = available_kib(), time.monotonic()
        running = start_together(ctx, argv, number)
        seconds = time.monotonic() - start
        try:
            cost, each = (before - available_kib()) / number, pss_kib(running) / number
            times = [s for _, s in running]
            found = {"all_ns": seconds * 1e9, "p95_ns": percentile(times, 95) * 1e9, "each": each}
            if cost >= each:  # or else something of the machine's own came between
                found |= {"fit": BUDGET_KIB / cost, "cost": cost}
            return found
        finally:
            stop_all(p for p, _ in running)
    return sample


def pss_kib(running):
    return proc.memory([pid for p, _ in running for pid in proc.tree(p.pid)])["pss_kib"]


def busy(ctx, peer, number):
    """CPU time that the work of `number` busy programs gets, a second: what is lost is overhead."""
    argv = peer.command(Work([ctx.program("hold"), "busy"]))

    def sample():
        running = start_together(ctx, argv, number)
        try:
            pids = [pid for p, _ in running for pid in proc.tree(p.pid)]
            before, start = proc.cpu_ns(pids), time.monotonic()
            time.sleep(BUSY_S)
            used = (proc.cpu_ns(pids) - before) / 1e9
            cpus = used / (time.monotonic() - start)
            return {"cpus": cpus, "fit": BUDGET_KIB / (pss_kib(running) / number)}
        finally:
            stop_all(p for p, _ in running)
    return sample


def variants(ctx, name, make, number):
    for peer in ctx.peers:
        try:
            if peer.startup_ms > STARTUP_MS_MAX:
                raise Unsupported("a start takes a processor's time")
            yield Variant(peer.name, make(ctx, peer, number), peer.name)
        except (Unsupported, Failure) as e:
            ctx.notes.append((name, peer.name, str(e)))


def cases(ctx):
    found = []
    for number in ctx.pick((5,), (1, 10, 100)):
        name = f"density/start{number}"
        metrics = [Metric("all_ns", "until all are up"), Metric("p95_ns", "p95 of one"),
                   Metric("each", "PSS of each", "KiB", 1)]
        if number == 100:  # enough of them that the machine's own changes do not matter
            metrics += [Metric("cost", "memory that the machine has less, each", "KiB", 1),
                        Metric("fit", "programs in 4 GiB, by that", "", 1, "higher")]
        title = f"{number} idle programs, started together" if number > 1 else \
            "1 idle program, started"
        found.append(Case("density", f"start{number}", title, metrics,
                          list(variants(ctx, name, idle, number)), samples=10, warmup=1,
                          weight=3 if number == 100 else 1, kind="curve"))
    if not ctx.quick:
        found.append(Case("density", "busy", "8 busy programs",
                          [Metric("cpus", "CPU time in use a second", "CPUs", 1, "higher"),
                           Metric("fit", "programs in 4 GiB, by PSS", "", 1, "higher")],
                          list(variants(ctx, "density/busy", busy, 8)), samples=5, warmup=0,
                          weight=2))
    return found
