# SPDX-License-Identifier: MIT
"""Links of Markdown files to files and headings of the project lead somewhere."""
import os
import re

import tree


def anchors(text):
    """GitHub's names for the headings of a Markdown text."""
    for heading in re.findall(r"^#+ +(.*)$", text, re.M):
        plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        yield plain.strip().replace(" ", "-")


def main():
    findings, checked = [], 0
    for path in tree.files():
        if not path.endswith(".md"):
            continue
        checked += 1
        text = re.sub(r"^```.*?^```", lambda m: re.sub(r"[^\n]", " ", m.group()), tree.read(path),
                      flags=re.M | re.S)
        for number, line in enumerate(text.splitlines(), 1):
            for target in re.findall(r"\]\(([^)\s]+)\)", line):
                if re.match(r"[a-z]+:", target):
                    continue
                name, _, anchor = target.partition("#")
                file = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
                if not os.path.exists(os.path.join(tree.TOP, file)):
                    findings.append(f"{path}:{number}: {target} does not exist")
                elif anchor and file.endswith(".md") and anchor not in anchors(tree.read(file)):
                    findings.append(f"{path}:{number}: {file} has no heading #{anchor}")
    tree.finish(findings, checked)


main()
