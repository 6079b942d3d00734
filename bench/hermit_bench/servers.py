# SPDX-License-Identifier: MIT
"""The servers that are measured: how they are started, when they are ready, who asks them."""
import os
import re
import shutil
import socket
import subprocess
import time

from .model import Failure, Metric, Work

READY_S = 60

NGINX = """
daemon off; master_process off; user {user}; pid {tmp}/nginx.pid; error_log stderr notice;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000;
  client_body_temp_path {tmp}/n1; proxy_temp_path {tmp}/n2; fastcgi_temp_path {tmp}/n3;
  uwsgi_temp_path {tmp}/n4; scgi_temp_path {tmp}/n5;
  server {{ listen {address}; root {root}; }}
}}
"""
PAGES = {"1k": 1024, "100k": 100 << 10}
FIRST_RATE = 2000.0  # requests a second that are assumed before any were counted


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def rate(key, title):
    return Metric(key, title, "k req/s", 1e-3, "higher")


def latency(key, title):
    """Clients say it in milliseconds."""
    return Metric(key, title, "ms", 1)


class Server:
    """One server program.  ready: what it prints when it is up; None: its port answers."""

    package = program = ""
    ready = None
    client = client_package = ""
    probe = None  # a request that is answered once it is up
    cpus = 1
    only = None  # names of the peers in its case; None: all
    emulated = False  # also with an emulated processor, where one server is as telling as all
    weight = 2.0  # of its case
    quick = False  # part of --quick
    title = ""
    metrics = ()

    def __init__(self, ctx):
        self.ctx = ctx
        self.path = shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin")
        self.rates = {}  # by variant, to ask for as long by all

    def missing(self):
        if not self.path:
            return f"no {self.program} (Debian: {self.package})"
        if self.client and not shutil.which(self.client):
            return f"no {self.client} (Debian: {self.client_package})"
        return None

    def work(self, port, ports):
        """port: where it listens; 0: not on the network.  ports: what is published."""
        raise NotImplementedError

    def load(self, port, who):
        """Runs the client once against the server of variant `who`: figures by metric."""
        raise NotImplementedError

    def ask(self, argv, pattern):
        p = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120,
                           stdin=subprocess.DEVNULL)
        found = re.search(pattern, p.stdout, re.S)
        if p.returncode or not found:
            said = re.findall(r'"error":\s*"([^"]*)"', p.stdout)  # iperf3's, in its JSON
            raise Failure(f"{argv[0]}: {(said or [p.stderr or p.stdout])[-1].strip()[-200:]}")
        return [float(g) for g in found.groups()]


class Redis(Server):
    program, package = "redis-server", "redis-server"
    client, client_package = "redis-benchmark", "redis-tools"
    ready = b"eady to accept connections"
    title, weight, quick, emulated = "redis, 50 clients", 4, True, True
    metrics = (rate("get1", "GET"), rate("set1", "SET"), rate("get16", "GET, 16 at a time"),
               rate("set16", "SET, 16 at a time"), latency("get1_p99", "GET, 99th percentile"),
               latency("set1_p99", "SET, 99th percentile"),
               latency("get16_p99", "GET, 16 at a time, 99th percentile"))

    def work(self, port, ports):
        where = ["--port", str(port), "--bind", "0.0.0.0"] if port else \
            ["--port", "0", "--unixsocket", "/tmp/hermit-bench.sock"]
        # By this name: the file behind it is another program under other names.
        return Work([self.path, "--save", "", "--protected-mode", "no", *where],
                    ports=ports, cpus=self.cpus)

    def load(self, port, who):
        found, seconds = {}, self.ctx.pick(0.1, 0.4)
        for depth in (1, 16):
            expected = self.rates.get((who, depth), FIRST_RATE * depth)
            n = max(100 * depth, int(expected * seconds))
            figures = self.ask(["redis-benchmark", "-p", str(port), "-t", "set,get", "-n", str(n),
                                "-P", str(depth), "--csv"],
                               r'"SET","([\d.]+)"(?:,"[\d.]+"){4},"([\d.]+)".*'
                               r'"GET","([\d.]+)"(?:,"[\d.]+"){4},"([\d.]+)"')
            for key, figure in zip(("set{}", "set{}_p99", "get{}", "get{}_p99"), figures):
                found[key.format(depth)] = figure
            self.rates[who, depth] = min(figures[0], figures[2])
        return found


class Redis2(Redis):
    """Its I/O threads are left off: they spin, and the client needs a CPU, too."""
    title, weight, quick = "redis on 2 CPUs, 50 clients", 1.5, False
    cpus, only = 2, ("native", "hermit")  # the others have all CPUs anyway


class Memcached(Server):
    program, package = "memcached", "memcached"
    probe = b"version\r\n"
    title = "memcached, get by 8 clients"
    threads = "1"
    metrics = (rate("rate", "get"), Metric("p50_ns", "get, median"),
               Metric("p99_ns", "get, 99th percentile"))

    def work(self, port, ports):
        return Work([os.path.realpath(self.path), "-u", "root", "-U", "0", "-t", self.threads,
                     "-p", str(port), "-l", "0.0.0.0"], ports=ports, cpus=self.cpus)

    def load(self, port, who):
        return ask_own(self, "memcached", port, 8)


