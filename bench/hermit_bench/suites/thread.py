# SPDX-License-Identifier: MIT
"""Threads: waiting for each other, coming and going, computing together."""
from ..model import Case, Metric, Variant, Work

# (case, program, its argument, title)
WAITING = (("futex", "threads", "futex", "two threads, futex ping-pong, a round trip"),
           ("pipe", "threads", "pipe", "two threads, pipe ping-pong, a round trip"),
           ("unix", "threads", "unix", "two threads, AF_UNIX ping-pong, a round trip"),
           ("tcp", "threads", "tcp", "two threads, TCP ping-pong inside, a round trip"),
           ("create", "threads", "create", "pthread_create and pthread_join (musl)"),
           ("create-glibc", "threads_dynamic", "create",
            "pthread_create and pthread_join (glibc, which keeps stacks)"),
           ("epoll", "threads", "epoll", "epoll_wait, one descriptor ready"))


def rounds(ctx, peer):
    n = ctx.pick(2000, 20000)
    return str(n // 10 if peer.slow_calls else n)


def parallel(ctx, hermit):
    """A worker a CPU; pieces of work are handed out one by one."""
    case = Case("thread", "parallel", "compute loop, a worker a CPU",
                [Metric("ns", "a piece", "us", 1e-3)], [], reference="hermit, 1 CPU")
    program = [ctx.program("threads"), "parallel", "1000"]
    for cpus in [n for n in (1, 2, 4) if n <= ctx.cpus()]:
        label = f"hermit, {cpus} CPU" + "s" * (cpus > 1)
        case.variants.append(Variant(
            label, ctx.sampler(hermit, Work(program, cpus=cpus), json_out=True), "hermit"))
    native = ctx.peer("native")
    if native:
        case.variants.append(Variant(f"native, {ctx.cpus()} CPUs",
                                     ctx.sampler(native, Work(program), json_out=True), "native"))
    return case


def cases(ctx):
    found = []
    for name, program, what, title in WAITING:
        variants = ctx.variants(
            f"thread/{name}",
            lambda peer, program=program, what=what: Work([ctx.program(program), what,
                                                           rounds(ctx, peer)]), json_out=True)
        found.append(Case("thread", name, title, [Metric("ns", "time", "us", 1e-3)], variants,
                          slow=name in ("unix", "create-glibc")))
    loop = Work([ctx.program("loop"), ctx.pick("20000000", "100000000")])
    found.append(Case("thread", "loop", "compute loop, one thread", [Metric("ns", "time")],
                      ctx.variants("thread/loop", loop, json_out=True)))
    hermit = ctx.peer("hermit")
    if hermit and not ctx.quick:
        found.append(parallel(ctx, hermit))
    return found
