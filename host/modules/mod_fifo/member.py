"""An outbound member of a queue: a dial string that is called when nobody else serves the callers."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from host.byte_text import to_bytes
from host.dial_string import parse_variables

_ID: Final = "fifo_outbound_uuid"
_BRACKETS: Final = {"{": "}", "<": ">"}


@dataclass(slots=True, eq=False)
class Member:
    """A member and its counters. Times are seconds since the epoch, 0 for never; `timeout` and `lag` are seconds.

    `uuid` is its outbound id: the variable fifo_outbound_uuid of the dial string, else the dial string's MD5.
    """

    uuid: str
    queue: str
    originate_string: str
    simo: int = 1
    timeout: int = 60
    lag: int = 5
    expires: int = 0
    taking_calls: int = 1
    static: bool = False
    active_time: int = 0
    inactive_time: int = 0
    use_count: int = 0
    ring_count: int = 0
    next_available: int = 0
    calls: int = 0
    calls_total: int = 0
    fails: int = 0
    fails_total: int = 0
    manual_out: int = 0
    manual_in: int = 0
    manual_out_total: int = 0
    manual_in_total: int = 0
    start_time: int = 0
    stop_time: int = 0

    def available(self, now: int) -> bool:
        """Whether it can be called at `now` (seconds since the epoch)."""
        return (
            self.taking_calls == 1
            and self.use_count + self.ring_count < self.simo
            and self.next_available <= now
        )

    def stop_ringing(self) -> None:
        """Count one dial less."""
        self.ring_count = max(0, self.ring_count - 1)

    def rest(self, now: int, delay: int = 0) -> None:
        """Leave it alone for its lag and `delay` seconds."""
        self.next_available = now + delay + self.lag + 1


def outbound_id(originate_string: str) -> str:
    """Return the id under which a dial string is a member."""
    if f"{_ID}=" in originate_string.lower():
        given, _ = take_variables(originate_string, "{")
        if given.get(_ID):
            return given[_ID]
    return hashlib.md5(to_bytes(originate_string), usedforsecurity=False).hexdigest()


def take_variables(originate_string: str, bracket: str) -> tuple[dict[str, str], str]:
    """Return the variables that stand in `{}` or `<>` before a dial string, and what follows them."""
    variables: dict[str, str] = {}
    rest = originate_string.strip(" ")
    group = re.compile(rf"\{bracket}([^\{_BRACKETS[bracket]}]*)\{_BRACKETS[bracket]} *")
    while (found := group.match(rest)) is not None:
        variables.update(parse_variables(found[1]))
        rest = rest[found.end() :]
    return variables, rest
