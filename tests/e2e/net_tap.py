#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The guest's own address at a tap interface: TCP, UDP, ICMP, DHCP, a bridge, wrong options."""
import ctypes
import hashlib
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

import harness

GUEST = os.path.join(harness.HERE, "net_tap_guest.py")
PYTHON = os.path.realpath("/usr/bin/python3")
HERE, THERE = "10.77.0.1", "10.77.0.2"
STATIC = ("--net", "tap:tap0", "--ip", THERE + "/24")
HERE6, THERE6 = "fd77::1", "fd77::2"
BOTH = (*STATIC, "--ip", THERE6 + "/64", "--mac", "52:54:00:12:34:56")
LINK_LOCAL = "fe80::5054:ff:fe12:3456"
WAIT = 60
CLONE_NEWNET = 0x40000000


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, stdin=subprocess.DEVNULL)


def set_up():
    """A network of this process's own; why not, or None."""
    if not os.path.exists("/dev/net/tun"):
        return "no /dev/net/tun"
    if shutil.which("ip") is None:
        return "no ip(8)"
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        return "a network of its own: " + os.strerror(ctypes.get_errno())
    try:
        # Addresses can be used at once.
        with open("/proc/sys/net/ipv6/conf/default/accept_dad", "w", encoding="ascii") as f:
            f.write("0")
        ip("link", "set", "lo", "up")
        for name in ("tap0", "tap1", "down0"):
            ip("tuntap", "add", name, "mode", "tap")
        ip("link", "add", "br0", "type", "bridge")
        for name in ("tap0", "tap1"):
            ip("link", "set", name, "master", "br0")
        ip("addr", "add", HERE + "/24", "dev", "br0")
        ip("addr", "add", HERE6 + "/64", "dev", "br0", "nodad")
        for name in ("tap0", "tap1", "br0"):
            ip("link", "set", name, "up")
    except (subprocess.CalledProcessError, OSError) as e:
        return str(e)
    return None


def connect(port=80, address=THERE):
    end = time.monotonic() + WAIT
    while True:
        try:
            return socket.create_connection((address, port), 20)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


class TapTest(harness.HermitTest):
    def guest(self, *arguments, options=STATIC):
        """net_tap_guest.py as a running process that has said that it is ready."""
        return self.ready(*options, "-v", GUEST, PYTHON, GUEST, *arguments,
                          stdin=subprocess.DEVNULL)

    def wait_until(self, condition):
        end = time.monotonic() + WAIT
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def end(self, p):
        out, _ = p.communicate(timeout=WAIT)
        self.assertEqual(p.returncode, 0)
        return out.decode()

    def out(self, *arguments, options=STATIC, status=0):
        outcome = self.run_in(*options, "-v", GUEST, PYTHON, GUEST, *arguments)
        self.assertEqual(outcome.status, status, outcome.err)
        return outcome.out.decode()


