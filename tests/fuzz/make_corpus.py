#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the seed inputs of the fuzz targets: make_corpus.py DIRECTORY."""
import os
import random
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import elf_files  # noqa: E402

HYPERCALLS = 45  # a little more than hypercall.h defines
OPERATION_BYTES = 1 + 14 * 3


# Small programs with everything that the analysis looks at: symbols, unwind tables, relocations,
# calls through linkage tables, wrappers.
SOURCE = """
long nr(long n, long a) { long r; __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a)
                          : "rcx", "r11", "memory"); return r; }
extern int puts(const char *);
static void f(void) { nr(39, 0); }
static void g(void) { nr(60, 1); }
void (*table[])(void) = {f, g};
int twice(int x) { return x > 2 ? (int)nr(186, x) : puts("hi"); }
void _start(void) { table[twice(1) & 1](); nr(231, 0); }
"""


def make_programs(directory):
    """Seeds for fuzz_reach, with what compiler there is; the hand-made files in any case."""
    os.makedirs(directory, exist_ok=True)
    for name, image in elf_files.good().items():
        with open(os.path.join(directory, name), "wb") as f:
            f.write(image)
    compiler = shutil.which("cc") or shutil.which("clang")
    small = ["-Os", "-nostdlib", "-ffreestanding", "-Wl,-z,noseparate-code", "-x", "c", "-"]
    kinds = {"shared": ["-shared", "-fPIC"], "stripped": ["-shared", "-fPIC", "-s"],
             "fixed": ["-static", "-no-pie", "-Dputs=nr_puts"]}
    for name, flags in kinds.items() if compiler else ():
        extra = "int puts(const char *s) { return (int)(long)s; }\n" if name == "fixed" else ""
        subprocess.run([compiler, *flags, *small, "-o", os.path.join(directory, name)],
                       input=SOURCE + extra, text=True, check=True)


def make_net(directory):
    """Seeds for fuzz_net: its operations as twelve bytes each."""
    def op(*head):
        return bytes(head).ljust(12, b"\0")

    serve, look = op(8), op(4, 0, 0)
    stream, datagram = op(3, 0, 1 | 4 | 16), op(3, 0, 1 | 8 | 16)
    outside, published = 2 | 8, 2 | 16
    seeds = {
        "connect": [stream, op(0, 2, 0, outside), serve, op(6, 0, 0, 5, 3, 2), look, serve,
                    op(4, 0, 2)],
        "loopback": [stream, op(0, 2, 0, 8), op(0, 2, 0, 5 | 8), serve],
        "listen": [stream, op(0, 0, 0, published), op(0, 1, 0, 0, 0, 2, 8), op(7, 0, 0), serve,
                   op(7, 4, 0, 9), serve, serve, op(6, 0, 0, 0, 0, 8), op(4, 0, 2), serve],
        "datagrams": [datagram, op(0, 0, 0, published), op(7, 2, 1), op(7, 4, 1, 3), serve,
                      op(1, 0, 0, 0, 0, 0, 0, 0, 2), op(1, 1, 0, 1 | outside << 1, 0, 0, 0, 0, 1),
                      op(4, 0, 2)],
        "options": [stream, op(2, 1, 0, 0, 9, 2, 4, 1), op(4, 0, 3, 0, 15),
                    op(2, 0, 0, 0, 9, 2, 4)],
        "files": [stream, op(0, 2, 0, outside), serve, op(10, 0, 5, 0, 9, 0, 2, 200), look,
                  op(10, 0, 5, 16, 9, 0, 1, 200), look, serve, op(10, 0, 5, 8, 9, 0, 2, 9),
                  op(4, 0, 2), serve],
    }
    os.makedirs(directory, exist_ok=True)
    for name, operations in seeds.items():
        with open(os.path.join(directory, name), "wb") as f:
            f.write(b"".join(operations))


def main():
    directory = sys.argv[1]
    elf_dir, call_dir = os.path.join(directory, "elf"), os.path.join(directory, "hypercall")
    os.makedirs(elf_dir, exist_ok=True)
    os.makedirs(call_dir, exist_ok=True)
    for name, image in {**elf_files.good(), **elf_files.hostile()}.items():
        with open(os.path.join(elf_dir, name), "wb") as f:
            f.write(image)
    make_programs(os.path.join(directory, "reach"))
    make_net(os.path.join(directory, "net"))
    rng = random.Random(2)
    for nr in range(HYPERCALLS):
        for variant in range(4):
            words = b"".join(struct.pack("BBB", rng.randrange(8), rng.randrange(32),
                                         rng.randrange(256)) for _ in range(14))
            with open(os.path.join(call_dir, f"call-{nr}-{variant}"), "wb") as f:
                f.write((bytes([nr]) + words) * (1 + variant))


if __name__ == "__main__":
    main()
