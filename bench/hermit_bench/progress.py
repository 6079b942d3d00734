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
    come, by weight, as much as the finished ones took (at first: half of their budget)."""

    def __init__(self, stream=sys.stderr):
        self.stream, self.bar = stream, stream.isatty()
        self.left = self.total = self.done = 0.0  # weights
        self.spent = self.began = self.known = self.drawn = 0.0
        self.current, self.left_s, self.part, self.half_s = None, 0.0, 0.0, 0.0

    def start(self, cases, plan):
        self.total = self.left = sum(c.weight for c in cases)
        total_s = plan.end - time.monotonic() if plan.end else plan.budget_s * self.total
        self.half_s = total_s / max(1.0, self.total) / 2

    def case(self, case):
        self.current, self.began, self.part = case, time.monotonic(), 0.0
        self.left -= case.weight
        self.left_s, self.known = self._typical(case.weight), self.began
        self._draw(force=True)

    def tick(self):
        self._draw()

    def round(self, done, rounds, spent_s, budget_s):
        self.left_s = max(0.0, min(spent_s / done * rounds, max(budget_s, spent_s)) - spent_s)
        self.known = time.monotonic()
        self.part = spent_s / (spent_s + self.left_s) if spent_s else 0.0

    def finished(self, case):
        spent = time.monotonic() - self.began
        self.spent += spent
        self.done += case.weight
        self.clear()
        if not self.bar:
            print(f"{case.suite}/{case.name}: {duration(spent)}; about "
                  f"{duration(self._typical(self.left))} left", file=self.stream, flush=True)

    def clear(self):
        if self.bar:
            self.stream.write("\r\033[K")
            self.stream.flush()

    def _typical(self, weight):
        return weight * (self.spent / self.done if self.done else self.half_s)

    def _draw(self, force=False):
        now = time.monotonic()
        if not self.bar or (now - self.drawn < 0.1 and not force):
            return
        self.drawn = now
        done = (self.done + self.part * self.current.weight) / (self.total or 1.0)
        full = int(done * BAR_COLUMNS)
        left = max(0.0, self.left_s - (now - self.known)) + self._typical(self.left)
        self.stream.write(f"\r[{'#' * full}{'.' * (BAR_COLUMNS - full)}] {done:4.0%}  "
                          f"{duration(left)} left  {self.current.suite}/{self.current.name}\033[K")
        self.stream.flush()
