# SPDX-License-Identifier: MIT
"""Initial RAM disks: an archive in cpio's "newc" format, as Linux unpacks it."""
import os

ALIGNMENT = 4


def _entry(number, name, mode, data=b"", device=(0, 0)):
    raw = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(raw), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + raw
    return head + b"\0" * (-len(head) % ALIGNMENT) + data + b"\0" * (-len(data) % ALIGNMENT)


def archive(files):
    """The bytes of an archive with {path in it: host file}, their folders and a console."""
    folders = set()
    for path in files:
        while (path := os.path.dirname(path)) not in ("", "/"):
            folders.add(path)
    parts = [(f, 0o40755, b"", (0, 0)) for f in sorted(folders | {"/dev"})]
    parts.append(("/dev/console", 0o20600, b"", (5, 1)))
    for path, source in sorted(files.items()):
        with open(source, "rb") as f:
            parts.append((path, 0o100755, f.read(), (0, 0)))
    parts.append(("/TRAILER!!!", 0, b"", (0, 0)))
    return b"".join(_entry(i, name[1:], mode, data, device)
                    for i, (name, mode, data, device) in enumerate(parts, 1))
