# SPDX-License-Identifier: MIT
"""The rows of a run as tables: which there are, their headings, their cells as text."""

SUITES = {"boot": "Starting", "memory": "Memory", "syscall": "System calls", "thread": "Threads",
          "file": "Files", "net": "Servers", "apps": "Programs", "density": "Density"}


def number(value):
    """Three figures that count."""
    if value is None:
        return ""
    if value and abs(value) < 0.00095:
        return f"{value:.1g}"
    if value and abs(value) < 0.095:
        return f"{value:.4f}" if abs(value) < 0.0095 else f"{value:.3f}"
    if abs(value) < 9.95:
        return f"{value:.2f}"
    if abs(value) < 99.5:
        return f"{value:.1f}"
    return f"{value:,.0f}".replace(",", "\u202f")


def unit(row):
    return row["unit"].replace("us", "µs")


def ratio(row):
    if row.get("ratio") is None or row["variant"] == row["reference"]:
        return ""
    return number(row["ratio"])


def spread(row):
    if row["counted"]:
        return "counted"
    if row["samples"] == 1:
        return "one run"
    return f"{number(row['p5'])}–{number(row['p95'])}"


def cells(row):
    return [row["variant"], f"{number(row['median'])} {unit(row)}", spread(row), ratio(row),
            str(row["samples"])]


HEADINGS = ["", "median", "p5–p95", "ratio", "samples"]


def groups(rows):
    """[(suite, [(case title, [(metric title, reference, rows)])])] in the order measured."""
    found = {}
    for row in rows:
        metrics = found.setdefault(row["suite"], {}).setdefault(row["title"], {})
        metrics.setdefault(row["measures"], []).append(row)
    return [(suite, [(title, [(m, rows[0]["reference"], rows) for m, rows in metrics.items()])
                     for title, metrics in cases.items()]) for suite, cases in found.items()]


def is_matrix(metrics):
    """A case with many metrics is one table with a row for each of them."""
    return len(metrics) > 3


def matrix(metrics, ratios=True):
    """(headings, lines): variants across, metrics down; cells: median, spread, ratio."""
    labels, samples = [], {}
    for _, _, rows in metrics:
        labels += [r["variant"] for r in rows if r["variant"] not in labels]
        samples.update({r["variant"]: r["samples"] for r in rows})
    lines = []
    for title, _, rows in metrics:
        by_label = {r["variant"]: r for r in rows}
        line = [f"{title}, {unit(rows[0])}"]
        for label in labels:
            row = by_label.get(label)
            cell = f"{number(row['median'])} ({spread(row)})" if row else ""
            line.append(f"{cell} ×{ratio(row)}" if row and ratios and ratio(row) else cell)
        lines.append(line)
    return ["", *labels], [*lines, ["samples", *(str(samples[label]) for label in labels)]]


def matrix_reference(metrics):
    """What the ratios of such a table refer to, as a half-sentence."""
    to = metrics[0][1]
    return f"; × is the ratio to {to}" if to and len(metrics[0][2]) > 1 else ""


def machine_lines(run):
    m = run["machine"]
    kvm = {"hardware": "KVM in hardware", "software": "KVM in software (no VMX or SVM)",
           "none": "no KVM"}[m["kvm"]]
    pinned = run["settings"]["pinned"]
    lines = [f"{m['cpus']} CPUs of {m['cpu']}{', virtualised' if m['virtualised'] else ''}; "
             f"{m['memory_mib']} MiB; {kvm}",
             f"Linux {m['kernel']}, {m['distribution']}; load at the start {m['load']}",
             f"{run['date']}, {run['version']}, {run['settings']['mode']}, "
             f"up to {run['settings']['samples']} samples; "
             + (f"on CPUs {pinned}" if pinned else "not pinned")
             + (f"; took {run['seconds'] / 60:.0f} minutes" if run.get("seconds") else "")]
    return lines
