# SPDX-License-Identifier: MIT
"""A run as one page without anything from outside: cards, plots, tables; light and dark."""
import pkgutil
import re
from html import escape

from . import claims, summary, svg, tables

# (heading, suite, case, metric, variant, what is shown, remark)
CARDS = (
    ("a static hello, start to end", "boot", "hello", "wall_ns", "hermit", "median"),
    ("of the bare-VM floor", "boot", "hello", "wall_ns", "hermit", "floor"),
    ("peak memory of that, guest included", "memory", "peak", "rss_kib", "hermit", "median"),
    ("cycles for a null system call", "syscall", "null", "cycles", "hermit", "median"),
    ("two threads through a pipe, of native", "thread", "pipe", "ns", "hermit", "ratio"),
    ("a compute loop, of native", "thread", "loop", "ns", "hermit", "ratio"),
    ("redis behind a port, of native", "net", "redis", "get1", "hermit", "ratio"),
    ("SQLite in memory, of native", "apps", "sqlite", "wall_ns", "hermit", "ratio"),
)
# Cases whose names end in a number, as curves: (suite, stem, metric, x axis)
CURVES = (("density", "start", "all_ns", "programs started together"),
          ("density", "start", "p95_ns", "programs started together"),
          ("density", "start", "each", "idle programs at the same time"))
WIDE = ("dots", "panel", "timeline")


def _find(run, suite, case, metric, variant):
    return next((r for r in run["rows"] if (r["suite"], r["case"], r["metric"], r["variant"]) ==
                 (suite, case, metric, variant)), None)


def cards(run):
    out = []
    for heading, *key, show in CARDS:
        row = _find(run, *key)
        if not row:
            continue
        spread = f"p5–p95 {tables.spread(row)} {tables.unit(row)}, {row['samples']} samples"
        if show == "median":
            value = f"{tables.number(row['median'])} {tables.unit(row)}"
        else:
            base = _find(run, *key[:3], "floor") if show == "floor" else None
            ratio = row["median"] / base["median"] if base else row.get("ratio")
            if ratio is None or show == "floor" and not base:
                continue
            value, spread = f"{tables.number(ratio)} ×", \
                f"{tables.number(row['median'])} {tables.unit(row)}; " + spread
        out.append(f'<div class="card"><b>{escape(value)}</b><span>{escape(heading)}</span>'
                   f'<span class="soft">{escape(spread)}</span></div>')
    return f'<div class="cards">{"".join(out)}</div>' if out else ""


