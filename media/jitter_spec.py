"""What FreeSWITCH's `jitterbuffer` application and `uuid_jitterbuffer` take: lengths, or a command."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

# FreeSWITCH: a length outside of these is one packet, and the buffer then holds up to a hundred.
SHORTEST_MS, LONGEST_MS = 10, 10_000
_FALLBACK_PACKETS = 100
_DEFAULT_MAXIMUM_FACTOR = 50
_TOO_SMALL_MAXIMUM_FACTOR = 5

_LEADING_NUMBER = re.compile(r"\s*([+-]?\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class JitterSpec:
    """Lengths in ms: what the buffer starts with and never falls below, its greatest, and the drift asked for."""

    length_ms: int
    maximum_ms: int
    drift_ms: int = 0


@dataclass(frozen=True, slots=True)
class JitterCommand:
    """What FreeSWITCH's `jitterbuffer` application and `uuid_jitterbuffer` can say besides lengths."""

    action: Literal["pause", "resume", "stop", "debug"]
    argument: str = ""


def parse_jitterbuffer(text: str, ptime_ms: int) -> JitterSpec | JitterCommand:
    """FreeSWITCH's argument: `60`, `60:200`, `60:200:20` (length, greatest length, drift), `3p:10p` in packets,
    `pause`, `resume`, `stop`, `debug:<file>` and `debug:off`.

    FreeSWITCH: what is no number is 0, a length outside 10 … 10000 ms is one packet with room for a hundred, a
    greatest length that is missing is fifty times the length, one below the length is five times the length, and
    a `p` anywhere makes the first number one of packets.
    """
    lowered = text.strip().lower()
    if lowered in ("pause", "resume", "stop"):
        return JitterCommand(lowered)  # type: ignore[arg-type]
    if lowered.startswith("debug:"):
        return JitterCommand("debug", text.strip()[len("debug:") :])
    first, _, after = text.partition(":")
    second, _, third = after.partition(":")
    length = _milliseconds(first, ptime_ms, "p" in text)
    maximum = _milliseconds(second, ptime_ms, "p" in after)
    if not SHORTEST_MS <= length <= LONGEST_MS:
        return JitterSpec(ptime_ms, ptime_ms * _FALLBACK_PACKETS)
    if not maximum:
        maximum = length * _DEFAULT_MAXIMUM_FACTOR
    if maximum < length:
        maximum = length * _TOO_SMALL_MAXIMUM_FACTOR
    return JitterSpec(length, maximum, max(0, _number(third)))


def _number(text: str) -> int:
    found = _LEADING_NUMBER.match(text)
    return int(found[1]) if found else 0


def _milliseconds(text: str, ptime_ms: int, packets: bool) -> int:
    number = _number(text)
    return abs(number) * ptime_ms if packets or -1000 < number < 0 else number
