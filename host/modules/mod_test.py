"""mod_test: engines `test` for speech, as FreeSWITCH has them for tests of scripts.

The one that recognises hears nothing but whether somebody speaks; what it "recognises" is the parameter `result` of
the grammar: `{result=yes,confidence=90}grammar`. The one that speaks is silent: `silence://500` for so many ms.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from host.asr import FRAME_MS, AsrHandle, AsrRequest, AsrResult, Heard
from host.interfaces import AsrInterface, SpeechInterface
from host.leading_number import leading_int
from host.log import LogLevel
from host.truth import is_true
from media.energy import scores
from media.source import Silence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from host.switch import Switch
    from media.source import Source

NAME: Final = "mod_test"

# FreeSWITCH: a result is told as partial so often before it is final, when that is wanted.
_PARTIALS: Final = 3

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DECIMAL: Final = re.compile(r"\s*[0-9]+(\.[0-9]*)?")

# A text that says how long it takes, and the longest such time: a minute is no test any more.
_SILENCE: Final = re.compile(r"silence://([0-9]{1,9})")
_LONGEST_MS: Final = 60_000


def load(switch: Switch) -> None:
    """Register both engines."""
    switch.asrs.add(AsrInterface("test", NAME, Recognition))
    switch.speeches.add(SpeechInterface("test", NAME, speak))


def speak(text: str, voice: str, rate: int) -> Source:
    """Return silence: as long as `silence://MS` in the text says, else a second."""
    found = _SILENCE.search(text)
    return Silence(rate, (min(int(found[1]), _LONGEST_MS) if found else 1000) * rate // 1000)


class Recognition(AsrHandle):
    """Waits for somebody who speaks for `voice_ms` and is silent for `silence_ms` then, by the sound's energy.

    Times are counted in the sound that it is fed. Its results are JSON, as FreeSWITCH's are.
    """

    def __init__(self, request: AsrRequest) -> None:
        self._log = request.log
        self._rate = request.rate
        self._grammar = ""
        self._threshold, self._silence_ms, self._voice_ms = 400, 700, 60
        self._no_input_timeout, self._speech_timeout = 5000, 10_000
        self._start_input_timers = True
        self._partials = 0
        request.log(LogLevel.INFO, f"codec = L16, rate = {request.rate}, dest = {request.destination}")
        self._reset()

    def _reset(self) -> None:
        self._text, self._confidence = "agent", 87.3
        self._forget()
        self._ready = True
        self._timing = self._start_input_timers

    def _forget(self) -> None:
        self._ready = self._timing = self._began = self._told_begin = False
        self._result = self._no_input = self._told_result = False
        self._talking = False
        self._voice = self._silence = 0  # ms in a row
        self._heard = self._spoken = 0  # ms since it listens for input, and since speech began

    def load_grammar(self, grammar: str, name: str) -> bool:
        self._log(LogLevel.INFO, f"load grammar {grammar}")
        self._grammar = grammar
        return True

    def unload_grammar(self, name: str) -> bool:
        return True

    def feed(self, samples: NDArray[np.int16]) -> None:
        self._heard += FRAME_MS
        self._spoken += FRAME_MS
        if not self._ready:
            return
        loud = bool((scores(samples, self._rate) > self._threshold).any())
        self._voice = self._voice + FRAME_MS if loud else 0
        self._silence = 0 if loud else self._silence + FRAME_MS
        if not self._talking and self._voice > self._voice_ms:
            self._talking = self._began = True
            self._spoken = 0
        elif self._talking and self._silence > self._silence_ms:
            self._log(LogLevel.INFO, "Talking stopped, have result.")
            self._result, self._ready, self._talking = True, False, False

    def pause(self) -> bool:
        self._log(LogLevel.DEBUG, "Pausing")
        self._forget()
        return True

    def resume(self) -> bool:
        self._log(LogLevel.DEBUG, "Resuming")
        self._reset()
        return True

    def check_results(self) -> bool:
        if self._told_result:
            return False
        if self._began and not self._told_begin:
            return True
        if not self._result and not self._no_input:
            if self._timing and not self._began and 0 <= self._no_input_timeout <= self._heard:
                self._log(LogLevel.DEBUG, f"NO INPUT TIMEOUT {self._heard}ms")
                self._no_input = True
            elif self._began and 0 < self._speech_timeout <= self._spoken:
                self._log(LogLevel.DEBUG, f"SPEECH TIMEOUT {self._spoken}ms")
                self._result = True
        return self._result or self._no_input

    def get_results(self) -> AsrResult:
        if self._result:
            partial = self._partials > 0
            self._partials -= 1
            text = f'{{"grammar": "{self._grammar}", "text": "{self._text}", "confidence": {self._confidence:f}}}'
            self._log(LogLevel.NOTICE, f"{'Partial' if partial else 'Final'} Result: {text}")
            if partial:
                return AsrResult(Heard.PARTIAL, text)
        elif self._no_input:
            self._log(LogLevel.DEBUG, "Result: NO INPUT")
            text = f'{{"grammar": "{self._grammar}", "text": "", "confidence": 0, "error": "no_input"}}'
        else:
            self._told_begin = True
            self._log(LogLevel.DEBUG, "Result: START OF SPEECH")
            return AsrResult(Heard.BEGIN)
        self._told_result, self._ready = True, False
        return AsrResult(Heard.FINAL, text)

    def start_input_timers(self) -> None:
        self._log(LogLevel.DEBUG, "start_input_timers")
        if self._timing:
            self._log(LogLevel.INFO, "Input timers already started")
            return
        self._timing, self._heard = True, 0

    def text_param(self, name: str, value: str) -> None:
        if not value:
            return
        number = leading_int(value)
        match name.lower():
            case "no-input-timeout" if _NUMBER.fullmatch(value):
                self._no_input_timeout = number
            case "speech-timeout" if _NUMBER.fullmatch(value):
                self._speech_timeout = number
            case "start-input-timers":
                self._start_input_timers = self._timing = is_true(value)
            case "vad-voice-ms" if number > 0:
                self._voice_ms = number
            case "vad-silence-ms" if number > 0:
                self._silence_ms = number
            case "vad-thresh" if number > 0:
                self._threshold = number
            case "result":
                self._text = value
            case "confidence" if match := _DECIMAL.match(value):
                self._confidence = float(match[0])
            case "partial" if is_true(value):
                self._partials = _PARTIALS

    @property
    def idle(self) -> bool:
        return not self._ready and (self._told_result or not (self._result or self._no_input or self._began))

    def close(self) -> None:
        self._log(LogLevel.NOTICE, "ASR closing ...")