def table(headings, lines, cls=""):
    head = "".join(f"<th>{escape(h)}</th>" for h in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in line) + "</tr>"
                   for line in lines)
    return (f'<div class="scroll"><table class="{cls}"><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>")


def legend(labels):
    dot = '<svg viewBox="0 0 10 10"><circle cx="5" cy="5" r="5" class="{}"/></svg>'
    return '<p class="legend">' + "".join(
        f"<span>{dot.format(svg.colour(label))}{escape(label)}</span>" for label in labels) + "</p>"


def details(summary, inside):
    return f"<details><summary>{escape(summary)}</summary>{inside}</details>"


def wide(title, metrics):
    """A case with many metrics: a timeline, dots, or bars for each; the figures below."""
    rows = [r for _, _, found in metrics for r in found]
    kind = rows[0]["kind"]
    if kind == "panel":
        plot = '<div class="panel">' + "".join(
            f'<div><p class="note">{escape(name + direction(found))}</p>'
            f"{svg.bars(found, name)}</div>" for name, _, found in metrics) + "</div>"
        caption = "medians; the lines go from p5 to p95"
    elif kind == "timeline":
        plot = f'<div class="scroll">{svg.timeline(metrics, title)}</div>'
        caption = "each phase to scale: median (p5–p95)"
    else:
        labels = list(dict.fromkeys(r["variant"] for r in rows))
        plot = f'<div class="scroll">{svg.dots(metrics, title)}</div>' + legend(labels)
        caption = "time a call; the line is p5–p95"
    return (f'<figure class="wide"><h3>{escape(title)}</h3><figcaption>{caption}</figcaption>'
            f"{plot}{figures(metrics)}</figure>")


def figures(metrics):
    """The tables of a case, folded."""
    if tables.is_matrix(metrics):
        body = table(*tables.matrix(metrics))
        note = tables.matrix_reference(metrics)[2:]
        return details("figures", body + (f'<p class="note">{escape(note)}</p>' if note else ""))
    body = ""
    for name, to, found in metrics:
        note = f"{name}, ratio to {to}" if to else name
        body += f'<p class="note">{escape(note)}</p>' + \
            table(tables.HEADINGS, [tables.cells(r) for r in found])
    return details("figures", body)


def direction(rows):
    return "; longer is better" if rows[0]["better"] == "higher" else ""


def plain(title, metrics):
    """Bars of the first metric, the others in the figures."""
    metric, _, rows = metrics[0]
    return (f"<figure><h3>{escape(title)}</h3><figcaption>{escape(metric + direction(rows))}"
            f"</figcaption>{svg.bars(rows, title)}{figures(metrics)}</figure>")


def scaling(run, suite):
    """The curves of a suite, and the titles of the cases that are their points."""
    out, covered = [], set()
    for wanted, stem, metric, x_title in CURVES:
        series, name, found = {}, "", {}
        for row in run["rows"]:
            number = re.fullmatch(stem + r"(\d+)", row["case"])
            if row["suite"] == wanted == suite and number and row["metric"] == metric:
                name = f"{row['measures']}, {tables.unit(row)}"
                series.setdefault(row["variant"], []).append(
                    (int(number.group(1)), row["median"], row["p5"], row["p95"]))
                found.setdefault(row["title"], []).append(row)
        if any(len(line) > 1 for line in series.values()):
            covered |= set(found)
            out.append(f"<figure><h3>{escape(x_title)}</h3><figcaption>{escape(name)}</figcaption>"
                       f"{svg.curves(series, x_title, name)}"
                       + details("figures", "".join(
                           f'<p class="note">{escape(title)}</p>'
                           + table(tables.HEADINGS, [tables.cells(r) for r in rows])
                           for title, rows in found.items())) + "</figure>")
    return "".join(out), covered


def suite_section(run, suite, cases):
    plots, covered = scaling(run, suite)
    for title, metrics in cases:
        if title in covered:
            continue
        kind = metrics[0][2][0]["kind"]
        plots += (wide if kind in WIDE else plain)(title, metrics)
    name = tables.SUITES.get(suite, suite)
    return f'<h2 id="{suite}">{escape(name)}</h2><div class="grid">{plots}</div>'


def peers(run):
    lines = [[p["name"], p["title"], p["version"]] for p in run["peers"]]
    lines += [[name, "not in this run: " + why, ""] for name, why in run["left_out"].items()]
    return '<h2 id="peers">Peers</h2>' + table(["name", "what it is", "version"], lines, "text")


def problems(run):
    out = ""
    if run["failures"]:
        out += "<h2>Failed</h2><ul>" + "".join(
            f"<li>{escape(f)}</li>" for f in run["failures"]) + "</ul>"
    if run["notes"]:
        lines = [list(n) for n in run["notes"]]
        out += details("what was not measured, and why", table(["case", "peer", "why"], lines,
                                                               "text"))
    return out


def in_short(run):
    """Lines whose figures are broken before the bracket only."""
    for what, *figures_ in summary.rows(run):
        yield [what.replace("`", ""),
               *(f.replace(" ", "\u00a0").replace("\u00a0(", " (") for f in figures_)]


def page(run):
    grouped = tables.groups(run["rows"])
    style = pkgutil.get_data(__package__, "page.css").decode()
    links = "".join(f'<a href="#{suite}">{escape(tables.SUITES.get(suite, suite))}</a>'
                    for suite, _ in grouped)
    facts = "".join(f'<p class="soft">{escape(line)}</p>' for line in tables.machine_lines(run))
    cut = "<p><b>This run was interrupted.</b></p>" if run["interrupted"] else ""
    body = "".join(suite_section(run, suite, cases) for suite, cases in grouped)
    claimed = table(claims.HEADINGS, [[c.replace("`", "") for c in r] for r in claims.rows(run)],
                    "text")
    short = '<h2 id="short">In short</h2>' + table(summary.HEADINGS, in_short(run), "short")
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hermit, measured</title><style>{style}</style></head><body><main>
<h1>Hermit, measured</h1>
<p>Unmodified programs as guests of Hermit, beside what else could run them. Bars are medians, the
lines on them go from the 5th to the 95th percentile.</p>{facts}{cut}
<nav><a href="#short">In short</a>{links}<a href="#claims">Claims</a>
<a href="#peers">Peers</a></nav>
{cards(run)}{short}{body}
<h2 id="claims">What the field claims</h2><p>{escape(claims.caveat(run))}</p>{claimed}
{peers(run)}{problems(run)}
</main></body></html>
"""
