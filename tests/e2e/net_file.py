#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sendfile(2) to the host's network: what arrives is what the file held when it was called."""
import hashlib
import os
import socket
import struct
import sys
import tempfile
import time

import harness
import net

GUEST = os.path.join(harness.HERE, "net_file_guest.py")


def read_all(s):
    data, piece = bytearray(), b"x"
    while piece:
        piece = s.recv(1 << 18)
        data += piece
    return bytes(data)


class SendFile(net.NetTest):
    def serve_files(self, *arguments):
        """net_file_guest.py with a writable directory; the port and the directory."""
        port, shared = net.free_port(), self.directory()
        p = self.ready("-p", f"127.0.0.1:{port}:7000", "-v", GUEST, "-v", f"{shared}:/files:rw",
                       net.PYTHON, GUEST, *arguments)
        return p, port, shared

    def directory(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        return made.name

    def expect(self, port, data, slowly=False):
        with net.connect(port) as s:
            s.sendall(b"x")
            if slowly:
                s.recv(1, socket.MSG_PEEK)
                time.sleep(0.5)  # the guest's sends meet a full socket
            got = read_all(s)
        self.assertEqual(len(got), len(data))
        self.assertEqual(hashlib.sha256(got).digest(), hashlib.sha256(data).digest())

    def test_order(self):
        """Head, pieces of all sizes and tail, corked and not, the files closed at once."""
        p, port, shared = self.serve_files("pieces", "3")
        data = os.urandom(12 << 20)
        with open(os.path.join(shared, "file"), "wb") as f:
            f.write(data)
        expected = b""
        for n in (1, 100, 4096, 32768, 32769, 100000, 1 << 20, 12 << 20):
            expected += b"head %d\n" % n + data[len(data) - n:] + b"tail\n"
        for slowly in (False, True, False):
            self.expect(port, expected, slowly)
        self.end(p)

    def test_guest_changes_file(self):
        """Truncated or removed by the guest once sendfile(2) has returned: all of it arrives."""
        p, port, shared = self.serve_files("change")
        for how in (b"truncate", b"open", b"remove", b"nothing"):
            data = os.urandom(600000)
            with open(os.path.join(shared, "file"), "wb") as f:
                f.write(data)
            with net.connect(port) as s:
                s.sendall(how)
                count = struct.unpack("<Q", s.recv(8, socket.MSG_WAITALL))[0]
                self.assertGreater(count, 0)
                got = read_all(s)
            self.assertEqual(got == data[:count], True, (how, len(got), count))
        self.end(p)

    def test_reset(self):
        """The peer goes in the middle: EPIPE or ECONNRESET, and the server lives on."""
        p, port, shared = self.serve_files("blocking", "2")
        data = os.urandom(1 << 20) * 16
        with open(os.path.join(shared, "file"), "wb") as f:
            f.write(data)
        s = net.connect(port)
        s.recv(100000)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
        with net.connect(port) as s:
            self.assertEqual(read_all(s) == data, True)
        self.assertEqual(self.end(p), b"gone\nsent\n")

    def test_host_truncates(self):
        """Somebody else cuts the file: the server is told the end of it or an error."""
        p, port, shared = self.serve_files("blocking", "1")
        path = os.path.join(shared, "file")
        with open(path, "wb") as f:
            f.write(os.urandom(1 << 20) * 64)
        with net.connect(port) as s:
            s.recv(100000, socket.MSG_WAITALL)
            os.truncate(path, 4096)
            read_all(s)
        self.assertIn(self.end(p), (b"gone\n", b"sent\n", b"EIO\n"))


if __name__ == "__main__":
    if not os.access(net.PYTHON, os.X_OK):
        print("SKIP: no python3")
        sys.exit(77)
    harness.main(__doc__)
