# SPDX-License-Identifier: MIT
"""What the figures were measured on."""
import os
import platform
import re
import subprocess


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def first_line(*argv):
    """The first line that a command prints, or ""."""
    try:
        p = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (p.stdout or p.stderr).strip().partition("\n")[0]


def kvm_kind():
    """hardware, software (a hypervisor without VMX or SVM), or none."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "none"
    return "hardware" if re.search(r"^flags\s*:.*\b(vmx|svm)\b", _read("/proc/cpuinfo"), re.M) \
        else "software"


def describe():
    cpu = re.search(r"model name\s*:\s*(.*)", _read("/proc/cpuinfo"))
    release = re.search(r'PRETTY_NAME="?([^"\n]*)', _read("/etc/os-release"))
    memory = re.search(r"MemTotal:\s*(\d+)", _read("/proc/meminfo"))
    governor = _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip()
    return {
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "mhz": (re.search(r"cpu MHz\s*:\s*(\S+)", _read("/proc/cpuinfo")) or [0, ""])[1],
        "virtualised": "hypervisor" in _read("/proc/cpuinfo"),
        "memory_mib": int(memory.group(1)) // 1024 if memory else 0,
        "kernel": platform.release(),
        "distribution": release.group(1) if release else "",
        "kvm": kvm_kind(),
        "governor": governor,
        "python": platform.python_version(),
        "load": " ".join(_read("/proc/loadavg").split()[:3]),
    }


def same_kind(a, b):
    """Whether ratios of the two machines may be compared."""
    return all(a.get(k) == b.get(k) for k in ("cpu", "cpus", "kvm"))
