# SPDX-License-Identifier: MIT
"""Every source starts with the licence line; C files go on with a comment that says what they
are for; headers have an include guard."""
import re

import tree

SPDX = "SPDX-License-Identifier: MIT"


def problems(path, lines):
    head = lines[:2]
    if not any(SPDX in line for line in head):
        return [f"{path}:1: no {SPDX}"]
    found = []
    if path.endswith((".c", ".h", ".S")) and not (len(lines) > 1 and lines[1].startswith("/*")):
        found.append(f"{path}:2: a comment with the file's purpose belongs here")
    guard = r"#ifndef \w+\n#define \w+|#pragma once"
    if path.endswith(".h") and not re.search(guard, "\n".join(lines)):
        found.append(f"{path}: no include guard")
    return found


def main():
    findings, checked = [], 0
    for path in tree.files():
        if path.endswith((".c", ".h", ".S", ".py", ".def")) or tree.is_script(path):
            checked += 1
            findings += problems(path, tree.read(path).splitlines())
    tree.finish(findings, checked)


main()
