"""When somebody begins to speak and when an utterance is over, by energy (FreeSWITCH: mod_pocketsphinx)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from host.asr import FRAME_MS

# FreeSWITCH: so many more frames are heard once there was silence for long enough.
_SETTLING: Final = 12


class Turn(Enum):
    """What a frame of sound brought about."""

    BEGIN = auto()  # somebody began to speak
    END = auto()  # the utterance is over
    SPEECH_TIMEOUT = auto()  # there was silence for too long after speech
    NO_INPUT = auto()  # nobody has spoken in time


@dataclass(slots=True)
class Endpointing:
    """Judges frames of 20 ms by their mean absolute sample value; times are counted in frames.

    A frame at `threshold` or above is speech. After more than `listen_hits` of those, `silence_hits` frames in a row
    below it and 12 more end the utterance. With `timing`, silence of `speech_timeout` ms after speech ends it, too, and
    one of `no_input_timeout` ms without any speech is told once; 0 for no timeout.
    """

    threshold: int
    silence_hits: int
    listen_hits: int
    no_input_timeout: int
    speech_timeout: int
    timing: bool = False
    listening: int = 0
    _silent: int = 0
    _settling: int = 0
    _silence_ms: int = 0
    _began: bool = False
    _timed_out: bool = False

    @property
    def hears(self) -> bool:
        """Whether an utterance has begun and not ended."""
        return self.listening > 0

    def restart(self, *, timing: bool) -> None:
        """Wait for somebody to begin to speak."""
        self.timing = timing
        self.listening = self._silent = self._settling = self._silence_ms = 0
        self._began = self._timed_out = False

    def start_timing(self) -> None:
        """Count silence from now on as the time in which the caller must speak (RFC 6787, START-INPUT-TIMERS).

        FreeSWITCH's counts from the grammar's loading on, so that a long prompt leaves no time.
        """
        if not self.timing:
            self.timing = True
            self._silence_ms = 0

    def feed(self, energy: int) -> Turn | None:
        """Take the next frame's energy."""
        loud = energy >= self.threshold
        self._silence_ms = 0 if loud else self._silence_ms + FRAME_MS
        if self._settling:
            self._settling -= 1
            if self._settling:
                return None
            self.listening = self._silent = 0
            return Turn.END
        began = False
        if loud:
            self.listening += 1
            began = self.listening == 1
            self._began = True
            self._silent = 0
        timeout = self._look_at_timeouts()
        if timeout is not None:
            return timeout
        if self.listening > self.listen_hits and not loud:
            self._silent += 1
            if self._silent >= self.silence_hits:
                self._settling = _SETTLING
        return Turn.BEGIN if began else None

    def _look_at_timeouts(self) -> Turn | None:
        if not self.timing or self._timed_out or not self._silence_ms:
            return None
        limit = self.speech_timeout if self._began else self.no_input_timeout
        if limit <= 0 or self._silence_ms < limit:
            return None
        self._timed_out = True
        self.listening = self._silent = 0
        return Turn.SPEECH_TIMEOUT if self._began else Turn.NO_INPUT
