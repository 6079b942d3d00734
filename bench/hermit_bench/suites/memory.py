# SPDX-License-Identifier: MIT
"""Memory: at rest, at the peak, of many instances; and what mapping it costs."""
import os

from .. import proc, servers
from ..model import RSS, Case, Failure, Metric, Unsupported, Variant, Work

PSS = Metric("pss_kib", "PSS at rest, all processes", "KiB", 1)
RESIDENT = Metric("rss_kib", "RSS at rest, all processes", "KiB", 1)
PEAK = Metric("peak_kib", "RSS at its highest until then", "KiB", 1)
CACHE = Metric("pss_file_kib", "of that, page cache (PSS)", "KiB", 1)
PYTHON = "/usr/bin/python3"  # the distribution's, whatever comes first in PATH
PYTHON_WAITS = ("import signal,sys;signal.signal(15,lambda *a:sys.exit());"
                "print('ready',flush=True);signal.pause()")
SIZES = (("4096", 20000, "4 KiB"), ("2097152", 200, "2 MiB"), ("268435456", 2, "256 MiB"))


def at_rest(ctx, name, title, work, ready, **more):
    """Memory of all processes of one instance that is up and waits."""
    case = Case("memory", name, title, [PSS, RESIDENT, PEAK, CACHE], [], samples=ctx.pick(2, 10),
                warmup=0, **more)
    for peer in ctx.peers:
        try:
            argv = peer.command(work)
        except Unsupported as e:
            ctx.notes.append((f"memory/{name}", peer.name, str(e)))
            continue

        def sample(argv=argv, peer=peer):
            p, _ = ctx.runner.hold(argv, ready, peer.timeout_s)
            try:
                return proc.memory(proc.tree(p.pid))
            finally:
                proc.stop(p)

        case.variants.append(Variant(peer.name, sample, peer.name))
    return case


def peak(ctx):
    """Exact, page by page, as the process ends: only where it is one process."""
    case = Case("memory", "peak", "static hello, peak of the one process", [RSS], [],
                samples=ctx.pick(2, 5), warmup=0)
    for peer in ctx.peers:
        if peer.name not in ("native", "hermit", "hermit-plain"):
            continue
        argv = peer.command(Work([ctx.program("hello")]))

        def sample(argv=argv):
            values, _ = ctx.runner.measure("rss", argv)
            if values["status"]:
                raise Failure(values["stderr"].strip())
            return values

        case.variants.append(Variant(peer.name, sample, peer.name))
    return case


def disk(ctx):
    """What has to be there for a hello, beside the program and the host's libraries."""
    case = Case("memory", "disk", "size on disk, without the program and the host's kernel",
                [Metric("bytes", "size", "KiB", 1 / 1024, counted=True)], [], samples=1, warmup=0,
                reference="hermit")
    work = Work([ctx.program("hello")])
    own = os.path.realpath(work.argv[0])
    for peer in ctx.peers:
        files = [f for f in peer.files(work) if f != own]
        if files:
            case.variants.append(Variant(
                peer.name, lambda files=files: {"bytes": sum(map(os.path.getsize, files))},
                peer.name))
    return case


def programs(ctx):
    """Servers and an interpreter that are up and have nothing to do."""
    for kind in (servers.Redis, servers.Nginx):
        server, name = kind(ctx), kind.__name__.lower()
        if not server.path:
            ctx.notes.append((f"memory/{name}", "all", server.missing()))
            continue
        yield at_rest(ctx, name, f"{server.program} at rest", server.work(0, []), server.ready,
                      slow=True)
    if os.access(PYTHON, os.X_OK):
        yield at_rest(ctx, "python", "python3 at rest",
                      Work([os.path.realpath(PYTHON), "-c", PYTHON_WAITS],
                           system=["/usr/lib/python3"]), b"ready", slow=True)


def mapping(ctx):
    for size, rounds, title in SIZES:
        name = "mmap" + title.replace(" ", "").lower().removesuffix("ib")

        def work(peer, size=size, rounds=rounds):
            n = rounds // (10 if ctx.quick else 1) // (10 if peer.slow_calls else 1)
            return Work([ctx.program("mmap"), size, str(max(1, n))], memory_mib=512)

        yield Case("memory", name, f"mmap, touch, munmap of {title}",
                   [Metric("ns", "a round") if rounds < 10 else
                    Metric("ns", "a round", "us", 1e-3)],
                   # One machine of QEMU's is as good as the other once it is up.
                   ctx.variants(f"memory/{name}", work, json_out=True,
                                only=[p.name for p in ctx.peers if p.name != "linux-q35"]),
                   slow=size != "2097152")


def cases(ctx):
    found = [peak(ctx), at_rest(ctx, "rest", "static program at rest",
                                Work([ctx.program("hold")]), b"ready"), disk(ctx)]
    return found + list(programs(ctx)) + list(mapping(ctx))
