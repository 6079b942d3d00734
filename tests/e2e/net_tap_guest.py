# SPDX-License-Identifier: MIT
"""Runs in the guest for net_tap.py: net_tap_guest.py WHAT [ARGS...]."""
import fcntl
import os
import socket
import struct
import sys
import time


def ready():
    print("ready", flush=True)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def echo(count, address="0.0.0.0"):
    """Sends back what count connections send, each to its end."""
    door = socket.socket(family_of(address))
    door.bind((address, 80))
    door.listen(64)
    ready()
    for _ in range(int(count)):
        s, peer = door.accept()
        while data := s.recv(65536):
            s.sendall(data)
        print("peer", peer[0], "here", *s.getsockname(), flush=True)
        s.close()


def send_and_end(address, port, size):
    """What is written is delivered, even though the program ends at once."""
    s = socket.create_connection((address, int(port)))
    s.sendall(b"z" * int(size))
    os._exit(3)


def send_small(address, port):
    """Segments of all sizes, as they are written."""
    s = socket.create_connection((address, int(port)))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for n in range(3000):
        s.sendall(bytes([n % 251]) * (1 + n % 90))
    for n in range(300):
        s.sendall(bytes([n % 251]) * (n * 37 % 4001))


def datagrams(address, port):
    s = socket.socket(family_of(address), socket.SOCK_DGRAM)
    for size in (1, 1400, 9000, 60000):
        s.sendto(b"d" * size, (address, int(port)))
        data, peer = s.recvfrom(65536)
        print(len(data), peer[:2] == (address, int(port)), flush=True)


def answer_datagrams(count, address="0.0.0.0"):
    s = socket.socket(family_of(address), socket.SOCK_DGRAM)
    s.bind((address, 53))
    ready()
    for _ in range(int(count)):
        data, peer = s.recvfrom(65536)
        s.sendto(data, peer)


def arrival(count):
    """Answers with where a datagram was sent to, how many hops it may take and its class."""
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    for name in (socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS):
        s.setsockopt(socket.IPPROTO_IPV6, name, 1)
    s.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
    s.bind(("::", 53))
    ready()
    for _ in range(int(count)):
        _, controls, _, peer = s.recvmsg(100, 1000)
        text = ""
        for _, kind, data in controls:
            if kind == socket.IPV6_PKTINFO:
                text += socket.inet_ntop(socket.AF_INET6, data[:16]) + " "
            text += f"{kind}:{struct.unpack('I', data[-4:])[0]} "
        s.sendto(text.encode(), peer)


def groups(*addresses):
    """Joins groups and tells what comes; who is in none of them gets nothing."""
    members, others = [], []
    for n, address in enumerate(addresses):
        for list_, port in ((members, 7000 + n), (others, 7000 + n)):
            s = socket.socket(family_of(address), socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("::" if ":" in address else "0.0.0.0", port))
            list_.append(s)
        v6 = ":" in address
        others[n].setsockopt(*((socket.IPPROTO_IPV6, 29, 0) if v6 else (0, 49, 0)))  # MULTICAST_ALL
        group = socket.inet_pton(family_of(address), address)
        level, name = (socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP) if v6 else (
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP)
        members[n].setsockopt(level, name, group + (struct.pack("I", 2) if v6 else bytes(4)))
    ready()
    for s in members:
        print(s.recv(100).decode(), flush=True)
    for s in others:
        s.setblocking(False)
        try:
            print("unwanted", s.recv(100))
        except BlockingIOError:
            pass


def wait_for_address(prefix):
    """Until /proc/net/if_inet6 has one that begins so."""
    ready()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with open("/proc/net/if_inet6", encoding="ascii") as f:
            for row in f:
                if row.startswith(prefix):
                    print(*row.split())
                    return
        time.sleep(0.02)


def errors(*targets):
    for target in targets:
        address, port = target.rsplit(":", 1)
        try:
            socket.create_connection((address, int(port)), 20).close()
            print("connected")
        except OSError as e:
            print(type(e).__name__, e.errno)


def ping(address):
    v6 = ":" in address
    s = socket.socket(family_of(address), socket.SOCK_DGRAM,
                      socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP)
    s.settimeout(20)
    s.sendto(struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, 0, 7) + b"payload", (address, 0))
    data, peer = s.recvfrom(1000)
    print(data[0], struct.unpack("!H", data[6:8])[0], data[8:], peer[0])


def loopback(*more):
    """127.0.0.1 and the guest's own addresses stay inside."""
    door = socket.socket(socket.AF_INET6 if more else socket.AF_INET)
    door.bind(("::" if more else "0.0.0.0", 8080))
    door.listen()
    for address in more or ("127.0.0.1", interface(0x8915)):
        with socket.create_connection((address, 8080)) as s:
            print(door.accept()[1][0] == s.getsockname()[0] == address)


def interface(request):
    with socket.socket() as s:
        answer = fcntl.ioctl(s, request, struct.pack("16s24x", b"eth0"))
    return socket.inet_ntoa(answer[20:24])


def show():
    with socket.socket() as s:
        mac = fcntl.ioctl(s, 0x8927, struct.pack("16s24x", b"eth0"))[18:24]
    print(interface(0x8915), interface(0x891B), mac.hex(":"))
    with open("/proc/net/route", encoding="ascii") as f:
        for row in f.read().splitlines()[1:]:
            print(*row.split()[:3])
    with open("/etc/resolv.conf", encoding="utf-8") as f:
        print(f.read(), end="")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
