#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rewrites <name>.in.S, disassembles the result and compares it with <name>.out.S:
golden.py [--update] HERMIT_REWRITE NAME..."""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = ("/* SPDX-License-Identifier: MIT */\n"
        "/* {name}.in.S rewritten: golden.py --update writes this. */\n")


def disassemble(args):
    out = subprocess.run(["objdump", "--no-show-raw-insn", *args], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    return [" ".join(line.split()) for line in out.splitlines()
            if line and not line.startswith(("/", "Disassembly")) and "file format" not in line]


def stub(work, site, version):
    """The instructions of a stub, without the filler behind them."""
    path = os.path.join(work, "stub.bin")
    with open(path, "wb") as f:
        f.write(bytes.fromhex(site[version]))
    lines = disassemble(["-D", "-b", "binary", "-m", "i386:x86-64",
                         f"--adjust-vma={site['stub']}", path])
    lines = [line for line in lines if not line.endswith("<.data>:")]
    return [line.split(" <.data")[0] for line in lines if not line.endswith(": int3")]


def rewritten(program, name, work):
    old, new = os.path.join(work, "old"), os.path.join(work, "new")
    report = os.path.join(work, "report.json")
    subprocess.run(["gcc", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=sha1",
                    "-Wl,-Ttext-segment=0x400000", "-Wl,-z,noseparate-code", "-o", old,
                    os.path.join(HERE, name + ".in.S")], check=True)
    p = subprocess.run([program, "--verify", "--report", report, "-o", new, old], check=False)
    if p.returncode not in (0, 2):
        sys.exit(f"FAIL {name}: hermit-rewrite: status {p.returncode}")
    with open(report, encoding="utf-8") as f:
        report = json.load(f)[0]
    lines = disassemble(["-d", "-j", ".text", new])
    for site in report["sites"]:
        lines.append(f"# site {site['address']} call {site['number']}: {site['tier']}"
                     + (f": {site['why']}" if "why" in site else ""))
        for version in ("linux", "hermit"):
            if version in site:
                lines += [f"# its stub, {version}", *stub(work, site, version)]
    for kind in ("suspicious", "int80", "sysenter", "vsyscall"):
        if report[kind]:
            lines.append(f"# {kind}: {' '.join(report[kind])}")
    return HEAD.format(name=name) + "\n".join(lines) + "\n"


def main():
    args = sys.argv[1:]
    update = "--update" in args
    program, *names = [a for a in args if a != "--update"]
    failed = False
    for name in names:
        path = os.path.join(HERE, name + ".out.S")
        with tempfile.TemporaryDirectory(prefix="hermit-golden-") as work:
            text = rewritten(program, name, work)
        if update:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            continue
        with open(path, encoding="utf-8") as f:
            wanted = f.read()
        if text != wanted:
            failed = True
            print(f"FAIL {name}\n--- wanted\n{wanted}--- is\n{text}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
