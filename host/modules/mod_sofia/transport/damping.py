"""Brute force and scanners, damped: who fails too often is not answered for a while.

A value of counts by source address; time is given to every method (seconds, monotonic). An address that passes a
limit within the window is dropped without an answer until it has been quiet for the time of a block; so are
requests of programs that only scan, by their User-Agent. What is counted is shown by `figures`.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

# What scanners and crackers call themselves; the first three are SIPVicious's. Programs that people also monitor
# their servers with are not among them.
_SCANNERS: Final = re.compile(
    r"friendly-scanner|sipvicious|sundayddr|sipcli|sip-?scan|\bsmap\b|\biWar\b|\bpplsip\b|\bsipptk\b",
    re.IGNORECASE,
)


class Verdict(Enum):
    """What to do with a request."""

    PASS = "pass"
    DROP = "drop"


class Offence(Enum):
    """What an address did."""

    FAILURE = "failure"  # a wrong password, or a user who may not
    UNKNOWN_USER = "unknown user"
    CHALLENGE = "challenge"  # a challenge that was not answered


@dataclass(frozen=True, slots=True)
class DampingLimits:
    """How many offences of a kind an address may commit within `window` seconds.

    A phone with a wrong password tries once or twice each half minute, an office of twenty such phones behind one
    address does not pass the limits; a cracker tries dozens a second.
    """

    window: float = 60.0
    block: float = 120.0
    failures: int = 60
    unknown_users: int = 30
    # Challenges are answered within a round trip; a busy proxy has some dozens open.
    challenges: int = 300
    # 10,000 addresses of up to 300 times take some 25 MB; a flood of forged addresses pushes out the oldest.
    addresses: int = 10_000

    def of(self, offence: Offence) -> int:
        """Return the limit of an offence."""
        if offence is Offence.CHALLENGE:
            return self.challenges
        return self.unknown_users if offence is Offence.UNKNOWN_USER else self.failures


@dataclass(slots=True)
class DampingFigures:
    """What was counted since the start."""

    scanners_dropped: int = 0
    requests_dropped: int = 0
    addresses_blocked: int = 0
    failures: int = 0
    unknown_users: int = 0


@dataclass(slots=True)
class _Address:
    times: dict[Offence, deque[float]] = field(default_factory=dict)
    blocked_until: float = 0.0


class Damping:
    """The counts of one process. Not thread-safe: the SIP thread calls it."""

    def __init__(self, limits: DampingLimits | None = None) -> None:
        self.limits = limits or DampingLimits()
        self.figures = DampingFigures()
        self._addresses: OrderedDict[str, _Address] = OrderedDict()

    def judge(self, ip: str, user_agent: str, now: float, *, trusted: bool = False) -> Verdict:
        """Return whether a request is answered; `trusted` addresses (proxies for many) are not counted."""
        if user_agent and _SCANNERS.search(user_agent[:200]):
            self.figures.scanners_dropped += 1
            return Verdict.DROP
        if trusted:
            return Verdict.PASS
        found = self._addresses.get(ip)
        if found is None or found.blocked_until <= now:
            return Verdict.PASS
        # It goes on: the block begins anew, once half of it is over, so that a cracker never gets a turn.
        found.blocked_until = max(found.blocked_until, now + self.limits.block / 2)
        self.figures.requests_dropped += 1
        return Verdict.DROP

    def note(self, ip: str, offence: Offence, now: float, *, trusted: bool = False) -> bool:
        """Count an offence; return True when the address is blocked from now on, which is worth a log line."""
        if offence is Offence.FAILURE:
            self.figures.failures += 1
        elif offence is Offence.UNKNOWN_USER:
            self.figures.unknown_users += 1
        if trusted:
            return False
        found = self._addresses.get(ip)
        if found is None:
            found = self._addresses[ip] = _Address()
            if len(self._addresses) > self.limits.addresses:
                self._addresses.popitem(last=False)
        self._addresses.move_to_end(ip)
        limit = self.limits.of(offence)
        times = found.times.setdefault(offence, deque(maxlen=limit + 1))
        times.append(now)
        while times[0] <= now - self.limits.window:
            times.popleft()
        if len(times) <= limit or found.blocked_until > now:
            return False
        times.clear()
        found.blocked_until = now + self.limits.block
        self.figures.addresses_blocked += 1
        return True

    def accept(self, ip: str) -> None:
        """Note that an address proved who it is: its challenge was answered, its mistakes are forgotten."""
        found = self._addresses.get(ip)
        if found is None:
            return
        challenges = found.times.get(Offence.CHALLENGE)
        if challenges:
            challenges.pop()
        found.times.pop(Offence.UNKNOWN_USER, None)
        failures = found.times.get(Offence.FAILURE)
        if failures:
            failures.popleft()

    def blocked(self, now: float) -> list[str]:
        """Return the addresses that are not answered now."""
        return [ip for ip, found in self._addresses.items() if found.blocked_until > now]

    def sweep(self, now: float) -> None:
        """Forget the addresses that have been quiet for a window and are not blocked."""
        quiet = now - self.limits.window
        for ip in [ip for ip, found in self._addresses.items() if self._idle(found, quiet, now)]:
            del self._addresses[ip]

    @staticmethod
    def _idle(found: _Address, quiet: float, now: float) -> bool:
        return found.blocked_until <= now and all(not t or t[-1] <= quiet for t in found.times.values())

    def __len__(self) -> int:
        return len(self._addresses)
