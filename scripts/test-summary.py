#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sums up ctest's JUnit reports: what failed and was skipped, then one line of counts.

Exits 1 when a test failed, a report is missing, or no test ran."""
import sys
import xml.etree.ElementTree as ElementTree


def main():
    passed, failed, skipped = 0, [], []
    complete = True
    for path in sys.argv[1:]:
        build = path.split("/")[0]
        try:
            cases = ElementTree.parse(path).getroot().iter("testcase")
        except (OSError, ElementTree.ParseError) as e:
            print(f"{path}: {e}")
            complete = False
            continue
        for case in cases:
            name = f"{build}: {case.get('name')}"
            if case.get("status") == "run":
                passed += 1
            elif case.get("status") == "fail":
                failed.append(name)
            else:  # notrun: the skip status of a test; disabled
                note = case.find("skipped")
                skipped.append(name + (f" ({note.get('message')})" if note is not None else ""))
    print("\n==> summary")
    for word, names in (("skipped", skipped), ("FAILED", failed)):
        for name in names:
            print(f"{word}: {name}")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    sys.exit(0 if complete and passed and not failed else 1)


if __name__ == "__main__":
    main()
