# SPDX-License-Identifier: MIT
"""Runs in the guest for net_tap.py: net_tap_guest.py WHAT [ARGS...]."""
import fcntl
import os
import socket
import struct
import sys


def ready():
    print("ready", flush=True)


def echo(count):
    """Sends back what count connections send, each to its end."""
    door = socket.socket()
    door.bind(("0.0.0.0", 80))
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


def datagrams(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for size in (1, 1400, 9000, 60000):
        s.sendto(b"d" * size, (address, int(port)))
        data, peer = s.recvfrom(65536)
        print(len(data), peer == (address, int(port)), flush=True)


def answer_datagrams(count):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", 53))
    ready()
    for _ in range(int(count)):
        data, peer = s.recvfrom(65536)
        s.sendto(data, peer)


def errors(*targets):
    for target in targets:
        address, port = target.split(":")
        try:
            socket.create_connection((address, int(port)), 20).close()
            print("connected")
        except OSError as e:
            print(type(e).__name__, e.errno)


def ping(address):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    s.settimeout(20)
    s.sendto(struct.pack("!BBHHH", 8, 0, 0, 0, 7) + b"payload", (address, 0))
    data, peer = s.recvfrom(1000)
    print(data[0], struct.unpack("!H", data[6:8])[0], data[8:], peer[0])


def loopback():
    """127.0.0.1 and the guest's own address stay inside."""
    door = socket.socket()
    door.bind(("0.0.0.0", 8080))
    door.listen()
    for address in ("127.0.0.1", interface(0x8915)):
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
