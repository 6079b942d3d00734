#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hermit's musl as its users have it: installed somewhere, through the compiler wrapper and the
CMake toolchain file; and its libc.so under a program that was linked with another musl."""
import argparse
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import engine as engines  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
HELLO = os.path.join(HERE, "../linux/hello.c")
UNDERNEATH = os.path.join(HERE, "underneath.c")
INCLUDE = os.path.join(HERE, "../../include")
SAID = b"Hello from ring 3!\n"
PROJECT = """cmake_minimum_required(VERSION 3.20)
project(hello C)
find_package(Threads REQUIRED)
add_executable(hello {})
target_link_libraries(hello Threads::Threads)
"""


def check(condition, what):
    if not condition:
        sys.exit("FAIL: " + what)


def run(*argv, env=None):
    """Runs a tool that must succeed; its output."""
    p = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
    check(p.returncode == 0, f"{' '.join(argv)}: {p.stdout}{p.stderr}")
    return p.stdout


def says_hello(engine, argv, what, options=()):
    o = engine.run(argv, options)
    check((o.status, o.out) == (0, SAID), f"{what}: {o.status} {o.out} {o.err}")


def programs(engine, gcc, libc, directory):
    """Every kind of program, from any directory, also through a symbolic link to the wrapper."""
    link = os.path.join(directory, "cc")
    os.symlink(gcc, link)
    loader = "-Wl,-dynamic-linker," + libc
    for i, flags in enumerate((["-static"], ["-static-pie"], [loader], ["-no-pie", loader])):
        program = os.path.join(directory, f"hello{i}")
        run(link, "-O2", *flags, "-o", program, HELLO)
        says_hello(engine, [program], f"hello {flags}", ["-v", libc])
        if i < 2:
            check("INTERP" not in run("readelf", "-lW", program), f"{flags} has an interpreter")
    program = os.path.join(directory, "hello")
    run(gcc, "-o", program, HELLO)
    check("/lib/ld-musl-x86_64.so.1]" in run("readelf", "-lW", program), "standard interpreter")
    library = os.path.join(directory, "libhello.so")
    run(gcc, "-shared", "-fPIC", "-o", library, HELLO)
    check("NEEDED" in run("readelf", "-dW", library), "a shared library needs libc.so")
    print("ok static, static PIE, dynamic")


def small(directory):
    """A static program holds what it uses."""
    program = os.path.join(directory, "hello0")
    run("strip", program)
    size = os.path.getsize(program)
    check(size < 20000, f"hello has {size} bytes")
    print(f"ok hello, static and stripped: {size} bytes")


def toolchain(engine, prefix, directory):
    """The CMake toolchain file, with each way to link."""
    source = os.path.join(directory, "project")
    os.mkdir(source)
    with open(os.path.join(source, "CMakeLists.txt"), "w", encoding="utf-8") as f:
        f.write(PROJECT.format(os.path.abspath(HELLO)))
    for how in ("static", "static-pie", "dynamic"):
        build = os.path.join(directory, how)
        run("cmake", "-S", source, "-B", build, "--toolchain", f"{prefix}/hermit-musl.cmake",
            f"-DHERMIT_MUSL_LINK={how}")
        run("cmake", "--build", build)
        kind = run("readelf", "-lW", f"{build}/hello")
        check(("INTERP" in kind) == (how == "dynamic"), f"{how}: {kind}")
        if how != "dynamic":  # the machine may have no musl of its own
            says_hello(engine, [f"{build}/hello"], "cmake " + how)
    print("ok CMake toolchain file")


def drop_in(engine, libc, directory):
    """libc.so in the place of another musl's, under a program that does not know."""
    other = shutil.which("musl-gcc")
    if other is None:
        print("no other musl on this machine")
        return
    program = os.path.join(directory, "foreign")
    run(other, "-O2", "-o", program, HELLO)
    if engine.name == "native":
        says_hello(engine, [libc, program], "drop-in")
    else:
        says_hello(engine, [program], "drop-in", ["-v", f"{libc}:/lib/ld-musl-x86_64.so.1"])
    print("ok libc.so in another musl's place")


def flag(engine, gcc, directory):
    """The libc jumps if, and only if, the kernel says that it may."""
    program = os.path.join(directory, "underneath")
    run(gcc, "-O2", "-static", "-I" + INCLUDE, "-o", program, UNDERNEATH)
    o = engine.run([program])
    check(o.status == 0 and o.out in (b"syscall\n", b"jump\n"), f"{o.status} {o.out} {o.err}")
    check(engine.name != "native" or o.out == b"syscall\n", "jumps on Linux")
    print("ok way into the kernel:", o.out.decode().strip())


def sites(libc):
    """No `syscall` in libc.so but behind a jump, and rt_sigreturn's."""
    code = run("objdump", "-d", "--no-show-raw-insn", libc)
    code = [line for line in code.splitlines() if re.match(r" *[0-9a-f]+:\t.", line)]
    calls = [i for i, line in enumerate(code) if re.search(r"\tsyscall\s*$", line)]
    raw = [code[i - 1] for i in calls if not re.search(r"jmp +\*%gs:0x1[0-9a-f]{3}$", code[i - 1])]
    check(len(calls) > 400 and len(raw) == 1 and re.search(r"\$0xf,", raw[0]),
          f"{len(calls)} system calls, not behind a jump: {raw}")
    print(f"ok {len(calls) - 1} calls are jumps")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="the build tree")
    engines.add_arguments(parser)
    args = parser.parse_args()
    engine = engines.from_arguments(args)
    with engines.work_directory() as directory:
        installed = os.path.join(directory, "opt")
        run("cmake", "--install", args.build, "--component", "musl", "--prefix", installed)
        gcc = os.path.join(installed, "bin/hermit-musl-gcc")
        prefix = os.path.dirname(os.path.dirname(run(gcc, "-print-file-name=libc.a").strip()))
        check(prefix.startswith(installed), f"the wrapper uses {prefix}")
        libc = os.path.join(prefix, "lib/libc.so")
        sites(libc)
        programs(engine, gcc, libc, directory)
        small(directory)
        flag(engine, gcc, directory)
        toolchain(engine, prefix, directory)
        drop_in(engine, libc, directory)


if __name__ == "__main__":
    main()
