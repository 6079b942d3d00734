# SPDX-License-Identifier: MIT
"""Hand-made ELF files: small good ones and hostile ones, for the command line's tests and as
seeds of the fuzzer."""
import struct

PAGE = 4096
BASE = 0x400000
PT_LOAD, PT_INTERP, PT_PHDR, PT_GNU_STACK = 1, 3, 6, 0x6474e551
ET_REL, ET_EXEC, ET_DYN = 1, 2, 3
R, W, X = 4, 2, 1

# write(1, "hi\n", 3); exit(7), position-independent.
CODE = bytes.fromhex(
    "b801000000" "bf01000000" "488d3513000000" "ba03000000" "0f05"
    "b83c000000" "bf07000000" "0f05") + b"hi\n"
HEADERS = 64 + 56 * 8
CODE_OFFSET = 0x300


def header(phnum, entry=BASE + CODE_OFFSET, kind=ET_EXEC, **over):
    """An ELF header; over: fields that differ."""
    f = {"cls": 2, "data": 1, "version": 1, "machine": 62, "phoff": 64, "phentsize": 56,
         "ehsize": 64}
    f.update(over)
    ident = b"\x7fELF" + bytes([f["cls"], f["data"], 1, 0]) + bytes(8)
    order = ">" if f["data"] == 2 else "<"
    return ident + struct.pack(order + "HHIQQQIHHHHHH", kind, f["machine"], f["version"], entry,
                               f["phoff"], 0, 0, f["ehsize"], f["phentsize"], phnum, 64, 0, 0)


def segment(kind, flags, offset, vaddr, filesz, memsz, align=PAGE):
    """A program header."""
    return struct.pack("<IIQQQQQQ", kind, flags, offset, vaddr, vaddr, filesz, memsz, align)


def build(segments, size=PAGE, tail=b"", **over):
    """A file: header, program headers, the code at CODE_OFFSET, zeros up to size, tail."""
    image = header(len(segments), **over) + b"".join(segments)
    assert len(image) <= CODE_OFFSET
    image = image.ljust(CODE_OFFSET, b"\0") + CODE
    return image.ljust(size, b"\0") + tail


TEXT = segment(PT_LOAD, R | X, 0, BASE, PAGE, PAGE)


def good():
    """Programs that run: they print "hi" and exit 7."""
    data = segment(PT_LOAD, R | W, PAGE, BASE + PAGE, 16, 3 * PAGE)
    pie = segment(PT_LOAD, R | X, 0, 0, PAGE, PAGE)
    stack = segment(PT_GNU_STACK, R | W, 0, 0, 0, 0, 16)
    return {
        "good": build([TEXT, stack]),
        "good-data": build([TEXT, data, stack], tail=bytes(16)),
        "good-pie": build([pie, stack], kind=ET_DYN, entry=CODE_OFFSET),
    }


def hostile():
    """Files that must be refused with one line, by name."""
    whole = good()["good"]

    def data(offset=PAGE, vaddr=BASE + PAGE, filesz=16, memsz=16, align=PAGE):
        return segment(PT_LOAD, R | W, offset, vaddr, filesz, memsz, align)

    return {
        "empty": b"",
        "one-byte": b"\x7f",
        "magic-only": whole[:4],
        "header-cut": whole[:40],
        "phdrs-cut": whole[:64 + 20],
        "text-cut": whole[:CODE_OFFSET],
        "phoff-outside": build([TEXT], phoff=0x10000000),
        "phoff-huge": build([TEXT], phoff=0xfffffffffffffff8),
        "phoff-odd": build([TEXT], phoff=67),
        "phnum-zero": build([]),
        "phnum-huge": header(0xffff) + TEXT,
        "phentsize": build([TEXT], phentsize=32),
        "filesz-over-memsz": build([TEXT, data(filesz=PAGE, memsz=16)], tail=bytes(PAGE)),
        "filesz-outside": build([TEXT, data(filesz=PAGE * 2, memsz=PAGE * 2)]),
        "offset-huge": build([TEXT, data(offset=0xfffffffffffff000)]),
        "filesz-huge": build([TEXT, data(filesz=0xffffffffffffffff, memsz=0xffffffffffffffff)]),
        "overlap": build([TEXT, data(vaddr=BASE, offset=0)]),
        "overlap-inside": build([segment(PT_LOAD, R | X, 0, BASE, PAGE, 8 * PAGE),
                                 data(vaddr=BASE + 4 * PAGE, offset=0)]),
        "descending": build([TEXT, data(vaddr=BASE - PAGE, offset=0)]),
        "memsz-huge": build([TEXT, data(memsz=1 << 46)], tail=bytes(16)),
        "memsz-wraps": build([TEXT, data(memsz=0xfffffffffffff000)], tail=bytes(16)),
        "vaddr-kernel": build([TEXT, data(vaddr=0xffff800000001000)], tail=bytes(16)),
        "vaddr-window": build([TEXT, data(vaddr=0x7f8000000000)], tail=bytes(16)),
        "vaddr-zero": build([segment(PT_LOAD, R | X, 0, 0, PAGE, PAGE)], entry=CODE_OFFSET),
        "incongruent": build([TEXT, data(vaddr=BASE + PAGE + 8)], tail=bytes(16)),
        "align-odd": build([TEXT, data(align=4095)], tail=bytes(16)),
        "entry-outside": build([TEXT], entry=BASE + 16 * PAGE),
        "entry-zero": build([TEXT], entry=0),
        "entry-in-data": build([TEXT, data()], tail=bytes(16), entry=BASE + PAGE),
        "no-load": build([segment(PT_GNU_STACK, R | W, 0, 0, 0, 0, 16)]),
        "32-bit": build([TEXT], cls=1),
        "big-endian": build([TEXT], data=2),
        "arm": build([TEXT], machine=183),
        "i386": build([TEXT], machine=3),
        "object": build([TEXT], kind=ET_REL),
        "core": build([TEXT], kind=4),
        "interp-outside": build([TEXT, segment(PT_INTERP, R, 0x100000, BASE, 28, 28, 1)]),
        "interp-huge": build([TEXT, segment(PT_INTERP, R, 0, BASE, 1 << 40, 1 << 40, 1)]),
        "interp-missing": build([TEXT, segment(PT_INTERP, R, PAGE, BASE + PAGE, 16, 16, 1)],
                                tail=b"/no/such/loader\0"),
        "text-file": b"just some text\n" * 10,
        "zeros": bytes(8192),
    }
