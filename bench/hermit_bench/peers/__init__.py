# SPDX-License-Identifier: MIT
"""The peers: everything that can run the programs.  One file each; this list is their order."""
from . import hermit, images, linuxvm, native, oci

MODULES = (native, hermit, oci, linuxvm, images)


def all_peers(env):
    """Every peer that there is an adapter for, found on this machine or not."""
    return [peer for module in MODULES for peer in module.peers(env)]


def choose(env, wanted, quick):
    """(peers to run, {name: why not}).  wanted: "auto" or a list of names."""
    peers = all_peers(env)
    chosen, left_out = [], {}
    names = None if wanted == "auto" else [n for n in wanted.split(",") if n]
    unknown = set(names or []) - {p.name for p in peers}
    if unknown:
        raise ValueError(f"no such peer: {', '.join(sorted(unknown))}; "
                         f"there are {', '.join(p.name for p in peers)}")
    for peer in peers:
        if names is not None and peer.name not in names:
            continue
        reason = peer.missing()
        if not reason and names is None and quick and peer.slow:
            reason = "left out by --quick; name it with --peers"
        if reason:
            left_out[peer.name] = reason
        else:
            chosen.append(peer)
    return chosen, left_out
