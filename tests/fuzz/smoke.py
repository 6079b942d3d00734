#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A bounded run of one fuzz target: smoke.py PROGRAM CORPUS_DIRECTORY NAME [LIBFUZZER ARGS...].

The seeds are made first; what the run finds stays in a temporary directory.  Exits 77 where the
target was not built because there is no clang."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    program, corpus, name, *args = sys.argv[1:]
    if not os.path.exists(program):
        if shutil.which("clang") is None:
            print(f"SKIP: {os.path.basename(program)}: no clang on this machine")
            sys.exit(77)
        sys.exit(f"FAIL: {program} is missing: build the target fuzz_targets first")
    subprocess.run([sys.executable, "-B", os.path.join(HERE, "make_corpus.py"), corpus],
                   check=True)
    with tempfile.TemporaryDirectory(prefix="hermit-fuzz-") as work:
        found = os.path.join(work, "found")
        os.mkdir(found)
        command = [program, "-runs=20000", "-max_total_time=10", "-timeout=10",
                   "-rss_limit_mb=1024",
                   "-print_final_stats=1", "-close_fd_mask=3", *args, found,
                   os.path.join(corpus, name)]
        p = subprocess.run(command, cwd=work, env={**os.environ, "TMPDIR": work}, text=True,
                           errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           stdin=subprocess.DEVNULL, check=False)
        lines = p.stdout.splitlines()
        print("\n".join(lines[-60 if p.returncode else -8:]))
        for crash in (f for f in os.listdir(work) if f.startswith(("crash-", "timeout-", "oom-"))):
            with open(os.path.join(work, crash), "rb") as f:
                print(f"input of {crash}: {f.read().hex()}")
        sys.exit(1 if p.returncode else 0)


if __name__ == "__main__":
    main()
