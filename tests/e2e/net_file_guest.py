# SPDX-License-Identifier: MIT
"""What net_file.py runs inside: servers that answer with sendfile(2)."""
import errno
import os
import select
import socket
import struct
import sys

PATH = "/files/file"


def listener():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("", 7000))
    s.listen(8)
    print("ready", flush=True)
    return s


def send_all(s, send, left):
    """send(sent) until it has sent `left` bytes; the socket does not block."""
    poll, sent = select.poll(), 0
    poll.register(s, select.POLLOUT)
    while sent < left:
        try:
            sent += send(sent)
        except BlockingIOError:
            poll.poll()


def pieces(count):
    door = listener()
    for _ in range(int(count)):
        s, _ = door.accept()
        s.recv(1)
        s.setblocking(False)
        for i, n in enumerate((1, 100, 4096, 32768, 32769, 100000, 1 << 20, 12 << 20)):
            head, corked = b"head %d\n" % n, i % 2
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, corked)
            send_all(s, lambda sent: s.send(head[sent:]), len(head))
            fd = os.open(PATH, os.O_RDONLY)
            start = os.fstat(fd).st_size - n
            send_all(s, lambda sent: os.sendfile(s.fileno(), fd, start + sent, n - sent), n)
            assert os.lseek(fd, 0, os.SEEK_CUR) == 0
            assert os.sendfile(s.fileno(), fd, start + n, 10) == 0
            os.close(fd)
            send_all(s, lambda sent: s.send(b"tail\n"[sent:]), 5)
            assert s.getsockopt(socket.IPPROTO_TCP, socket.TCP_CORK) == corked
        s.close()


def change():
    door = listener()
    while True:
        s, _ = door.accept()
        how = s.recv(16)
        s.setblocking(False)
        size = os.stat(PATH).st_size
        fd = os.open(PATH, os.O_RDWR)
        s.send(struct.pack("<Q", size))
        assert os.sendfile(s.fileno(), fd, 0, size) == size
        if how == b"truncate":
            os.ftruncate(fd, 0)
        elif how == b"open":
            os.close(os.open(PATH, os.O_WRONLY | os.O_TRUNC))
        elif how == b"remove":
            os.unlink(PATH)
        os.close(fd)
        s.close()
        if how == b"nothing":
            return


def blocking(count):
    door = listener()
    for _ in range(int(count)):
        s, _ = door.accept()
        fd = os.open(PATH, os.O_RDONLY)
        try:
            while os.sendfile(s.fileno(), fd, None, 1 << 24):
                pass
            print("sent", flush=True)
        except (BrokenPipeError, ConnectionResetError):
            print("gone", flush=True)
        except OSError as e:
            print(errno.errorcode[e.errno], flush=True)
        os.close(fd)
        s.close()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    sys.stdout.flush()
    os._exit(0)
