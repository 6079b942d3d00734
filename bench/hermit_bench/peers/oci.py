# SPDX-License-Identifier: MIT
"""Container runtimes, run as an engine runs them: a bundle and `run`.

The container sees the host's /usr, the program and its files read-only, a private /tmp, its own
namespaces and no network, which is what a guest of Hermit sees.  Servers that are asked from
outside have the host's network.  Control groups are not set up.
"""
import hashlib
import json
import os
import shutil
import subprocess
import threading

from ..machine import first_line
from ..model import Work
from .base import Peer, needs, version_of

SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc")
NAMESPACES = ("pid", "ipc", "uts", "mount", "network")
# What engines give to a container by default.
CAPABILITIES = ["CAP_" + name for name in (
    "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP",
    "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE")]
TMPFS = ["nosuid", "nodev", "mode=1777"]


def bind(path, mode):
    return {"destination": path, "type": "bind", "source": path, "options": ["rbind", mode]}


def configuration(work):
    mounts = [{"destination": "/proc", "type": "proc", "source": "proc"},
              {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
              {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": TMPFS},
              {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": TMPFS}]
    mounts += [bind(d, "ro") for d in SYSTEM if os.path.isdir(d)]
    program = work.argv[0] if work.argv[0].startswith(SYSTEM) else os.path.realpath(work.argv[0])
    seen = {os.path.dirname(program), *work.reads}
    mounts += [bind(d, "ro") for d in sorted(seen) if not d.startswith(SYSTEM)]
    mounts += [bind(d, "rw") for d in work.writes]
    env = {"PATH": "/usr/bin:/bin", **work.env}
    return {"ociVersion": "1.0.2", "hostname": "bench", "mounts": mounts,
            "root": {"path": "rootfs", "readonly": False},
            "process": {"terminal": False, "user": {"uid": 0, "gid": 0}, "cwd": "/",
                        "args": [program, *work.argv[1:]],
                        "capabilities": {kind: CAPABILITIES for kind in
                                         ("bounding", "effective", "permitted")},
                        "env": [f"{k}={v}" for k, v in env.items()]},
            "linux": {"namespaces": [{"type": t} for t in NAMESPACES
                                     if t != "network" or not work.network]}}


def prepare_root(root, mounts):
    """Makes what is mounted on, so that instances that start together do not race to make it."""
    for mount in [{"destination": "/sys", "type": "sysfs"}, *mounts]:
        path = root + mount["destination"]
        if mount["type"] != "bind" or os.path.isdir(mount["source"]):
            os.makedirs(path, exist_ok=True)
        elif not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb"):
                pass


class Runtime(Peer):
    """One OCI runtime.  A started container needs a name of its own: a shell supplies it."""

    options = ()
    startup_ms = 40
    network = "host"  # an engine would set up a bridge; without one it is the host's

    def __init__(self, env):
        super().__init__(env)
        self.root = os.path.join(env.scratch, "oci-" + self.name)
        self.lock = threading.Lock()

    def missing(self):
        return needs(self.name, self.package) or self._trial()

    def _trial(self):
        """Does it start anything here?  Needs root, and control groups that it understands."""
        try:
            p = subprocess.run(self.command(Work([os.path.join(self.env.programs, "hello")])),
                               capture_output=True, text=True, timeout=20, check=False,
                               stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return f"{self.name} does not start a program within 20 s"
        if p.returncode == 0 and "hello, world" in p.stdout:
            return None
        last = (p.stderr or p.stdout).strip().splitlines()[-1:] or ["no output"]
        return f"{self.name} does not work here: {last[0][-150:]}"

    def version(self):
        return first_line(self.name, "--version")

    def command(self, work):
        text = json.dumps(configuration(work), indent=1)
        bundle = os.path.join(self.root, hashlib.sha256(text.encode()).hexdigest()[:12])
        with self.lock:
            prepare_root(os.path.join(bundle, "rootfs"), configuration(work)["mounts"])
            with open(os.path.join(bundle, "config.json"), "w", encoding="utf-8") as f:
                f.write(text)
        # The name is the shell's process number, which it keeps through exec.
        script = 'exec "$0" "$@" "hermit-bench-$$"'
        options = [o.replace("=none", "=host") for o in self.options] if work.network \
            else self.options
        return ["/bin/sh", "-c", script, shutil.which(self.name), "--root",
                os.path.join(self.root, "state"), *options, "run", "--bundle", bundle]

    def files(self, work):
        return [shutil.which(self.name), os.path.realpath(work.argv[0])]

    def close(self):
        state = os.path.join(self.root, "state")
        for name in os.listdir(state) if os.path.isdir(state) else []:
            if name.startswith("hermit-bench-"):
                subprocess.run([self.name, "--root", state, *self.options, "delete", "--force",
                                name], capture_output=True, check=False, timeout=20)


class Runc(Runtime):
    name, package = "runc", "runc"
    title = "runc: a container in namespaces of the host's kernel"


class Crun(Runtime):
    name, package = "crun", "crun"
    suites = ("boot", "memory", "density")  # once it is up, it is the same as runc
    title = "crun: a container in namespaces of the host's kernel"
    options = ("--cgroup-manager=disabled",)


class Gvisor(Runtime):
    name, package = "runsc", "runsc"
    title = "gVisor: a kernel in Go between the container and the host"
    # What works without hardware virtualisation; newer versions have systrap, which is faster.
    options = ("--network=none", "--ignore-cgroups")
    startup_ms = 250
    slow_calls = True
    platform = "ptrace"

    def missing(self):
        if needs(self.name, self.package):
            return needs(self.name, self.package)
        flags = subprocess.run([self.name, "flags"], capture_output=True, text=True, check=False)
        if "systrap" in flags.stdout + flags.stderr:
            self.platform = "systrap"
        self.options = (*Gvisor.options, "--platform=" + self.platform)
        return self._trial()

    def version(self):
        return f"{version_of(self.name, '--version')}, platform {self.platform}"


def peers(env):
    return [Runc(env), Crun(env), Gvisor(env)]
