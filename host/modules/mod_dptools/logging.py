"""Applications that log and tell: log lines, the call's data, events; and those that do nothing but expand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.arguments import separate
from host.channel_event import VERBOSE_EVENTS
from host.log import LogLevel, level_of

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

_PAIRS_LIMIT: Final = 25
_DEFAULT_EVENT: Final = "CHANNEL_APPLICATION"


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application("log", "<log_level> <log_string>", "Logs to the logger", routing=True, zombie=True)
def log(session: Session, data: str) -> None:
    """Write a log line; a text of one word, or after an unknown level, is logged at DEBUG."""
    level, blank, text = data.partition(" ")
    if data:
        chosen = level_of(level) if blank else None
        session.channel.log(LogLevel.DEBUG if chosen is None else chosen, text if blank else data)


@_application("info", "", "Display Call Info", routing=True, zombie=True)
def info(session: Session, data: str) -> None:
    """Log everything that is known of the channel, at INFO or the level given."""
    level = level_of(data) if data else LogLevel.INFO
    text = session.event("CHANNEL_DATA").serialize()
    session.channel.log(LogLevel.INFO if level is None else level, f"CHANNEL_DATA:\n{text}")


@_application("event", "", "Fire an event", routing=True, zombie=True)
def event(session: Session, data: str) -> None:
    """Fire an event of the headers `name=value,…`, which may name it (Event-Name, Event-Subclass)."""
    pairs: list[tuple[str, str]] = []
    for part in separate(data, ",", _PAIRS_LIMIT):
        name, equals, value = part.partition("=")
        if equals:
            pairs.append((name.strip(" "), value.lstrip(" ")))
    named = {name.lower(): value for name, value in pairs}
    subclass = named.get("event-subclass")
    try:
        made = session.event(named.get("event-name", _DEFAULT_EVENT).upper(), subclass)
    except ValueError:
        made = session.event(_DEFAULT_EVENT, subclass)
    for name, value in pairs:
        if name.lower() not in ("event-name", "event-subclass"):
            made.add_header(name, value)
    session.switch.fire(made)


@_application("eval", "", "Do Nothing", routing=True, zombie=True)
def evaluate(session: Session, data: str) -> None:
    """Do nothing: what the data asked for was done when it was expanded."""


@_application("stop", "", "Do Nothing", routing=True)
def stop(session: Session, data: str) -> None:
    """Do nothing."""


@_application("verbose_events", "", "Make ALL Events verbose.", routing=True)
def verbose_events(session: Session, data: str) -> None:
    """Let every event of the channel carry its variables, also those that come too often for it."""
    session.channel.private[VERBOSE_EVENTS] = True


@_application("session_loglevel", "<level>", "session_loglevel", routing=True)
def session_loglevel(session: Session, data: str) -> None:
    """Let only log lines of this level and graver ones come from the channel."""
    channel = session.channel
    if not data:
        channel.log(LogLevel.ERR, "No log level specified")
        return
    level = level_of(data)
    if level is None:
        channel.log(LogLevel.ERR, f"Invalid log level: {data}")
        return
    channel.log(LogLevel.DEBUG, f'Setting log level "{level.name}" on session')
    channel.log_level = level
