# SPDX-License-Identifier: MIT
"""How long a start takes: to the first byte of output and to the end, and where the time goes."""
import os
import re

from .. import proc, servers
from ..context import drop_from_cache
from ..model import CPU, WALL, Case, Failure, Metric, Unsupported, Variant, Work

FIRST = Metric("first_ns", "first byte of output")
SPLIT = re.compile(r"([a-zA-Z ]+?) (\d+)(?:, |$)")
PYTHON = "/usr/bin/python3"  # the distribution's, whatever comes first in PATH


def said_hello(out):
    if b"hello, world" not in out:
        raise Failure(f"did not say hello: {out[-200:]!r}")


def floor(ctx):
    """The least that a virtual machine can cost (floor.c)."""
    argv = [ctx.program("floor")]

    def sample():
        values, out = ctx.runner.measure("first", argv, True)
        if values["status"]:
            raise Failure("floor: " + values["stderr"].strip())
        said_hello(out)
        return values

    return [Variant("floor", sample)] if ctx.peer("hermit") else []


def hello(ctx, name, title, program, **more):
    case = Case("boot", name, title, [WALL, FIRST, CPU], [], **more)
    work = Work([ctx.program(program)])
    case.variants = ctx.variants(f"boot/{name}", work, mode="first", check=said_hello)
    return case


def to_main(ctx):
    """From the start to the first statement of main(), by the clock of the day on both sides."""
    def derive(values):
        values["to_main_ns"] = values["day_ns"] - values["start_day_ns"]
        if not 0 < values["to_main_ns"] < values["wall_ns"]:
            raise Failure("its clock is not the host's")

    case = Case("boot", "main", "until main() of a static program",
                [Metric("to_main_ns", "until main() begins"),
                 Metric("libc_ns", "of that, the libc's part", "us", 1e-3)], [])
    work, name = Work([ctx.program("atmain")]), "boot/main"
    case.variants = ctx.variants(name, work, only=[p.name for p in ctx.peers if p.same_clock],
                                 json_out=True, derive=derive)
    ctx.notes += [(name, p.name, "its clock of the day starts at a full second")
                  for p in ctx.peers if not p.same_clock]
    return case


def cold(ctx):
    """hello with the runtime's and the program's files dropped from the page cache."""
    case = Case("boot", "cold", "static hello, its files and the runtime's not in the page cache",
                [WALL, FIRST], [])
    work = Work([ctx.program("hello")])
    for peer in ctx.peers:
        paths = peer.files(work)
        case.variants.append(Variant(peer.name, ctx.sampler(
            peer, work, mode="first", check=said_hello,
            before=lambda paths=paths: drop_from_cache(paths)), peer.name))
    return case


def split(ctx):
    """Where the time goes inside hermit-run, as --stats tells it."""
    peer = ctx.peer("hermit")
    argv = [ctx.env.hermit, *peer.options, "--stats", ctx.program("hello")]

    def sample():
        values, _ = ctx.runner.measure("time", argv)
        line = re.search(r"^boot \(us\):\s+(.*)$", values["stderr"], re.M)
        if values["status"] or not line:
            raise Failure("no boot times in --stats: " + values["stderr"][-200:])
        return {name.strip(): int(us) for name, us in SPLIT.findall(line.group(1))}

    try:
        names = list(sample())
    except Failure:
        names = []
    return Case("boot", "split", "where hermit-run's time goes (hello)",
                [Metric(n, n, "us", 1) for n in names], [Variant("hermit", sample, "hermit")],
                kind="timeline")


def redis_ready(ctx):
    server = servers.Redis(ctx)
    case = Case("boot", "redis", "redis-server, until it accepts connections",
                [Metric("ready_ns", "until ready")], [], slow=True)
    if server.missing():
        ctx.notes.append(("boot/redis", "all", server.missing()))
        return case
    for peer in ctx.peers:
        try:
            argv = peer.command(server.work(0, []))
        except Unsupported as e:
            ctx.notes.append(("boot/redis", peer.name, str(e)))
            continue

        def sample(argv=argv, peer=peer):
            p, seconds = ctx.runner.hold(argv, server.ready, peer.timeout_s)
            proc.stop(p)
            return {"ready_ns": seconds * 1e9}

        case.variants.append(Variant(peer.name, sample, peer.name))
    return case


def cases(ctx):
    found = [hello(ctx, "hello", "static hello", "hello")]
    found[0].variants[:0] = floor(ctx)
    found.append(to_main(ctx))
    if ctx.peer("hermit"):
        found.append(split(ctx))
    found.append(hello(ctx, "dynamic", "dynamic hello (glibc)", "hello_dynamic"))
    if os.access(PYTHON, os.X_OK):
        work = Work([os.path.realpath(PYTHON), "-c", "pass"], system=["/usr/lib/python3"])
        found.append(Case("boot", "python", "python3 -c pass", [WALL, CPU],
                          ctx.variants("boot/python", work)))
    found += [cold(ctx), redis_ready(ctx)]
    return found
