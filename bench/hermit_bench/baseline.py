# SPDX-License-Identifier: MIT
"""Is a run worse than an earlier one by more than noise?

What is compared are ratios to the reference of the same run (native, mostly), and sizes in KiB as
they are; never absolute time.  The noise of a comparison comes from the intervals that the medians
lie in, of the four figures that the two ratios are made of, added in quadrature; a difference must
also be larger than DIFFERENCE_MIN, and be there in the best runs as well as in the medians.
"""
from . import machine
from .stats import combined, relative_noise

DIFFERENCE_MIN = 0.10
SPREAD_MAX = 4.0  # more noise than that says nothing


def _key(row):
    return row["suite"], row["case"], row["metric"], row["variant"]


def _figures(row, rows):
    """(what is compared, its value by medians, by the best runs), or None.  A disturbance of the
    machine spoils medians; what has become slower is slower in its best runs, too."""
    best = "p95" if row["better"] == "higher" else "p5"
    if row["unit"] == "KiB":
        return "size", row["median"], row[best]
    if row.get("ratio") and row["variant"] != row["reference"]:
        base = rows[(row["suite"], row["case"], row["metric"], row["reference"])]
        return "ratio", row["ratio"], row[best] / base[best] if base[best] else row["ratio"]
    return None


def _once(row):
    """Nothing is known of its spread."""
    return row["samples"] == 1 and not row["counted"]


def _noise(row, rows):
    if _once(row):
        return float("inf")
    if row["unit"] == "KiB":
        return relative_noise(row["values"])
    base = rows[(row["suite"], row["case"], row["metric"], row["reference"])]
    if _once(base):
        return float("inf")
    return combined(relative_noise(row["values"]), relative_noise(base["values"]))


def _change(now, then, better):
    """How many times as bad."""
    change = now / then if then else 1.0
    if better == "higher":
        change = 1 / change if change else float("inf")
    return change


def compare(new, old, slack=1.0):
    """(regressions as {case: lines}, lines about improvements, number compared).  slack widens
    what is taken for noise."""
    if not machine.same_kind(new["machine"], old["machine"]):
        return {}, ["the earlier run is from another kind of machine: nothing was compared"], 0
    before = {_key(r): r for r in old["rows"]}
    now = {_key(r): r for r in new["rows"]}
    worse, better, count = {}, [], 0
    for key, row in now.items():
        earlier = before.get(key)
        if not earlier or earlier["unit"] != row["unit"]:
            continue
        this, that = _figures(row, now), _figures(earlier, before)
        if not this or not that:
            continue
        noise = combined(_noise(row, now), _noise(earlier, before))
        if noise > SPREAD_MAX:
            continue
        count += 1
        changes = [_change(a, b, row["better"]) for a, b in zip(this[1:], that[1:])]
        change = changes[0]
        limit = 1 + slack * max(noise, DIFFERENCE_MIN)
        line = (f"{row['suite']}/{row['case']}, {row['measures']}, {row['variant']}: {this[0]} "
                f"{that[1]:.3g} then, {this[1]:.3g} now ({change:.2f} times as bad; "
                f"noise is up to {limit:.2f})")
        if min(changes) > limit:
            worse.setdefault((row["suite"], row["case"]), []).append(line)
        elif max(changes) < 1 / limit:
            better.append(line.replace("times as bad", "of that"))
    return worse, better, count


def agreement(new, old):
    """(number of figures in both runs, lines about those whose medians are further apart than the
    spread of one of them).  Absolute figures, so of runs one after the other on one machine."""
    before, count, apart = {_key(r): r for r in old["rows"]}, 0, []
    for row in new["rows"]:
        earlier = before.get(_key(row))
        if not earlier or earlier["unit"] != row["unit"] or _once(row) or _once(earlier):
            continue
        count += 1
        inside = any(a["p5"] <= b["median"] <= a["p95"]
                     for a, b in ((row, earlier), (earlier, row)))
        if not inside:
            apart.append(f"{row['suite']}/{row['case']}, {row['measures']}, {row['variant']}: "
                         f"{earlier['median']:.4g} ({earlier['p5']:.4g}–{earlier['p95']:.4g}) "
                         f"then, {row['median']:.4g} ({row['p5']:.4g}–{row['p95']:.4g}) now, "
                         f"{row['unit']}")
    return count, apart
