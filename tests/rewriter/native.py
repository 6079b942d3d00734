#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real programs and libraries are rewritten, and do real work on the host:
native.py HERMIT_REWRITE CASE.  Exits 77 where the program is not installed."""
import glob
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUSYBOX = "/bin/busybox"
MUSL = "/usr/lib/x86_64-linux-musl/libc.so"
LINKER = "/lib64/ld-linux-x86-64.so.2"

WORK = r"""
import hashlib, os, signal, socket, sqlite3, subprocess, sys, tempfile, threading
with tempfile.TemporaryDirectory() as d:
    db = sqlite3.connect(os.path.join(d, "db"))
    db.execute("create table t(a integer primary key, b text)")
    with db:
        db.executemany("insert into t(b) values(?)", [(str(i) * 20,) for i in range(5000)])
    assert db.execute("select count(*), max(a) from t").fetchone() == (5000, 5000)
    db.close()
p = subprocess.run(["/bin/sh", "-c", "cat; exit 3"], input=b"text", stdout=subprocess.PIPE)
assert (p.returncode, p.stdout) == (3, b"text")
pid = os.fork()
if pid == 0:
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
done = []
threads = [threading.Thread(target=lambda i=i: done.append(i)) for i in range(50)]
for t in threads: t.start()
for t in threads: t.join()
assert sorted(done) == list(range(50))
a, b = socket.socketpair()
a.sendall(b"x" * 1000)
got = b""
while len(got) < 1000: got += b.recv(100)
caught = []
signal.signal(signal.SIGUSR1, lambda *args: caught.append(args[0]))
for _ in range(100): os.kill(os.getpid(), signal.SIGUSR1)
assert caught
try:
    open("/nonexistent/file")
except FileNotFoundError as e:
    assert e.errno == 2
