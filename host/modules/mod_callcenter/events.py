"""The events of queues: CUSTOM `callcenter::info`, and presence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.modules.mod_callcenter.states import TRYING, WAITING

if TYPE_CHECKING:
    from host.modules.mod_callcenter.center import CallCenter
    from host.session import Session

SUBCLASS: Final = "callcenter::info"
_PRESENCE: Final = "callcenter"

Header = tuple[str, str]


def fire(center: CallCenter, *headers: Header, session: Session | None = None) -> None:
    """Fire an event, with the headers of `session` before its own."""
    if not center.switch.bus.wants("CUSTOM"):
        return
    event = session.event("CUSTOM", SUBCLASS) if session else center.switch.new_event("CUSTOM", SUBCLASS)
    event.add_headers(headers)
    center.switch.fire(event)


def tell_count(center: CallCenter, queue: str) -> None:
    """Tell how many members of a queue have not been answered yet."""
    sql = "select count(*) from members where queue = ? and (state = ? or state = ?)"
    count = center.database.number(sql, queue, WAITING, TRYING)
    told = (("CC-Action", "members-count"), ("CC-Count", str(count)), ("CC-Selection", "Single-Queue"))
    fire(center, ("CC-Queue", queue), *told)


def tell_presence(center: CallCenter, queue: str) -> None:
    """Tell how many members wait, for the lamps of telephones."""
    if not center.switch.bus.wants("PRESENCE_IN"):
        return
    sql = "select count(*) from members where queue = ? and state = ?"
    waiting = center.database.number(sql, queue, WAITING)
    event = center.switch.new_event("PRESENCE_IN")
    event.add_headers(
        (
            ("proto", _PRESENCE),
            ("login", queue),
            ("from", queue),
            ("force-status", f"Active ({waiting} waiting)" if waiting else "Idle"),
            ("rpid", "unknown"),
            ("event_type", "presence"),
            ("alt_event_type", "dialog"),
            ("event_count", "0"),
            ("channel-state", "CS_ROUTING" if waiting else "CS_HANGUP"),
            ("unique-id", queue),
            ("answer-state", "confirmed" if waiting else "terminated"),
            ("presence-call-direction", "inbound"),
        )
    )
    center.switch.fire(event)
