"""Tones with a cadence and the tones of faxes, listened for beside a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from host.clock import SECOND
from host.ivr.broadcast import Broadcast, queue_broadcast
from host.log import LogLevel
from host.media_bug import media_bugs, remove_media_bug
from host.modules.mod_spandsp.listening import listen, stop
from host.session_state import run_moment
from media.cadence_detector import CadenceDetector, CadenceElement, CadenceTone

if TYPE_CHECKING:
    from host.session import Session

TONES: Final = "spandsp_tone_detect"
FAX: Final = "fax_detect"

# ITU-T T.30: half a second of 1100 Hz every three seconds calls, 2.6 s and more of 2100 Hz answer.
CALLING: Final = CadenceTone("cng", (CadenceElement(1100, 0, 400, 0),))
ANSWERING: Final = CadenceTone("ced", (CadenceElement(2100, 0, 500, 0),))
_LONGEST_TIMEOUT: Final = 86_400  # seconds


def start_tones(session: Session, name: str, tones: Sequence[CadenceTone] | None) -> bool:
    """Listen for the tones of a descriptor; False where there is none, or one is listened for already."""
    channel = session.channel
    if media_bugs(session, TONES):
        return False
    if tones is None:
        channel.log(
            LogLevel.WARNING, f"no tone descriptor defined with name '{name}'.  Update configuration. "
        )
        return False
    try:
        detector = CadenceDetector(session.line.rate, tones)
    except ValueError as error:
        channel.log(LogLevel.WARNING, str(error))
        return False
    channel.log(LogLevel.DEBUG, f"Starting tone detection for '{name}'")

    def found(tone: str) -> None:
        channel.log(LogLevel.INFO, f"DETECTED TONE: {tone}")
        run_moment(session, f"spandsp_tone_detect_{tone.lower()}")  # variables know no case
        channel.fire("DETECTED_TONE", ("Detected-Tone", tone))
        if channel.is_true("spandsp_tone_detect_stop_on_tone"):
            stop(session, TONES)

    listen(session, TONES, detector, found)
    return True


def start_fax(session: Session, application: str, data: str, timeout_s: int, tone: CadenceTone) -> None:
    """Have the call execute an application when it hears a fax, within so many seconds (0: at any time)."""
    if media_bugs(session, FAX):
        return
    channel = session.channel

    def found(detail: str) -> None:
        channel.log(LogLevel.INFO, f"Fax Tone Detected. [{application}][{data}]")
        run_moment(session, "fax_detect")
        queue_broadcast(session, Broadcast(application, data))
        channel.fire("DETECTED_TONE", ("Detected-Fax-Tone", "true"))
        remove_media_bug(session, bug)

    bug = listen(session, FAX, CadenceDetector(session.line.rate, (tone,)), found)
    if timeout_s > 0:
        session.clock.call_later(
            min(timeout_s, _LONGEST_TIMEOUT) * SECOND, lambda: remove_media_bug(session, bug)
        )