class Static(TapTest):
    def test_server(self):
        p = self.guest("echo", "1")
        data = os.urandom(1 << 20) * 8
        got = hashlib.sha256()
        with connect() as s:
            sender = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
            sender.start()
            while piece := s.recv(1 << 16):
                got.update(piece)
            sender.join()
        self.assertEqual(got.digest(), hashlib.sha256(data).digest())
        self.assertEqual(self.end(p), f"peer {HERE} here {THERE} 80\n")

    def test_many_connections(self):
        p = self.guest("echo", "50")
        for i in range(50):
            with connect() as s:
                s.sendall(b"%d" % i)
                s.shutdown(socket.SHUT_WR)
                self.assertEqual(s.recv(100), b"%d" % i)
        self.end(p)

    def test_client_ends_at_once(self):
        door = socket.create_server((HERE, 0))
        self.addCleanup(door.close)
        got = []

        def run():
            s, _ = door.accept()
            n = 0
            with s:
                while data := s.recv(65536):
                    n += len(data)
            got.append(n)

        t = threading.Thread(target=run)
        t.start()
        self.out("send_and_end", HERE, str(door.getsockname()[1]), "2000000", status=3)
        t.join(WAIT)
        self.assertEqual(got, [2000000])

    def test_small_segments(self):
        door = socket.create_server((HERE, 0))
        self.addCleanup(door.close)
        got = bytearray()

        def run():
            s, _ = door.accept()
            with s:
                while data := s.recv(65536):
                    got.extend(data)

        t = threading.Thread(target=run)
        t.start()
        self.out("send_small", HERE, str(door.getsockname()[1]))
        t.join(WAIT)
        expected = b"".join(bytes([n % 251]) * (1 + n % 90) for n in range(3000))
        expected += b"".join(bytes([n % 251]) * (n * 37 % 4001) for n in range(300))
        self.assertEqual(got, expected)

    def test_datagrams(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((HERE, 0))

            def run():
                for _ in range(4):
                    data, peer = s.recvfrom(65536)
                    s.sendto(data, peer)

            t = threading.Thread(target=run, daemon=True)
            t.start()
            lines = self.out("datagrams", HERE, str(s.getsockname()[1])).splitlines()
        self.assertEqual(lines, [f"{n} True" for n in (1, 1400, 9000, 60000)])

    def test_datagram_server(self):
        p = self.guest("answer_datagrams", "2")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(WAIT)
            for data in (b"question", b"q" * 20000):
                s.sendto(data, (THERE, 53))
                self.assertEqual(s.recvfrom(65536), (data, (THERE, 53)))
        self.end(p)

    def test_errors(self):
        lines = self.out("errors", HERE + ":9", "192.0.2.1:9").splitlines()
        self.assertEqual(lines, ["ConnectionRefusedError 111", "OSError 101"])

    def test_ping(self):
        self.assertEqual(self.out("ping", HERE), f"0 7 b'payload' {HERE}\n")

    def test_loopback(self):
        self.assertEqual(self.out("loopback"), "True\nTrue\n")

    def test_what_the_guest_sees(self):
        mac = "52:54:00:aa:bb:cc"
        out = self.out("show", options=(*STATIC, "--gateway", HERE, "--mac", mac, "--dns",
                                        "192.0.2.53", "--dns", "192.0.2.54"))
        self.assertEqual(out.splitlines(), [
            f"{THERE} 255.255.255.0 {mac}", "eth0 00000000 01004D0A", "eth0 00004D0A 00000000",
            "nameserver 192.0.2.53", "nameserver 192.0.2.54"])

    def test_two_guests_at_a_bridge(self):
        p = self.guest("echo", "1")
        other = ("--net", "tap:tap1", "--ip", "10.77.0.3/24")
        self.assertEqual(self.out("errors", THERE + ":80", options=other), "connected\n")
        self.assertEqual(self.end(p), f"peer 10.77.0.3 here {THERE} 80\n")


class Static6(TapTest):
    def guest(self, *arguments, options=BOTH):
        return super().guest(*arguments, options=options)

    def out(self, *arguments, options=BOTH, status=0):
        return super().out(*arguments, options=options, status=status)

    def test_server(self):
        """An echo over a socket of both families, at each of its addresses."""
        near = LINK_LOCAL + "%br0"
        p = self.guest("echo", "3", "::")
        data = os.urandom(1 << 20) * 4
        for address in (THERE6, near, THERE):
            got = hashlib.sha256()
            with connect(address=address) as s:
                sender = threading.Thread(
                    target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
                sender.start()
                while piece := s.recv(1 << 16):
                    got.update(piece)
                sender.join()
            self.assertEqual(got.digest(), hashlib.sha256(data).digest())
        lines = self.end(p).splitlines()
        self.assertEqual(lines[0], f"peer {HERE6} here {THERE6} 80 0 0")
        self.assertRegex(lines[1], f"^peer fe80::[0-9a-f:]* here {LINK_LOCAL} 80 0 2$")
        self.assertEqual(lines[2], f"peer ::ffff:{HERE} here ::ffff:{THERE} 80 0 0")

    def test_client(self):
        door = socket.create_server((HERE6, 0), family=socket.AF_INET6)
        self.addCleanup(door.close)
        got = []

        def run():
            s, peer = door.accept()
            n = 0
            with s:
                while data := s.recv(65536):
                    n += len(data)
            got.extend((n, peer[0]))

        t = threading.Thread(target=run)
        t.start()
        self.out("send_and_end", HERE6, str(door.getsockname()[1]), "2000000", status=3)
        t.join(WAIT)
        self.assertEqual(got, [2000000, THERE6])

    def test_datagrams(self):
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.bind((HERE6, 0))

            def run():
                for _ in range(4):
                    data, peer = s.recvfrom(65536)
                    s.sendto(data, peer)

            t = threading.Thread(target=run, daemon=True)
            t.start()
            lines = self.out("datagrams", HERE6, str(s.getsockname()[1])).splitlines()
        self.assertEqual(lines, [f"{n} True" for n in (1, 1400, 9000, 60000)])

    def test_datagram_server(self):
        p = self.guest("answer_datagrams", "2", "::")
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.settimeout(WAIT)
            for data in (b"question", b"q" * 20000):
                s.sendto(data, (THERE6, 53))
                self.assertEqual(s.recvfrom(65536)[0], data)
        self.end(p)

    def test_what_is_known_of_a_datagram(self):
        p = self.guest("arrival", "2")
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.settimeout(WAIT)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, 32)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 9)
            s.sendto(b"?", (THERE6, 53))
            self.assertEqual(s.recv(1000).decode(), f"{THERE6} 50:2 52:9 67:32 ")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(WAIT)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 7)
            s.sendto(b"?", (THERE, 53))
            self.assertEqual(s.recv(1000).decode(), f"::ffff:{THERE} 50:2 2:7 ")
        self.end(p)

    def test_errors(self):
        lines = self.out("errors", HERE6 + ":9", "2001:db8::1:9").splitlines()
        self.assertEqual(lines, ["ConnectionRefusedError 111", "OSError 101"])

    def test_ping(self):
        self.assertEqual(self.out("ping", HERE6), f"129 7 b'payload' {HERE6}\n")

    def test_pinged(self):
        p = self.guest("answer_datagrams", "1", "::")
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as s:
            s.settimeout(WAIT)
            s.sendto(struct.pack("!BBHHH", 128, 0, 0, 1, 1) + b"payload", (THERE6, 0))
            while True:
                data, peer = s.recvfrom(1000)
                if data[0] == 129:
                    break
        self.assertEqual((data[8:], peer[0]), (b"payload", THERE6))
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.sendto(b"end", (THERE6, 53))
        self.end(p)

    def test_loopback(self):
        self.assertEqual(self.out("loopback", "::1", THERE6), "True\nTrue\n")

    def test_gateway(self):
        options = (*BOTH, "--gateway", HERE6)
        lines = self.out("errors", "2001:db8::1:9", options=options)
        self.assertNotIn("connected", lines)
        tool = shutil.which("ip")
        outcome = self.run_in(*options, tool, "-6", "route", "show")
        self.assertIn(b"default via fd77::1 dev eth0", outcome.out)
        self.assertIn(b"fd77::/64 dev eth0", outcome.out)
        outcome = self.run_in(*options, tool, "-6", "-o", "addr", "show", "dev", "eth0")
        self.assertRegex(outcome.out, b"inet6 fe80::5054:ff:fe12:3456/64 scope link")
        self.assertRegex(outcome.out, b"inet6 fd77::2/64 scope global")

    def test_groups(self):
        p = self.guest("groups", "239.1.2.3", "ff15::77")
        index = socket.if_nametoindex("br0")
        for group in ("239.1.2.3", "ff15::77"):  # the bridge has seen the reports
            self.wait_until(lambda g=group: g in subprocess.run(
                ["bridge", "mdb", "show", "dev", "br0"], stdout=subprocess.PIPE, text=True,
                check=True).stdout)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(HERE))
            s.sendto(b"four", ("239.1.2.3", 7000))
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            s.sendto(b"six", ("ff15::77", 7001))
        self.assertEqual(self.end(p), "four\nsix\n")

    def test_announced(self):
        """A router's prefix becomes an address."""
        p = self.guest("wait_for_address", "fd78", options=STATIC)
        index = socket.if_nametoindex("br0")
        prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xc0, 3600, 3600, 0)
        prefix += socket.inet_pton(socket.AF_INET6, "fd78::")
        message = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as s:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            s.sendto(message, ("ff02::1", 0, 0, index))
            self.assertRegex(self.end(p), "^fd780000000000005054.* 02 40 00 80 eth0$")


