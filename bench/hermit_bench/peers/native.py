# SPDX-License-Identifier: MIT
"""The program as an ordinary process of the host."""
import platform

from .base import Peer


class Native(Peer):
    name = "native"
    title = "a process of the host"
    network = "host"
    startup_ms = 0.3

    def version(self):
        return "Linux " + platform.release()

    def command(self, work):
        return list(work.argv)


def peers(env):
    return [Native(env)]
