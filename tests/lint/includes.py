# SPDX-License-Identifier: MIT
"""Includes point one way: syscall -> kernel/include -> include/hermit; the loader, the rewriter
and musl see only include/hermit and their own."""
import os
import re

import tree

FREESTANDING = r"(stdarg|stdbool|stddef|stdint|limits|cpuid)\.h"
# Folder -> what its files may include with <>; the longest folder that matches counts.  None:
# anything but the project's other parts.
ALLOWED = {
    "include/hermit": rf"hermit/|{FREESTANDING}",
    # Runs in the program, not in the kernel.
    "kernel/vdso": rf"kernel/|hermit/|linux/|asm/|{FREESTANDING}",
    "kernel": rf"kernel/|hermit/|bsd/sys/(tree|queue)\.h|{FREESTANDING}",
    "syscall": rf"syscall/|kernel/|hermit/|{FREESTANDING}",
    "loader": None,
    "rewriter": None,
    "check": None,
    "rewrite": None,
    "musl": None,
    "bench": None,
    "tests/linux": None,
}
OWN = {"loader": "loader/", "rewriter": "rewriter/", "musl": "musl/",
       "check": ("check/", "loader/", "rewriter/"), "rewrite": ("rewrite/", "rewriter/")}
PROJECT = re.compile(r"(kernel|syscall|loader|rewriter|rewrite|musl|hermit|check)/")
EXEMPT = {
    # The one header that gathers Linux's user API.
    "include/hermit/linux_abi.h": r"asm/|linux/",
    # Also compiled on the host, for the unit tests and the fuzzer.
    "kernel/elf_check.c": r"linux/elf\.h",
    "kernel/elf_check.h": r"linux/elf\.h",
    # The same for section headers.
    "kernel/rewrite_stubs.c": r"linux/elf\.h",
    # The stack of --net tap is lwIP.
    **{f"kernel/lwip_{name}": r"(lwip|netif)/"
       for name in ("stack.h", "address.c", "datagram.c", "group.c", "netif.c", "segments.c",
                    "socket.c", "tcp.c")},
    # About the system calls, generated from table.def: data for --strace, --stats and --check.
    "loader/main.c": r"syscall/syscall_levels\.h",
    "check/rows.c": r"syscall/syscall_levels\.h",
    "loader/stats_summary.c": r"syscall/syscall_names\.h",
    "loader/stats.c": r"syscall/syscall_names\.h",
}


def folder_of(path):
    found = [d for d in ALLOWED if path.startswith(d + "/")]
    return max(found, key=len) if found else None


def angle_problem(path, folder, target):
    allowed = ALLOWED[folder]
    if path in EXEMPT and re.match(EXEMPT[path], target):
        return None
    if allowed is not None:
        return None if re.match(allowed, target) else f"{folder}/ may not include <{target}>"
    own = OWN.get(folder)
    if not PROJECT.match(target) or (own and target.startswith(own)):
        return None
    if target == "hermit/linux_abi.h":
        return f"<{target}> is for kernel/ and syscall/; {folder}/ uses libc's headers"
    return None if own and target.startswith("hermit/") else f"{folder}/ may not include <{target}>"


def quote_problem(path, target):
    """Quotes are for headers beside the file or below the same top folder."""
    if path.startswith(("kernel/include/", "include/")):
        return f'a public header may not include "{target}"'
    resolved = os.path.normpath(os.path.join(os.path.dirname(path), target))
    if os.path.exists(os.path.join(tree.TOP, resolved)):
        if resolved.split("/")[0] == path.split("/")[0]:
            return None
        return f'"{target}" leaves {path.split("/")[0]}/'
    return None  # generated, or found through the target's own include directory


def main():
    findings, checked = [], 0
    for path in tree.files():
        folder = folder_of(path)
        if not folder or not path.endswith((".c", ".h", ".S")):
            continue
        checked += 1
        for number, line in enumerate(tree.read(path).splitlines(), 1):
            m = re.match(r'\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")', line)
            if not m:
                continue
            problem = (angle_problem(path, folder, m.group(1)) if m.group(1)
                       else quote_problem(path, m.group(2)))
            if problem:
                findings.append(f"{path}:{number}: {problem}")
    tree.finish(findings, checked)


main()
