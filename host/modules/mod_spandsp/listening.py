"""Listen beside what a call does, as a media bug of which a call has one of each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.media_bug import MediaBug, add_media_bug, media_bugs, remove_media_bug

if TYPE_CHECKING:
    from host.session import Session
    from media.command import Detector

_NO_TARGET: Final = "N/A"  # FreeSWITCH: what a media bug that was given no target has


def listen(
    session: Session,
    function: str,
    detector: Detector,
    found: Callable[[str], object],
    *,
    written: bool = False,
) -> MediaBug:
    """Have `found(detail)` called with what `detector` hears in what is received, or `written`, until it is stopped."""
    line = session.line
    number = line.listen(detector, written=written)

    def forget() -> None:
        line.unlisten(number)
        session.background_detectors.pop(number, None)

    bug = MediaBug(function, _NO_TARGET, forget)
    session.background_detectors[number] = found
    add_media_bug(session, bug)
    return bug


def stop(session: Session, function: str) -> None:
    """Listen no more."""
    for bug in media_bugs(session, function):
        remove_media_bug(session, bug)