print("worked", hashlib.sha256(got).hexdigest()[:8])
"""

GO = r"""
package main
import ("fmt"; "io"; "net/http"; "net/http/httptest"; "os"; "sync")
func main() {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "hello")
	}))
	var wg sync.WaitGroup
	for i := 0; i < 8; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := 0; j < 25; j++ {
				r, err := http.Get(s.URL)
				if err != nil { panic(err) }
				b, _ := io.ReadAll(r.Body)
				r.Body.Close()
				if string(b) != "hello" { os.Exit(1) }
			}
		}()
	}
	wg.Wait()
	fmt.Println("worked")
}
"""


class Case:
    def __init__(self, program, work):
        self.program, self.work = program, work

    def path(self, name):
        return os.path.join(self.work, name)

    def run(self, *args, want=0, **kw):
        p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           timeout=120, cwd=self.work, check=False, **kw)
        if p.returncode != want:
            sys.exit(f"FAIL: {args}: status {p.returncode}, not {want}\n{p.stdout}")
        return p.stdout

    def need(self, *files):
        for f in files:
            if not (os.path.exists(f) or shutil.which(f)):
                print(f"SKIP: no {f}")
                sys.exit(77)

    def rewrite(self, old, new, *options):
        """Rewrites and returns the report."""
        report = self.path("report.json")
        p = subprocess.run([self.program, "--verify", *options, "--report", report, "-o",
                            self.path(new), old], check=False)
        if p.returncode not in (0, 2):
            sys.exit(f"FAIL: {old}: status {p.returncode}")
        with open(report, encoding="utf-8") as f:
            return json.load(f)[0]

    def busybox(self):
        """Both targets: on Linux the one for Hermit executes `syscall` too."""
        self.need(BUSYBOX)
        script = ("i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo $i | $B cat >>out; done; "
                  "$B wc -l <out; $B sort -rn out | $B head -1; $B tar cf - out | $B tar tf -; "
                  "$B sleep 0.01 & wait; $B find . -name out; $B rm out; kill -0 $$ && echo end")
        for target in ("linux", "hermit"):
            self.rewrite(BUSYBOX, "busybox", "--target", target)
            new = self.path("busybox")
            old_out = self.run(BUSYBOX, "sh", "-c", script, env={"B": BUSYBOX})
            new_out = self.run(new, "sh", "-c", script, env={"B": new})
            if old_out != new_out or not new_out.endswith("end\n"):
                sys.exit(f"FAIL: {target}: {new_out!r}, not {old_out!r}")

    def glibc(self):
        self.need(LINKER, "python3")
        libc = os.path.realpath("/lib/x86_64-linux-gnu/libc.so.6")
        self.need(libc)
        os.mkdir(self.path("lib"))
        self.rewrite(libc, "lib/libc.so.6", "--target", "linux")
        for lib in glob.glob("/lib/x86_64-linux-gnu/libsqlite3.so.0"):
            self.rewrite(lib, "lib/libsqlite3.so.0", "--target", "linux")
        self.rewrite(LINKER, "ld.so", "--target", "linux")
        out = self.run(self.path("ld.so"), "--library-path", self.path("lib"),
                       os.path.realpath(shutil.which("python3")), "-c", WORK)
        if not out.startswith("worked"):
            sys.exit(f"FAIL: {out}")

    def build_cancel(self, compiler, name):
        self.run(compiler, "-O1", "-pthread", "-o", self.path(name),
                 os.path.join(HERE, "cancel.c"))
        return self.path(name)

    def musl(self):
        self.need(MUSL, "musl-gcc")
        program = self.build_cancel("musl-gcc", "cancel")
        self.rewrite(MUSL, "libc.so", "--target", "linux")
        os.chmod(self.path("libc.so"), 0o755)
        out = self.run(self.path("libc.so"), program)
        if not out.endswith("all cancelled\n"):
            sys.exit(f"FAIL: {out}")

    def go(self):
        self.need("go")
        with open(self.path("main.go"), "w", encoding="utf-8") as f:
            f.write(GO)
        env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GO111MODULE": "off",
               "GOCACHE": self.path("cache")}
        self.run("go", "build", "-o", "old", "main.go", env=env)
        self.rewrite(self.path("old"), "new", "--target", "linux")
        if self.run(self.path("new")) != "worked\n":
            sys.exit("FAIL: go")

    def cancel(self):
        """Unwinding from a system call: glibc's cancellation runs the cleanup handlers."""
        libc = os.path.realpath("/lib/x86_64-linux-gnu/libc.so.6")
        self.need(libc)
        program = self.build_cancel("gcc", "cancel")
        os.mkdir(self.path("lib"))
        self.rewrite(libc, "lib/libc.so.6")
        out = self.run(LINKER, "--library-path", self.path("lib"), program)
        if not out.endswith("all cancelled\n") or "cleaned up" not in out:
            sys.exit(f"FAIL: {out}")
        static = self.path("static")
        self.run("gcc", "-static", "-O1", "-pthread", "-o", static,
                 os.path.join(HERE, "cancel.c"))
        self.rewrite(static, "static.new")
        self.run(self.path("static.new"))

    def unwind(self):
        """From a stub to main: libgcc in a signal's handler, gdb at a breakpoint."""
        for flags in (["-static", "-no-pie"], ["-pie"], ["-static-pie"]):
            self.run("gcc", "-O1", "-D_GNU_SOURCE", *flags, "-o", "old",
                     os.path.join(HERE, "unwind.c"))
            if self.run(self.path("old")) != "site 1 1\n":
                sys.exit(f"FAIL: {flags}")
            report = self.rewrite(self.path("old"), "new")
            self.run("strip", "-o", "stripped", "new")
            # A static program at fixed addresses has no table for the stubs to be in.
            for name in ("new", "stripped") if "-no-pie" not in flags else ():
                if self.run(self.path(name)) != "stub 0 1\n":
                    sys.exit(f"FAIL: {name} {flags}")
            if shutil.which("gdb") is None or "-no-pie" not in flags:
                continue
            stub = [s["stub"] for s in report["sites"] if s["function"] == "wait_for_signal"][0]
            said = self.run("gdb", "-batch", "-nx", "-ex", f"break *{stub}", "-ex", "run", "-ex",
                            "bt", "new")
            if " in main ()" not in said or "#0  0x" not in said or \
                    "in wait_for_signal@hermit ()" not in said:
                sys.exit(f"FAIL: gdb {flags}\n{said}")
            said = self.run("addr2line", "-f", "-e", "new", stub)
            if not said.startswith("wait_for_signal@hermit\n"):
                sys.exit(f"FAIL: addr2line {flags}\n{said}")

    def tools(self):
        """What reads ELF files accepts the result; rewriting it again changes nothing."""
        source = self.path("t.c")
        with open(source, "w", encoding="utf-8") as f:
            f.write("#include <stdio.h>\n#include <unistd.h>\nchar big[1 << 28];\n"
                    "int main(void) { big[sizeof(big) - 1] = 1; brk(sbrk(0)); "
                    "printf(\"%d\\n\", getpid() > 0); return 0; }\n")
        for flags in (["-static", "-no-pie"], ["-static-pie"], ["-no-pie"], ["-pie"],
                      ["-static", "-no-pie", "-s"], ["-static", "-no-pie", "-Wl,--build-id=none"]):
            self.run("gcc", "-g", "-O1", *flags, "-o", "t", source)
            self.rewrite(self.path("t"), "new")
            if self.run(self.path("new")) != "1\n":
                sys.exit(f"FAIL: {flags}")
            if os.path.getsize(self.path("new")) > os.path.getsize(self.path("t")) + (1 << 20):
                sys.exit(f"FAIL: {flags}: the file has grown too much")
            for old in ("t", "new"):
                said = self.run("readelf", "-aW", old)
                if "Warning" in said or "Error" in said:
                    sys.exit(f"FAIL: readelf {old} {flags}\n{said}")
            self.run("strip", "-o", "stripped", "new")
            if self.run(self.path("stripped")) != "1\n":
                sys.exit(f"FAIL: stripped {flags}")
            if shutil.which("gdb") and "-s" not in flags:
                said = self.run("gdb", "-batch", "-nx", "-ex", "break main", "-ex", "run",
                                "-ex", "bt", "new")
                if "#0  main () at" not in said:
                    sys.exit(f"FAIL: gdb {flags}\n{said}")
            self.rewrite(self.path("new"), "again")
            with open(self.path("new"), "rb") as a, open(self.path("again"), "rb") as b:
                if a.read() != b.read():
                    sys.exit(f"FAIL: rewritten twice {flags}")
        self.run("ldd", shutil.which("python3"))

    def coverage(self):
        """At least 99 of 100 proven sites, but for rt_sigreturn."""
        checked = 0
        for old in ("/lib/x86_64-linux-gnu/libc.so.6", MUSL, BUSYBOX, LINKER):
            if not os.path.exists(old):
                continue
            t = self.rewrite(old, "new")["totals"]
            done, all_ = t["previous"] + t["window"] + t["hole"], t["proven"] - t["kept"]
            print(f"{old}: {done} of {all_}, {t}")
            if done * 100 < all_ * 99:
                sys.exit(f"FAIL: {old}")
            checked += 1
        if checked == 0:
            sys.exit(77)

    def headers(self):
        """Code in a program header that makes room for the stubs'."""
        code = bytes.fromhex("b827000000 0f05 b83c000000 31ff 0f05 0f0b")
        head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 0x40007c, 64, 0, 0,
                           64, 56, 2, 64, 0, 0)
        load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 176, 176, 4096)
        with open(self.path("headers"), "wb") as f:
            f.write(head + load + (bytes(4) + code).ljust(56, b"\0"))
        said = self.run(self.program, "-o", "new", "headers", want=3)
        if "code in its headers" not in said:
            sys.exit(f"FAIL: {said}")

    def command(self):
        """The command line: directories, patterns, what is refused and how it is said."""
        os.mkdir(self.path("in"))
        for name in ("a", "b"):
            self.run("gcc", "-static", "-o", f"in/{name}", "-x", "c", "-", input="int main;")
        with open(self.path("in/text"), "w", encoding="utf-8") as f:
            f.write("no program\n")
        self.run(self.program, "-j2", "-o", "out", "in")
        if sorted(os.listdir(self.path("out"))) != ["a", "b"]:
            sys.exit("FAIL: -o of a directory")
        self.run(self.program, "--dry-run", "in/[ab]")
        shutil.copy(self.path("in/a"), self.path("set-id"))
        os.chmod(self.path("set-id"), 0o4755)
        if os.geteuid() == 0:
            os.chown(self.path("set-id"), 4711, 4712)
            os.chmod(self.path("set-id"), 0o4755)
        os.symlink("set-id", self.path("link"))
        old = os.stat(self.path("link"))
        self.run(self.program, "link")
        new = os.stat(self.path("set-id"))
        if not os.path.islink(self.path("link")) or new.st_ino == old.st_ino:
            sys.exit("FAIL: a symbolic link in place")
        if (new.st_mode, new.st_uid, new.st_gid) != (old.st_mode, old.st_uid, old.st_gid):
            sys.exit("FAIL: mode and owner")
        said = self.run(self.program, "in/text", want=3)
        if said != "hermit-rewrite: in/text: not an ELF file\n":
            sys.exit(f"FAIL: {said}")
        self.run(self.program, "in/absent", want=1)
        self.run(self.program, want=1)
        self.run(self.program, "--tiers", "none", "in/a", want=1)
        self.run(self.program, "--tiers", "previous", "in/a", want=2)
        with open(self.path("textrel.S"), "w", encoding="utf-8") as f:
            f.write(".globl f\nf: movabs $f, %rax\n mov $39, %eax\n syscall\n ret\n")
        self.headers()
        self.run("gcc", "-shared", "-nostdlib", "-Wl,-z,notext", "-o", "textrel.so", "textrel.S")
        said = self.run(self.program, "textrel.so", want=3)
        if "text relocations" not in said:
            sys.exit(f"FAIL: {said}")


def main():
    program, case = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="hermit-rewriter-") as work:
        getattr(Case(os.path.abspath(program), work), case)()


if __name__ == "__main__":
    main()
