# SPDX-License-Identifier: MIT
"""Unit tests of hermit-bench: statistics, comparison with a baseline, reports, the schedule."""
import copy
import io
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hermit_bench import baseline, schedule, stats  # noqa: E402
from hermit_bench.model import Case, Failure, Metric, Variant  # noqa: E402
from hermit_bench.peers import cpio  # noqa: E402
from hermit_bench.progress import Progress, duration  # noqa: E402
from hermit_bench.report import html, markdown, tables, text  # noqa: E402

MACHINE = {"cpu": "a <cpu>", "cpus": 2, "kvm": "software", "virtualised": True,
           "memory_mib": 1024, "kernel": "6", "distribution": "D", "load": "0 0 0"}


def case_of(values, name="hello", metric=Metric("wall_ns", "whole process", "ms", 1)):
    """A case whose variants take the given values, one after the other."""
    variants = []
    for label, series in values.items():
        it = iter(series)
        variants.append(Variant(label, lambda it=it: {metric.key: next(it)}, label))
    return Case("boot", name, "a hello", [metric], variants)


def rows_of(values, **more):
    plan = schedule.Plan(min(map(len, values.values())), 0, 100)
    found, interrupted = schedule.run_case(case_of(values, **more), plan,
                                           Progress(io.StringIO()))
    assert not interrupted
    return found.rows()


def run_of(values):
    return {"schema": 1, "date": "2026", "version": "v", "machine": dict(MACHINE),
            "settings": {"mode": "full", "samples": 20, "pinned": ""},
            "peers": [{"name": "native", "title": "t", "version": "v"}],
            "left_out": {"runsc": "no runsc (Debian: runsc)"}, "rows": rows_of(values),
            "failures": [], "notes": [["boot/hello", "runc", "why"]], "interrupted": False}


class Statistics(unittest.TestCase):
    def test_percentiles(self):
        values = list(range(1, 101))
        self.assertEqual((stats.percentile(values, 5), stats.percentile(values, 95)), (6, 95))
        self.assertEqual(stats.summary([3, 1, 2])["median"], 2)

    def test_noise(self):
        self.assertEqual(stats.median_interval([3, 1, 2]), (1, 3))
        self.assertEqual(stats.median_interval(list(range(1, 21))), (6, 15))
        self.assertAlmostEqual(stats.relative_noise([10] * 19 + [1000]), 0)
        self.assertAlmostEqual(stats.relative_noise([8, 10, 11]), 0.25)
        self.assertEqual(stats.relative_noise([0, 0]), 0)
        self.assertAlmostEqual(stats.combined(3, 4), 5)


class Schedule(unittest.TestCase):
    def test_interleaved_and_warm_up(self):
        order = []
        case = Case("s", "c", "t", [Metric("v", "v", "ms", 1)], [
            Variant(label, lambda label=label: order.append(label) or {"v": len(order)})
            for label in "ab"])
        found, _ = schedule.run_case(case, schedule.Plan(2, 1, 100), Progress(io.StringIO()))
        self.assertEqual(order, list("ababab"))
        self.assertEqual(found.values["a"]["v"], [3, 5])

    def test_failing_variant_is_left_out(self):
        def bad():
            raise Failure("no")
        case = Case("s", "c", "t", [Metric("v", "v", "ms", 1)],
                    [Variant("native", lambda: {"v": 1}), Variant("bad", bad)])
        found, _ = schedule.run_case(case, schedule.Plan(5, 0, 100), Progress(io.StringIO()))
        self.assertEqual(found.failures, {"bad": "no"})
        self.assertEqual([r["variant"] for r in found.rows()], ["native"])

    def test_interrupt_keeps_what_is_done(self):
        calls = []

        def sample():
            calls.append(1)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return {"v": 1}
        case = Case("s", "c", "t", [Metric("v", "v", "ms", 1)], [Variant("native", sample)])
        found, interrupted = schedule.run_case(case, schedule.Plan(9, 0, 100),
                                               Progress(io.StringIO()))
        self.assertTrue(interrupted)
        self.assertEqual(found.rows()[0]["samples"], 2)

    def test_ratios(self):
        rows = rows_of({"native": [1, 1, 1], "hermit": [3, 3, 3]})
        self.assertEqual([r["ratio"] for r in rows], [1, 3])
        self.assertEqual(tables.ratio(rows[0]), "")


class Baseline(unittest.TestCase):
    quiet = {"native": [10, 10, 10.1], "hermit": [20, 20, 20.2]}

    def test_same(self):
        run = run_of(self.quiet)
        self.assertEqual(baseline.compare(run, copy.deepcopy(run)), ({}, [], 1))

    def test_slower_machine_is_no_regression(self):
        slow = run_of({k: [v * 3 for v in vs] for k, vs in self.quiet.items()})
        self.assertEqual(baseline.compare(slow, run_of(self.quiet))[0], {})

    def test_regression_and_slack(self):
        worse = run_of({**self.quiet, "hermit": [26, 26, 26]})
        self.assertEqual(len(baseline.compare(worse, run_of(self.quiet))[0]), 1)
        self.assertEqual(baseline.compare(worse, run_of(self.quiet), 4)[0], {})
        better, old = run_of(self.quiet), worse
        self.assertEqual([len(x) for x in baseline.compare(better, old)[:2]], [0, 1])

    def test_noise_is_no_regression(self):
        noisy = run_of({"native": [10, 10, 10], "hermit": [10, 26, 60]})
        self.assertEqual(baseline.compare(noisy, run_of(self.quiet))[0], {})

    def test_other_machine(self):
        other = run_of(self.quiet)
        other["machine"]["kvm"] = "hardware"
        self.assertEqual(baseline.compare(other, run_of(self.quiet))[2], 0)


class Reports(unittest.TestCase):
    def test_numbers(self):
        shown = [tables.number(v) for v in (0.0123, 1.234, 12.34, 123.4, 123456)]
        self.assertEqual(shown, ["0.012", "1.23", "12.3", "123", "123\u202f456"])
        self.assertEqual([duration(5), duration(130)], ["5 s", "2 min 10 s"])

    def test_all_three(self):
        run = run_of({"native": [1, 2, 3], "hermit": [2, 4, 6]})
        page = html.page(run)
        self.assertIn("a &lt;cpu&gt;", page)
        self.assertNotRegex(page, r"(?i)<script|<link|src=|url\(|@import")
        self.assertIn("| hermit | 4.00 ms | 2.00–6.00 | 2.00 | 3 |", markdown.report(run))
        self.assertIn("no runsc", markdown.report(run))
        self.assertIn("ratio to native", text.case(run["rows"]))


class Archive(unittest.TestCase):
    def test_newc(self):
        data = cpio.archive({"/bin/a": os.path.abspath(__file__)})
        self.assertTrue(data.startswith(b"070701"))
        self.assertEqual(len(data) % 4, 0)
        for name in (b"bin\0", b"bin/a\0", b"dev/console\0", b"TRAILER!!!\0"):
            self.assertIn(name, data)


if __name__ == "__main__":
    unittest.main()
