"""Applications that turn keys into sound, and that keep one key from counting twice, as sound and as an event."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.channel import Flag
from host.clock import MILLISECOND
from host.log import LogLevel
from host.media_bug import MediaBug, add_media_bug, media_bugs, remove_media_bug
from media.dtmf import FREQUENCIES, tones
from media.source import Samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from host.inbox import Digit
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

_FUNCTION: Final = "inband_dtmf_generate"
_FILTER: Final = "deduplicate_dtmf_filter"
_SAMPLES_PER_MS: Final = 8
# Between two keys; ITU-T Q.24 asks receivers to tell keys apart from 45 ms on.
_PAUSE_MS: Final = 60
# FreeSWITCH: so many keys wait to be heard; further ones stay events.
_MOST_WAITING: Final = 100
_INBAND: Final = "INBAND_AUDIO"
_SEEN: Final = {_INBAND: "inband", "RTP": "rtp", "ENDPOINT": "endpoint"}


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


class KeySounds:
    """Keys that sound one after another, in place of what a line receives (`read`) or sends."""

    def __init__(self, session: Session, *, read: bool) -> None:
        self._session = session
        self._read = read
        self._waiting: deque[Digit] = deque()
        self._sounding: int | None = None
        self._ended = False

    @property
    def interceptors(self) -> list[Callable[[Digit], bool]]:
        """The session's list in which `take` belongs."""
        session = self._session
        return session.digit_interceptors if self._read else session.sent_digit_interceptors

    def take(self, digit: Digit) -> bool:
        """Let a key sound instead of being an event; False when it has to stay one."""
        if len(self._waiting) >= _MOST_WAITING or digit.digit.upper() not in FREQUENCIES:
            return False
        self._session.channel.fire(
            "DTMF",
            ("DTMF-Digit", digit.digit),
            ("DTMF-Duration", str(digit.duration)),
            ("DTMF-Source", "APP"),
            ("DTMF-Conversion", "native:inband"),
        )
        if digit.source != _INBAND:  # one that was heard sounds already
            self._waiting.append(digit)
            if self._sounding is None:
                self._next()
        return True

    def stop(self) -> None:
        """Be silent; keys are events again."""
        self._ended = True
        self._waiting.clear()
        self.interceptors.remove(self.take)
        if self._sounding is not None:
            self._session.line.undisplace(self._sounding)

    def _next(self) -> None:
        self._sounding = None
        if self._ended or not self._waiting:
            return
        digit = self._waiting.popleft()
        line = self._session.line
        ms = min(digit.duration, self._session.switch.control.longest_digit) // _SAMPLES_PER_MS
        sound = Samples(tones(digit.digit, ms, line.rate), line.rate)
        self._sounding = line.displace(sound, read=self._read)
        self._session.clock.call_later((ms + _PAUSE_MS) * MILLISECOND, self._next)


@_application("start_dtmf_generate", "", "Generate dtmf", media=True)
def start_dtmf_generate(session: Session, data: str) -> None:
    """Let keys from the far end be heard by whom the call is bridged with; `write`: those sent to it, by itself."""
    if not session.channel.flags & {Flag.ANSWERED, Flag.EARLY_MEDIA}:
        session.channel.log(
            LogLevel.ERR, "Can not install inband dtmf generate.  Media not enabled on channel"
        )
        return
    if media_bugs(session, _FUNCTION):
        return
    sounds = KeySounds(session, read=data.lower() != "write")
    sounds.interceptors.append(sounds.take)
    add_media_bug(session, MediaBug(_FUNCTION, "_none_", sounds.stop))


@_application("stop_dtmf_generate", "[write]", "stop inband dtmf generation", media=True)
def stop_dtmf_generate(session: Session, data: str) -> None:
    """Let keys be events again."""
    for bug in media_bugs(session, _FUNCTION):
        remove_media_bug(session, bug)


class DuplicateKeys:
    """Swallows keys that came before by another way; once events are known to come, all that are none."""

    def __init__(self, session: Session, *, only_rtp: bool) -> None:
        self._channel = session.channel
        self._only_rtp = only_rtp
        self._last: tuple[str, str] | None = None

    def swallow(self, digit: Digit) -> bool:
        """Look at a key; True when it does not count. `deduplicate_dtmf_seen_…` tell which ways there are."""
        seen = _SEEN.get(digit.source)
        if seen is None:
            return False
        self._channel.set_variable(f"deduplicate_dtmf_seen_{seen}", "true")
        if self._only_rtp:
            swallowed = digit.source != "RTP"
        else:
            swallowed = (
                self._last is not None and self._last[0] == digit.digit and self._last[1] != digit.source
            )
            self._last = (digit.digit, digit.source)
            self._only_rtp = digit.source == "RTP"
        kept = "Ignore" if swallowed else "Accept"
        self._channel.log(LogLevel.INFO, f"{kept} {digit.source} digit {digit.digit}")
        return swallowed


@_application("deduplicate_dtmf", "[only_rtp]", "Prevent duplicate inband + 2833 dtmf")
def deduplicate_dtmf(session: Session, data: str) -> None:
    """Take a key that arrives as sound and as an event once; `only_rtp`: take events alone."""
    if _FILTER in session.channel.private:
        return
    keys = DuplicateKeys(session, only_rtp=data == "only_rtp")
    session.channel.private[_FILTER] = keys
    session.digit_interceptors.insert(0, keys.swallow)
