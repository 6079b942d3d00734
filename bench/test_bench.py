# SPDX-License-Identifier: MIT
"""Unit tests of hermit-bench: statistics, comparison with a baseline, reports, the schedule."""
import copy
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hermit_bench import baseline, schedule, stats  # noqa: E402
from hermit_bench.model import Case, Failure, Metric, Unsupported, Variant, Work  # noqa: E402
from hermit_bench.peers import cpio, images  # noqa: E402
from hermit_bench.peers.base import Env  # noqa: E402
from hermit_bench.progress import Progress, duration  # noqa: E402
from hermit_bench.report import html, markdown, summary, tables, text  # noqa: E402

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

    def test_time_goes_to_those_who_need_it(self):
        case = Case("s", "c", "t", [], [Variant(label, None) for label in "abc"])
        turns = schedule.Turns(case, 10, 0, 30)
        self.assertEqual(turns.share_s(), float("inf"))
        for label, seconds in (("a", 0.1), ("b", 2), ("c", 5)):
            turns.counts(label, 0, seconds)
        self.assertAlmostEqual(turns.share_s(), (30 - 0.1 * 10) / 2)

    def test_what_is_slow_has_two_samples_and_no_warm_up(self):
        case = Case("s", "c", "t", [], [Variant(label, None) for label in "ab"])
        turns = schedule.Turns(case, 13, 3, 10)
        self.assertTrue(turns.counts("a", 0, 8))
        self.assertFalse(turns.counts("b", 0, 0.1))
        self.assertEqual([i for i in range(1, 13) if turns.due("a", i)], [12])
        self.assertFalse(turns.counts("b", 1, 0.1))
        self.assertTrue(turns.counts("b", 3, 0.1))

    def test_one_run_of_what_takes_all_the_time(self):
        turns = schedule.Turns(Case("s", "c", "t", [], [Variant("a", None)]), 13, 3, 10)
        self.assertTrue(turns.counts("a", 0, 11))
        self.assertEqual([i for i in range(1, 13) if turns.due("a", i)], [])

    def test_budget_by_weight(self):
        plan = schedule.Plan(20, 3, total_s=30)
        cases = [Case("s", "c", "t", [], [], weight=w) for w in (1, 2)]
        plan.next_case(cases)
        self.assertAlmostEqual(plan.budget_s, 10, 1)
        self.assertFalse(plan.late())

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

    def test_disturbed_run_is_no_regression(self):
        disturbed = run_of({"native": [10] * 20, "hermit": [20] * 5 + [60] * 15})
        self.assertEqual(baseline.compare(disturbed, run_of(self.quiet))[0], {})
        slower = run_of({"native": [10] * 20, "hermit": [50] * 5 + [60] * 15})
        self.assertEqual(len(baseline.compare(slower, run_of(self.quiet))[0]), 1)

    def test_agreement(self):
        run = run_of(self.quiet)
        self.assertEqual(baseline.agreement(run, copy.deepcopy(run)), (2, []))
        apart = baseline.agreement(run_of({**self.quiet, "hermit": [30, 31, 32]}), run)[1]
        self.assertEqual(len(apart), 1)

    def test_other_machine(self):
        other = run_of(self.quiet)
        other["machine"]["kvm"] = "hardware"
        self.assertEqual(baseline.compare(other, run_of(self.quiet))[2], 0)


class Reports(unittest.TestCase):
    def test_numbers(self):
        shown = [tables.number(v) for v in (0.00041, 0.00412, 0.0123, 1.234, 12.34, 123.4, 123456)]
        self.assertEqual(shown,
                         ["0.0004", "0.0041", "0.012", "1.23", "12.3", "123", "123\u202f456"])
        self.assertEqual([duration(5), duration(130)], ["5 s", "2 min 10 s"])

    def test_all_three(self):
        run = run_of({"native": [1, 2, 3], "hermit": [2, 4, 6]})
        page = html.page(run)
        self.assertIn("a &lt;cpu&gt;", page)
        self.assertNotRegex(page, r"(?i)<script|<link|src=|url\(|@import")
        self.assertIn("| hermit | 4.00 ms | 2.00–6.00 | 2.00 | 3 |", markdown.report(run))
        self.assertIn("no runsc", markdown.report(run))
        self.assertIn("ratio to native", text.case(run["rows"]))
        self.assertEqual(summary.rows(run)[0],
                         ["a static hello, start to end", "2.00 ms (1.00–3.00)",
                          "4.00 ms (2.00–6.00)", "2.00", ""])
        self.assertIn("| a static hello, start to end |", markdown.report(run))
        json.dumps(run)


