"""Applications to try out how a call sounds: an echo that is late, one of the voice alone, the levels in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.inbox import Break
from host.leading_number import leading_int
from host.log import LogLevel
from media.energy import FRAME_MS, frame_size
from media.level_meter import LevelMeter
from media.notice import Detected
from media.vad import VoiceDetector

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

_DEFAULT_DELAY_MS: Final = 1000
_LONGEST_DELAY_MS: Final = 10_000
_FRAMES_IN_PERIOD: Final = 1000 // FRAME_MS

# FreeSWITCH's values of the variables `vad_voice_ms` and `vad_silence_ms`.
_VOICE_MS: Final = 200
_SILENCE_MS: Final = 500
_LONGEST_MS: Final = 60_000
_MODES: Final = 3
_DEFAULT_MODE: Final = 2


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application("delay_echo", "<delay ms>", "echo audio at a specified delay", media=True)
def delay_echo(session: Session, data: str) -> None:
    """Send back what is heard, some time later, 1000 ms without a number; until the call ends or is told to break."""
    delay = leading_int(data) if data else _DEFAULT_DELAY_MS
    if not 1 <= delay <= _LONGEST_DELAY_MS:
        session.channel.log(
            LogLevel.ERR, f"Invalid delay [{delay}] must be between 1 and {_LONGEST_DELAY_MS}"
        )
        return
    if delay < 2 * FRAME_MS:
        delay = 2 * FRAME_MS
        session.channel.log(
            LogLevel.WARNING, f"Minimum possible delay for this codec ({delay}) has been chosen"
        )
    frames = delay // FRAME_MS
    session.line.echo(True, frames * frame_size(session.line.rate))
    try:
        session.receive(None, (Break,))
    finally:
        session.line.echo(False)


@_application("vad_test", "[mode]", "VAD test, mode = -1(default), 0, 1, 2, 3", media=True)
def vad_test(session: Session, data: str) -> None:
    """Send back what is heard while it is taken for voice.

    The greater the mode, the less is taken for voice; -1 is the detector's own choice. The variables `vad_voice_ms`
    and `vad_silence_ms` say how long voice and silence have to last to count.
    """
    mode = leading_int(data) if data else -1
    line = session.line
    detector = VoiceDetector(
        line.rate,
        min(mode, _MODES) if mode >= 0 else _DEFAULT_MODE,
        voice_ms=_milliseconds(session, "vad_voice_ms", _VOICE_MS),
        silence_ms=_milliseconds(session, "vad_silence_ms", _SILENCE_MS),
    )
    number = line.listen(detector)
    try:
        while True:
            item = session.receive(None, (Detected, Break))
            if not isinstance(item, Detected):
                return
            if item.detector == number:
                line.echo(item.detail == "start-talking")
    finally:
        line.unlisten(number)
        line.echo(False)


def _milliseconds(session: Session, name: str, default: int) -> int:
    number = leading_int(session.channel.get_variable(name) or "")
    return min(number, _LONGEST_MS) if number > 0 else default


@_application("sound_test", "", "Analyze Audio", media=True)
def sound_test(session: Session, data: str) -> None:
    """Log the level of every frame that is heard, and the mean peak of the second and of all full seconds so far."""
    line = session.line
    number = line.listen(LevelMeter(line.rate))
    peaks: list[int] = []
    total = count = overall = 0
    try:
        while True:
            item = session.receive(None, (Detected, Break))
            if not isinstance(item, Detected):
                return
            if item.detector != number:
                continue
            mean, peak = (int(word) for word in item.detail.split(" "))
            peaks.append(peak)
            session.channel.log(
                LogLevel.CONSOLE,
                f"packet_avg={mean} packet_peak={peak} period_avg={sum(peaks) // len(peaks)} global_avg={overall}",
            )
            if len(peaks) == _FRAMES_IN_PERIOD:
                total += sum(peaks)
                count += len(peaks)
                overall = total // count
                peaks.clear()
    finally:
        line.unlisten(number)
