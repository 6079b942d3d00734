#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The host's network: published ports, connections out, what is refused, and real servers."""
import hashlib
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

import harness

GUEST = os.path.join(harness.HERE, "net_guest.py")
PYTHON = os.path.realpath("/usr/bin/python3")
WAIT = 60


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def own_address():
    """An address of this host that is not loopback, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))
            address = s.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") else address


def connect(port, host="127.0.0.1"):
    """Waits for the server: the port is refused until it listens."""
    end = time.monotonic() + WAIT
    while True:
        try:
            return socket.create_connection((host, port), 20)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def read_all(s):
    data = b""
    while True:
        piece = s.recv(65536)
        if not piece:
            return data
        data += piece


class NetTest(harness.HermitTest):
    def guest(self, *arguments, options=(), **how):
        """net_guest.py as a running process that has said that it is ready."""
        return self.ready(*options, "-v", GUEST, PYTHON, GUEST, *arguments,
                          stdin=subprocess.PIPE, **how)

    def out(self, *arguments, options=("--net", "user")):
        return self.run_in(*options, "-v", GUEST, PYTHON, GUEST, *arguments)

    def end(self, p):
        out, _ = p.communicate(timeout=WAIT)
        self.assertEqual(p.returncode, 0)
        return out

    def host_address(self):
        address = own_address()
        if address is None:
            self.skipTest("this host has no address but loopback")
        return address

    def serve(self, handler):
        """A server on an address of this host that the guest can reach; (address, port)."""
        address = self.host_address()
        door = socket.socket()
        door.bind((address, 0))
        door.listen(16)
        self.addCleanup(door.close)

        def run():
            try:
                peer, _ = door.accept()
            except OSError:
                return
            with peer:
                handler(peer)

        threading.Thread(target=run, daemon=True).start()
        return address, door.getsockname()[1]


class Published(NetTest):
    def test_peer_and_ports(self):
        port = free_port()
        p = self.guest("blocking_echo", options=["-p", f"127.0.0.1:{port}:7000"])
        with connect(port) as s:
            s.sendall(b"hello")
            self.assertEqual(s.recv(5, socket.MSG_WAITALL), b"hello")
        self.assertEqual(self.end(p), b"peer 127.0.0.1 here 7000\n")

    def test_large_transfer(self):
        port, size = free_port(), 24 << 20
        p = self.guest("blocking_echo", options=["-p", f"127.0.0.1:{port}:7000"])
        data = os.urandom(1 << 20) * (size >> 20)
        with connect(port) as s:
            sender = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
            sender.start()
            got = hashlib.sha256(read_all(s)).digest()
            sender.join()
        self.assertEqual(got, hashlib.sha256(data).digest())
        self.end(p)

    def test_many_connections(self):
        """Some reset, some send garbage and stall: the others do not notice."""
        port, count = free_port(), 200
        p = self.guest("echo", str(count), options=["-p", f"127.0.0.1:{port}:7000"])
        peers = [connect(port) for _ in range(count)]
        for i, s in enumerate(peers):
            s.sendall(b"%d:" % i + bytes([i % 256]) * (1 + 37 * i))
        for i in range(0, count, 10):
            peers[i].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peers[i].close()
        for i, s in enumerate(peers):
            if i % 10 == 0:
                continue
            expected = b"%d:" % i + bytes([i % 256]) * (1 + 37 * i)
            s.settimeout(WAIT)
            self.assertEqual(s.recv(len(expected), socket.MSG_WAITALL), expected)
            s.close()
        self.end(p)

    def test_stalled_peers(self):
        """Peers that never read what they are sent cost only their own connections."""
        port, stalled = free_port(), 24
        p = self.guest("echo", str(stalled + 1), options=["-p", f"127.0.0.1:{port}:7000"])
        peers = [connect(port) for _ in range(stalled)]
        for s in peers:
            s.setblocking(False)
            idle = time.monotonic()
            while time.monotonic() - idle < 0.05:
                try:
                    s.send(b"x" * 65536)
                    idle = time.monotonic()
                except BlockingIOError:
                    select.select([], [s], [], 0.05)
                if time.monotonic() - idle > 1:
                    break
        with connect(port) as s:
            for i in range(100):
                s.sendall(b"alive %d" % i)
                self.assertEqual(s.recv(100), b"alive %d" % i)
        for s in peers:
            s.close()
        self.end(p)

    def test_urgent(self):
        port = free_port()
        p = self.guest("urgent", options=["-p", f"127.0.0.1:{port}:7000"])
        with connect(port) as s:
            self.assertEqual(s.recv(3), b"now")
            s.send(b"!", socket.MSG_OOB)
            self.assertEqual(self.end(p), b"True b'!'\n")

    def test_listens_again(self):
        port = free_port()
        p = self.guest("restart", options=["-p", f"127.0.0.1:{port}:7000"])
        with connect(port) as s:
            self.assertEqual(read_all(s), b"hello")
        self.assertEqual(p.stdout.readline(), b"ready\n")
        with connect(port) as s:
            self.assertEqual(read_all(s), b"hello")
        self.end(p)

    def test_reset_by_guest(self):
        port = free_port()
        self.guest("linger_reset", options=["-p", f"127.0.0.1:{port}:7000"])
        with connect(port) as s:
            s.sendall(b"x")
            self.assertRaises(ConnectionResetError, s.recv, 1)

    def test_both_families(self):
        port = free_port()
        p = self.guest("dual_listener", options=["-p", f"{port}:7000"])
        with connect(port) as s:
            self.assertEqual(read_all(s), b"::ffff:127.0.0.1")
        try:
            s = connect(port, "::1")
        except OSError as e:
            self.skipTest(f"no IPv6 here: {e}")
        with s:
            self.assertEqual(read_all(s), b"::1")
        self.end(p)

    def test_datagrams(self):
        host = "127.0.0.1"
        for family, at in ("4", ""), ("6", ""), ("6", host + ":"):
            port = free_port(socket.SOCK_DGRAM)
            p = self.guest("udp_echo", "3", family, options=["-p", f"{at}{port}:7000/udp"])
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(WAIT)
                for data in b"abc", b"", bytes(range(256)) * 32:
                    s.sendto(data, (host, port))
                    self.assertEqual(s.recv(65536), data[::-1])
            self.end(p)

    def ask(self, port, host="127.0.0.1"):
        """The answer to a datagram, with a type of service."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.settimeout(WAIT)
            if family == socket.AF_INET:
                s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 16)
            else:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, 32)
            s.sendto(b"question", (host, port))
            return s.recv(1000).decode()

    def test_what_is_known_of_a_datagram(self):
        port = free_port(socket.SOCK_DGRAM)
        p = self.guest("udp_arrival", "7000", options=["-p", f"127.0.0.1:{port}:7000/udp"])
        same = " ttl 64 tos 16 stamp True flags 0"
        self.assertEqual(self.ask(port), "1 127.0.0.1 127.0.0.1" + same)
        self.end(p)
        address = self.host_address()
        p = self.guest("udp_arrival", "7000", options=["-p", f"{address}:{port}:7000/udp"])
        self.assertEqual(self.ask(port, address), "2 10.0.2.15 10.0.2.15" + same)
        self.end(p)
        p = self.guest("udp_arrival", str(port), options=["--net", "host"])
        self.assertEqual(self.ask(port, address), f"2 {address} {address}" + same)
        self.end(p)

    def test_what_is_known_of_a_datagram_6(self):
        port = free_port(socket.SOCK_DGRAM)
        for mode, guest in (["-p", f"{port}:7000/udp"], 7000), (["--net", "host"], port):
            p = self.guest("udp_arrival6", str(guest), options=mode)
            self.assertEqual(self.ask(port), "::ffff:127.0.0.1 1 - -")
            try:
                self.assertEqual(self.ask(port, "::1"), "::1 1 64 32")
            except OSError as e:
                self.skipTest(f"no IPv6 here: {e}")
            self.end(p)

    def test_many_wait(self):
        """More than listen(2) asked for, while the program does something else."""
        port, count = free_port(), 400
        p = self.guest("overwhelmed", str(count), options=["-p", f"127.0.0.1:{port}:7000"])
        peers = [connect(port) for _ in range(count)]
        for i, s in enumerate(peers):
            s.settimeout(WAIT)
            s.sendall(b"%d" % i)
        p.stdin.write(b"\n")
        p.stdin.flush()
        for i, s in enumerate(peers):
            self.assertEqual(s.recv(100), b"%d" % i)
            s.close()
        self.end(p)

    def test_taken(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen(1)
            port = s.getsockname()[1]
            self.assert_refused(self.hermit("-p", f"127.0.0.1:{port}:80", harness.BUSYBOX, "true"),
                                125, "--publish", f"port {port} of the host is taken")

    def test_range(self):
        first = free_port()
        try:
            outcome = self.run_in("-p", f"127.0.0.1:{first}-{first + 3}:7000", harness.BUSYBOX,
                                  "true")
            self.assertEqual(outcome.status, 0, outcome.err)
        except AssertionError:
            if b"is taken" not in outcome.err:
                raise

    def test_bad_options(self):
        for options, text in ((["-p", "80"], "--publish 80: not "), (["--net", "x"], "--net x"),
                              (["--net", "none", "-p", "8080:80"], "--publish needs"),
                              (["--net-block", "1.2.3.4/40"], "--net-block"),
                              (["-p", "192.0.2.77:8080:80"], "does not have this address")):
            self.assert_refused(self.hermit(*options, harness.BUSYBOX, "true"), 125, text)


class Outwards(NetTest):
    def test_download(self):
        data = os.urandom(8 << 20)
        address, port = self.serve(lambda peer: peer.sendall(data))
        outcome = self.out("get", address, str(port))
        self.assertEqual(outcome.out.decode(),
                         f"{len(data)} {hashlib.sha256(data).hexdigest()}\n", outcome.err)

    def test_what_was_written_is_sent(self):
        """The program ends while hermit-run still has what it has written."""
        got = []

        def slow(peer):
            time.sleep(0.3)
            got.append(read_all(peer))

        address, port = self.serve(slow)
        size = 4 << 20
        outcome = self.out("put", address, str(port), str(size))
        self.assertEqual(outcome.status, 0, outcome.err)
        for _ in range(600):
            if got:
                break
            time.sleep(0.1)
        self.assertEqual(got[0], bytes(range(256)) * (size // 256))

    def test_errors(self):
        address = self.host_address()
        with socket.socket() as door, socket.socket() as closed:
            door.bind((address, 0))
            door.listen(4)
            closed.bind((address, 0))
            ports = [str(s.getsockname()[1]) for s in (door, closed)]
            outcome = self.out("errors", address, *ports)
            self.assertEqual(outcome.out, b"0 ECONNREFUSED ECONNREFUSED\n", outcome.err)
            outcome = self.out("errors", address, *ports, options=["--net-block", f"{address}/32"])
            self.assertEqual(outcome.out, b"EACCES EACCES ECONNREFUSED\n", outcome.err)
            self.assertEqual(outcome.err.count(b"is blocked"), 1, outcome.err)
            outcome = self.out("errors", address, *ports,
                               options=["--net-allow", f"{address}:{ports[0]}"])
            self.assertEqual(outcome.out, b"0 EACCES ECONNREFUSED\n", outcome.err)
            outcome = self.out("errors", address, *ports, options=[])
            self.assertEqual(outcome.out, b"ENETUNREACH ENETUNREACH ECONNREFUSED\n", outcome.err)
            self.assertIn(b"--net user", outcome.err)

    def test_segments(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((self.host_address(), 0))
            s.settimeout(WAIT)
            host, port = s.getsockname()
            outcome = self.out("segments", host, str(port))
            self.assertEqual(outcome.status, 0, outcome.err)
            self.assertEqual([len(s.recv(65536)) for _ in range(6)],
                             [1000, 1000, 500, 700, 700, 100])

    def test_error_queue(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
            closed.bind((self.host_address(), 0))
            name = closed.getsockname()
        outcome = self.out("udp_error", name[0], str(name[1]))
        self.assertEqual(outcome.out, b"True b'lost' True True (0, 11) ECONNREFUSED 2 3 3\n",
                         outcome.err)

    def test_reset(self):
        def handler(peer):
            peer.recv(2)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        outcome = self.out("reset", *map(str, self.serve(handler)))
        self.assertEqual(outcome.out, b"reset\npipe\n", outcome.err)

    def test_host_loopback(self):
        """Not in user mode, but in host mode."""
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            door.listen(4)
            port = str(door.getsockname()[1])
            outcome = self.out("errors", "127.0.0.1", port, port)
            self.assertEqual(outcome.out, b"ECONNREFUSED ECONNREFUSED ECONNREFUSED\n")
            outcome = self.out("errors", "127.0.0.1", port, port, options=["--net", "host"])
            self.assertEqual(outcome.out, b"0 0 0\n", outcome.err)

    def test_host_mode_listens(self):
        p = self.guest("dual_listener", options=["--net", "host"])
        with connect(7000) as s:
            self.assertEqual(read_all(s), b"::ffff:127.0.0.1")
        with connect(7000) as s:
            s.recv(100)
        self.end(p)


class RealPrograms(NetTest):
    def need(self, program):
        path = shutil.which(program)
        if path is None:
            self.skipTest(f"no {program} here")
        return path

    def server(self, *command):
        p = harness.spawn(["--timeout", "120s", *command], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, cwd=self.dir)
        self.addCleanup(self.stop, p)
        return p

    def test_python_http(self):
        curl, port = self.need("curl"), free_port()
        data = os.urandom(300000)
        self.put("file", data)
        self.server("-p", f"127.0.0.1:{port}:8000", PYTHON, "-m", "http.server", "8000")
        connect(port).close()
        out = subprocess.run([curl, "-sS", f"http://127.0.0.1:{port}/file"], check=True,
                             stdout=subprocess.PIPE, timeout=WAIT).stdout
        self.assertEqual(out, data)

    def test_curl_inside(self):
        curl = self.need("curl")
        body = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"
        address, port = self.serve(lambda peer: (peer.recv(1000), peer.sendall(body)))
        outcome = self.run_in("--net", "user", curl, "-sS", f"http://{address}:{port}/")
        self.assertEqual(outcome.out, b"hello", outcome.err)

    def test_redis(self):
        server, client, port = self.need("redis-server"), self.need("redis-cli"), free_port()
        p = self.server("-m", "512M", "-p", f"127.0.0.1:{port}:6379", server, "--save", "",
                        "--protected-mode", "no")
        connect(port).close()

        def cli(*command):
            return subprocess.run([client, "-p", str(port), *command], check=True, timeout=WAIT,
                                  stdout=subprocess.PIPE).stdout

        self.assertEqual(cli("set", "a", "x" * 100000), b"OK\n")
        self.assertEqual(len(cli("get", "a")), 100001)
        bench = subprocess.run(["redis-benchmark", "-p", str(port), "-t", "get,set", "-n", "2000",
                                "-P", "4", "-q"], timeout=WAIT, stdout=subprocess.PIPE, check=True)
        self.assertIn(b"requests per second", bench.stdout)
        subprocess.run([client, "-p", str(port), "shutdown", "nosave"], timeout=WAIT, check=False)
        self.assertEqual(p.wait(WAIT), 0)

    def test_memcached(self):
        server, port = self.need("memcached"), free_port()
        self.server("-p", f"127.0.0.1:{port}:11211", server, "-u", "root", "-l", "0.0.0.0")
        with connect(port) as s:
            s.sendall(b"set k 0 0 5\r\nhello\r\nget k\r\n")
            expected = b"STORED\r\nVALUE k 0 5\r\nhello\r\nEND\r\n"
            self.assertEqual(s.recv(len(expected), socket.MSG_WAITALL), expected)

    def test_dnsmasq(self):
        server, dig = self.need("dnsmasq"), self.need("dig")
        port = free_port(socket.SOCK_DGRAM)
        for mode, inside in ((["-p", f"127.0.0.1:{port}:53/udp"], 53), (["--net", "host"], port)):
            p = self.server(*mode, server, "-d", "-p", str(inside), "--user=", "--group=",
                            "--no-resolv", "--no-hosts", "-C", "/dev/null",
                            "--address=/test.example/192.0.2.7")
            end, out = time.monotonic() + WAIT, b""
            while out != b"192.0.2.7\n" and time.monotonic() < end:  # refused until it listens
                out = subprocess.run([dig, "@127.0.0.1", "-p", str(port), "+short", "+tries=1",
                                      "+time=1", "test.example"], stdout=subprocess.PIPE,
                                     timeout=WAIT, check=False).stdout
                time.sleep(0.05)
            self.assertEqual(out, b"192.0.2.7\n")
            self.stop(p)

    def test_nginx(self):
        server, port = self.need("nginx"), free_port()
        data = os.urandom(100000)
        self.put("file", data)
        conf = self.put("nginx.conf", f"""
            daemon off; master_process off; pid /tmp/pid; error_log stderr;
            events {{ }}
            http {{ access_log off; client_body_temp_path /tmp/b; proxy_temp_path /tmp/p;
            fastcgi_temp_path /tmp/f; uwsgi_temp_path /tmp/u; scgi_temp_path /tmp/s; sendfile on;
            server {{ listen 80; listen [::]:80; root {self.dir}; }} }}""".encode())
        self.server("-p", f"127.0.0.1:{port}:80", server, "-c", conf)
        with connect(port) as s:
            for _ in range(3):
                s.sendall(b"GET /file HTTP/1.1\r\nHost: x\r\n\r\n")
                reply = b""
                while b"\r\n\r\n" not in reply:
                    reply += s.recv(65536)
                head, _, body = reply.partition(b"\r\n\r\n")
                self.assertTrue(head.startswith(b"HTTP/1.1 200"), head)
                while len(body) < len(data):
                    body += s.recv(65536)
                self.assertEqual(body, data)


if __name__ == "__main__":
    if not os.access(PYTHON, os.X_OK):
        print("SKIP: no python3")
        sys.exit(77)
    harness.main(__doc__)
