# SPDX-License-Identifier: MIT
"""Is a run worse than an earlier one by more than noise?

What is compared are ratios to the reference of the same run (native, mostly), and sizes in KiB as
they are; never absolute time.  The noise of a comparison comes from the intervals that the medians
lie in, of the four figures that the two ratios are made of, added in quadrature; a difference must
also be larger than DIFFERENCE_MIN.
"""
from . import machine
from .stats import combined, relative_noise

DIFFERENCE_MIN = 0.10
SPREAD_MAX = 4.0  # more noise than that says nothing


def _key(row):
    return row["suite"], row["case"], row["metric"], row["variant"]


def _figure(row):
    """(what is compared, its value), or None."""
    if row["unit"] == "KiB":
        return "size", row["median"]
    if row.get("ratio") and row["variant"] != row["reference"]:
        return "ratio", row["ratio"]
    return None


def _noise(row, rows):
    if row["unit"] == "KiB":
        return relative_noise(row["values"])
    base = rows[(row["suite"], row["case"], row["metric"], row["reference"])]
    return combined(relative_noise(row["values"]), relative_noise(base["values"]))


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
        if not earlier or earlier["unit"] != row["unit"] or not _figure(row) or \
                not _figure(earlier):
            continue
        noise = combined(_noise(row, now), _noise(earlier, before))
        if noise > SPREAD_MAX:
            continue
        count += 1
        what, value = _figure(row)
        change = value / _figure(earlier)[1] if _figure(earlier)[1] else 1.0
        if row["better"] == "higher":
            change = 1 / change if change else float("inf")
        limit = 1 + slack * max(noise, DIFFERENCE_MIN)
        line = (f"{row['suite']}/{row['case']}, {row['measures']}, {row['variant']}: {what} "
                f"{_figure(earlier)[1]:.3g} then, {value:.3g} now ({change:.2f} times as bad; "
                f"noise is up to {limit:.2f})")
        if change > limit:
            worse.setdefault((row["suite"], row["case"]), []).append(line)
        elif change < 1 / limit:
            better.append(line.replace("times as bad", "of that"))
    return worse, better, count
