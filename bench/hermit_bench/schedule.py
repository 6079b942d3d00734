# SPDX-License-Identifier: MIT
"""Runs cases: interleaved rounds, warm-up, a budget of time, failures kept, Ctrl-C."""
import time

from .model import Failure
from .stats import summary

ROUNDS_MIN = 3


class Plan:
    """How much of it: samples a variant, and seconds a case may take."""

    def __init__(self, samples, warmup, budget_s):
        self.samples, self.warmup, self.budget_s = samples, warmup, budget_s


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


def run_case(case, plan, progress):
    """Rounds of A B C, A B C ..., so that drift of the machine meets all of them alike.  A variant
    that fails is left out from then on; what it had measured is dropped."""
    collected = Collected(case)
    samples = case.samples or plan.samples
    warmup = plan.warmup if case.warmup is None else case.warmup
    start = time.monotonic()
    try:
        if case.prepare:
            case.prepare()
        for i in range(warmup + samples):
            spent = time.monotonic() - start
            if i > warmup + ROUNDS_MIN - 1 and spent + spent / i > plan.budget_s:
                break  # the next round would not fit
            for variant in case.variants:
                if variant.label in collected.failures:
                    continue
                try:
                    sample = variant.sample()
                except (Failure, OSError) as e:
                    collected.failures[variant.label] = str(e)
                    collected.values[variant.label] = {}
                    continue
                if i >= warmup:
                    collected.add(variant.label, sample)
                progress.tick()
            if len(collected.failures) == len(case.variants):
                break
            progress.round(i + 1, warmup + samples, time.monotonic() - start, plan.budget_s)
    except Failure as e:
        collected.failures["all"] = str(e)
    except KeyboardInterrupt:
        return collected, True
    return collected, False


def run(cases, plan, progress, done):
    """Runs the cases; done(case, collected) after each.  False if it was interrupted."""
    progress.start([c for c in cases if c.variants], plan)
    for case in cases:
        if not case.variants:
            continue
        progress.case(case)
        collected, interrupted = run_case(case, plan, progress)
        progress.finished(case)
        done(case, collected)
        if interrupted:
            return False
    return True
