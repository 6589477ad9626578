"""Noise suppression and automatic gain on a call (FreeSWITCH: switch_ivr_preprocess_session)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.leading_number import leading_int
from host.log import LogLevel
from host.media_bug import MediaBug, add_media_bug, media_bugs, remove_media_bug
from host.truth import is_true
from media.speexdsp import LEVEL_RANGE, PreprocessSettings, require

if TYPE_CHECKING:
    from host.session import Session

FUNCTION: Final = "preprocess"
_NO_TARGET: Final = "N/A"
_MOST_SETTINGS: Final = 5  # FreeSWITCH reads so many
_STATE: Final = "_preprocess"


def preprocess_session(session: Session, commands: str) -> None:
    """Do what `r.agc=LEVEL,w.noise_suppress=-DB` says to what is read (r) or written (w); `stop` ends all of it.

    `agc` is on for a true value, a number above 1 being the level to reach (else the sample rate is it, as in
    FreeSWITCH), and off for others. What cannot be done is logged. FreeSWITCH cancels echoes, too (`echo_cancel`,
    `echo_suppress`); nothing here does. Raises SpeexDspUnavailable where there is something to be done.
    """
    bugs = media_bugs(session, FUNCTION)
    if bugs and commands.lower() == "stop":
        for bug in bugs:
            remove_media_bug(session, bug)
        return
    settings = dict(session.private(_STATE, dict) or {})
    changed: list[bool] = []
    for entry in separate(commands, ",", _MOST_SETTINGS):
        name, equals, value = entry.partition("=")
        if not equals:
            break
        direction, what = name[:1], name[1:].lstrip("._").lower()
        if direction not in ("r", "w"):
            session.channel.log(LogLevel.ERR, "Syntax error parsing preprocessor commands")
            continue
        read = direction == "r"
        made = _with(session, settings.get(read, PreprocessSettings()), direction, what, value)
        if made is not None:
            settings[read] = made
            changed.append(read)
    if changed:
        require()
    for read in changed:
        session.line.preprocess(settings[read], read=read)
    session.channel.private[_STATE] = settings
    if not bugs:
        add_media_bug(session, MediaBug(FUNCTION, _NO_TARGET, lambda: _stop(session)))


def _with(
    session: Session, settings: PreprocessSettings, direction: str, what: str, value: str
) -> PreprocessSettings | None:
    """Return the settings with one of them changed; None, and a log line, when that cannot be."""
    log = session.channel.log
    number = leading_int(value)
    match what:
        case "agc":
            on = is_true(value)
            log(LogLevel.DEBUG, f"Setting AGC on {direction} to {int(on)}")
            level = number if number > LEVEL_RANGE[0] else session.line.rate
            return replace(settings, agc_level=level if on else None)
        case "noise_suppress" if number < 0:
            log(LogLevel.DEBUG, f"Setting NOISE_SUPPRESS on {direction} to {number} [0]")
            return replace(settings, noise_suppress=number)
        case "noise_suppress":
            log(LogLevel.ERR, "Syntax error noise_suppress should be in -db")
        case "echo_cancel" | "echo_suppress":
            log(LogLevel.ERR, f"There is no {what} here: echoes are not cancelled")
        case _:
            log(LogLevel.WARNING, f"Warning unknown parameter [{what}] ")
    return None


def _stop(session: Session) -> None:
    for read in session.private(_STATE, dict) or {}:
        session.line.preprocess(None, read=read)
    session.channel.private.pop(_STATE, None)
