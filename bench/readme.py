# SPDX-License-Identifier: MIT
"""Keeps README.md and docs/BENCHMARKS.md equal to the run in docs/benchmarks.json.

usage: readme.py --write | --check.  The part of README.md between the two marks is made from the
run, as is all of docs/BENCHMARKS.md.  --check: status 1 if one of them says something else, 77 if
there is no run.
"""
import json
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "bench"))

from hermit_bench.report import markdown, summary  # noqa: E402

RUN = "docs/benchmarks.json"
REPORT = "docs/BENCHMARKS.md"
PART = re.compile(r"(?<=<!-- made by bench/readme\.py --write -->\n).*?(?=<!-- end -->)", re.S)
SKIPPED = 77


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


def part(run):
    """What README.md says between the marks."""
    lines = [*summary.markdown(run),
             f"All of it, with the other peers: [{REPORT}]({REPORT}), made from "
             f"[{RUN}]({RUN}).", ""]
    return "\n".join(lines)


def wanted(run):
    """{path: its text as it has to be}."""
    readme = read("README.md")
    if len(PART.findall(readme)) != 1:
        sys.exit("README.md: the two marks are not there once")
    return {"README.md": PART.sub(lambda _: part(run), readme), REPORT: markdown.report(run)}


def main():
    if sys.argv[1:] not in (["--write"], ["--check"]):
        sys.exit(__doc__)
    if not os.path.exists(os.path.join(TOP, RUN)):
        print(f"skipped: no {RUN}")
        return SKIPPED
    run, status = json.loads(read(RUN)), 0
    for path, text in wanted(run).items():
        same = os.path.exists(os.path.join(TOP, path)) and read(path) == text
        if sys.argv[1] == "--write" and not same:
            with open(os.path.join(TOP, path), "w", encoding="utf-8") as f:
                f.write(text)
            print(f"wrote {path}")
        elif not same:
            print(f"{path}:1: does not say what {RUN} does; bench/readme.py --write")
            status = 1
    return status


sys.exit(main())
