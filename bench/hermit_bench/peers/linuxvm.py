# SPDX-License-Identifier: MIT
"""Linux in a virtual machine: QEMU, Debian's cloud kernel, the program started by its init.

The kernel is taken from the package without installing it, or is what --linux-kernel names.  With
virtualisation in hardware QEMU uses KVM; else it emulates the processor (TCG), and the peer's name
says so.  No disk, no network: the program and its libraries are in the initial RAM disk.
"""
import glob
import hashlib
import os
import re
import subprocess

from ..machine import kvm_kind
from ..model import Unsupported
from .base import Peer, libraries, needs, version_of
from .cpio import archive

PACKAGE = "linux-image-cloud-amd64"
STATUS = re.compile(rb"\r?\n?hermit-bench: status (\d+)\r?\n")
IMAGE_BYTES_MAX = 64 << 20


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "hermit-bench")


def find_kernel(given):
    """A kernel that boots without modules for what is needed here; None if there is none yet."""
    if given:
        return given
    for pattern in (os.path.join(cache_dir(), "boot/vmlinuz-*"), "/boot/vmlinuz-*cloud*"):
        found = sorted(glob.glob(pattern))
        if found:
            return found[-1]
    return None


def fetch_kernel():
    """Downloads Debian's cloud kernel with apt and unpacks it into the cache; its path."""
    folder = cache_dir()
    os.makedirs(folder, exist_ok=True)
    p = subprocess.run(["apt-cache", "depends", PACKAGE], capture_output=True, text=True,
                       check=True)
    name = re.search(r"Depends: (linux-image-\S+)", p.stdout).group(1)
    subprocess.run(["apt-get", "download", "-q", name], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    package = max(glob.glob(os.path.join(folder, name + "_*.deb")), key=os.path.getmtime)
    tar = subprocess.Popen(["dpkg", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", folder, "--wildcards", "./boot/vmlinuz-*"],
                   stdin=tar.stdout, check=True)
    tar.wait()
    os.remove(package)
    return find_kernel(None)


class LinuxVM(Peer):
    package = "qemu-system-x86"
    machine_options = ()
    emulated_suites = ("boot", "memory", "syscall")  # without KVM: the rest says nothing
    command_line = ""
    slow = True
    slow_calls = True
    same_clock = False
    startup_ms = 3000
    timeout_s = 120

    def __init__(self, env):
        super().__init__(env)
        self.kernel = find_kernel(env.given.get("linux_kernel"))
        self.kvm = kvm_kind() == "hardware"
        self.engine = "KVM" if self.kvm else "TCG: the processor is emulated"
        self.title = f"Linux in QEMU {self.machine} ({self.engine})"
        if not self.kvm:
            self.suites = self.emulated_suites

    def missing(self):
        if not self.kernel:
            return f"no kernel: hermit-bench --fetch-kernel (Debian: {PACKAGE}), or --linux-kernel"
        return needs("qemu-system-x86_64", self.package)

    def version(self):
        kernel = os.path.basename(self.kernel).removeprefix("vmlinuz-")
        return f"{version_of('qemu-system-x86_64', '--version')}, Linux {kernel}"

    def _image(self, work):
        # By the name that it was asked for: some files are several programs.
        program = os.path.abspath(work.argv[0])
        files = {program: program, "/init": os.path.join(self.env.programs, "init")}
        files.update({path: path for path in libraries(program)})
        for path in [*work.reads, *work.system]:
            if not os.path.isfile(path):
                raise Unsupported(f"{path} would have to be on a disk image")
            files[path] = path
        if work.writes or work.network:
            raise Unsupported("no disk and no network in this adapter")
        if sum(os.path.getsize(source) for source in files.values()) > IMAGE_BYTES_MAX:
            raise Unsupported("too large for an initial RAM disk")
        key = hashlib.sha256(repr(sorted(files)).encode()).hexdigest()[:12]
        image = os.path.join(self.env.scratch, f"initrd-{key}")
        if not os.path.exists(image):
            with open(image, "wb") as f:
                f.write(archive(files))
        return image

    @staticmethod
    def _words(work):
        """The program and its arguments, for the kernel's command line."""
        words = [os.path.abspath(work.argv[0]), *work.argv[1:]]
        if any(re.search(r"[\s\"]", w) for w in words):
            raise Unsupported("an argument does not fit on a kernel's command line")
        return words

    def command(self, work):
        words = self._words(work)
        line = f"console=ttyS0 quiet loglevel=1 panic=-1 rdinit=/init {self.command_line} -- "
        accel = ["-accel", "kvm", "-cpu", "host"] if self.kvm else ["-accel", "tcg", "-cpu", "max"]
        return ["/usr/bin/qemu-system-x86_64", *self.machine_options, *accel, "-m",
                str(max(256, work.memory_mib)), "-smp", str(work.cpus), "-nodefaults",
                "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio",
                "-kernel", self.kernel, "-initrd", self._image(work),
                "-append", line + " ".join(words)]

    def result(self, status, out):
        found = STATUS.search(out or b"")
        if out is None or status:
            return status, out
        return (int(found.group(1)), out[:found.start()]) if found else (125, out)

    def files(self, work):
        return ["/usr/bin/qemu-system-x86_64", self.kernel, self._image(work)]


class Q35(LinuxVM):
    name, machine = "linux-q35", "q35"
    emulated_suites = ("boot", "memory")  # once it is up, it is the same as the other
    machine_options = ("-M", "q35")


class Microvm(LinuxVM):
    name, machine = "linux-microvm", "microvm"
    machine_options = ("-M", "microvm,rtc=on,acpi=off")
    command_line = "tsc=reliable no_timer_check"


def peers(env):
    return [Q35(env), Microvm(env)]
