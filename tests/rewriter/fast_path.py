#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How many of the system calls that programs under load execute come by jumps:
fast_path.py [--hermit-run PROGRAM] [--at-least PERCENT] [--quick] [NAME...]

Servers are asked by their usual clients over a published port, other programs work for a while;
`hermit-run --stats` says by which way the calls came.  Each runs with a cache that an earlier run
has filled, and with no cache, where sites become jumps when they have been executed often.
Prints a table; status 1 if a share is below --at-least (without a cache, --at-least-lazy), 77 if
nothing could run."""
import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

READY_S = 60
SKIP = 77
GUEST_PORT = 7000
WAYS = ("auto", "lazy")

NGINX = """
daemon off; master_process off; user root; pid /tmp/nginx.pid; error_log stderr notice;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000;
  client_body_temp_path /tmp/n1; proxy_temp_path /tmp/n2; fastcgi_temp_path /tmp/n3;
  uwsgi_temp_path /tmp/n4; scgi_temp_path /tmp/n5;
  server {{ listen 0.0.0.0:{port}; root {root}; }}
}}
"""

GO = """
package main
import ("fmt"; "net/http"; "os")
func main() {
	http.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello")
	})
	fmt.Println(http.ListenAndServe(os.Args[1], nil))
}
"""

SHELL = ("i=0; while [ $i -lt {n} ]; do i=$((i+1)); echo $i; [ -e /tmp/x$i ]; "
         "read -r line </etc/hostname; done >/dev/null")

PYTHON = """
import os, socket, sys, tempfile, threading
n = int(sys.argv[1])
a, b = socket.socketpair()
with tempfile.TemporaryDirectory() as d:
    for i in range(n):
        path = os.path.join(d, str(i % 8))
        with open(path, "w") as f:
            f.write("x" * i)
        os.stat(path)
        with open(path) as f:
            f.read()
        a.send(b"y")
        b.recv(1)
        if i % 64 == 0:
            t = threading.Thread(target=os.listdir, args=(d,))
            t.start()
            t.join()
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Missing(Exception):
    """A program is not installed."""


def need(name, path="/usr/bin:/bin:/usr/sbin:/usr/local/bin"):
    found = shutil.which(name, path=path)
    if not found:
        raise Missing(f"no {name}")
    return os.path.realpath(found) if os.path.basename(os.path.realpath(found)) == name else found


class Bench:
    """Runs one program by hermit-run and reads its statistics."""

    def __init__(self, hermit_run, work, quick):
        self.hermit_run, self.work, self.quick = os.path.abspath(hermit_run), work, quick

    def path(self, name):
        return os.path.join(self.work, name)

    def start(self, way, home, options, argv):
        env = {"PATH": "/usr/bin:/bin", "HOME": home, "LC_ALL": "C"}
        return subprocess.Popen([self.hermit_run, "--stats", "--rewrite", way, "--timeout", "300s",
                                 *options, *argv], env=env, cwd=self.work,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def serve(self, way, home, options, argv, load, probe):
        """A server: from the first answer until load(port) is done."""
        port = free_port()
        p = self.start(way, home, ["--net", "user", "-p", f"{port}:{GUEST_PORT}", *options], argv)
        said = []
        reader = threading.Thread(target=lambda: said.append(p.communicate()))
        reader.start()
        try:
            wait_for(port, probe, p)
            load(port)
        finally:
            p.send_signal(signal.SIGTERM)
            reader.join(READY_S)
            if p.poll() is None:
                p.kill()
                reader.join()
        return said[0][1].decode(errors="replace")

    def ask(self, *argv):
        p = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           check=False, timeout=300)
        if p.returncode:
            raise RuntimeError(f"{argv[0]}: {(p.stderr or p.stdout)[-300:]}")

    def count(self, quick, full):
        return str(quick if self.quick else full)

    def redis(self, way, home):
        server = shutil.which("redis-server") or need("redis-server")
        need("redis-benchmark")
        argv = [server, "--save", "", "--protected-mode", "no", "--port", str(GUEST_PORT)]
        return self.serve(way, home, [], argv, lambda port: self.ask(
            "redis-benchmark", "-p", str(port), "-t", "get,set,incr,lpush", "-n",
            self.count(5000, 100000), "--csv"), b"PING\r\n")

    def wrk(self, port):
        self.ask("wrk", "-t", "1", "-c", "32", "-d", self.count(2, 10) + "s",
                 f"http://127.0.0.1:{port}/page")

    def nginx(self, way, home):
        server = need("nginx")
        need("wrk")
        with open(self.path("page"), "wb") as f:
            f.write(b"x" * 1024)
        with open(self.path("nginx.conf"), "w", encoding="utf-8") as f:
            f.write(NGINX.format(port=GUEST_PORT, root=self.work))
        return self.serve(way, home, ["-v", self.work], [
            server, "-p", "/tmp", "-c", self.path("nginx.conf"), "-e", "/dev/stderr"], self.wrk,
            b"GET /page HTTP/1.0\r\n\r\n")

    def memcached(self, way, home):
        server = need("memcached")
        need("memcslap")
        argv = [server, "-u", "root", "-U", "0", "-t", "1", "-p", str(GUEST_PORT), "-l", "0.0.0.0"]
        return self.serve(way, home, [], argv, lambda port: self.ask(
            "memcslap", f"--servers=127.0.0.1:{port}", "--test=get", "--concurrency=8",
            "--execute-number=" + self.count(1000, 20000), "--initial-load=1000"), b"version\r\n")

    def go_http(self, way, home):
        need("wrk")
        program = self.path("go_http")
        if not os.path.exists(program):
            with open(self.path("main.go"), "w", encoding="utf-8") as f:
                f.write(GO)
            env = {**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off",
                   "GOCACHE": self.path("cache")}
            subprocess.run([need("go"), "build", "-o", program, "main.go"], env=env,
                           cwd=self.work, check=True)
        return self.serve(way, home, [], [program, f":{GUEST_PORT}"], self.wrk,
                          b"GET /page HTTP/1.0\r\n\r\n")

    def run(self, way, home, *argv):
        p = self.start(way, home, [], argv)
        err = p.communicate()[1].decode(errors="replace")
        if p.returncode:
            raise RuntimeError(f"{argv[0]}: status {p.returncode}\n{err[-500:]}")
        return err

    def busybox_sh(self, way, home):
        return self.run(way, home, need("busybox"), "sh", "-c",
                        SHELL.format(n=self.count(10000, 100000)))

    def python3(self, way, home):
        return self.run(way, home, os.path.realpath("/usr/bin/python3"), "-c", PYTHON,
                        self.count(3000, 30000))


