# SPDX-License-Identifier: MIT
"""Peers that the user points at: Firecracker, and images of Unikraft, OSv and Nanos.

An image is of one program, so these are in the boot suite only: what the image prints, until it
ends by itself.  --image NAME=COMMAND gives the command line that boots it.
"""
import hashlib
import json
import os
import shlex
import shutil

from ..model import Unsupported
from .base import Peer, version_of
from .linuxvm import LinuxVM


class Firecracker(LinuxVM):
    """Firecracker with the kernel and the RAM disk of the QEMU peers.  It wants an uncompressed
    kernel (vmlinux), which --linux-kernel has to name, and virtualisation in hardware."""
    name, machine = "firecracker", "firecracker"
    startup_ms = 300

    def __init__(self, env):
        super().__init__(env)
        self.binary = env.given.get("firecracker") or shutil.which("firecracker")
        self.title = "Linux in Firecracker (KVM)"

    def missing(self):
        if not self.binary:
            return "no firecracker (no Debian package; --firecracker PATH)"
        if not self.kvm:
            return "firecracker needs KVM in hardware"
        if not self.env.given.get("linux_kernel"):
            return "needs --linux-kernel VMLINUX"
        with open(self.kernel, "rb") as f:
            return None if f.read(4) == b"\x7fELF" else \
                f"{self.kernel}: it wants an uncompressed kernel (vmlinux)"

    def version(self):
        return version_of(self.binary, "--version")

    def command(self, work):
        words, image = self._words(work), self._image(work)
        config = f"{image}-{hashlib.sha256(repr(words).encode()).hexdigest()[:8]}.json"
        with open(config, "w", encoding="utf-8") as f:
            json.dump({"boot-source": {
                "kernel_image_path": self.kernel, "initrd_path": image,
                "boot_args": "console=ttyS0 reboot=k quiet loglevel=1 panic=-1 rdinit=/init -- "
                             + " ".join(words)},
                "machine-config": {"vcpu_count": work.cpus,
                                   "mem_size_mib": max(256, work.memory_mib)},
                "drives": []}, f)
        return [self.binary, "--no-api", "--level", "Error", "--config-file", config]


class Image(Peer):
    """A ready image of something else that prints hello."""
    slow = True
    slow_calls = True
    same_clock = False
    startup_ms = 1000
    timeout_s = 40

    def __init__(self, env, name, title):
        super().__init__(env)
        self.name, self.title = name, title
        self.argv = shlex.split(env.given.get("image", {}).get(name, ""))

    def missing(self):
        if not self.argv:
            return f"no image given (--image '{self.name}=COMMAND that boots it')"
        return None if shutil.which(self.argv[0]) else f"{self.argv[0]}: not found"

    def command(self, work):
        if os.path.basename(work.argv[0]) != "hello":
            raise Unsupported("an image holds one program")
        # In the directory that the user gave the command in.
        return ["/bin/sh", "-c", 'cd "$0" && exec "$@"', os.getcwd(), *self.argv]

    def result(self, status, out):
        return 0, out  # ways to end differ; that it printed is checked


def peers(env):
    return [Firecracker(env), Image(env, "unikraft", "Unikraft, an image that prints hello"),
            Image(env, "osv", "OSv, an image that prints hello"),
            Image(env, "nanos", "Nanos, an image that prints hello")]
