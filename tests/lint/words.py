# SPDX-License-Identifier: MIT
"""No reminders left in the text, and no paths of one developer's machine."""
import re

import tree

# Put together here so that this file does not find itself.
REMINDERS = re.compile(r"\b(" + "|".join(["FIX" + "ME", "TO" + "DO", "X" + "XX", "HA" + "CK"])
                       + r")\b")
PLACES = re.compile(r"(?<![\w.$}/-])/(" + "|".join(["wo" + "rk", "ho" + "me", "ro" + "ot"])
                    + r")/[\w.]")


def main():
    findings, checked = [], 0
    for path in tree.files():
        text = tree.read(path)
        if text is None:
            continue
        checked += 1
        for number, line in enumerate(text.splitlines(), 1):
            m = REMINDERS.search(line)
            if m:
                findings.append(f"{path}:{number}: {m.group()}: do it or file an issue")
            if PLACES.search(line) and not path.startswith("tests/unit/"):
                findings.append(f"{path}:{number}: path of one machine: {line.strip()}")
    tree.finish(findings, checked)


main()
