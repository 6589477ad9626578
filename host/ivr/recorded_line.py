"""What of a call's line goes into a recording: which directions, when, and until it is silent for too long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from host.channel import Flag
from host.clock import MILLISECOND
from media.sound_changes import SoundChanges

if TYPE_CHECKING:
    from host.clock import Timer
    from host.ivr.recording_settings import Directions, Settings, Silence
    from host.session import Session
    from media.recording import Recorder


class RecordedLine:
    """Has a recording hear a session's line from `begin` to `end`; `finish(cause)` is called when silence ends it.

    With RECORD_ANSWER_REQ only what is heard once the call is answered is recorded, with RECORD_BRIDGE_REQ what is
    heard while it is bridged.
    """

    def __init__(
        self,
        recording: Recorder,
        directions: Directions,
        settings: Settings,
        finish: Callable[[str], object],
    ) -> None:
        self._recording = recording
        self._directions = directions
        self._needed = {
            flag
            for flag, name in ((Flag.ANSWERED, "RECORD_ANSWER_REQ"), (Flag.BRIDGED, "RECORD_BRIDGE_REQ"))
            if settings.is_true(name)
        }
        self._silence = _Listening(settings.silence, directions, finish)
        self._session: Session | None = None
        self._tap: int | None = None
        self._lock = threading.RLock()

    @property
    def cause_of_hangup(self) -> str:
        """How the recording is told to have ended when the call ends. FreeSWITCH: words of MRCP's recorder."""
        return "success-silence" if self._silence.sound_heard else "no-input-timeout"

    def begin(self, session: Session) -> None:
        """Record this session's line from now on."""
        self._session = session
        if self._needed:
            session.channel.watchers.append(self._look)
        self._look()

    def end(self) -> None:
        """Record it no more."""
        with self._lock:
            session, self._session = self._session, None
            if session is None:
                return
            if self._needed:
                session.channel.watchers.remove(self._look)
            self._stop(session)

    def _look(self) -> None:
        """Begin or stop to listen as the channel's flags say."""
        with self._lock:
            session = self._session
            if session is None:
                return
            if not self._needed <= session.channel.flags:
                self._stop(session)
            elif self._tap is None:
                wanted = self._directions
                self._tap = session.line.tap(
                    self._recording, read=wanted.read, write=wanted.write, stereo=wanted.channels == 2
                )
                self._silence.begin(session)

    def _stop(self, session: Session) -> None:
        if self._tap is not None:
            session.line.untap(self._tap)
            self._tap = None
            self._silence.end(session)


class _Listening:
    """Waits for silence in the directions that are recorded.

    FreeSWITCH: it is silent as long as what is recorded is; here each direction has to be.
    """

    def __init__(self, silence: Silence, directions: Directions, finish: Callable[[str], object]) -> None:
        self._wanted = silence
        self._directions = directions
        self._finish = finish
        self.sound_heard = not silence.threshold
        self._sounding: set[int] = set()
        self._detectors: list[int] = []
        self._timer: Timer | None = None
        self._lock = threading.Lock()

    def begin(self, session: Session) -> None:
        """Listen from now on, where there is anything to wait for."""
        if not self._wanted.threshold:
            return
        self._sounding.clear()
        for wanted, written in ((self._directions.read, False), (self._directions.write, True)):
            if wanted:
                self._listen(session, written=written)
        with self._lock:
            self._wait(session)

    def end(self, session: Session) -> None:
        """Listen no more."""
        for number in self._detectors:
            session.line.unlisten(number)
            session.background_detectors.pop(number, None)
        self._detectors.clear()
        with self._lock:
            self._wait_no_more()

    def _listen(self, session: Session, *, written: bool) -> None:
        line = session.line
        number = line.listen(SoundChanges(line.rate, self._wanted.threshold), written=written)
        self._detectors.append(number)
        session.background_detectors[number] = lambda change: self._hear(session, number, change)

    def _hear(self, session: Session, number: int, change: str) -> None:
        with self._lock:
            if number not in self._detectors:
                return
            if change == "sound":
                self.sound_heard = True
                self._sounding.add(number)
                self._wait_no_more()
            else:
                self._sounding.discard(number)
                if not self._sounding:
                    self._wait(session)

    def _wait(self, session: Session) -> None:
        self._wait_no_more()
        ms = self._wanted.final_ms if self.sound_heard else self._wanted.initial_ms
        if ms:
            cause = "success-silence" if self.sound_heard else "no-input-timeout"
            self._timer = session.clock.call_later(ms * MILLISECOND, lambda: self._finish(cause))

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
