# SPDX-License-Identifier: MIT
"""Trees of processes: their memory, their CPU time, their end."""
import ctypes
import os
import signal
import time

PR_SET_CHILD_SUBREAPER = 36
TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")


def become_subreaper():
    """Daemons of a peer stay descendants of this process, so that none is left behind."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _children_by_parent():
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = _stat(int(name))
            if stat:
                found.setdefault(int(stat[1]), []).append(int(name))
    return found


def _stat(pid):
    """Fields of /proc/PID/stat from the state on, or None."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rpartition(")")[2].split()
    except OSError:
        return None


def tree(pid):
    """pid and its descendants."""
    children, found, todo = _children_by_parent(), [], [pid]
    while todo:
        p = todo.pop()
        found.append(p)
        todo += children.get(p, [])
    return found


def memory(pids):
    """Of all processes together: resident and proportional KiB (page cache counted apart)."""
    total = {"rss_kib": 0, "pss_kib": 0, "pss_file_kib": 0, "peak_kib": 0}
    keys = {"Rss:": "rss_kib", "Pss:": "pss_kib", "Pss_File:": "pss_file_kib", "VmHWM:": "peak_kib"}
    for pid in pids:
        for name in ("smaps_rollup", "status"):
            try:
                with open(f"/proc/{pid}/{name}", encoding="ascii", errors="replace") as f:
                    for line in f:
                        words = line.split()
                        if words and words[0] in keys:
                            total[keys[words[0]]] += int(words[1])
            except OSError:
                continue  # it ended, or is a zombie
    return total


def cpu_ns(pids):
    """User and system time so far, of these and of what they waited for."""
    total = 0
    for pid in pids:
        stat = _stat(pid)
        if stat:
            total += sum(int(t) for t in stat[11:15])
    return total * TICK_NS


def _signal(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:
            pass


def stop(process, patience_s=3):
    """Ends a subprocess.Popen and everything below it, gently first.  Only what the process
    itself started is signalled."""
    below = tree(process.pid)
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience_s)
        except Exception:  # pylint: disable=broad-except
            pass
    below = sorted({*below, *(tree(process.pid) if process.poll() is None else [])})
    deadline = time.monotonic() + patience_s
    mine = [p for p in below if p != process.pid and _is_below(p)]
    while mine and time.monotonic() < deadline and process.poll() is not None:
        time.sleep(0.01)
        mine = [p for p in mine if _is_below(p)]
    _signal(mine, signal.SIGKILL)
    if process.poll() is None:
        process.kill()
    process.wait()
    reap()


def _is_below(pid):
    """Alive, and still a descendant of this process (a number may have been used again)."""
    stat = _stat(pid)
    return bool(stat) and stat[0] != "Z" and pid in tree(os.getpid())


def reap():
    """Collects orphans that have ended."""
    for pid in [p for p in tree(os.getpid())[1:]]:
        stat = _stat(pid)
        if stat and stat[0] == "Z" and int(stat[1]) == os.getpid():
            try:
                os.waitpid(pid, os.WNOHANG)
            except OSError:
                pass
