# SPDX-License-Identifier: MIT
"""Every C and assembly file is named in a CMakeLists.txt above it, every header is included."""
import os
import re

import tree


def words(text):
    return set(re.findall(r"[\w.+-]+", text))


def main():
    files = tree.files()
    named = {os.path.dirname(f): words(tree.read(f).replace("/", " "))
             for f in files if os.path.basename(f) == "CMakeLists.txt"}
    included = set()
    for f in files:
        if f.endswith((".c", ".h", ".S", ".py", ".cmake", ".txt")):
            included |= words((tree.read(f) or "").replace("/", " "))
    findings, checked = [], 0
    for path in files:
        name = os.path.basename(path)
        stem, suffix = os.path.splitext(name)
        if suffix in (".c", ".S"):
            checked += 1
            # As a file, as a program, as the test of something, or as half of a golden pair.
            names = {name, stem, stem.removeprefix("test_"),
                     stem.removesuffix(".in").removesuffix(".out")}
            folder, seen = os.path.dirname(path), False
            while True:
                seen = seen or bool(named.get(folder, set()) & names)
                if seen or not folder:
                    break
                folder = os.path.dirname(folder)
            if not seen:
                findings.append(f"{path}: no CMakeLists.txt names it")
        elif suffix == ".h":
            checked += 1
            if name not in included:
                findings.append(f"{path}: nothing includes it")
    tree.finish(findings, checked)


main()
