# SPDX-License-Identifier: MIT
"""Tables for the terminal, case by case as they finish."""
from . import summary, tables


def _table(headings, lines):
    widths = [max(len(line[i]) for line in [headings, *lines]) for i in range(len(headings))]
    for line in [headings, *lines]:
        cells = [line[0].ljust(widths[0])]
        cells += [c.rjust(w) for c, w in zip(line[1:], widths[1:])]
        yield "  " + "  ".join(cells).rstrip()


def case(rows):
    """The text of one case."""
    out = []
    for _, cases in tables.groups(rows):
        for title, metrics in cases:
            if tables.is_matrix(metrics):
                out.append(f"{title}: median (p5–p95)" + tables.matrix_reference(metrics))
                headings, lines = tables.matrix(metrics)
                flipped = len(headings) > 5
                for i in range(1, len(headings), 3) if flipped else [1]:
                    end = i + 3 if flipped else len(headings)
                    out += _table([headings[0], *headings[i:end]],
                                  [[line[0], *line[i:end]] for line in lines])
                continue
            for metric, reference, found in metrics:
                to = f" (ratio to {reference})" if reference else ""
                out.append(f"{title}: {metric}{to}")
                out += _table(tables.HEADINGS, [tables.cells(r) for r in found])
    return "\n".join(out)


def short(run):
    """The figures that matter most, or "" where there are none of them."""
    lines = [[c.replace("`", "") for c in line] for line in summary.rows(run)]
    return "\n".join(_table(summary.HEADINGS, lines)) if lines else ""
