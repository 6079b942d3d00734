#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds musl with system calls that are jumps into Hermit's kernel.

SOURCE is musl's unmodified tree (scripts/fetch-source musl).  It is copied, the files of overlay/
are put on top, and every `syscall` in the assembly files that enter the kernel becomes
HERMIT_SYSCALL (overlay/arch/x86_64/hermit_syscall.h).  PREFIX gets lib/ and include/.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# Assembly files that enter the kernel, and how often.  signal/x86_64/restore.s is not among them:
# unwinders know rt_sigreturn by its bytes.
SITES = {
    "src/thread/x86_64/syscall_cp": 1,
    "src/thread/x86_64/clone": 2,
    "src/thread/x86_64/__unmapself": 2,
    "src/process/x86_64/vfork": 1,
}
UNCHANGED = {"src/signal/x86_64/restore.s"}
SYSCALL = re.compile(r"^(\s*)syscall\b", re.M)


def fail(message):
    sys.exit("musl/build.py: " + message)


def enter_by_jump(tree):
    """Turns FILE.s into FILE.S, which includes and uses the macro."""
    for name, expected in SITES.items():
        old = os.path.join(tree, name + ".s")
        with open(old, encoding="utf-8") as f:
            text, found = SYSCALL.subn(r"\1HERMIT_SYSCALL", f.read())
        if found != expected:
            fail(f"{name}.s: {found} system calls, not {expected}")
        with open(os.path.join(tree, name + ".S"), "w", encoding="utf-8") as f:
            f.write('#include "hermit_syscall.h"\n' + text)
        os.unlink(old)


def check_complete(tree):
    """No other assembly file for this architecture enters the kernel."""
    for folder, _, names in os.walk(os.path.join(tree, "src")):
        if os.path.basename(folder) != "x86_64":
            continue
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), tree)
            if name.endswith(".s") and path not in UNCHANGED:
                with open(os.path.join(tree, path), encoding="utf-8") as f:
                    if SYSCALL.search(f.read()):
                        fail(f"{path}: a system call that is not known")


def run(command, cwd, log):
    """Runs a command; its output matters only on failure."""
    with open(log, "a", encoding="utf-8") as out:
        status = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out,
                                stderr=subprocess.STDOUT, check=False).returncode
    if status:
        with open(log, encoding="utf-8", errors="replace") as f:
            sys.stderr.write("".join(line[:200].rstrip() + "\n" for line in f.readlines()[-20:]))
        fail(f"{command[0]} failed; all of its output is in {log}")


def link_kernel_headers(include):
    """linux/*.h and so on, which musl does not bring and programs include."""
    for name in ("asm", "asm-generic", "drm", "linux", "misc", "mtd", "rdma", "sound", "video",
                 "xen"):
        for base in ("/usr/include/x86_64-linux-gnu", "/usr/include"):
            if os.path.isdir(os.path.join(base, name)):
                os.symlink(os.path.join(base, name), os.path.join(include, name))
                break


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="musl's source")
    parser.add_argument("work", help="scratch directory, made anew")
    parser.add_argument("prefix", help="where lib/ and include/ go, made anew")
    parser.add_argument("--cc", default="gcc")
    args = parser.parse_args()
    work, prefix = os.path.abspath(args.work), os.path.abspath(args.prefix)
    tree, made = os.path.join(work, "source"), os.path.join(work, "made")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(made)
    shutil.copytree(args.source, tree, symlinks=True)
    shutil.copytree(os.path.join(HERE, "overlay"), tree, dirs_exist_ok=True)
    os.makedirs(os.path.join(tree, "arch/x86_64/hermit"))
    shutil.copy(os.path.join(HERE, "../include/hermit/rewrite.h"),
                os.path.join(tree, "arch/x86_64/hermit/rewrite.h"))
    os.unlink(os.path.join(tree, "src/thread/x86_64/__set_thread_area.s"))
    enter_by_jump(tree)
    check_complete(tree)

    log = os.path.join(work, "log")
    staged = os.path.join(work, "prefix")
    run([os.path.join(tree, "configure"), "--disable-wrapper", "CC=" + args.cc,
         "--prefix=" + staged, "--syslibdir=" + os.path.join(staged, "lib")], made, log)
    jobs = len(os.sched_getaffinity(0))
    run(["make", f"-j{jobs}", "install-libs", "install-headers"], made, log)
    lib = os.path.join(staged, "lib")
    loader = os.path.join(lib, "ld-musl-x86_64.so.1")
    os.unlink(loader)
    os.symlink("libc.so", loader)
    shutil.copy(os.path.join(HERE, "hermit-musl.specs"), lib)
    shutil.copy(os.path.join(HERE, "hermit-musl.cmake"), staged)
    link_kernel_headers(os.path.join(staged, "include"))
    shutil.copy(os.path.join(tree, "COPYRIGHT"), os.path.join(staged, "COPYRIGHT"))
    shutil.rmtree(prefix, ignore_errors=True)
    os.rename(staged, prefix)
    shutil.rmtree(tree)
    shutil.rmtree(made)


if __name__ == "__main__":
    main()
