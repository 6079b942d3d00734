# SPDX-License-Identifier: MIT
"""Whole programs: a database, an interpreter, compression, a compiler."""
import glob
import os
import shutil
import subprocess

from ..model import CPU, WALL, Case, Failure, Work

PYTHON = "/usr/bin/python3"
PYTHON_WORK = {
    "python-numbers": ("python3, arithmetic and calls", """
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
fib({n})
s = 0.0
for i in range({m}): s += i * 0.5 % 3
"""),
    "python-objects": ("python3, dictionaries, strings, JSON", """
import json, re
d = {{str(i): [i, {{'k': 'v' * 10}}] for i in range({m} // 20)}}
for _ in range(3): d = json.loads(json.dumps(d))
len(re.findall(r'v+', json.dumps(d)))
sorted(d, key=lambda k: (len(k), k[::-1]))
"""),
}


def sqlite(ctx):
    """SQLite's own speed test on the host's libsqlite3; each variant has a database of its own."""
    program, size = ctx.scratch("speedtest1"), ctx.pick("2", "20")

    def prepare():
        if os.path.exists(program):
            return
        source = os.path.join(ctx.fetch_source("sqlite3"), "test/speedtest1.c")
        p = subprocess.run(["cc", "-O2", "-o", program, source, "-lsqlite3"], text=True,
                           capture_output=True, check=False)
        if p.returncode:
            raise Failure("speedtest1 does not build (libsqlite3-dev?): " + p.stderr[-200:])

    def on_file(peer):
        folder = ctx.scratch("db-" + peer.name)
        os.makedirs(folder, exist_ok=True)
        return Work([program, "--size", size, os.path.join(folder, "db")], writes=[folder])

    try:
        prepare()  # adapters look at the program's libraries
    except Failure as e:
        ctx.notes.append(("apps/sqlite", "all", str(e)))
        return []
    memory = Work([program, "--size", size, "--memdb"])
    return [Case("apps", "sqlite", "SQLite's speed test, in memory", [WALL, CPU],
                 ctx.variants("apps/sqlite", memory), weight=2),
            Case("apps", "sqlite-file", "SQLite's speed test, on a file", [WALL, CPU],
                 ctx.variants("apps/sqlite-file", on_file), slow=True, weight=2)]


def python(ctx):
    if not os.access(PYTHON, os.X_OK):
        ctx.notes.append(("apps/python", "all", "no /usr/bin/python3 (Debian: python3)"))
        return
    n, m = ctx.pick((18, 40000), (24, 1000000))
    for name, (title, text) in PYTHON_WORK.items():
        path = ctx.scratch(name + ".py")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.format(n=n, m=m))
        work = Work([os.path.realpath(PYTHON), path], reads=[path], system=["/usr/lib/python3"])
        yield Case("apps", name, title, [WALL, CPU], ctx.variants(f"apps/{name}", work),
                   slow=name != "python-numbers", weight=2)


def compression(ctx):
    """A text of the system's own, so that it compresses as text does."""
    path = ctx.scratch("text")

    def prepare():
        with open(path, "wb") as out:
            for source in sorted(glob.glob("/usr/share/perl/5*/**/*.p[lm]", recursive=True)):
                with open(source, "rb") as f:
                    out.write(f.read())
                if out.tell() > (ctx.pick(1, 16) << 19):
                    break

    prepare()
    for name, options in (("gzip", ["-c"]), ("xz", ["-1", "-T1", "-c"])):
        program = shutil.which(name)
        if not program:
            continue
        work = Work([os.path.realpath(program), *options, path], reads=[path])
        yield Case("apps", name, f"{name} of {os.path.getsize(path) >> 20} MiB of text",
                   [WALL, CPU], ctx.variants(f"apps/{name}", work), slow=name == "gzip", weight=2)


def compiling(ctx):
    """The compiler proper, without the driver that starts it."""
    found = sorted(glob.glob("/usr/lib/gcc/x86_64-linux-gnu/*/cc1"))
    if not found:
        ctx.notes.append(("apps/compile", "all", "no cc1 (Debian: gcc)"))
        return
    path = ctx.scratch("source.c")
    with open(path, "w", encoding="utf-8") as f:
        f.write("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n")
        for i in range(ctx.pick(8, 150)):
            f.write(f"int f{i}(const char *s, int n) {{ int t = {i};\n"
                    "  for (int i = 0; i < n; i++) { t = t * 31 + s[i]; if (t & 7) t ^= n; }\n"
                    "  return t ? t : (int)strlen(s); }\n")
    work = Work([found[-1], "-quiet", "-O2", "-imultiarch", "x86_64-linux-gnu", path, "-o",
                 "/dev/null"], reads=[path, "/usr/include"], memory_mib=512)
    yield Case("apps", "compile", "gcc's compiler (cc1 -O2) on a generated file", [WALL, CPU],
               ctx.variants("apps/compile", work), weight=2)


def cases(ctx):
    return [*sqlite(ctx), *python(ctx), *compression(ctx), *compiling(ctx)]