NAMES = ("redis", "nginx", "memcached", "go_http", "busybox_sh", "python3")


def wait_for(port, probe, p):
    """Until the server itself answers."""
    end = time.monotonic() + READY_S
    while True:
        if p.poll() is not None:
            raise RuntimeError(f"{p.args}: status {p.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
                s.sendall(probe)
                if s.recv(16):
                    return
        except OSError:
            pass
        if time.monotonic() > end:
            raise RuntimeError(f"port {port} does not answer")
        time.sleep(0.05)


def calls(text):
    """By syscall instructions, sites that became jumps, calls by these, calls by other jumps."""
    found = re.search(r"system calls: +(\d+) by syscall instructions, (\d+) of these became jumps; "
                      r"(\d+) by such jumps, (\d+) by jumps from the start", text)
    if not found:
        raise RuntimeError(f"no statistics: {text[-500:]}")
    return tuple(map(int, found.groups()))


def measure(bench, name, way, home):
    if way == "auto":
        getattr(bench, name)("load", home)  # fills the cache
    return calls(getattr(bench, name)(way, home))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hermit-run", default="build/bin/hermit-run")
    parser.add_argument("--at-least", type=float, default=0, metavar="PERCENT")
    parser.add_argument("--at-least-lazy", type=float, default=0, metavar="PERCENT")
    parser.add_argument("--quick", action="store_true", help="about a tenth of the calls")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    args = parser.parse_args()
    low, ran = [], 0
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("SKIP: no access to /dev/kvm")
        sys.exit(SKIP)
    print("| program | cache | calls | by `syscall` | sites patched | by these | "
          "by jumps from the start | by jumps |\n|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="hermit-fast-") as work:
        home = os.path.join(work, "home")
        os.mkdir(home)
        bench = Bench(args.hermit_run, work, args.quick)
        for name in args.names or NAMES:
            for way in WAYS:
                try:
                    raw, sites, lazy, offline = measure(bench, name, way, home)
                except Missing as e:
                    print(f"{name}: skipped: {e}", file=sys.stderr)
                    continue
                all_ = raw + lazy + offline
                share = 100 * (1 - raw / all_)
                print(f"| {name} | {'warm' if way == 'auto' else 'none'} | {all_} | {raw} | "
                      f"{sites} | {lazy} | {offline} | {share:.3f} % |", flush=True)
                ran += 1
                if share < (args.at_least if way == "auto" else args.at_least_lazy):
                    low.append(f"{name}, {way}: {share:.3f} %")
    if low:
        sys.exit("FAIL: below the goal: " + "; ".join(low))
    sys.exit(0 if ran else SKIP)


if __name__ == "__main__":
    main()
