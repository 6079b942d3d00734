# SPDX-License-Identifier: MIT
"""Runs cases: interleaved rounds, warm-up, a budget of time, failures kept, Ctrl-C."""
import time

from .model import Failure
from .stats import summary

ROUNDS_MIN = 2
LATE_S = 10


class Plan:
    """How much of it: samples a variant, and seconds a case may take.  With total_s, what a case
    may take is its part of what is left of that; long after it nothing is started any more."""

    def __init__(self, samples, warmup, budget_s, total_s=None):
        self.samples, self.warmup, self.budget_s = samples, warmup, budget_s
        self.end = time.monotonic() + total_s if total_s else None

    def next_case(self, cases_left):
        if self.end:
            self.budget_s = max(0.0, self.end - time.monotonic()) / cases_left

    def late(self):
        return self.end is not None and time.monotonic() > self.end + LATE_S


class Collected:
    """What one case has measured: raw values by variant and metric, and what went wrong."""

    def __init__(self, case):
        self.case = case
        self.values = {v.label: {} for v in case.variants}
        self.failures = {}

    def add(self, label, sample):
        for metric in self.case.metrics:
            if metric.key in sample:
                self.values[label].setdefault(metric.key, []).append(
                    sample[metric.key] * metric.scale)

    def rows(self):
        """A row for each metric and variant, the outliers in it."""
        found = []
        for metric in self.case.metrics:
            group = []
            for variant in self.case.variants:
                values = self.values[variant.label].get(metric.key)
                if values:
                    group.append({
                        "suite": self.case.suite, "case": self.case.name,
                        "title": self.case.title, "kind": self.case.kind, "metric": metric.key,
                        "measures": metric.title, "unit": metric.unit, "better": metric.better,
                        "variant": variant.label, "peer": variant.peer,
                        "counted": metric.counted, **summary(values), "values": values})
            base = next((r for r in group if r["variant"] == self.case.reference), None)
            for row in group:
                row["reference"] = self.case.reference if base else None
                row["ratio"] = row["median"] / base["median"] if base and base["median"] else None
            found += group
        return found


def one_line(error):
    return " | ".join(line.strip() for line in str(error).splitlines() if line.strip())


class Turns:
    """Which variants take part in a round.  Each has an equal part of the case's time, spread over
    the rounds: a slow one sits out some of them, and gets fewer samples, all along the run."""

    def __init__(self, case, rounds, budget_s):
        self.rounds, self.share_s = rounds, budget_s / len(case.variants)
        self.spent = {v.label: 0.0 for v in case.variants}
        self.runs = {v.label: 0 for v in case.variants}

    def due(self, label, i):
        runs = self.runs[label]
        if runs == 0 or self.rounds - i <= 1 + ROUNDS_MIN - runs:
            return True  # a warm-up and the fewest samples, whatever they take
        next_s = self.spent[label] / runs
        return self.spent[label] + next_s <= self.share_s * (i + 1) / self.rounds

    def took(self, label, seconds):
        self.spent[label] += seconds
        self.runs[label] += 1


def run_round(case, collected, turns, i, warmup):
    for variant in case.variants:
        label = variant.label
        if label in collected.failures or not turns.due(label, i):
            continue
        start = time.monotonic()
        try:
            sample = variant.sample()
        except (Failure, OSError) as e:
            collected.failures[label] = one_line(e)
            collected.values[label] = {}
            continue
        # The first run of any variant is warm-up, where there is any.
        if i >= warmup and (turns.runs[label] or not warmup):
            collected.add(label, sample)
        turns.took(label, time.monotonic() - start)
        yield


def run_case(case, plan, progress):
    """Rounds of A B C, A B C ..., so that drift of the machine meets all of them alike.  A variant
    that fails is left out from then on; what it had measured is dropped."""
    collected = Collected(case)
    samples = case.samples or plan.samples
    warmup = plan.warmup if case.warmup is None else case.warmup
    turns = Turns(case, warmup + samples, plan.budget_s)
    start = time.monotonic()
    try:
        if case.prepare:
            case.prepare()
        for i in range(warmup + samples):
            for _ in run_round(case, collected, turns, i, warmup):
                progress.tick()
            if len(collected.failures) == len(case.variants) or plan.late() and i >= warmup:
                break
            progress.round(i + 1, warmup + samples, time.monotonic() - start, plan.budget_s)
    except Failure as e:
        collected.failures["all"] = one_line(e)
    except KeyboardInterrupt:
        return collected, True
    return collected, False


def run(cases, plan, progress, done, skipped):
    """Runs the cases; done(case, collected) after each, skipped(case) for those that there was no
    time for.  False if it was interrupted."""
    progress.start([c for c in cases if c.variants], plan)
    cases = [c for c in cases if c.variants]
    for i, case in enumerate(cases):
        if plan.late():
            skipped(case)
            continue
        plan.next_case(len(cases) - i)
        progress.case(case)
        collected, interrupted = run_case(case, plan, progress)
        progress.finished(case)
        done(case, collected)
        if interrupted:
            return False
    return True
