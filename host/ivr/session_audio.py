"""Volume of a call and sound put over it (FreeSWITCH: switch_ivr_session_audio, switch_ivr_displace_session)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.media_bug import MediaBug, add_media_bug, media_bugs, remove_media_bug
from host.sound_file import SoundFileError, full_path, open_sound
from media.mix import STEP_FACTORS

if TYPE_CHECKING:
    from host.session import Session

_LOUDEST: Final = max(STEP_FACTORS)


def set_audio_level(session: Session, direction: str, level: int) -> None:
    """Set the volume of what is read or written, in FreeSWITCH's steps from -4 to 4."""
    step = max(-_LOUDEST, min(_LOUDEST, level))
    _set_audio(session, "level", direction, STEP_FACTORS[step])


def mute_audio(session: Session, direction: str, level: int) -> None:
    """Mute what is read or written; level 0 ends it."""
    _set_audio(session, "mute", direction, 0.0 if level else 1.0)


def stop_session_audio(session: Session) -> None:
    """End levels and mutes of both directions."""
    for bug in media_bugs(session, "audio"):
        remove_media_bug(session, bug)


def displace_session(
    session: Session, path: str, *, read: bool = False, mux: bool = False, limit_ms: int = 0
) -> bool:
    """Put a file in place of what the call's far end hears (`read`: of what it says), or, `mux`, over it.

    False when it displaces already or cannot be opened.
    """
    full = full_path(session.channel, path)
    if _displacement(session, full) is not None:
        return False
    line = session.line
    try:
        source = open_sound(session.switch, session.channel, path, line.rate).source
    except SoundFileError:
        return False
    limit = limit_ms * line.rate // 1000 if limit_ms > 0 else None
    number = line.displace(source, read=read, mux=mux, limit=limit)
    add_media_bug(
        session,
        MediaBug("displace", full, lambda: line.undisplace(number), lambda: line.displaced(number)),
    )
    return True


def stop_displace_session(session: Session, path: str) -> bool:
    """End a displacement; False when there is none of that file."""
    bug = _displacement(session, full_path(session.channel, path))
    if bug is None:
        return False
    remove_media_bug(session, bug)
    return True


def _displacement(session: Session, path: str) -> MediaBug | None:
    return next((bug for bug in media_bugs(session, "displace") if bug.target == path), None)


def _set_audio(session: Session, what: str, direction: str, factor: float) -> None:
    """Set the factor of one direction; FreeSWITCH: one bug stands for all, named by what began it."""
    line = session.line
    line.volume(read=direction == "read", factor=factor)

    def plain() -> None:
        line.volume(read=True, factor=1.0)
        line.volume(read=False, factor=1.0)

    if not media_bugs(session, "audio"):
        add_media_bug(session, MediaBug("audio", what, plain))
