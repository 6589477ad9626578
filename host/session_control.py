"""What `fsctl` steers and `status` tells: how many sessions there are and may be, pauses, shutdown, DTMF durations."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from host.clock import SECOND, Clock
from host.hangup_cause import HangupCause
from media.rtp_transport import DEFAULT_PORTS

# FreeSWITCH's defaults: 1000 sessions, 30 new ones a second, digits of 400 to 192000 samples at 8 kHz, 2000 by default.
MAX_SESSIONS: Final = 1000
MAX_SESSIONS_PER_SECOND: Final = 30
SHORTEST_DIGIT: Final = 400
LONGEST_DIGIT: Final = 192_000
DEFAULT_DIGIT: Final = 2000
MOST_DETAILED: Final = 10  # FreeSWITCH: DEBUG10

_RECENT: Final = 300  # seconds; the "last 5min" of the reports


@dataclass(frozen=True, slots=True)
class Shutdown:
    """A wish that the switch ends: at once, or (`patient`) when its last call has; and whether it is to start anew."""

    patient: bool = False
    restart: bool = False


@dataclass(slots=True)
class _Peak:
    """The greatest value ever and of the last five minutes."""

    ever: int = 0
    _recent: deque[tuple[int, int]] = field(default_factory=deque)

    def note(self, second: int, value: int) -> None:
        self.ever = max(self.ever, value)
        while self._recent and self._recent[-1][1] <= value:
            self._recent.pop()
        self._recent.append((second, value))

    def recent(self, second: int) -> int:
        while self._recent and self._recent[0][0] <= second - _RECENT:
            self._recent.popleft()
        return self._recent[0][1] if self._recent else 0


class SessionControl:
    """Limits and counts of one switch's sessions. Any thread may read and set the limits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._second = 0
        self._begun = 0
        self._last = 0
        self._sessions = _Peak()
        self._rate = _Peak()
        self.max_sessions = MAX_SESSIONS
        self.max_sessions_per_second = MAX_SESSIONS_PER_SECOND
        self.min_idle_cpu = 0.0
        self.inbound_paused = False
        self.outbound_paused = False
        self.shutdown: Shutdown | None = None
        self.shutdown_listeners: list[Callable[[Shutdown], object]] = []
        self.shortest_digit = SHORTEST_DIGIT
        self.longest_digit = LONGEST_DIGIT
        self.default_digit = DEFAULT_DIGIT
        self.verbose_events = False
        self.api_expansion = True
        self.debug_level = 0  # how fine what `Switch.log_detail` is told may be, up to 10
        self.mdns_resolve = False  # whether names of the link are asked for by multicast DNS
        self.rtp_ports = DEFAULT_PORTS

    def note_session(self, sessions: int) -> None:
        """Count a session that begins; `sessions` is how many there are now."""
        with self._lock:
            second = self._turn()
            self._begun += 1
            self._sessions.note(second, sessions)
            self._rate.note(second, self._begun)

    def request_shutdown(self, wish: Shutdown, sessions: int) -> None:
        """Begin no more sessions, and tell who runs the switch to end it: now, or when the last session has ended."""
        self.shutdown = wish
        self.note_end(0 if not wish.patient else sessions)

    def cancel_shutdown(self) -> None:
        """Take back a wish that waits for sessions to end."""
        self.shutdown = None

    def note_end(self, sessions: int) -> None:
        """Note that a session has ended; `sessions` are left."""
        wish = self.shutdown
        if wish is not None and not sessions:
            for listener in list(self.shutdown_listeners):
                listener(wish)

    def refusal(self, sessions: int, *, outbound: bool, throttled: bool = True) -> HangupCause | None:
        """Return why no further session may begin while there are `sessions`, None when one may.

        The limit per second holds for those that are `throttled`.
        """
        if self.shutdown is not None or (self.outbound_paused if outbound else self.inbound_paused):
            return HangupCause.SERVICE_UNAVAILABLE
        with self._lock:
            self._turn()
            too_fast = throttled and self._begun >= self.max_sessions_per_second
            full = sessions >= self.max_sessions or too_fast
        return HangupCause.SWITCH_CONGESTION if full else None

    @property
    def sessions_peak(self) -> int:
        """The most sessions there were at once."""
        return self._sessions.ever

    @property
    def sessions_peak_recent(self) -> int:
        """The most sessions that began to be there at once in the last five minutes."""
        with self._lock:
            return self._sessions.recent(self._turn())

    @property
    def last_sessions_per_second(self) -> int:
        """How many sessions began in the last full second."""
        with self._lock:
            self._turn()
            return self._last

    @property
    def sessions_per_second_peak(self) -> int:
        """The most sessions that began within one second."""
        return self._rate.ever

    @property
    def sessions_per_second_peak_recent(self) -> int:
        """The most sessions that began within one second of the last five minutes."""
        with self._lock:
            return self._rate.recent(self._turn())

    def reset_rate_peak(self) -> None:
        """Forget the peaks of the rate."""
        with self._lock:
            self._rate = _Peak()

    def _turn(self) -> int:
        second = self._clock.now() // SECOND
        if second != self._second:
            self._last = self._begun if second == self._second + 1 else 0
            self._begun = 0
            self._second = second
        return second
