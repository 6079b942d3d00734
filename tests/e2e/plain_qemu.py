#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The kernel under QEMU in the ways that hermit-run does not use by itself: the plain
`qemu-system-x86_64 -kernel` line of the manual with files from a cpio archive, and QEMU's own KVM
accelerator.  Exit status 77: QEMU or busybox is missing."""
import argparse
import http.server
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

BUSYBOX = "/bin/busybox"
QEMU = shutil.which("qemu-system-x86_64")
ARGS = None


def newc(name, mode, data=b""):
    """One entry of a cpio archive (newc: cpio(5))."""
    path = name.encode() + b"\0"
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0]
    header = b"070701" + b"".join(b"%08x" % f for f in fields)
    entry = header + path
    entry += b"\0" * (-len(entry) % 4)
    return entry + data + b"\0" * (-len(data) % 4)


def archive():
    with open(BUSYBOX, "rb") as f:
        program = f.read()
    return (newc("bin", 0o040755) + newc("bin/busybox", 0o100755, program) +
            newc("etc", 0o040755) + newc("etc/motd", 0o100644, b"from the archive\n") +
            newc("link", 0o120777, b"etc/motd") + newc("TRAILER!!!", 0))


class PlainQemu(unittest.TestCase):
    def run_kernel(self, append, stdin=b"", initrd=None, devices=()):
        with tempfile.NamedTemporaryFile() as f:
            f.write(archive() if initrd is None else initrd)
            f.flush()
            command = [QEMU, "-M", "microvm", "-accel", "tcg", "-cpu", "max", "-m", "128",
                       "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
                       "-device", "isa-debug-exit", "-kernel", ARGS.kernel, "-initrd", f.name,
                       "-append", append, *devices]
            return subprocess.run(command, input=stdin, capture_output=True, timeout=120,
                                  check=False)

    def test_files_of_the_archive(self):
        p = self.run_kernel("/bin/busybox cat /etc/motd /link")
        self.assertEqual(p.stdout, b"from the archive\n" * 2)
        self.assertEqual(p.returncode, 1)  # isa-debug-exit: (status << 1) | 1

    def test_network(self):
        """DHCP and TCP through QEMU's user networking, by either version of the device."""
        page = b"<p>from the host</p>" * 10000

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *args):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        device = ("-netdev", "user,id=n", "-device", "virtio-net-device,netdev=n")
        url = f"http://10.0.2.2:{server.server_port}/"
        for more in ((), ("-global", "virtio-mmio.force-legacy=false")):
            p = self.run_kernel(f"/bin/busybox wget -q -O - {url}", devices=(*device, *more))
            self.assertEqual(p.stdout.replace(b"\r\n", b"\n"), page)
            self.assertEqual(p.returncode, 1)

    def test_forwarded_port(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        ended = threading.Event()

        def send():
            """QEMU takes connections before the guest does, and resets them."""
            while not ended.wait(0.2):
                try:
                    with socket.create_connection(("127.0.0.1", port), 5) as s:
                        s.sendall(b"hello\n")
                        s.shutdown(socket.SHUT_WR)
                        s.recv(1)
                except OSError:
                    pass

        t = threading.Thread(target=send)
        t.start()
        p = self.run_kernel("/bin/busybox nc -l -p 80", devices=(
            "-netdev", f"user,id=n,hostfwd=tcp:127.0.0.1:{port}-:80",
            "-device", "virtio-net-device,netdev=n"))
        ended.set()
        t.join()
        self.assertEqual((p.stdout.replace(b"\r", b""), p.returncode), (b"hello\n", 1))

    def test_environment_and_status(self):
        p = self.run_kernel("GREETING=hello -- /bin/busybox env")
        self.assertIn(b"GREETING=hello\n", p.stdout)
        p = self.run_kernel("/bin/busybox false")
        self.assertEqual((p.stdout, p.returncode), (b"", 3))

    def test_the_root_is_writable(self):
        p = self.run_kernel("/bin/busybox cp /etc/motd /copy")
        self.assertEqual((p.stdout, p.returncode), (b"", 1))

    def test_the_clock_is_the_machines(self):
        import time
        p = self.run_kernel("/bin/busybox date +%s")
        self.assertLess(abs(int(p.stdout) - time.time()), 60)

    def test_bad_input(self):
        p = self.run_kernel("/bin/nothing")
        self.assertIn(b"/bin/nothing: no such file", p.stdout)
        self.assertEqual(p.returncode, 127 << 1 & 0xff | 1)
        p = self.run_kernel("/bin/busybox", initrd=b"not an archive" * 100)
        self.assertIn(b"not a cpio archive", p.stdout)

    def test_memory_beyond_the_first_gib(self):
        for size, status in (("2G", 0), ("8G", 125)):
            p = subprocess.run([ARGS.hermit_run, "--vmm", "qemu", "-m", size, BUSYBOX, "true"],
                               capture_output=True, timeout=120, check=False)
            self.assertEqual(p.returncode, status, p.stderr)

    def test_kvm_accelerator(self):
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            self.skipTest("/dev/kvm is missing")
        environment = dict(os.environ, HERMIT_QEMU_ACCEL="kvm")
        p = subprocess.run([ARGS.hermit_run, "--vmm", "qemu", BUSYBOX, "echo", "hello"],
                           env=environment, capture_output=True, timeout=120, check=False)
        self.assertEqual((p.stdout, p.stderr, p.returncode), (b"hello\n", b"", 0))


def main():
    global ARGS
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", help="qemu, for the other scripts' sake")
    parser.add_argument("--hermit-run", required=True)
    parser.add_argument("--kernel", required=True)
    ARGS = parser.parse_args()
    if QEMU is None or not os.path.exists(BUSYBOX):
        print("SKIPPED: qemu-system-x86_64 or busybox-static is missing")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v"])


main()
