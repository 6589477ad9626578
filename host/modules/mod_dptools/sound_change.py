"""Applications that change what a call hears or says: volume, mute, noise suppression, a file put over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.arguments import separate
from host.hangup_cause import HangupCause
from host.ivr.preprocess import preprocess_session
from host.ivr.session_audio import displace_session as displace
from host.ivr.session_audio import mute_audio
from host.ivr.session_audio import set_audio_level as set_level
from host.ivr.session_audio import stop_displace_session as stop_displacing
from host.leading_number import leading_int
from host.log import LogLevel
from host.media_bug import media_bugs, remove_media_bug
from host.truth import is_true
from media.speexdsp import SpeexDspUnavailable

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

_MS: Final = 1000


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application("set_audio_level", "", "set volume", media=True)
def set_audio_level(session: Session, data: str) -> None:
    """Set the volume of what is read or written: `read|write LEVEL`, -4 to 4."""
    words = data.split(" ")
    if len(words) != 2:
        session.channel.log(LogLevel.DEBUG, f"{session.channel.name} Error. USAGE: [read|write] <vol>")
        return
    set_level(session, words[0], leading_int(words[1]))


@_application("set_mute", "", "set mute", media=True)
def set_mute(session: Session, data: str) -> None:
    """Mute what is read or written, or end it: `read|write true|false|LEVEL`."""
    words = data.split(" ")
    if len(words) != 2:
        usage = "[read|write] [[true|cn level]|false]"
        session.channel.log(LogLevel.DEBUG, f"{session.channel.name} Error. USAGE: {usage}")
        return
    level = leading_int(words[1])
    mute_audio(session, words[0], level if level > 0 else int(is_true(words[1])))


@_application("preprocess", "", "pre-process", media=True)
def preprocess(session: Session, data: str) -> None:
    """Suppress noise and regulate the gain: `r.agc=LEVEL,w.noise_suppress=-DB`, `stop`."""
    try:
        preprocess_session(session, data)
    except SpeexDspUnavailable as error:
        session.channel.log(LogLevel.ERR, f"Cannot preprocess: {error}")


@_application("displace_session", "<path> [<flags>] [+time_limit_ms]", "Displace File", media=True)
def displace_session(session: Session, data: str) -> None:
    """Put a file in place of what the far end hears; flag `m` over it, `r` of what it says.

    FreeSWITCH: the limit, though called ms, is in seconds.
    """
    words = separate(data, " ", 6)
    if not words:
        return
    limit, flags = 0, ""
    for word in words[1:]:
        if "+" in word:
            limit = leading_int(word)
        elif word:
            flags = word
    done = displace(session, words[0], read="r" in flags, mux="m" in flags, limit_ms=max(0, limit) * _MS)
    if not done and session.channel.is_true("DISPLACE_HANGUP_ON_ERROR"):
        session.channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)


@_application("stop_displace_session", "<path>", "Stop Displace File", media=True)
def stop_displace_session(session: Session, data: str) -> None:
    """End what `displace_session` began with the same path."""
    stop_displacing(session, data)


@_application("remove_bugs", "[<function>]", "Remove media bugs", media=True)
def remove_bugs(session: Session, data: str) -> None:
    """Take away everything that listens to the call's sound or changes it, or what does so as `function`."""
    for bug in media_bugs(session, data or None):
        remove_media_bug(session, bug)
