# SPDX-License-Identifier: MIT
"""What an adapter has to say about a peer.  CONTRIBUTING.md has the recipe."""
import os
import re
import shutil
import subprocess
from dataclasses import dataclass

from ..machine import first_line


@dataclass
class Env:
    """Where things are."""
    hermit: str  # hermit-run
    programs: str  # the measured programs
    scratch: str  # a directory for this run
    given: dict  # what the user points at, by option name


class Peer:
    """A way to run a program.  Subclasses set the fields and write command()."""

    name = ""  # in --peers and in tables
    title = ""  # one line: what it is, how isolated
    package = ""  # Debian's package that provides it
    slow = False  # left out by --quick
    startup_ms = 1  # about: what a start costs, to plan the run
    timeout_s = 300  # for one run
    forks = True  # runs several programs at a time, or one that forks
    suites = None  # those where it is another case than its siblings; None: all
    emulated = False  # the processor is emulated by software
    slow_calls = False  # system calls and faults take so long that fewer of them are made
    same_clock = True  # its clock of the day is the host's, to the microsecond
    network = ""  # how a port of it is reached: "host", "published", or "" (not at all)

    def __init__(self, env):
        self.env = env

    def missing(self):
        """None, or why it cannot be used here."""
        return None

    def version(self):
        return ""

    def command(self, work):
        """The argv that runs work; Unsupported if the peer cannot."""
        raise NotImplementedError

    def result(self, status, out):
        """(exit status of the program, its output) from the status and output of the command."""
        return status, out

    def files(self, work):
        """Host files that a start reads, for the cold page cache."""
        return [os.path.realpath(work.argv[0])]

    def close(self):
        """Removes what is left outside the scratch directory."""


def needs(program, package):
    """None where a program is installed, else the reason."""
    return None if shutil.which(program) else f"no {program} (Debian: {package})"


def version_of(*argv):
    return first_line(*argv)


def libraries(program):
    """The shared libraries and the loader of a dynamic program; [] for a static one."""
    p = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return re.findall(r"(/\S+) \(0x", p.stdout)
