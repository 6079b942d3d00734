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


def median_interval(values):
    """Where the median lies with 95 %, by ranks: no distribution is assumed, and an outlier moves
    nothing.  All of the range for few values."""
    ordered = sorted(values)
    outside = max(0, math.floor((len(ordered) - 1.96 * math.sqrt(len(ordered))) / 2))
    return ordered[outside], ordered[len(ordered) - 1 - outside]


def relative_noise(values):
    """By which part the median may be wrong."""
    middle = statistics.median(values)
    low, high = median_interval(values)
    if middle <= 0 or low <= 0:
        return 0.0 if low == high else math.inf
    return max(high / middle, middle / low) - 1


def combined(*spreads):
    """The relative noise of a product or quotient of independent figures."""
    return math.sqrt(sum(s * s for s in spreads))
