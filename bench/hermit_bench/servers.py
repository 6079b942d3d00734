# SPDX-License-Identifier: MIT
"""The servers that are measured: how they are started, when they are ready, who asks them."""
import os
import re
import shutil
import socket
import subprocess

from .model import Failure, Work

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
PAGE_BYTES = 1024


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """One server program.  ready: what it prints when it is up; None: its port answers."""

    package = program = ""
    ready = None
    client = client_package = ""
    probe = None  # a request that is answered once it is up

    def __init__(self, ctx):
        self.ctx = ctx
        self.path = shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin")

    def missing(self):
        if not self.path:
            return f"no {self.program} (Debian: {self.package})"
        if self.client and not shutil.which(self.client):
            return f"no {self.client} (Debian: {self.client_package})"
        return None

    def work(self, port, ports):
        """port: where it listens; 0: not on the network.  ports: what is published."""
        raise NotImplementedError

    def load(self, port):
        """Runs the client once; requests (or bits) a second."""
        raise NotImplementedError

    def ask(self, argv, pattern):
        p = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120,
                           stdin=subprocess.DEVNULL)
        found = re.search(pattern, p.stdout)
        if p.returncode or not found:
            raise Failure(f"{argv[0]}: {(p.stderr or p.stdout).strip()[-200:]}")
        return float(found.group(1))


class Redis(Server):
    program, package = "redis-server", "redis-server"
    client, client_package = "redis-benchmark", "redis-tools"
    ready = b"eady to accept connections"
    title, figure = "redis, GET by 50 clients", "requests"

    def work(self, port, ports):
        where = ["--port", str(port), "--bind", "0.0.0.0"] if port else \
            ["--port", "0", "--unixsocket", "/tmp/hermit-bench.sock"]
        # By this name: the file behind it is another program under other names.
        return Work([self.path, "--save", "", "--protected-mode", "no", *where],
                    ports=ports)

    def load(self, port):
        n = self.ctx.pick("3000", "100000")
        return self.ask(["redis-benchmark", "-p", str(port), "-t", "get", "-n", n, "--csv"],
                        r'"GET","([\d.]+)"')


class Memcached(Server):
    program, package = "memcached", "memcached"
    client, client_package = "memcslap", "libmemcached-tools"
    title, figure = "memcached, get by 8 clients", "requests"
    probe = b"version\r\n"
    CLIENTS, CALLS = 8, 5000

    def work(self, port, ports):
        return Work([os.path.realpath(self.path), "-u", "root", "-U", "0", "-t", "1", "-p",
                     str(port), "-l", "0.0.0.0"], ports=ports)

    def load(self, port):
        calls = self.ctx.pick(self.CALLS // 10, self.CALLS)
        seconds = self.ask(["memcslap", f"--servers=127.0.0.1:{port}", "--test=get",
                            f"--concurrency={self.CLIENTS}", f"--execute-number={calls}",
                            "--initial-load=1000"],
                           r"get\s+\d+ keys by\s+\d+ threads:\s+([\d.]+) seconds")
        return self.CLIENTS * calls / seconds


class Nginx(Server):
    program, package = "nginx", "nginx-light"
    client, client_package = "wrk", "wrk"
    ready = b"event method"
    title, figure = "nginx, a 1 KiB file, 32 connections kept", "requests"

    def work(self, port, ports):
        root = self.ctx.scratch("www")
        os.makedirs(root, exist_ok=True)
        with open(os.path.join(root, "page"), "wb") as f:
            f.write(b"x" * PAGE_BYTES)
        path = os.path.join(root, f"nginx-{port}.conf")
        address = f"0.0.0.0:{port}" if port else f"127.0.0.1:{free_port()}"
        with open(path, "w", encoding="utf-8") as f:
            f.write(NGINX.format(tmp="/tmp", address=address, root=root, user="root"))
        return Work([os.path.realpath(self.path), "-p", "/tmp", "-c", path, "-e", "/dev/stderr"],
                    reads=[root], ports=ports)

    def load(self, port):
        return self.ask(["wrk", "-t", "1", "-c", "32", "-d", self.ctx.pick("1s", "3s"),
                         f"http://127.0.0.1:{port}/page"], r"Requests/sec:\s+([\d.]+)")


class Iperf(Server):
    program, package = "iperf3", "iperf3"
    client, client_package = "iperf3", "iperf3"
    ready = b"Server listening"
    title, figure = "iperf3, one stream to the server", "bits"

    def work(self, port, ports):
        return Work([os.path.realpath(self.path), "-s", "--forceflush", "-p", str(port)],
                    ports=ports)

    def load(self, port):
        return self.ask(["iperf3", "-c", "127.0.0.1", "-p", str(port), "-t",
                         self.ctx.pick("1", "3"), "-J"],
                        r'"sum_received":\s*{[^}]*"bits_per_second":\s*([\d.e+]+)')


ALL = (Redis, Memcached, Nginx, Iperf)
