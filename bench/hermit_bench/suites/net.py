# SPDX-License-Identifier: MIT
"""Servers behind a published port, asked by a client on the host."""
import socket
import time

from .. import proc, servers
from ..model import Case, Failure, Metric, Variant

GUEST_PORT_FIRST = 7000


def wait_for_port(port, probe, deadline):
    """Until the port answers: a connection alone may be the publisher's."""
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
                if not probe:
                    return
                s.sendall(probe)
                if s.recv(16):
                    return
        except OSError as e:
            if time.monotonic() > deadline:
                raise Failure(f"port {port} does not answer: {e}") from e
        time.sleep(0.01)


def serve(ctx, peer, server):
    """(Popen, host port, seconds until it answered) of a server that runs by a peer."""
    port = servers.free_port()
    published = peer.network == "published"
    listen = GUEST_PORT_FIRST + servers.ALL.index(type(server)) if published else port
    work = server.work(listen, [(port, listen)] if published else [])
    work.network = True
    argv = peer.command(work)
    start = time.monotonic()
    if server.ready:
        p, _ = ctx.runner.hold(argv, server.ready, servers.READY_S)
    else:
        p = ctx.runner.start(argv)
    try:
        if not server.ready:  # a connection of ours would be a client's to iperf3
            wait_for_port(port, server.probe, time.monotonic() + servers.READY_S)
    except BaseException:
        proc.stop(p)
        raise
    return p, port, time.monotonic() - start


def sampler(ctx, peer, server):
    """Starts the server, asks it: figures of the client, CPU time in use of all its processes,
    memory after the work."""
    def sample():
        p, port, _ = serve(ctx, peer, server)
        drain = ctx.runner.drain(p)
        try:
            before = proc.cpu_ns(proc.tree(p.pid))
            start = time.monotonic()
            figures = server.load(port, peer.name)
            seconds = time.monotonic() - start
            pids = proc.tree(p.pid)
            used = proc.cpu_ns(pids) - before
            return {**figures, "cpu": used / 1e9 / seconds, **proc.memory(pids)}
        finally:
            proc.stop(p)
            drain.join()
    return sample


def cases(ctx):
    found = []
    for kind in servers.ALL:
        server, name = kind(ctx), kind.__name__.lower()
        if server.missing():
            ctx.notes.append((f"net/{name}", "all", server.missing()))
            continue
        if server.cpus > ctx.cpus():
            ctx.notes.append((f"net/{name}", "all", f"not {server.cpus} CPUs here"))
            continue
        case = Case("net", name, server.title,
                    [*server.metrics, Metric("cpu", "CPUs busy in the server", "CPUs", 1),
                     Metric("pss_kib", "PSS after the work", "KiB", 1)],
                    [], samples=10, warmup=1, slow=not server.quick, weight=server.weight,
                    kind="panel")
        for peer in [p for p in ctx.peers if not server.only or p.name in server.only]:
            if peer.emulated and not server.emulated:
                ctx.notes.append((f"net/{name}", peer.name, "net/redis and net/echo have it"))
                continue
            if not peer.network:
                ctx.notes.append((f"net/{name}", peer.name,
                                  "its network is not set up by this adapter"))
                continue
            case.variants.append(Variant(peer.name, sampler(ctx, peer, server), peer.name))
        found.append(case)
    return found
