"""Session timers (RFC 4028): who refreshes a call and when it is given up for dead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from host.hangup_cause import HangupCause
from host.leading_number import leading_int

if TYPE_CHECKING:
    from host.modules.mod_sofia.transport.stack import SipStack, Timer

# RFC 4028 section 4: no session may be shorter.
SHORTEST: Final = 90
# RFC 4028 section 10: a BYE goes out so many seconds before the end, or a third of the interval if that is less.
_MARGIN: Final = 32

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Agreed:
    """An interval in seconds, 0 for no timer, and whether it is we who refresh."""

    interval: int = 0
    ours: bool = False


NO_TIMER: Final = Agreed()


class IntervalTooSmall(Exception):
    """The interval that was asked for is below the least we take: answered 422 with Min-SE."""

    def __init__(self, least: int) -> None:
        super().__init__(f"Session interval below {least} s")
        self.least = least


def parse_session_expires(value: str) -> tuple[int, str]:
    """Return interval and refresher (`uac`, `uas` or empty) of a Session-Expires header."""
    interval, *params = [part.strip() for part in value.split(";")]
    refresher = ""
    for param in params:
        name, _, who = param.partition("=")
        if name.strip().lower() == "refresher":
            refresher = who.strip().lower()
    return max(0, leading_int(interval)), refresher


def request_headers(interval: int, least: int, *, refresher: str = "uac") -> tuple[Header, ...]:
    """Return the headers of a request that begins or refreshes a session; none for an interval of 0."""
    if interval <= 0:
        return ()
    interval = max(interval, least, SHORTEST)
    return (
        ("Session-Expires", f"{interval};refresher={refresher}" if refresher else str(interval)),
        ("Min-SE", str(max(least, SHORTEST))),
    )


def answer_request(
    session_expires: str | None, min_se: str | None, *, supported: bool, interval: int, least: int
) -> tuple[Agreed, tuple[Header, ...]]:
    """Return what a request comes to for the one who answers it, and the headers of the 2xx.

    `supported` is whether the far end knows timers, `interval` what we want (0 for nothing), `least` the shortest we
    take. Raises IntervalTooSmall.
    """
    least = max(least, SHORTEST)
    asked, refresher = parse_session_expires(session_expires) if session_expires else (0, "")
    if asked and asked < least and supported:
        raise IntervalTooSmall(least)
    if not asked and interval <= 0:
        return NO_TIMER, ()
    floor = leading_int(min_se or "") if min_se else 0
    agreed = asked or max(interval, floor, least)
    if not supported:
        return Agreed(agreed, True), (("Session-Expires", f"{agreed};refresher=uas"),)
    who = refresher or "uac"
    headers: tuple[Header, ...] = (("Session-Expires", f"{agreed};refresher={who}"),)
    if who == "uac":
        headers = (*headers, ("Require", "timer"))
    return Agreed(agreed, who == "uas"), headers


def accept_response(session_expires: str | None, asked: int) -> Agreed:
    """Return what a 2xx comes to for the one who asked for `asked` seconds.

    RFC 4028 section 7.2: an answer without the header comes from one who knows no timers, so we refresh.
    """
    if session_expires is None:
        return Agreed(asked, True) if asked > 0 else NO_TIMER
    interval, refresher = parse_session_expires(session_expires)
    return Agreed(interval, refresher != "uas") if interval else NO_TIMER


class TimedLeg(Protocol):
    """What a timer needs of its leg."""

    @property
    def stack(self) -> SipStack: ...

    def refresh_session(self) -> None:
        """Send a re-INVITE or an UPDATE."""

    def lose(self, cause: HangupCause, status: int = 0, disposition: str = "") -> None:
        """Hang up."""


class SessionTimer:
    """The running timer of one leg, in the SIP thread."""

    def __init__(self, leg: TimedLeg) -> None:
        self._leg = leg
        self._timer: Timer | None = None
        self.agreed = NO_TIMER

    def begin(self, agreed: Agreed) -> None:
        """Count from now on: a refresh at half of the interval is due, from us or from them."""
        self.stop()
        self.agreed = agreed
        if agreed.interval <= 0:
            return
        if agreed.ours:
            self._timer = self._leg.stack.call_later(agreed.interval / 2, self._refresh)
        else:
            wait = agreed.interval - min(_MARGIN, agreed.interval / 3)
            self._timer = self._leg.stack.call_later(wait, self._expire)

    def again(self) -> None:
        """Count anew with what was agreed on: the session was refreshed."""
        self.begin(self.agreed)

    def stop(self) -> None:
        """Count no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refresh(self) -> None:
        wait = self.agreed.interval / 2 - min(_MARGIN, self.agreed.interval / 3)
        self._timer = self._leg.stack.call_later(max(wait, 1), self._expire)
        self._leg.refresh_session()

    def _expire(self) -> None:
        self._timer = None
        self._leg.lose(HangupCause.RECOVERY_ON_TIMER_EXPIRE, 408)