FAKE_FIRECRACKER = """#!/usr/bin/env python3
import json, os, sys
assert sys.argv[1:3] == ["--no-api", "--level"] and sys.argv[4] == "--config-file", sys.argv
config = json.load(open(sys.argv[5]))
boot, machine = config["boot-source"], config["machine-config"]
assert open(boot["kernel_image_path"], "rb").read(4) == b"\\x7fELF"
assert open(boot["initrd_path"], "rb").read(6) == b"070701"
assert config["drives"] == [] and machine == {"vcpu_count": 2, "mem_size_mib": 512}, config
options, _, words = boot["boot_args"].partition(" -- ")
assert "console=ttyS0" in options.split() and "rdinit=/init" in options.split()
assert os.path.basename(words.split()[0]) == "hello" and words.split()[1:] == ["x", "y"]
print("hello, world\\n\\nhermit-bench: status 3")
"""


class Adapters(unittest.TestCase):
    """Those whose peers are not on every machine, with a stand-in that looks at what it gets."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        for name in ("hello", "init", "vmlinux", "bzImage"):
            with open(os.path.join(self.folder, name), "wb") as f:
                f.write(b"MZ" if name == "bzImage" else b"\x7fELF")
        self.fake = os.path.join(self.folder, "firecracker")
        with open(self.fake, "w", encoding="utf-8") as f:
            f.write(FAKE_FIRECRACKER)
        os.chmod(self.fake, 0o755)

    def env(self, **given):
        return Env("/nowhere", self.folder, self.folder, given)

    def path(self, name):
        return os.path.join(self.folder, name)

    def firecracker(self, kernel):
        peer = images.Firecracker(self.env(firecracker=self.fake, linux_kernel=self.path(kernel)))
        peer.kvm = True
        return peer

    def test_firecracker(self):
        peer = self.firecracker("vmlinux")
        self.assertIsNone(peer.missing())
        work = Work([self.path("hello"), "x", "y"], cpus=2, memory_mib=512)
        p = subprocess.run(peer.command(work), capture_output=True, check=False)
        self.assertEqual((p.returncode, p.stderr), (0, b""))
        self.assertEqual(peer.result(p.returncode, p.stdout), (3, b"hello, world\n"))
        with self.assertRaises(Unsupported):
            peer.command(Work([self.path("hello"), "two words"]))
        with self.assertRaises(Unsupported):
            peer.command(Work([self.path("hello")], network=True))

    def test_firecracker_says_what_it_lacks(self):
        self.assertIn("vmlinux", self.firecracker("bzImage").missing())
        peer = self.firecracker("vmlinux")
        peer.kvm = False
        self.assertIn("hardware", peer.missing())
        peer = images.Firecracker(self.env())
        peer.binary = None
        self.assertIn("--firecracker", peer.missing())

    def test_images(self):
        env = self.env(image={"osv": "sh -c 'echo booting; echo hello, world; exit 9'"})
        by_name = {p.name: p for p in images.peers(env)}
        self.assertIn("--image", by_name["unikraft"].missing())
        osv = by_name["osv"]
        self.assertIsNone(osv.missing())
        p = subprocess.run(osv.command(Work(["/x/hello"])), capture_output=True, check=False)
        self.assertEqual(osv.result(p.returncode, p.stdout), (0, b"booting\nhello, world\n"))
        with self.assertRaises(Unsupported):
            osv.command(Work(["/usr/bin/redis-server"]))


class Manual(unittest.TestCase):
    def test_has_every_option(self):
        here = os.path.dirname(os.path.abspath(__file__))
        p = subprocess.run([sys.executable, "-B", "-m", "hermit_bench", "--help"], cwd=here,
                           capture_output=True, text=True, check=True)
        with open(os.path.join(here, "../docs/man/hermit-bench.1"), encoding="utf-8") as f:
            manual = f.read()
        for option in set(re.findall(r"--([a-z-]+)", p.stdout)) - {"help"}:
            self.assertRegex(manual, rf"(\||Fl) -{option}\b")


class Archive(unittest.TestCase):
    def test_newc(self):
        data = cpio.archive({"/bin/a": os.path.abspath(__file__)})
        self.assertTrue(data.startswith(b"070701"))
        self.assertEqual(len(data) % 4, 0)
        for name in (b"bin\0", b"bin/a\0", b"dev/console\0", b"TRAILER!!!\0"):
            self.assertIn(name, data)


if __name__ == "__main__":
    unittest.main()
