# SPDX-License-Identifier: MIT
"""Medians, percentiles and what of a difference is noise."""
import math
import statistics


def percentile(values, p):
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(p / 100 * (len(ordered) - 1))))]


def summary(values):
    return {"samples": len(values), "median": statistics.median(values),
            "p5": percentile(values, 5), "p95": percentile(values, 95),
            "min": min(values), "max": max(values)}


def relative_spread(row):
    """Half of p5 to p95, as a part of the median."""
    if not row["median"]:
        return 0.0
    return abs((row["p95"] - row["p5"]) / 2 / row["median"])


def combined(*spreads):
    """The relative spread of a product or quotient of independent figures."""
    return math.sqrt(sum(s * s for s in spreads))
