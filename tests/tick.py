"""A tick of 20 ms of the switch's clock that notes how late it comes, for what claims not to hold others up."""

from __future__ import annotations

from host.clock import MILLISECOND


class Tick:
    """A pacer that notes how late it is moved, in µs."""

    idle = False

    def __init__(self) -> None:
        self.late: list[int] = []
        self._former = 0

    def horizon(self, now: int, limit: int) -> int:
        return limit

    def advance(self, now: int) -> None:
        if self._former:
            self.late.append(now - self._former - 20 * MILLISECOND)
        self._former = now
