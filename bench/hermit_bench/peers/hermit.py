# SPDX-License-Identifier: MIT
"""Hermit: with KVM, without rewriting, with QEMU instead of KVM."""
import os
import shutil
import subprocess

from .base import Peer, needs, version_of


class Hermit(Peer):
    title = "Hermit with KVM"
    name = "hermit"
    options = ("--vmm", "kvm")
    startup_ms = 3

    def __init__(self, env):
        super().__init__(env)
        text = subprocess.run([env.hermit, "--help"], capture_output=True, text=True,
                              check=False).stdout
        self.network = "published" if "-p, " in text else ""

    def missing(self):
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            return "no access to /dev/kvm"
        return None

    def version(self):
        return version_of(self.env.hermit, "--version")

    def command(self, work):
        argv = [self.env.hermit, *self.options, "-m", f"{work.memory_mib}M"]
        if work.cpus > 1:
            argv += ["--cpus", str(work.cpus)]
        for path in work.reads:
            argv += ["-v", path]
        for path in work.writes:
            argv += ["-v", f"{path}:{path}:rw"]
        for host, guest in work.ports:
            argv += ["-p", f"{host}:{guest}"]
        for key, value in work.env.items():
            argv += ["-e", f"{key}={value}"]
        return argv + list(work.argv)

    def files(self, work):
        return [self.env.hermit, os.path.realpath(work.argv[0])]


class Plain(Hermit):
    title = "Hermit with KVM, system calls left as instructions"
    name = "hermit-plain"
    suites = ("syscall", "thread", "net", "apps")
    options = ("--vmm", "kvm", "--rewrite", "off")


class Lazy(Hermit):
    title = "Hermit with KVM, system calls become jumps while the program runs, no cache"
    name = "hermit-lazy"
    suites = ("syscall", "net")
    options = ("--vmm", "kvm", "--rewrite", "lazy")


class Qemu(Hermit):
    title = "Hermit in QEMU (TCG: the processor is emulated)"
    name = "hermit-qemu"
    suites = ("boot", "memory", "syscall", "thread", "net", "apps")
    options = ("--vmm", "qemu")
    slow = True
    slow_calls = True
    emulated = True
    startup_ms = 400
    timeout_s = 120

    def files(self, work):
        return [*super().files(work), shutil.which("qemu-system-x86_64")]

    def missing(self):
        return needs("qemu-system-x86_64", "qemu-system-x86")

    def version(self):
        return super().version() + ", " + version_of("qemu-system-x86_64", "--version")


KINDS = (Hermit, Plain, Lazy, Qemu)


def peers(env):
    return [kind(env) for kind in KINDS]
