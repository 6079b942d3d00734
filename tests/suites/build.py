#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds third-party conformance suites from Debian's sources below build/suites/.

Sources come through scripts/fetch-source, or from an installed Debian package where that holds
them (Go, CPython). A finished build leaves a stamp, which names it in the cache of native results.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, HERE)
import suites  # noqa: E402


def fail(message):
    sys.exit(f"build.py: {message}")


def run(command, **how):
    """Runs a command; its output matters only on failure."""
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       check=False, **how)
    if p.returncode:
        fail(f"{' '.join(command)}: status {p.returncode}\n{p.stdout[-3000:]}")
    return p.stdout


def source(name):
    p = subprocess.run([os.path.join(TOP, "scripts/fetch-source"), name], text=True,
                       stdout=subprocess.PIPE, check=False)
    if p.returncode:
        fail(f"no source of {name}")
    return p.stdout.strip().splitlines()[-1]


def posix(directory, jobs):
    """Every conformance/interfaces/FUNCTION/N-M.c, static. Cases that the C library does not
    compile or link are left out and counted."""
    tree = source("posixtestsuite")
    interfaces = os.path.join(tree, "conformance", "interfaces")
    cases = [c for c in sorted(glob.glob(os.path.join(interfaces, "*", "*.c")))
             if re.fullmatch(r"[0-9]+-[0-9]+\.c", os.path.basename(c))]

    def compile_case(path):
        name = os.path.relpath(path, interfaces)[:-2]
        target = os.path.join(directory, "bin", name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        p = subprocess.run(["gcc", "-std=gnu99", "-O1", "-w", "-D_GNU_SOURCE", "-static", "-s",
                            "-I", os.path.join(tree, "include"), "-I", os.path.dirname(path),
                            "-o", target, path, "-lpthread", "-lrt", "-lm"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           check=False)
        return p.returncode, name, p.stdout

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(compile_case, cases))
    failed = [f"{name}\n{output}" for status, name, output in results if status]
    with open(os.path.join(directory, "not-built.txt"), "w", encoding="utf-8") as f:
        f.write("\n".join(failed))
    print(f"posix: {len(cases)} cases, {len(failed)} do not compile (not-built.txt)")


def cmake(directory, jobs, name, target, options):
    run(["cmake", "-G", "Ninja", "-S", source(name), "-B", directory, "-DCMAKE_BUILD_TYPE=Release",
         "-DCMAKE_POLICY_VERSION_MINIMUM=3.5", *options])
    run(["cmake", "--build", directory, "--target", target, "-j", str(jobs)])


def libevent(directory, jobs):
    cmake(directory, jobs, "libevent", "regress",
          ["-DEVENT__DISABLE_OPENSSL=ON", "-DEVENT__LIBRARY_TYPE=STATIC",
           "-DEVENT__DISABLE_BENCHMARK=ON", "-DEVENT__DISABLE_SAMPLES=ON"])


def libuv(directory, jobs):
    cmake(directory, jobs, "libuv1", "uv_run_tests_a", [])


def golang(directory, jobs):
    """The test binary of each package, from the installed toolchain's own sources."""
    root = suites.go_root()
    if root is None:
        fail("needs the packages golang-1.19-go and golang-1.19-src")
    tool = os.path.join(os.path.dirname(root), "../lib/go-1.19/bin/go")
    env = {"PATH": "/usr/bin:/bin", "HOME": directory, "GOCACHE": os.path.join(directory, "cache"),
           "CGO_ENABLED": "0", "GOFLAGS": "", "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    for package in suites.GO_PACKAGES:
        target = os.path.join(directory, "bin", package.replace("/", "_") + ".test")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        # Debian leaves out the time zones that the tests of time insist on.
        run([tool, "test", "-c", "-p", str(jobs), "-tags=timetzdata", "-o", target, package],
            env=env, cwd=os.path.join(root, "src", package))
    shutil.rmtree(env["GOCACHE"], ignore_errors=True)


# The crate rand, which std's tests need, and what it needs: (name, edition, features, crates).
RAND = (
    ("cfg_if", "2018", (), ()),
    ("libc", "2015", (), ()),
    ("getrandom", "2018", ("std",), ("libc", "cfg_if")),
    ("rand_core", "2018", ("std", "alloc", "getrandom"), ("getrandom",)),
    ("ppv_lite86", "2018", ("std", "simd"), ()),
    ("rand_chacha", "2018", ("std",), ("rand_core", "ppv_lite86")),
    ("rand", "2018", ("std", "std_rng", "alloc", "getrandom", "libc", "rand_chacha"),
     ("rand_core", "rand_chacha", "libc")),
)
# What build.rs of the crate libc finds out about the compiler.
LIBC_CFG = """align cfg_target_vendor const_extern_fn const_size_of core_cvoid int128 non_exhaustive
    packedN priv_mod_use ptr_addr_of underscore_const_names union""".split()
# std's dependencies, which libstd-rust-dev holds compiled.
STD_CRATES = """alloc core cfg_if libc hashbrown std_detect addr2line rustc_demangle miniz_oxide
    object unwind panic_unwind panic_abort compiler_builtins""".split()
STD_FEATURES = ("panic_unwind", "backtrace", "gimli-symbolize", "addr2line", "object",
                "miniz_oxide")
# std's tests are written for rand 0.7, Debian has 0.8.
RAND_07 = (
    ("src/collections/hash/map/tests.rs", "gen_range(-10, 10)", "gen_range(-10..10)"),
    ("tests/env.rs", "sample_iter(&Alphanumeric)", "sample_iter(&Alphanumeric).map(char::from)"),
)


def features(names):
    return [word for n in names for word in ("--cfg", f'feature="{n}"')]


def rust_rand(deps, rustc):
    """Compiles rand from Debian's librust-*-dev."""
    for name, edition, wanted, crates in RAND:
        found = glob.glob(f"/usr/share/cargo/registry/{name.replace('_', '-')}-[0-9]*/src/lib.rs")
        found += glob.glob(f"/usr/share/cargo/registry/{name}-[0-9]*/src/lib.rs")
        if not found:
            fail("needs the package librust-rand-dev")
        extern = [w for c in crates for w in ("--extern", f"{c}={deps}/lib{c}.rlib")]
        cfg = [w for c in LIBC_CFG for w in ("--cfg", f"libc_{c}")] if name == "libc" else []
        run([*rustc, "--edition", edition, "--crate-type", "rlib", "--crate-name", name, found[0],
             "--out-dir", deps, "-L", deps, *extern, *cfg, *features(wanted)])


def rust(directory, _jobs):
    """Debian's rustc compiles the tests in its own library's sources, as rustc's own build does:
    they are a second std, which lies beside the one that the tests' harness uses."""
    root = suites.rust_root()
    if root is None:
        fail("needs the packages rustc, rust-src and librust-rand-dev")
    deps, library = os.path.join(directory, "deps"), os.path.join(directory, "library")
    for path in (deps, library):
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
    os.makedirs(os.path.join(directory, "bin"), exist_ok=True)
    for path in glob.glob(os.path.join(root, "library", "*")):
        if os.path.basename(path) != "std":
            os.symlink(path, os.path.join(library, os.path.basename(path)))
    std = os.path.join(library, "std")
    shutil.copytree(os.path.join(root, "library", "std"), std)
    for name, old, new in RAND_07:
        with open(os.path.join(std, name), encoding="utf-8") as f:
            text = f.read()
        with open(os.path.join(std, name), "w", encoding="utf-8") as f:
            f.write(text.replace(old, new))
    # Unstable features are std's own; build.rs of std names the architecture.
    os.environ.update(RUSTC_BOOTSTRAP="1", STD_ENV_ARCH="x86_64")
    rustc = ["/usr/bin/rustc", "--cap-lints", "allow", "-C", "opt-level=1"]
    rust_rand(deps, rustc)
    installed = suites.listing(["/usr/bin/rustc", "--print", "target-libdir"])[0]
    extern = ["--extern", f"rand={deps}/librand.rlib"]
    external = [*extern, "--extern", f"cfg_if={deps}/libcfg_if.rlib"]
    for name in STD_CRATES:
        for path in glob.glob(os.path.join(installed, f"lib{name}-*.rlib")):
            extern += ["--extern", f"{name}={path}"]
    tests = [*rustc, "--test", "--edition", "2021", "-L", deps]
    run([*tests, os.path.join(std, "src/lib.rs"), "--crate-name", "std", *extern,
         "-Zforce-unstable-if-unmarked", "--cfg", "backtrace_in_libstd", *features(STD_FEATURES),
         "-o", os.path.join(directory, "bin", "std")])
    for name in ("env", "thread"):
        run([*tests, os.path.join(std, "tests", f"{name}.rs"), *external,
             "-o", os.path.join(directory, "bin", name)])


def cpython(_directory, _jobs):
    """Nothing to build: the interpreter and its tests are Debian's."""
    for path in (suites.PYTHON, suites.PYTHON_TESTS):
        if not os.path.exists(path):
            fail(f"no {path}: needs the packages python3.11 and libpython3.11-testsuite")


BUILDERS = {"posix": posix, "libevent": libevent, "libuv": libuv, "go": golang,
            "rust": rust, "cpython": cpython}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suite", choices=[*BUILDERS, "all"])
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    for name in BUILDERS if args.suite == "all" else [args.suite]:
        directory = suites.directory(name)
        os.makedirs(directory, exist_ok=True)
        start = time.time()
        BUILDERS[name](directory, args.jobs)
        with open(suites.stamp(name), "w", encoding="ascii") as f:
            f.write(f"{time.time():.0f}\n")
        print(f"{name}: built in {time.time() - start:.0f} s, in {directory}")


if __name__ == "__main__":
    main()