class Dhcp(TapTest):
    OFFER, ACK = 2, 5

    def answer(self, query):
        """The reply to a message of a client, or None.  RFC 2131."""
        options, at = {}, 240
        while at < len(query) and query[at] != 255:
            if query[at] == 0:
                at += 1
                continue
            options[query[at]] = query[at + 2:at + 2 + query[at + 1]]
            at += 2 + query[at + 1]
        kind = {1: self.OFFER, 3: self.ACK}.get(options.get(53, b"\0")[0])
        if kind is None:
            return None
        me, given = socket.inet_aton(HERE), socket.inet_aton("10.77.0.99")
        reply = struct.pack("!BBBB", 2, 1, 6, 0) + query[4:8] + bytes(8) + given + me + bytes(4)
        reply += query[28:44] + bytes(192) + query[236:240]
        for code, value in ((53, bytes([kind])), (54, me), (51, struct.pack("!I", 3600)),
                            (1, b"\xff\xff\xff\0"), (3, me), (6, me + given)):
            reply += bytes([code, len(value)]) + value
        return reply + b"\xff"

    def serve(self, s):
        while True:
            try:
                reply = self.answer(s.recv(2000))
                if reply:
                    s.sendto(reply, ("255.255.255.255", 68))
            except OSError:
                return  # closed

    def test_lease(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"br0")
            s.bind(("", 67))
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()
            lines = self.out("show", options=("--net", "tap:tap0")).splitlines()
        self.assertTrue(lines[0].startswith("10.77.0.99 255.255.255.0 52:54:00:"), lines)
        self.assertEqual(lines[1:], ["eth0 00000000 01004D0A", "eth0 00004D0A 00000000",
                                     "nameserver 10.77.0.1", "nameserver 10.77.0.99"])

    def test_nobody_answers(self):
        outcome = self.run_in("--net", "tap:tap1", harness.BUSYBOX, "true")
        self.assertEqual(outcome.status, 0)
        self.assertIn(b"no answer of DHCP", outcome.err)


