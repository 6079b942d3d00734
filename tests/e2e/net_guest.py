# SPDX-License-Identifier: MIT
"""What net.py runs inside: small servers and clients by name."""
import errno
import fcntl
import hashlib
import os
import select
import signal
import socket
import struct
import sys
import time

IP_PKTINFO, IP_RECVERR, IP_RECVTTL, IP_RECVTOS, SO_TIMESTAMPNS = 8, 11, 12, 13, 35


def ready():
    print("ready", flush=True)


def tcp_listener(family=socket.AF_INET, port=7000, backlog=128):
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("", port))
    s.listen(backlog)
    ready()
    return s


def echo(count):
    """Echoes on many connections at a time, by epoll, edge-triggered; ends when `count` ended."""
    door, poll, peers, pending = tcp_listener(), select.epoll(), {}, {}
    door.setblocking(False)
    poll.register(door, select.EPOLLIN)
    left = int(count)

    def end(fd):
        poll.unregister(fd)
        peers.pop(fd).close()
        pending.pop(fd)

    while left > 0:
        for fd, _ in poll.poll():
            if fd == door.fileno():
                peer, _ = door.accept()
                peer.setblocking(False)
                peers[peer.fileno()] = peer
                pending[peer.fileno()] = bytearray()
                poll.register(peer, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
                continue
            peer, data, ended = peers[fd], pending[fd], False
            try:
                while not ended:
                    while data:
                        del data[:peer.send(data)]
                    data += peer.recv(65536)
                    ended = not data
            except BlockingIOError:
                continue
            except OSError:
                ended = True
            if ended:
                end(fd)
                left -= 1


def soak():
    """Echoes, and after a peer's end the digest of what came; a line on stdin ends it.  Prints how
    many connections ended and how many descriptors are open that were not before."""
    door, poll, peers = tcp_listener(backlog=1024), select.epoll(), {}
    door.setblocking(False)
    poll.register(door, select.EPOLLIN)
    poll.register(0, select.EPOLLIN)
    before, ended = len(os.listdir("/proc/self/fd")), 0

    def serve(fd):
        """False: the connection is over."""
        peer, out, digest, at_end = peers[fd]
        try:
            if out:
                del out[:peer.send(out)]
            elif at_end:
                return False
            else:
                data = peer.recv(65536)
                digest.update(data)
                peers[fd][3] = not data
                out += data or digest.digest()
        except BlockingIOError:
            pass
        except OSError:
            return False
        poll.modify(fd, select.EPOLLOUT if out or peers[fd][3] else select.EPOLLIN)
        return True

    while True:
        for fd, _ in poll.poll():
            if fd == 0 and peers:
                continue  # until all have ended
            if fd == 0:
                print(ended, len(os.listdir("/proc/self/fd")) - before, flush=True)
                return
            if fd == door.fileno():
                peer, _ = door.accept()
                peer.setblocking(False)
                peers[peer.fileno()] = [peer, bytearray(), hashlib.sha256(), False]
                poll.register(peer, select.EPOLLIN)
            elif not serve(fd):
                poll.unregister(fd)
                peers.pop(fd)[0].close()
                ended += 1


def blocking_echo():
    door = tcp_listener()
    peer, address = door.accept()
    print("peer", address[0], "here", peer.getsockname()[1], flush=True)
    while True:
        data = peer.recv(1 << 20)
        if not data:
            break
        peer.sendall(data)
    peer.close()


def udp_echo(count, family="4"):
    s = socket.socket(socket.AF_INET if family == "4" else socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind(("", 7000))
    ready()
    for _ in range(int(count)):
        data, peer = s.recvfrom(65536)
        s.sendto(data[::-1], peer)


def udp_arrival(port):
    """Answers a datagram from the address that it came to, with what the kernel says of it."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for name in (IP_PKTINFO, IP_RECVTTL, IP_RECVTOS):
        s.setsockopt(socket.IPPROTO_IP, name, 1)
    s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    s.bind(("", int(port)))
    ready()
    _, controls, flags, peer = s.recvmsg(100, 1000)
    got = {(level, kind): data for level, kind, data in controls}
    info = got[0, IP_PKTINFO]
    index, local, to = struct.unpack("i4s4s", info)
    age = time.time() - struct.unpack("qq", got[socket.SOL_SOCKET, SO_TIMESTAMPNS])[0]
    text = (f"{index} {socket.inet_ntoa(local)} {socket.inet_ntoa(to)} "
            f"ttl {struct.unpack('i', got[0, socket.IP_TTL])[0]} tos {got[0, socket.IP_TOS][0]} "
            f"stamp {-1 < age < 300} flags {flags}")
    s.sendmsg([text.encode()], [(0, IP_PKTINFO, info)], 0, peer)


def udp_arrival6(port):
    """Likewise with IPv6's; an IPv4 peer's address is mapped."""
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    for name in (socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS):
        s.setsockopt(socket.IPPROTO_IPV6, name, 1)
    s.bind(("", int(port)))
    ready()
    for _ in range(2):
        _, controls, _, peer = s.recvmsg(100, 1000)
        got = {kind: data for _, kind, data in controls}
        info = got[socket.IPV6_PKTINFO]
        text = socket.inet_ntop(socket.AF_INET6, info[:16]) + f" {struct.unpack('I', info[16:])[0]}"
        for kind in (socket.IPV6_HOPLIMIT, socket.IPV6_TCLASS):
            text += f" {struct.unpack('i', got[kind])[0]}" if kind in got else " -"
        s.sendmsg([text.encode()], [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, info)], 0, peer)


def udp_error(host, port):
    """What a closed port answers, from the queue of errors."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    s.sendto(b"lost", (host, int(port)))  # not connected
    poll = select.poll()
    poll.register(s, 0)
    events = poll.poll(20000)[0][1]
    data, controls, flags, peer = s.recvmsg(100, 1000, socket.MSG_ERRQUEUE)
    number, origin, kind, code = struct.unpack("IBBB", controls[0][2][:7])
    print(events & select.POLLERR != 0, data, flags & socket.MSG_ERRQUEUE != 0, peer[0] == host,
          controls[0][:2], errno.errorcode[number], origin, kind, code)


def urgent():
    """SIGURG for what comes from outside."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGURG])
    peer, _ = tcp_listener().accept()
    fcntl.fcntl(peer, fcntl.F_SETOWN, os.getpid())
    peer.sendall(b"now")
    print(signal.sigtimedwait([signal.SIGURG], 20).si_signo == signal.SIGURG,
          peer.recv(1, socket.MSG_OOB), flush=True)


def segments(host, port):
    """One message that leaves as several datagrams."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_UDP, 103, 1000)  # UDP_SEGMENT
    s.sendto(bytes(2500), (host, int(port)))
    s.sendmsg([bytes(1500)], [(socket.IPPROTO_UDP, 103, struct.pack("H", 700))], 0,
              (host, int(port)))


def overwhelmed(count):
    """Accepts only when told to, by a line."""
    door = tcp_listener(backlog=16)
    sys.stdin.readline()
    for _ in range(int(count)):
        peer, _ = door.accept()
        peer.sendall(peer.recv(100))
        peer.close()


def dual_listener():
    door = tcp_listener(socket.AF_INET6)
    for _ in range(2):
        peer, address = door.accept()
        peer.sendall(address[0].encode())
        peer.close()


def get(host, port):
    """Reads all that the server sends; prints its digest."""
    s = socket.create_connection((host, int(port)), 20)
    digest, total = hashlib.sha256(), 0
    while True:
        data = s.recv(1 << 18)
        if not data:
            break
        total += len(data)
        digest.update(data)
    print(total, digest.hexdigest(), flush=True)


def put(host, port, size):
    """Sends `size` bytes and ends at once."""
    s = socket.create_connection((host, int(port)), 20)
    s.sendall(bytes(range(256)) * (int(size) // 256))


def errors(host, open_port, closed_port):
    """Errors of connections, blocking and not."""
    def outcome(port, address=host):
        s = socket.socket()
        s.setblocking(False)
        r = s.connect_ex((address, port))
        if r == errno.EINPROGRESS:
            select.select([], [s], [], 10)
            r = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        s.close()
        return errno.errorcode.get(r, r)

    print(outcome(int(open_port)), outcome(int(closed_port)), outcome(int(open_port), "127.0.0.1"))


def reset(host, port):
    """The peer resets the connection."""
    s = socket.create_connection((host, int(port)), 20)
    s.sendall(b"go")
    try:
        s.recv(1)
        print("no error")
    except ConnectionResetError:
        print("reset")
    try:
        for _ in range(3):
            s.send(b"x")
        print("no error")
    except BrokenPipeError:
        print("pipe")


def restart():
    """Listens, closes and listens again."""
    for _ in range(2):
        door = tcp_listener()
        peer, _ = door.accept()
        peer.sendall(b"hello")
        peer.close()
        door.close()


def linger_reset():
    door = tcp_listener()
    peer, _ = door.accept()
    peer.recv(1)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    sys.stdin.read()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    sys.stdout.flush()
    os._exit(0)
