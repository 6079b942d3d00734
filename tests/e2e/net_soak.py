#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many connections that open and close at random, checksummed both ways.

HERMIT_SOAK_SECONDS says for how long (10)."""
import hashlib
import os
import random
import selectors
import socket
import struct
import subprocess
import sys
import time

import harness
import net

SECONDS = float(os.environ.get("HERMIT_SOAK_SECONDS", "10"))
AT_ONCE = 500
MOST = 300000  # bytes of a connection


class Peer:
    """One connection: sends, ends or breaks off, and holds what comes back against what went."""

    def __init__(self, rng, port, data):
        self.s = socket.socket()
        self.s.setblocking(False)
        self.s.connect_ex(("127.0.0.1", port))
        start, size = rng.randrange(len(data)), int(MOST * rng.random() ** 4)
        self.data = memoryview(data)[start:start + size]
        self.breaks = rng.random() < 0.1
        self.sent, self.got, self.shut = 0, bytearray(), False

    def send(self):
        if self.sent < len(self.data):
            self.sent += self.s.send(self.data[self.sent:self.sent + 30000])
        if self.sent == len(self.data) and not self.shut:
            self.s.shutdown(socket.SHUT_WR)
            self.shut = True

    def receive(self):
        """True at the end."""
        piece = self.s.recv(65536)
        self.got += piece
        return not piece

    def is_right(self):
        n = len(self.data)
        return self.got[:n] == self.data and self.got[n:] == hashlib.sha256(self.data).digest()

    def is_broken_off(self):
        """Resets the connection, some way into it."""
        if not self.breaks or len(self.got) < len(self.data) // 2 or not self.shut:
            return False
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return True


class SoakTest(harness.HermitTest):
    def soak(self, *options):
        port, rng = net.free_port(), random.Random(5)
        data = rng.randbytes(2 * MOST)
        guest = harness.spawn(["--timeout", f"{SECONDS + 60:.0f}s", *options, "-v", net.GUEST, "-p",
                               f"127.0.0.1:{port}:7000", net.PYTHON, net.GUEST, "soak"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(net.NetTest.stop, guest)
        self.assertEqual(guest.stdout.readline(), b"ready\n")
        sel, open_now, begun, right = selectors.DefaultSelector(), 0, 0, 0
        end = time.monotonic() + SECONDS
        while open_now > 0 or time.monotonic() < end:
            while open_now < AT_ONCE and time.monotonic() < end:
                peer = Peer(rng, port, data)
                sel.register(peer.s, selectors.EVENT_READ | selectors.EVENT_WRITE, peer)
                open_now, begun = open_now + 1, begun + 1
            ready = sel.select(30)
            self.assertTrue(ready, f"{open_now} connections are stuck")
            for key, events in ready:
                peer, over = key.data, False
                if events & selectors.EVENT_WRITE:
                    peer.send()
                    if peer.shut:
                        sel.modify(peer.s, selectors.EVENT_READ, peer)
                if events & selectors.EVENT_READ:
                    over = peer.receive()
                if over:
                    self.assertTrue(peer.is_right(), f"{len(peer.got)} bytes came back")
                    right += 1
                if over or peer.is_broken_off():
                    sel.unregister(peer.s)
                    peer.s.close()
                    open_now -= 1
        guest.stdin.write(b"\n")
        guest.stdin.flush()
        ended, left = guest.stdout.readline().split()
        self.assertEqual((int(ended), int(left)), (begun, 0))
        self.assertGreater(right, begun // 2)
        print(f"{begun} connections, {right} to their end")

    def test_one_cpu(self):
        self.soak()

    def test_two_cpus(self):
        self.soak("--cpus", "2")


if __name__ == "__main__":
    if not os.access(net.PYTHON, os.X_OK):
        print("SKIP: no python3")
        sys.exit(77)
    harness.main(__doc__)
