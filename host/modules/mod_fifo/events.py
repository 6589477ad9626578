"""The events of queues: CUSTOM `fifo::info`, and presence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.clock import SECOND
from host.local_zone import local_zone
from host.time_format import format_time

if TYPE_CHECKING:
    from host.modules.mod_fifo.queue import Queue
    from host.session import Session
    from host.switch import Switch

SUBCLASS: Final = "fifo::info"
_PRESENCE: Final = "queue"


def fire(
    switch: Switch, queue: str, action: str, *headers: tuple[str, str], session: Session | None = None
) -> None:
    """Fire a queue's event, with the headers of `session` before its own."""
    if not switch.bus.wants("CUSTOM"):
        return
    event = session.event("CUSTOM", SUBCLASS) if session else switch.new_event("CUSTOM", SUBCLASS)
    event.add_headers((("FIFO-Name", queue), ("FIFO-Action", action), *headers))
    switch.fire(event)


def durations(name: str, micros: int) -> tuple[tuple[str, str], ...]:
    """Return the headers that tell a time in µs, ms and s."""
    return (
        (f"{name}-us", str(micros)),
        (f"{name}-ms", str(micros // 1000)),
        (f"{name}-s", str(micros // SECOND)),
    )


def talk_times(session: Session, who: str) -> tuple[tuple[str, str], ...]:
    """Return the headers that tell how long a call was talked and held since its bridge began."""
    times = session.channel.profile.times
    talk = session.clock.time() - times.bridged - times.hold_accum
    return (
        *durations(f"FIFO-{who}-Talk-Time", talk),
        *durations(f"FIFO-{who}-Hold-Time", times.hold_accum),
    )


def date_text(when: int) -> str:
    """Return a time (µs since the epoch) as `2026-01-31 09:05:00` in the server's zone."""
    return format_time("%Y-%m-%d %T", when, local_zone()) or ""


def tell_presence(switch: Switch, queue: Queue) -> None:
    """Tell how many wait, for the lamps of telephones."""
    if not switch.bus.wants("PRESENCE_IN"):
        return
    waiting = queue.waiting
    name = queue.name if "@" in queue.name else f"{queue.name}@{switch.domain}"
    event = switch.new_event("PRESENCE_IN")
    event.add_headers(
        (
            ("proto", _PRESENCE),
            ("login", name),
            ("from", name),
            ("force-status", f"Active ({waiting} waiting)" if waiting else "Idle"),
            ("rpid", "unknown"),
            ("event_type", "presence"),
            ("alt_event_type", "dialog"),
            ("event_count", "0"),
            ("channel-state", "CS_ROUTING" if waiting else "CS_HANGUP"),
            ("unique-id", queue.name),
            ("answer-state", "confirmed" if waiting else "terminated"),
            ("presence-call-direction", "inbound"),
        )
    )
    switch.fire(event)
