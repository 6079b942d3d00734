# SPDX-License-Identifier: MIT
"""Plots as SVG: bars with spread, dots on a common scale, a timeline, curves."""
import math
from html import escape

from .tables import number, unit

WIDTH = 470
LABEL = 128  # columns of pixels for the names
ROW = 24
LOG_FROM = 25  # a longest bar this many times the shortest one: logarithmic

COLOURS = {"native": "native", "floor": "floor", "hermit": "hermit", "hermit-plain": "hermit2",
           "hermit-qemu": "hermit3", "hermit-offline": "other2", "hermit-musl": "other",
           "runc": "container", "crun": "container", "runsc": "gvisor",
           "linux-q35": "vm", "linux-microvm": "vm2"}


def colour(label, peer=""):
    return "c-" + COLOURS.get(label, COLOURS.get(peer, "other"))


def _svg(width, height, parts, title):
    return (f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
            + "".join(parts) + "</svg>")


def _text(x, y, text, cls="", anchor="start"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{cls}" text-anchor="{anchor}">'
            f"{escape(str(text))}</text>")


def _line(x1, y1, x2, y2, cls):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{cls}"/>'


class Scale:
    """From values to pixels, linear from 0 or logarithmic, with round ticks."""

    def __init__(self, low, high, start, end, log=None):
        low, high = max(low, 1e-12), max(high, 1e-12)
        self.log = high / low > LOG_FROM if log is None else log
        self.start, self.end = start, end
        if self.log:
            self.low = 10 ** math.floor(math.log10(low) - 0.15)
            self.high = high * 1.05
        else:
            self.low, self.high = 0, high * 1.05

    def __call__(self, value):
        if self.log:
            value = max(value, self.low)
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = value / self.high
        return self.start + part * (self.end - self.start)

    def ticks(self):
        if self.log:
            powers = range(round(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
            return [10.0 ** p for p in powers][::1 + len(powers) // 7]
        step = 10 ** math.floor(math.log10(self.high)) / 5
        while self.high / step > 6:
            step *= 2 if f"{step:e}"[0] in "15" else 2.5
        return [i * step for i in range(int(self.high / step) + 1)]


def _grid(scale, top, bottom):
    parts = []
    for tick in scale.ticks():
        x = scale(tick)
        parts.append(_line(x, top, x, bottom, "grid-line"))
        parts.append(_text(x, bottom + 13, short(tick), "axis", "middle"))
    return parts


def short(value):
    """A tick's name."""
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value / 1e3:g}k" if value >= 1e4 else f"{value:g}"


def bars(rows, title):
    """A bar a variant to the median; the line on it goes from p5 to p95."""
    values = [r["median"] for r in rows] + [r["p95"] for r in rows]
    scale = Scale(min(r["median"] for r in rows), max(values), LABEL, WIDTH - 92)
    height = len(rows) * ROW
    parts = _grid(scale, 0, height)
    for i, row in enumerate(rows):
        y = i * ROW + 4
        x = scale(row["median"])
        parts.append(_text(LABEL - 8, y + 12, _fit(row["variant"], 19), "", "end"))
        parts.append(f'<rect x="{LABEL}" y="{y}" width="{max(1, x - LABEL):.1f}" height="16" rx="2"'
                     f' class="{colour(row["variant"], row["peer"])}">'
                     f'<title>{escape(row["variant"])}: '
                     f'{number(row["median"])} {unit(row)}, p5–p95 {number(row["p5"])}–'
                     f'{number(row["p95"])}, {row["samples"]} samples</title></rect>')
        low, high = scale(row["p5"]), scale(row["p95"])
        if not row["counted"]:
            parts += [_line(low, y + 8, high, y + 8, "whisker"),
                      _line(low, y + 4, low, y + 12, "whisker"),
                      _line(high, y + 4, high, y + 12, "whisker")]
        parts.append(_text(max(x, high) + 6, y + 12, f"{number(row['median'])} {unit(row)}",
                           "value"))
    note = "logarithmic" if scale.log else ""
    parts.append(_text(WIDTH - 2, height + 13, note, "axis", "end"))
    return _svg(WIDTH, height + 18, parts, title)


def _fit(text, columns):
    return text if len(text) <= columns else text[:columns - 1] + "…"


def dots(metrics, title):
    """A row a metric, a dot a variant, on one logarithmic scale."""
    rows = [r for _, _, found in metrics for r in found]
    label, width = 240, 2 * WIDTH + 40
    scale = Scale(min(r["p5"] for r in rows), max(r["p95"] for r in rows), label, width - 20, True)
    height = len(metrics) * 22
    parts = _grid(scale, 0, height)
    for i, (name, _, found) in enumerate(metrics):
        y = i * 22 + 11
        parts.append(_text(label - 10, y + 4, name, "", "end"))
        parts.append(_line(label, y, width - 20, y, "grid-line"))
        for row in sorted(found, key=lambda r: r["variant"] == "hermit"):
            parts.append(_line(scale(row["p5"]), y, scale(row["p95"]), y, "whisker"))
            parts.append(f'<circle cx="{scale(row["median"]):.1f}" cy="{y}" r="5" '
                         f'class="{colour(row["variant"], row["peer"])}">'
                         f'<title>{escape(row["variant"])}: '
                         f'{number(row["median"])} {unit(row)}</title></circle>')
    parts.append(_text(width - 20, height + 28, f"{unit(rows[0])}, logarithmic", "axis", "end"))
    return _svg(width, height + 32, parts, title)


def timeline(metrics, title):
    """Phases one after the other, to scale."""
    phases = [(name, found[0]) for name, _, found in metrics if found]
    total = sum(row["median"] for _, row in phases) or 1
    width, x, parts = 2 * WIDTH + 40, 0.0, []
    shades = ("c-hermit", "c-hermit2", "c-hermit3")
    for i, (name, row) in enumerate(phases):
        w = row["median"] / total * width
        parts.append(f'<rect x="{x:.1f}" y="4" width="{max(0.5, w - 1.5):.1f}" height="26" rx="2" '
                     f'class="{shades[i % 3]}"><title>{escape(name)}</title></rect>')
        at = min(max(x + w / 2, 60), width - 60)
        level = 46 if i % 2 == 0 else 78
        parts.append(_text(at, level, name, "", "middle"))
        parts.append(_text(at, level + 14, f"{number(row['median'])} {unit(row)} "
                           f"({number(row['p5'])}–{number(row['p95'])})", "axis", "middle"))
        x += w
    return _svg(width, 98, parts, title)


def curves(series, x_title, y_title):
    """series: {variant: [(x, median, p5, p95)]}, both axes logarithmic."""
    points = [p for line in series.values() for p in line]
    left, bottom, top = 56, 190, 8
    xs = Scale(min(p[0] for p in points), max(p[0] for p in points) * 1.02, left, WIDTH - 96, True)
    xs.low = min(p[0] for p in points)
    ys = Scale(min(p[2] for p in points), max(p[3] for p in points), bottom, top, True)
    parts = []
    for tick in ys.ticks():
        parts.append(_line(left, ys(tick), WIDTH - 96, ys(tick), "grid-line"))
        parts.append(_text(left - 6, ys(tick) + 4, short(tick), "axis", "end"))
    for x in sorted({p[0] for p in points}):
        parts.append(_text(xs(x), bottom + 14, f"{x:g}", "axis", "middle"))
    ends = []
    for label, line in series.items():
        line = sorted(line)
        path = " ".join(f"{xs(x):.1f},{ys(y):.1f}" for x, y, _, _ in line)
        parts.append(f'<polyline points="{path}" class="curve {colour(label)}" '
                     'style="fill: none"/>')
        for x, y, low, high in line:
            parts.append(_line(xs(x), ys(low), xs(x), ys(high), "whisker"))
            parts.append(f'<circle cx="{xs(x):.1f}" cy="{ys(y):.1f}" r="3.5" '
                         f'class="{colour(label)}"/>')
        ends.append((ys(line[-1][1]), xs(line[-1][0]), label))
    last = -99.0
    for y, x, label in sorted(ends):
        last = max(y + 4, last + 14)
        parts.append(_text(x + 9, last, label))
    parts.append(_text(left, bottom + 30, f"{x_title}; upwards: {y_title}, logarithmic", "axis"))
    return _svg(WIDTH, bottom + 36, parts, y_title)
