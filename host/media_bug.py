"""Media bugs: what listens to a session's sound or changes it, as `uuid_buglist` lists it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from host.session import Session

_BUGS: Final = "media_bugs"


@dataclass(slots=True, eq=False)
class MediaBug:
    """One bug: what it does, on what, how it is taken away, and whether it is still there."""

    function: str
    target: str
    remove: Callable[[], object]
    active: Callable[[], bool] = lambda: True


def media_bugs(session: Session, function: str | None = None) -> list[MediaBug]:
    """Return the session's bugs in order of their beginning, those of one function only when it is given."""
    found = [bug for bug in _bugs(session) if bug.active()]
    return [bug for bug in found if function is None or bug.function == function]


def add_media_bug(session: Session, bug: MediaBug) -> None:
    """Note a bug that has begun and tell it with MEDIA_BUG_START."""
    _bugs(session)[:] = [*media_bugs(session), bug]
    _tell(session, bug, "MEDIA_BUG_START")


def remove_media_bug(session: Session, bug: MediaBug) -> None:
    """Take a bug away and tell it with MEDIA_BUG_STOP; harmless when it has gone."""
    bugs = _bugs(session)
    if bug in bugs:
        bugs.remove(bug)
        bug.remove()
        _tell(session, bug, "MEDIA_BUG_STOP")


def _bugs(session: Session) -> list[MediaBug]:
    bugs: list[MediaBug] = session.channel.private.setdefault(_BUGS, [])  # type: ignore[assignment]
    return bugs


def _tell(session: Session, bug: MediaBug, event_name: str) -> None:
    session.channel.fire(
        event_name, first=(("Media-Bug-Function", bug.function), ("Media-Bug-Target", bug.target))
    )
