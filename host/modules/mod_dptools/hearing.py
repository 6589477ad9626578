"""Applications that listen for silence, sound and tones, and that send back what they hear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.arguments import separate
from host.clock import SECOND
from host.inbox import Break
from host.ivr.listen import listen_for
from host.ivr.tone_detect import stop_tone_detect as stop_tones
from host.ivr.tone_detect import tone_detect_session
from host.leading_number import leading_int
from host.log import LogLevel
from host.sound_file import open_source
from media.energy import SETTLING_FRAMES, EnergyDetector
from media.timed_detector import TIMEOUT, TimedDetector

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch
    from media.source import Source

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

_WAIT_SYNTAX: Final = "<silence_thresh> <silence_hits> <listen_hits> <timeout_ms> [<file>]"
_SOUND_SYNTAX: Final = "<threshold> <audio_hits> <timeout_ms> [<file>]"
_SILENCE_SYNTAX: Final = "<threshold> <silence_hits> <timeout_ms> [<file>]"
_CALLING_FAX: Final = "1100.0"  # ITU-T T.30: CNG, in Hz


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application("wait_for_silence", _WAIT_SYNTAX, "wait_for_silence", media=True)
def wait_for_silence(session: Session, data: str) -> None:
    """Wait for so many frames of silence in a row after more than so many of sound."""
    wanted = _wanted(session, data, 4, _WAIT_SYNTAX)
    if wanted is None:
        return
    (threshold, hits, listen_hits, timeout), path = wanted
    rate = session.line.rate
    detector = EnergyDetector(
        rate, threshold, hits, listen_hits=max(0, listen_hits), settling=SETTLING_FRAMES - 1
    )
    told = _listen(session, detector, timeout, path)
    if told is not None:
        what, heard, row = told
        put = session.channel.set_variable
        put("wait_for_silence_timeout", "true" if what == TIMEOUT else "false")
        put("wait_for_silence_listenhits", heard)
        put("wait_for_silence_silence_hits", str(max(0, hits - int(row))))


@_application("detect_audio", _SOUND_SYNTAX, "detect_audio", media=True)
def detect_audio(session: Session, data: str) -> None:
    """Wait for more than so many frames of sound in a row."""
    wanted = _wanted(session, data, 3, _SOUND_SYNTAX)
    if wanted is None:
        return
    (threshold, hits, timeout), path = wanted
    detector = EnergyDetector(session.line.rate, threshold, hits + 1, "sound")
    _detect(session, "detect_audio", detector, timeout, path)


@_application("detect_silence", _SILENCE_SYNTAX, "detect_silence", media=True)
def detect_silence(session: Session, data: str) -> None:
    """Wait for more than so many frames of silence in a row; a frame at the threshold is silent here."""
    wanted = _wanted(session, data, 3, _SILENCE_SYNTAX)
    if wanted is None:
        return
    (threshold, hits, timeout), path = wanted
    detector = EnergyDetector(session.line.rate, threshold + 1, hits + 1, "silence")
    _detect(session, "detect_silence", detector, timeout, path)


def _wanted(session: Session, data: str, count: int, syntax: str) -> tuple[list[int], str] | None:
    """Return `count` numbers and the path behind them, "" without one; None, told in the log, where they cannot be."""
    *words, path = [*separate(data, " ", count + 1), ""][: count + 1]
    numbers = [leading_int(word) for word in words]
    if len(numbers) < count or numbers[0] <= 0 or numbers[1] <= 0:
        session.channel.log(LogLevel.ERR, f"Usage: {syntax}")
        return None
    return numbers, path


def _detect(session: Session, name: str, detector: EnergyDetector, timeout_ms: int, path: str) -> None:
    told = _listen(session, detector, timeout_ms, path)
    if told is None:
        return
    what, _, row = told
    session.channel.set_variable(f"{name}_timeout", "true" if what == TIMEOUT else "false")
    if what == TIMEOUT:
        session.channel.set_variable(f"{name}_hits", row)


def _listen(
    session: Session, detector: EnergyDetector, timeout_ms: int, path: str
) -> tuple[str, str, str] | None:
    """Listen while the file `path` is played; None when it ended first, could not be opened, or at hangup."""
    source: Source | None = None
    if path:
        try:
            source = open_source(session.switch, path, session.line.rate)
        except OSError as error:
            session.channel.log(LogLevel.WARNING, f"Failure opening playback file {path}: {error}")
            return None
    limit = session.line.rate // 1000 * timeout_ms if timeout_ms > 0 else None
    detail = listen_for(session, TimedDetector(detector, limit), source)
    if detail is None:
        return None
    what, heard, row = detail.split(" ")
    return what, heard, row


@_application("tone_detect", "", "Detect tones", media=True)
def tone_detect(session: Session, data: str) -> None:
    """Listen for tones beside the call: `key tones [flags [+seconds|time [app [data [hits]]]]]`."""
    channel = session.channel
    words = separate(data, " ", 7)
    if len(words) < 2:
        channel.log(LogLevel.ERR, "INVALID ARGS!")
        return
    key, tones, flags, when, application, argument, hits = words + [""] * (7 - len(words))
    if application and not argument:
        hits, application = application, ""  # FreeSWITCH: a fifth word alone is the number of hits
    seconds = leading_int(when.removeprefix("+"))
    if when and not when.startswith("+"):
        seconds -= session.clock.time() // SECOND
    if when and seconds <= 0:
        channel.log(LogLevel.ERR, "INVALID Timeout!")
        seconds = 0
    channel.log(LogLevel.NOTICE, f"Enabling tone detection '{key}' '{tones}'")
    tone_detect_session(session, key, tones, flags, seconds, max(1, leading_int(hits)), application, argument)


@_application("fax_detect", "", "Detect faxes", media=True)
def fax_detect(session: Session, data: str) -> None:
    """Listen for the tone of a calling fax."""
    tone_detect_session(session, "fax", _CALLING_FAX, "r")


@_application("stop_tone_detect", "", "stop detecting tones", media=True)
def stop_tone_detect(session: Session, data: str) -> None:
    """Listen for no tones any more."""
    session.channel.log(LogLevel.NOTICE, "Disabling tone detection")
    stop_tones(session)


@_application("echo", "", "Echo", media=True)
def echo(session: Session, data: str) -> None:
    """Send back what is heard until the call ends or is told to break."""
    session.line.echo(True)
    try:
        session.receive(None, (Break,))
    finally:
        session.line.echo(False)
        session.forget_input(digits=True)
