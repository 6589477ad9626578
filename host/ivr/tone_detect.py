"""Listen for tones beside what a call does (FreeSWITCH: switch_ivr_tone_detect_session)."""

from __future__ import annotations

import re
from collections.abc import Callable
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
_LISTENING: Final = "tone_detect"
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
    flags only once, which ends all of them. FreeSWITCH: all tones of a call are one media bug, the first one's, whose
    `timeout_s` counts for all. The variables `tone_detect_hits`, `tone_detect_sleep` and `tone_detect_expires` count.
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
    listening = session.private(_LISTENING, _Listening)
    if listening is None or listening.bug is None:
        listening = session.channel.private[_LISTENING] = _Listening(session, key)
        if timeout_s > 0:
            limit = min(timeout_s, _LONGEST_TIMEOUT) * SECOND
            session.clock.call_later(limit, listening.end)

    def found(detail: str) -> None:
        if application:
            queue_broadcast(session, Broadcast(application, data))
        else:
            session.channel.fire("DETECTED_TONE", ("Detected-Tone", key))
        if "o" in flags:
            listening.end()

    listening.listen_for(detector, found, written="w" in flags and "r" not in flags)
    return True


class _Listening:
    """All that listens for tones in one call: one media bug, named by the first and gone with one that is for once."""

    def __init__(self, session: Session, key: str) -> None:
        self._session = session
        self._numbers: list[int] = []
        self.bug: MediaBug | None = MediaBug(FUNCTION, key, self._forget)
        add_media_bug(session, self.bug)

    def listen_for(self, detector: ToneDetector, found: Callable[[str], object], *, written: bool) -> None:
        """Have `found` called when the detector hits."""
        number = self._session.line.listen(detector, written=written)
        self._numbers.append(number)
        self._session.background_detectors[number] = found

    def end(self) -> None:
        """Listen no more; harmless when it has ended."""
        if self.bug is not None:
            remove_media_bug(self._session, self.bug)

    def _forget(self) -> None:
        self.bug = None
        for number in self._numbers:
            self._session.line.unlisten(number)
            self._session.background_detectors.pop(number, None)


def stop_tone_detect(session: Session) -> None:
    """Listen for no tones any more."""
    for bug in media_bugs(session, FUNCTION):
        remove_media_bug(session, bug)


def _number(text: str | None, default: int) -> int:
    number = leading_int(text) if text else 0
    return min(number, _MOST_FRAMES) if number > 0 else default
