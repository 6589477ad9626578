"""Listen for tones beside what a call does (FreeSWITCH: switch_ivr_tone_detect_session)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from host.clock import SECOND
from host.ivr.broadcast import Broadcast, queue_broadcast
from host.leading_number import leading_int
from host.media_bug import MediaBug, add_media_bug, media_bugs, remove_media_bug
from media.tone_detector import EXPIRES_FRAMES, SLEEP_FRAMES, ToneDetector

if TYPE_CHECKING:
    from host.session import Session

FUNCTION: Final = "tone_detect"
# FreeSWITCH takes so many frequencies for one tone.
_MOST_TONES: Final = 18
_LONGEST_TIMEOUT: Final = 86_400  # seconds
_MOST_FRAMES: Final = 100_000


def tone_detect_session(
    session: Session,
    key: str,
    tones: str,
    flags: str = "",
    timeout_s: int = 0,
    hits: int = 1,
    application: str = "",
    data: str = "",
) -> bool:
    """Listen for the frequencies `tones` (`350,440`), in what is received or, with `w`, sent; False for no such tone.

    What is found is told with DETECTED_TONE, or has the call execute `application`; with a further `o` among the
    flags only once. The variables `tone_detect_hits`, `tone_detect_sleep` and `tone_detect_expires` count.
    """
    variables = session.channel
    line = session.line
    hits = _number(variables.get_variable("tone_detect_hits"), hits)
    try:
        detector = ToneDetector(
            line.rate,
            [float(tone) for tone in re.findall(r"[0-9]+(?:\.[0-9]+)?", tones)[:_MOST_TONES]],
            hits,
            sleep=_number(variables.get_variable("tone_detect_sleep"), SLEEP_FRAMES),
            expires=_number(variables.get_variable("tone_detect_expires"), EXPIRES_FRAMES),
        )
    except ValueError:
        return False
    number = line.listen(detector, written="w" in flags and "r" not in flags)

    def forget() -> None:
        line.unlisten(number)
        session.background_detectors.pop(number, None)

    bug = MediaBug(FUNCTION, key, forget)

    def found(detail: str) -> None:
        if application:
            queue_broadcast(session, Broadcast(application, data))
        else:
            session.channel.fire("DETECTED_TONE", ("Detected-Tone", key))
        if "o" in flags:
            remove_media_bug(session, bug)

    session.background_detectors[number] = found
    add_media_bug(session, bug)
    if timeout_s > 0:
        session.clock.call_later(
            min(timeout_s, _LONGEST_TIMEOUT) * SECOND, lambda: remove_media_bug(session, bug)
        )
    return True


def stop_tone_detect(session: Session) -> None:
    """Listen for no tones any more."""
    for bug in media_bugs(session, FUNCTION):
        remove_media_bug(session, bug)


def _number(text: str | None, default: int) -> int:
    number = leading_int(text) if text else 0
    return min(number, _MOST_FRAMES) if number > 0 else default
