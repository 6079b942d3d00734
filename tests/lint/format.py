# SPDX-License-Identifier: MIT
"""C files are formatted as .clang-format says.  Skipped without clang-format 14: other versions
disagree with it about a few lines."""
import re
import shutil
import subprocess
import sys

import tree

VERSION = "14"


def clang_format():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        path = shutil.which(name)
        if path:
            out = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
            if re.search(rf"version {VERSION}\.", out.stdout):
                return path
    return None


def main():
    tool = clang_format()
    if not tool:
        print(f"skipped: no clang-format {VERSION}")
        sys.exit(tree.SKIPPED)
    sources = [f for f in tree.files() if f.endswith(tree.C_SUFFIXES)]
    p = subprocess.run([tool, "--dry-run", *sources], cwd=tree.TOP, check=False,
                       stderr=subprocess.PIPE, text=True)
    bad = {}
    for path, line in re.findall(r"^(\S+?):(\d+):\d+: warning:", p.stderr, re.M):
        bad.setdefault(path, line)
    findings = [f"{path}:{line}: not formatted: clang-format -i {path}"
                for path, line in sorted(bad.items())]
    if p.returncode and not bad:
        findings.append(p.stderr)
    tree.finish(findings, len(sources))


main()
