#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a program was told is on the disk outlives it: SQLite inserts rows into a database on a
writable share and prints the id of each committed one; hermit-run is killed with SIGKILL at a
random moment, and natively every printed id must be there.  Again and again on one database, so
that the guest also recovers what the one before it left half done."""
import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import engine as engines  # noqa: E402

ROUNDS = 6
MODES = ("DELETE", "WAL", "TRUNCATE")
START_SECONDS = 40  # for the first row
LONGEST_SECONDS = 0.7  # of inserting


def insert_until_killed(command, seconds):
    """Starts the program and kills it this long after its first row: the ids that it printed."""
    # Unbuffered: communicate() does not see what readline() has read ahead.
    with subprocess.Popen(command, bufsize=0, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as p:
        watchdog = threading.Timer(START_SECONDS, p.kill)
        watchdog.start()
        first = p.stdout.readline()
        watchdog.cancel()
        time.sleep(seconds)
        early = p.poll()
        p.send_signal(signal.SIGKILL)
        out, err = p.communicate()
        if not first or early is not None:
            raise RuntimeError(f"ended by itself ({p.returncode}): {err.decode(errors='replace')}")
    # The last line may be cut off; then its row was committed, but nobody was told.
    return [int(line) for line in (first + out).split(b"\n")[:-1]]


def check(path, told):
    """What is wrong with the database, or None."""
    db = sqlite3.connect(path)
    try:
        sound = db.execute("PRAGMA integrity_check").fetchall()
        there = {row[0] for row in db.execute("SELECT id FROM t")}
    finally:
        db.close()
    if sound != [("ok",)]:
        return f"integrity_check: {sound}"
    lost = sorted(told - there)
    if lost:
        return f"{len(lost)} of {len(told)} committed rows are lost: {lost[:10]}"
    if len(there) - len(told) > ROUNDS:  # at most one untold a round
        return f"{len(there)} rows, {len(told)} were told"
    return None


def run_mode(engine, program, mode, rng):
    with engines.work_directory() as directory:
        path = os.path.join(directory, "rows.db")
        command = engine.command([program, path, mode], ["-v", f"{directory}:{directory}:rw"])
        told = set()
        for number in range(ROUNDS):
            told.update(insert_until_killed(command, rng.uniform(0, LONGEST_SECONDS)))
            # Only now and then, so that the next guest finds the journal as it was left.
            if number % 2 == 0:
                wrong = check(path, told)
                if wrong:
                    print(f"FAIL: {mode}, round {number}: {wrong}")
                    return False
        wrong = check(path, told)
        if wrong:
            print(f"FAIL: {mode}: {wrong}")
            return False
        print(f"ok {mode}: {len(told)} rows, {ROUNDS} kills")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    engines.add_arguments(parser, ("native", "kvm"))
    parser.add_argument("--program", required=True, help="sqlite_insert")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    args = parser.parse_args()
    engine = engines.from_arguments(args)
    print(f"seed {args.seed}")
    rng = random.Random(args.seed)
    good = [run_mode(engine, args.program, mode, rng) for mode in MODES]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