class Memcached2(Memcached):
    title = "memcached with two threads, get by 8 clients, 2 CPUs"
    threads, cpus = "2", 2


class Nginx(Server):
    program, package = "nginx", "nginx-light"
    client, client_package = "wrk", "wrk"
    ready = b"event method"
    title, weight = "nginx, 32 clients", 5
    metrics = (rate("1k", "1 KiB, connections kept"), rate("100k", "100 KiB, connections kept"),
               rate("1k_close", "1 KiB, a connection each"),
               rate("100k_close", "100 KiB, a connection each"),
               latency("1k_p99", "1 KiB, connections kept, 99th percentile"),
               latency("1k_close_p99", "1 KiB, a connection each, 99th percentile"))
    UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}

    def work(self, port, ports):
        root = self.ctx.scratch("www")
        os.makedirs(root, exist_ok=True)
        for name, size in PAGES.items():
            with open(os.path.join(root, name), "wb") as f:
                f.write(b"x" * size)
        path = os.path.join(root, f"nginx-{port}.conf")
        address = f"0.0.0.0:{port}" if port else f"127.0.0.1:{free_port()}"
        with open(path, "w", encoding="utf-8") as f:
            f.write(NGINX.format(tmp="/tmp", address=address, root=root, user="root"))
        return Work([os.path.realpath(self.path), "-p", "/tmp", "-c", path, "-e", "/dev/stderr"],
                    reads=[root], ports=ports)

    def load(self, port, who):
        found = {}
        for page in PAGES:
            for suffix, options in (("", []), ("_close", ["-H", "Connection: close"])):
                self._wrk(port, page, options, page + suffix, found)
        return found

    def _wrk(self, port, page, options, key, found):
        argv = ["wrk", "-t", "1", "-c", "32", "-d", "1s", "--latency", *options,
                f"http://127.0.0.1:{port}/{page}"]
        p = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60,
                           stdin=subprocess.DEVNULL)
        per_s = re.search(r"Requests/sec:\s+([\d.]+)", p.stdout)
        p99 = re.search(r"99%\s+([\d.]+)([a-z]+)", p.stdout)
        if p.returncode or not per_s or not p99 or "Non-2xx" in p.stdout:
            raise Failure(f"wrk: {(p.stderr or p.stdout).strip()[-200:]}")
        found[key] = float(per_s.group(1))
        found[key + "_p99"] = float(p99.group(1)) * self.UNITS[p99.group(2)]


class Iperf(Server):
    program, package = "iperf3", "iperf3"
    client, client_package = "iperf3", "iperf3"
    ready = b"Server listening"
    title = "iperf3, one stream"
    metrics = (Metric("to", "to the server", "Gbit/s", 1e-9, "higher"),
               Metric("from", "from the server", "Gbit/s", 1e-9, "higher"))

    def work(self, port, ports):
        return Work([os.path.realpath(self.path), "-s", "--forceflush", "-p", str(port)],
                    ports=ports)

    def load(self, port, who):
        return {key: self._once(port, options) for key, options in (("to", []), ("from", ["-R"]))}

    def _once(self, port, options):
        argv = ["iperf3", "-c", "127.0.0.1", "-p", str(port), "-t", "1", "-J", *options]
        pattern = r'"sum_received":\s*{[^}]*"bits_per_second":\s*([\d.e+]+)'
        for _ in range(10):
            try:
                return self.ask(argv, pattern)[0]
            except Failure as e:  # after a test the server takes a moment to be there again
                if "refused" not in str(e) and "busy" not in str(e):
                    raise
                time.sleep(0.1)
        return self.ask(argv, pattern)[0]


class Echo(Server):
    """A program of ours: nothing but the way there and back."""
    ready = b"ready"
    title, weight, emulated = "TCP ping-pong of a byte with the host", 1.5, True
    metrics = (Metric("p50_ns", "a round trip, median", "us", 1e-3),
               Metric("p99_ns", "a round trip, 99th percentile", "us", 1e-3))

    def __init__(self, ctx):
        super().__init__(ctx)
        self.path = ctx.program("echo")

    def work(self, port, ports):
        return Work([self.path, str(port)], ports=ports)

    def load(self, port, who):
        return ask_own(self, "echo", port, 1)


def ask_own(server, kind, port, clients):
    """Our own client (ask.c): requests a second, and times in ns."""
    program, ms = server.ctx.program("ask"), server.ctx.pick("100", "500")
    values = server.ask([program, kind, str(port), str(clients), ms],
                        r'"rate": ([\d.]+), "p50_ns": (\d+), "p99_ns": (\d+)')
    return dict(zip(("rate", "p50_ns", "p99_ns"), values))


ALL = (Redis, Redis2, Memcached, Memcached2, Nginx, Iperf, Echo)
