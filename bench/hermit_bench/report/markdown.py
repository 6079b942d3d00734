# SPDX-License-Identifier: MIT
"""A run as Markdown: docs/BENCHMARKS.md is made by this."""
from . import claims, summary, tables


def _table(headings, lines):
    yield "| " + " | ".join(headings) + " |"
    yield "|" + "|".join(["---"] + ["---:"] * (len(headings) - 1)) + "|"
    for line in lines:
        yield "| " + " | ".join(line) + " |"
    yield ""


def _peers(run):
    yield "## Peers"
    yield ""
    lines = [[p["name"], p["title"], p["version"]] for p in run["peers"]]
    lines += [[name, "not in this run", why] for name, why in run["left_out"].items()]
    yield "| name | what it is | version |"
    yield "|---|---|---|"
    for line in lines:
        yield "| " + " | ".join(c.replace("|", "\\|") for c in line) + " |"
    yield ""


def _problems(run):
    if run["failures"]:
        yield "## Failed"
        yield ""
        yield from (f"- {f}" for f in run["failures"])
        yield ""
    if run["notes"]:
        yield "## Not measured"
        yield ""
        yield from (f"- {case}, {peer}: {why}" for case, peer, why in run["notes"])
        yield ""


def _run(run):
    out = [f"- {line}" for line in tables.machine_lines(run)]
    command = run["settings"].get("command")
    out += [f"- `{command}`"] if command else []
    if run["interrupted"]:
        out += ["", "**This run was interrupted.**"]
    return [*out, ""]


def _cases(run):
    for suite, cases in tables.groups(run["rows"]):
        yield f"## {tables.SUITES.get(suite, suite)}"
        yield ""
        for title, metrics in cases:
            if tables.is_matrix(metrics):
                yield f"**{title}**: median (p5–p95){tables.matrix_reference(metrics)}"
                yield ""
                yield from _table(*tables.matrix(metrics))
                continue
            for metric, reference, rows in metrics:
                to = f"; ratio to {reference}" if reference else ""
                yield f"**{title}**: {metric}{to}"
                yield ""
                yield from _table(tables.HEADINGS, [tables.cells(r) for r in rows])


def report(run):
    out = ["# Benchmarks", "",
           "Made by `hermit-bench --from RUN.json --markdown FILE`; do not edit. The method is in "
           "[bench/README.md](../bench/README.md).", "",
           *_run(run), "## In short", "", *summary.markdown(run), *claims.markdown(run),
           *_peers(run), *_cases(run), *_problems(run)]
    return "\n".join(out).rstrip() + "\n"
