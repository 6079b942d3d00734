# SPDX-License-Identifier: MIT
"""What a benchmark is: cases, their metrics, and the variants that are compared."""
from dataclasses import dataclass, field
from typing import Callable, Optional


class Failure(Exception):
    """A command of a benchmark did not do its work."""


class Unsupported(Exception):
    """A peer cannot run this work; the text says why."""


@dataclass
class Work:
    """A program to run: what it is, which host files it must see, what it needs."""
    argv: list
    reads: list = field(default_factory=list)  # host paths, read-only, besides the program
    writes: list = field(default_factory=list)  # host paths, writable
    system: list = field(default_factory=list)  # parts of the distribution that it reads
    memory_mib: int = 256
    cpus: int = 1
    ports: list = field(default_factory=list)  # (host, guest), TCP
    network: bool = False  # it is a server that is asked from outside
    env: dict = field(default_factory=dict)


@dataclass
class Metric:
    """One figure of a sample.  scale turns the raw value into unit."""
    key: str
    title: str
    unit: str = "ms"
    scale: float = 1e-6
    better: str = "lower"
    counted: bool = False  # the same each time, so that its spread is 0


WALL = Metric("wall_ns", "whole process")
CPU = Metric("cpu_ns", "CPU time, all processes")
RSS = Metric("rss_kib", "peak RSS", "KiB", 1)


@dataclass
class Variant:
    """One side of a comparison; sample() does the work once and returns raw values by key."""
    label: str
    sample: Callable[[], dict]
    peer: str = ""


@dataclass
class Case:
    """The same work by several variants.  Ratios refer to the variant named by reference."""
    suite: str
    name: str
    title: str
    metrics: list
    variants: list
    reference: str = "native"
    prepare: Optional[Callable[[], None]] = None
    samples: Optional[int] = None  # instead of the run's own number
    warmup: Optional[int] = None
    slow: bool = False  # left out by --quick
    weight: float = 1.0  # its part of the time, where the run has a total
    kind: str = "bars"  # how the page draws it: bars, panel (bars for each metric),
    # dots, curve, timeline
