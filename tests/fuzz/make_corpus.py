#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the seed inputs of the fuzz targets: make_corpus.py DIRECTORY."""
import os
import random
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import elf_files  # noqa: E402

HYPERCALLS = 31  # a little more than hypercall.h defines
OPERATION_BYTES = 1 + 14 * 3


def main():
    directory = sys.argv[1]
    elf_dir, call_dir = os.path.join(directory, "elf"), os.path.join(directory, "hypercall")
    os.makedirs(elf_dir, exist_ok=True)
    os.makedirs(call_dir, exist_ok=True)
    for name, image in {**elf_files.good(), **elf_files.hostile()}.items():
        with open(os.path.join(elf_dir, name), "wb") as f:
            f.write(image)
    rng = random.Random(2)
    for nr in range(HYPERCALLS):
        for variant in range(4):
            words = b"".join(struct.pack("BBB", rng.randrange(8), rng.randrange(32),
                                         rng.randrange(256)) for _ in range(14))
            with open(os.path.join(call_dir, f"call-{nr}-{variant}"), "wb") as f:
                f.write((bytes([nr]) + words) * (1 + variant))


if __name__ == "__main__":
    main()
