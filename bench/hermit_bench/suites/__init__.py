# SPDX-License-Identifier: MIT
"""The suites, in the order they run.  Each has cases(context) -> list of Case."""
from . import apps, boot, density, file, memory, net, syscall, thread

ALL = {"boot": boot, "memory": memory, "syscall": syscall, "thread": thread, "file": file,
       "net": net, "apps": apps, "density": density}
