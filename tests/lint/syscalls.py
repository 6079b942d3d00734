# SPDX-License-Identifier: MIT
"""Every system call that syscall/table.def says is implemented is called by a test in tests/linux:
as NAME(...), as SYS_NAME, through the libc function of another name, or, where headers do not know
it yet, by its number behind a #define."""
import re

import tree

NEW = 300  # calls from here on have names that not every libc's headers know
# Libc functions that make the call, where they do not have its name.
THROUGH = {
    "newfstatat": "fstatat", "rt_sigaction": "sigaction", "rt_sigprocmask": "sigprocmask",
    "rt_sigpending": "sigpending", "rt_sigsuspend": "sigsuspend",
    "rt_sigreturn": "sigaction", "pread64": "pread", "pwrite64": "pwrite", "prlimit64": "prlimit",
    "exit_group": "exit", "exit": "pthread_create", "clone": "pthread_create",
    "getdents64": "readdir", "fadvise64": "posix_fadvise", "pselect6": "pselect",
    "mq_getsetattr": "mq_getattr", "restart_syscall": "nanosleep",
    "set_robust_list": "pthread_create",
}


def main():
    findings, checked, text = [], 0, ""
    for path in tree.files():
        if re.fullmatch(r"tests/linux/[^/]*\.(c|h|cc)", path):
            text += re.sub(r"/\*.*?\*/", "", tree.read(path), flags=re.S)
    called = set(re.findall(r"\b(\w+) ?\(", text)) | set(re.findall(r"\bSYS_(\w+)", text))
    numbers = re.findall(r"^#define \w+ (\d+)$", text, re.M) + re.findall(r"syscall\((\d+)", text)
    new = {n for n in numbers if int(n) >= NEW}
    for n, line in enumerate(tree.read("syscall/table.def").splitlines(), 1):
        row = re.match(r"SYSCALL\((\d+), (\w+), (full|partial),", line)
        if row is None:
            continue
        checked += 1
        number, name = row.group(1), row.group(2)
        if name not in called and THROUGH.get(name) not in called and number not in new:
            findings.append(f"syscall/table.def:{n}: {name}: no test in tests/linux calls it")
    tree.finish(findings, checked)


main()