class Refused(TapTest):
    def refused(self, *options, says):
        self.assert_refused(self.run_in(*options, harness.BUSYBOX, "true"), 125, says)

    def test_interface(self):
        self.refused("--net", "tap:nowhere0", says="no such interface")
        self.refused("--net", "tap:down0", says="is down")
        self.refused("--net", "tap:lo", says="not a tap interface")
        self.refused("--net", "tap:", says="not the name of an interface")

    def test_busy(self):
        self.guest("echo", "1")
        self.refused(*STATIC, says="another program has the interface")

    def test_options(self):
        self.refused("--ip", THERE + "/24", says="need --net tap")
        self.refused("--net", "tap:tap0", "--ip", THERE, says="not an IPv4 address")
        self.refused(*STATIC, "--gateway", "10.78.0.1", says="not a neighbour")
        self.refused(*BOTH, "--gateway", "fd78::1", says="not a neighbour")
        self.refused(*STATIC, "--ip", "fd77::2", says="not an IPv6 address with a prefix")
        self.refused(*STATIC, "-p", "8080:80", says="address of its own")


if __name__ == "__main__":
    reason = set_up() if os.access(PYTHON, os.X_OK) else "no python3"
    if reason is not None:
        print("SKIP:", reason)
        sys.exit(77)
    harness.main(__doc__)
