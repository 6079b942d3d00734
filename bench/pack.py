# SPDX-License-Identifier: MIT
"""Packs a Python package into one executable file: pack.py OUTPUT FOLDER FILE..."""
import os
import sys
import zipfile

FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # so that the same sources give the same file


def main():
    output, folder, *files = sys.argv[1:]
    parent = os.path.dirname(folder)
    package = os.path.basename(folder)
    start = f"import sys\nfrom {package}.__main__ import main\nsys.exit(main())\n"
    with open(output, "wb") as f:
        f.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(f, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("__main__.py", FIXED_TIME), start)
            for path in sorted(files):
                with open(path, "rb") as source:
                    archive.writestr(zipfile.ZipInfo(os.path.relpath(path, parent), FIXED_TIME),
                                     source.read(), zipfile.ZIP_DEFLATED)
    os.chmod(output, 0o755)


main()
