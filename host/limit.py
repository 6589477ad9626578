"""Limited resources: a session takes a place in them and gives it back when it ends or is sent elsewhere.

Where the counts are kept is a module's business (`LimitBackend`: hash, db).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from host.channel import Channel
from host.leading_number import leading_int

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

NO_MAXIMUM: Final = -1

_HOLDS: Final = "limit_backends"
_BACKENDS: Final = "limit_backend"  # FreeSWITCH's variable for those a channel has a place in


class LimitBackend(Protocol):
    """A keeper of counts. FreeSWITCH: `hash` counts a session once, `db` and `hiredis` as often as it asks."""

    name: str
    module: str

    def take(self, session: Session, realm: str, resource: str, maximum: int, interval: int) -> bool:
        """Count the session; False when more than `maximum` (NO_MAXIMUM: any number) would be counted.

        With an `interval` in seconds it is the calls within that time that are limited.
        """

    def release(self, session: Session, realm: str | None = None, resource: str | None = None) -> None:
        """Give back one resource, or all of the session without a realm."""

    def usage(self, realm: str, resource: str) -> tuple[int, int]:
        """Return how many count now, and how many did within the interval."""

    def reset(self) -> bool:
        """Forget all counts of this host; False when that is not possible."""

    def reset_interval(self, realm: str, resource: str) -> None:
        """Begin the resource's interval anew."""

    def status(self) -> str:
        """Return a line about what is counted."""


def take(
    session: Session, backend: LimitBackend, realm: str, resource: str, maximum: int, interval: int
) -> bool:
    """Count the session with `backend`; it is given back by itself when the session ends or is transferred.

    FreeSWITCH: the variable `limit_ignore_transfer` keeps it over transfers.
    """
    held: set[str] | None = session.private(_HOLDS, set)
    if held is None:
        held = set()
        session.channel.private[_HOLDS] = held
        session.at_routing.append(lambda: _routed(session))
        session.at_hangup.append(lambda: _release_all(session))
    held.add(backend.name)
    if not backend.take(session, realm, resource, maximum, interval):
        return False
    known = session.channel.get_variable(_BACKENDS)
    if not known or backend.name not in known:
        session.channel.set_variable(_BACKENDS, f"{known},{backend.name}" if known else backend.name)
    return True


def set_usage(channel: Channel, realm: str, resource: str, count: int, rate: int | None = None) -> None:
    """Leave on the channel how many count: `limit_usage`, `limit_usage_REALM_RESOURCE`, and the same of the rate."""
    key = f"{realm}_{resource}"
    for kind, value in (("usage", count), ("rate", rate)):
        if value is not None:
            channel.set_variable(f"limit_{kind}", str(value))
            channel.set_variable(f"limit_{kind}_{key}", str(value))


def fire_usage(
    switch: Switch, backend: str, realm: str, resource: str, count: int, rate: int, maximum: int, most: int
) -> None:
    """Tell with CUSTOM `limit::usage` that a count has changed."""
    if switch.bus.wants("CUSTOM"):
        event = switch.new_event("CUSTOM", "limit::usage")
        for name, value in (
            ("backend", backend),
            ("realm", realm),
            ("key", resource),
            ("usage", count),
            ("rate", rate),
            ("max", maximum),
            ("ratemax", most),
        ):
            event.add_header(name, str(value))
        switch.fire(event)


def parse_maximum(text: str) -> tuple[int, int]:
    """Return (maximum, interval in s) of `5`, `5/60` or nothing; FreeSWITCH: what begins with `-` is no maximum."""
    if not text or text.startswith("-"):
        return NO_MAXIMUM, 0
    maximum_text, _, interval_text = text.partition("/")
    return max(0, leading_int(maximum_text)), max(0, leading_int(interval_text))


def _routed(session: Session) -> None:
    if not session.channel.is_true("limit_ignore_transfer"):
        _release_all(session)


def _release_all(session: Session) -> None:
    held = session.private(_HOLDS, set)
    for name in sorted(held or ()):
        backend = session.switch.limits.get(name)
        if backend is not None:
            backend.release(session)
    session.channel.set_variable(_BACKENDS, None)
