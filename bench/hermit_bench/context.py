# SPDX-License-Identifier: MIT
"""What a suite is given: the peers, the programs, and ways to make variants of a work."""
import hashlib
import json
import os
import subprocess
from dataclasses import dataclass, field

from .model import Failure, Unsupported, Variant

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@dataclass
class Context:
    env: object
    all_peers: list
    runner: object
    quick: bool
    source: str = ""  # the source tree, where it is there
    suite: str = ""  # the one whose cases are being made
    notes: list = field(default_factory=list)  # (suite/case, peer, why it is not in it)

    @property
    def peers(self):
        return [p for p in self.all_peers if p.suites is None or self.suite in p.suites]

    def program(self, name):
        return os.path.join(self.env.programs, name)

    def pick(self, quick, full):
        return quick if self.quick else full

    def peer(self, name):
        return next((p for p in self.peers if p.name == name), None)

    def cpus(self):
        return len(os.sched_getaffinity(0))

    def scratch(self, name):
        return os.path.join(self.env.scratch, name)

    # -- variants -----------------------------------------------------------------------------

    def sampler(self, peer, work, mode="time", json_out=False, before=None, check=None,
                derive=None):
        """A function that runs work once by measure.c.  before(): not timed.  check(output):
        raises Failure.  derive(values): adds figures that follow from others."""
        argv = peer.command(work)
        capture = bool(json_out or check or mode == "first" or
                       type(peer).result is not BASE_RESULT)

        def sample():
            if before:
                before()
            values, out = self.runner.measure(mode, argv, capture, peer.timeout_s)
            status, out = peer.result(values["status"], out)
            if status:
                last = (values["stderr"] or (out or b"").decode(errors="replace")).strip()
                raise Failure(f"{peer.name}: status {status}: "
                              f"{' '.join(last.splitlines()[-1:])[-200:]}")
            if check:
                check(out)
            if json_out:
                values.update(figures(out, peer))
            if derive:
                derive(values)
            return values

        return sample

    def variants(self, case, works, only=None, **how):
        """A variant for each peer.  works: one Work for all, or a function of the peer."""
        found = []
        for peer in self.peers:
            if only and peer.name not in only:
                continue
            try:
                work = works(peer) if callable(works) else works
                found.append(Variant(peer.name, self.sampler(peer, work, **how), peer.name))
            except Unsupported as e:
                self.notes.append((case, peer.name, str(e)))
        return found

    # -- things that are made once --------------------------------------------------------------

    def random_file(self, name, mib):
        """Makes a file of random bytes in the scratch directory, as prepare()."""
        def make():
            with open(self.scratch(name), "wb") as f:
                for _ in range(mib):
                    f.write(os.urandom(1 << 20))
        return make

    def fetch_source(self, package):
        """The folder of a pinned source (scripts/fetch-source of the source tree)."""
        script = os.path.join(self.source, "scripts/fetch-source")
        if not os.path.exists(script):
            raise Failure(f"{package}: its source is fetched by the source tree's scripts")
        p = subprocess.run([script, package], capture_output=True, text=True, check=False)
        if p.returncode:
            raise Failure(p.stderr.strip())
        return p.stdout.strip().splitlines()[-1]


def _base_result():
    from .peers.base import Peer
    return Peer.result


BASE_RESULT = _base_result()


def figures(out, peer):
    """The line of JSON that a measured program prints."""
    for line in out.decode(errors="replace").splitlines():
        if line.startswith("{"):
            return json.loads(line)
    raise Failure(f"{peer.name}: no figures in its output: {out[-200:]!r}")


def drop_from_cache(paths):
    """Forgets the page cache of these files, as far as nobody has them mapped."""
    for path in paths:
        fd = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)


def as_native(argv):
    """A check: the output is what the command prints on the host.  Where it is something else, the
    host is asked again, since files may have changed."""
    seen = []

    def check(out):
        digest = hashlib.sha256(out).hexdigest()
        if digest not in seen:
            p = subprocess.run(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
            seen.append(hashlib.sha256(p.stdout).hexdigest())
        if digest not in seen:
            raise Failure("prints something else than natively")

    return check
