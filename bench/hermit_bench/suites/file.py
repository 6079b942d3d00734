# SPDX-License-Identifier: MIT
"""Files of the host and in memory: reading, walking, a database."""
import os
import shutil

from ..context import as_native
from ..model import WALL, Case, Metric, Work


def cases(ctx):
    mib = ctx.pick(64, 1024)
    path = ctx.scratch("data")
    read = Work([ctx.program("readfile"), path], reads=[path])
    found = [Case("file", "read", f"read of a {mib} MiB file, 1 MiB a call, in the page cache",
                  [Metric("ns", "time")], ctx.variants("file/read", read, json_out=True),
                  prepare=ctx.random_file("data", mib), weight=1.5)]
    busybox = shutil.which("busybox")
    if not busybox:
        ctx.notes.append(("file/find", "all", "no busybox (Debian: busybox-static)"))
        return found
    tree = ctx.pick("/usr/include/linux", "/usr")
    for name, arguments in (("find", ["find", tree]), ("ls", ["ls", "-lR", tree])):
        work = Work([os.path.realpath(busybox), *arguments], reads=["/usr"])
        peers = [p.name for p in ctx.peers if ctx.quick or name == "find" or p.name != "runsc"]
        if len(peers) < len(ctx.peers):
            ctx.notes.append((f"file/{name}", "runsc", "file/find shows how long it takes"))
        found.append(Case("file", name, "busybox " + " ".join(arguments), [WALL],
                          ctx.variants(f"file/{name}", work, check=as_native(work.argv),
                                       only=peers),
                          slow=name == "ls", weight=3))
    return found
