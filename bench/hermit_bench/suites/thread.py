# SPDX-License-Identifier: MIT
"""Threads: waiting for each other, coming and going, computing together."""
from ..model import Case, Metric, Variant, Work

WAITING = (("futex", "two threads, futex ping-pong, a round trip"),
           ("pipe", "two threads, pipe ping-pong, a round trip"),
           ("create", "pthread_create and pthread_join"),
           ("epoll", "epoll_wait, one descriptor ready"))


def rounds(ctx, peer):
    n = ctx.pick(2000, 20000)
    return str(n if peer.startup_ms < 40 else n // 10)


def cases(ctx):
    found = []
    for what, title in WAITING:
        variants = ctx.variants(
            f"thread/{what}",
            lambda peer, what=what: Work([ctx.program("threads"), what, rounds(ctx, peer)]),
            json_out=True)
        found.append(Case("thread", what, title, [Metric("ns", "time", "us", 1e-3)], variants))
    loop = Work([ctx.program("loop"), ctx.pick("20000000", "100000000")])
    found.append(Case("thread", "loop", "compute loop, one thread", [Metric("ns", "time")],
                      ctx.variants("thread/loop", loop, json_out=True)))
    hermit = ctx.peer("hermit")
    if hermit and not ctx.quick:
        case = Case("thread", "parallel", "compute loop, a worker a CPU",
                    [Metric("ns", "a piece", "us", 1e-3)], [], reference="1 CPU")
        for cpus in (1, 2, 4):
            if cpus > ctx.cpus():
                break
            work = Work([ctx.program("threads"), "parallel", "1000"], cpus=cpus)
            label = f"{cpus} CPU" + "s" * (cpus > 1)
            case.variants.append(Variant(label, ctx.sampler(hermit, work, json_out=True),
                                         "hermit"))
        found.append(case)
    return found
