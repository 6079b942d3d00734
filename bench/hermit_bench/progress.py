# SPDX-License-Identifier: MIT
"""What is seen while it runs: a bar with the time left on a terminal, plain lines elsewhere."""
import sys
import time

BAR_COLUMNS = 24


def duration(seconds):
    seconds = max(0, int(seconds))
    return f"{seconds} s" if seconds < 100 else f"{seconds // 60} min {seconds % 60:02} s"


class Progress:
    """The time left is what the running case still needs by its rounds so far, and for those to
    come as much as the finished ones took on average (at first: half of their budget)."""

    def __init__(self, stream=sys.stderr):
        self.stream, self.bar = stream, stream.isatty()
        self.left = self.budget_s = self.total = 0
        self.spent = []
        self.began = self.now = 0.0
        self.current, self.left_s, self.part, self.drawn = None, 0.0, 0.0, 0.0

    def start(self, cases, plan):
        self.total = self.left = len(cases)
        self.budget_s = plan.budget_s

    def case(self, case):
        self.current, self.began, self.part = case, time.monotonic(), 0.0
        self.left -= 1
        self.left_s = self._typical()
        self._draw(force=True)

    def tick(self):
        self._draw()

    def round(self, done, rounds, spent_s, budget_s):
        self.left_s = max(0.0, min(spent_s / done * rounds, max(budget_s, spent_s)) - spent_s)
        self.part = spent_s / (spent_s + self.left_s) if spent_s else 0.0

    def finished(self, case):
        spent = time.monotonic() - self.began
        self.spent.append(spent)
        self.clear()
        if not self.bar:
            print(f"{case.suite}/{case.name}: {duration(spent)}; about "
                  f"{duration(self._typical() * self.left)} left", file=self.stream, flush=True)

    def clear(self):
        if self.bar:
            self.stream.write("\r\033[K")
            self.stream.flush()

    def _typical(self):
        return sum(self.spent) / len(self.spent) if self.spent else self.budget_s / 2

    def _draw(self, force=False):
        now = time.monotonic()
        if not self.bar or (now - self.drawn < 0.1 and not force):
            return
        self.drawn = now
        done = (self.total - self.left - 1 + self.part) / max(1, self.total)
        full = int(done * BAR_COLUMNS)
        left = self.left_s + self._typical() * self.left
        self.stream.write(f"\r[{'#' * full}{'.' * (BAR_COLUMNS - full)}] {done:4.0%}  "
                          f"{duration(left)} left  {self.current.suite}/{self.current.name}\033[K")
        self.stream.flush()
