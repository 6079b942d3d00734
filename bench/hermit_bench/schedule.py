# SPDX-License-Identifier: MIT
"""Runs cases: interleaved rounds, warm-up, a budget of time, failures kept, Ctrl-C."""
import time

from .model import Failure
from .stats import summary

ROUNDS_MIN = 2
ONCE_S = 10  # what takes longer, and longer than its case should, has one run
LATE_S = 10
SLOW_PART = 3  # a first run of more than a third of its time is no warm-up: it counts


class Plan:
    """How much of it: samples a variant, and seconds a case may take.  With total_s, what a case
    may take is its part, by weight, of what is left of that.  With leave_out, nothing is started
    any more long after it."""

    def __init__(self, samples, warmup, budget_s=0.0, total_s=None, leave_out=False):
        self.samples, self.warmup, self.budget_s = samples, warmup, budget_s
        self.end = time.monotonic() + total_s if total_s else None
        self.leave_out = leave_out

    def next_case(self, cases):
        """cases: the next one and those after it."""
        if self.end:
            left = max(0.0, self.end - time.monotonic())
            self.budget_s = left * cases[0].weight / sum(c.weight for c in cases)

    def late(self):
        return self.leave_out and self.end and time.monotonic() > self.end + LATE_S


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
                    float(f"{sample[metric.key] * metric.scale:.5g}"))

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
    """Which variants take part in a round.  Those that need less than an equal part of the case's
    time leave the rest to the others; a slow one sits out rounds, evenly, and gets fewer samples,
    all along the run."""

    def __init__(self, case, rounds, warmup, budget_s):
        self.rounds, self.warmup, self.budget_s = rounds, warmup, budget_s
        self.spent = {v.label: 0.0 for v in case.variants}
        self.runs = {v.label: 0 for v in case.variants}
        self.counted = {v.label: 0 for v in case.variants}
        self.slow = set()

    def typical_s(self, label):
        return self.spent[label] / self.runs[label] if self.runs[label] else 0.0

    def share_s(self):
        """What one variant may take."""
        left, others = self.budget_s, len(self.spent)
        for need in sorted(self.typical_s(label) * self.rounds for label in self.spent):
            if need > left / others:
                return left / others
            left, others = left - need, others - 1
            if not others:
                break
        return float("inf")

    def due(self, label, i):
        if self.runs[label] == 0:
            return True
        once = self.typical_s(label) > max(self.budget_s, ONCE_S)
        fewest = 1 if once else ROUNDS_MIN
        if self.rounds - i <= fewest - self.counted[label]:
            return True  # whatever it takes
        part = self.share_s() * (i + 1) / self.rounds
        return self.spent[label] + self.typical_s(label) <= part

    def counts(self, label, i, seconds):
        """A run in round i is over: is it a sample?  The first run of any variant is warm-up, and
        so are the first rounds; but for what is so slow that it has hardly any more."""
        if not self.runs[label] and seconds * SLOW_PART > self.budget_s / len(self.spent):
            self.slow.add(label)
        found = not self.warmup or label in self.slow or \
            i >= self.warmup and self.runs[label] > 0
        self.spent[label] += seconds
        self.runs[label] += 1
        self.counted[label] += found
        return found


def run_round(case, collected, turns, i):
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
        if turns.counts(label, i, time.monotonic() - start):
            collected.add(label, sample)
        yield


def run_case(case, plan, progress):
    """Rounds of A B C, A B C ..., so that drift of the machine meets all of them alike.  A variant
    that fails is left out from then on; what it had measured is dropped."""
    collected = Collected(case)
    samples = case.samples or plan.samples
    warmup = plan.warmup if case.warmup is None else case.warmup
    turns = Turns(case, warmup + samples, warmup, plan.budget_s)
    start = time.monotonic()
    try:
        if case.prepare:
            case.prepare()
        for i in range(warmup + samples):
            for _ in run_round(case, collected, turns, i):
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
        plan.next_case(cases[i:])
        progress.case(case)
        collected, interrupted = run_case(case, plan, progress)
        progress.finished(case)
        done(case, collected)
        if interrupted:
            return False
    return True
