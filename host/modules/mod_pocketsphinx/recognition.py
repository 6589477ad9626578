"""One call's recognition: it gathers an utterance, has it decoded, and says what was heard as FreeSWITCH's XML does."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from host.asr import FRAME_MS, AsrError, AsrHandle, AsrRequest, AsrResult, Heard
from host.clock import SECOND
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_pocketsphinx.endpointing import Endpointing, Turn
from host.modules.mod_pocketsphinx.grammar import Grammar, NoGrammar, find_grammar
from host.modules.mod_pocketsphinx.settings import ModelMissing, PocketSphinxSettings
from host.truth import is_true
from media.energy import scores
from media.speech_decoder import DecodingError, Hypothesis, SpeechModel, Utterance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from media.speech_workers import SpeechWorkers

# A word's beginning may be too soft to be taken for speech: so much of what was heard before belongs to it.
_BEFORE: Final = 300 // FRAME_MS

# An utterance for a grammar is some words. Of one that does not end (a noise), the last minute is kept.
_MOST_FRAMES: Final = 60_000 // FRAME_MS

# A grammar that keeps the decoder busy for so long has run away.
_LONGEST_DECODING: Final = 20 * SECOND

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")

_NOTHING: Final = np.zeros(0, np.int16)


class Recognition(AsrHandle):
    """Listens from the first grammar on until it has a result; then it waits for `resume` or another grammar."""

    def __init__(self, request: AsrRequest, settings: PocketSphinxSettings, workers: SpeechWorkers) -> None:
        """Open it. Raises AsrError when the configured model is not there."""
        try:
            self._model: SpeechModel = settings.model(request.rate, request.switch.global_variables)
        except ModelMissing as error:
            raise AsrError(str(error)) from None
        self._request = request
        self._workers = workers
        self._endpointing = Endpointing(
            settings.threshold,
            settings.silence_hits,
            settings.listen_hits,
            settings.no_input_timeout,
            settings.speech_timeout,
        )
        self._start_input_timers = settings.start_input_timers
        self._confidence_threshold = settings.confidence_threshold
        self._grammar: Grammar | None = None
        self._ready = False
        self._results: deque[AsrResult] = deque()
        self._frames: deque[NDArray[np.int16]] = deque(maxlen=_MOST_FRAMES)

    # -- grammars ------------------------------------------------------------------------------------------------

    def load_grammar(self, grammar: str, name: str) -> bool:
        self._ready = False
        try:
            found = find_grammar(grammar, self._request.switch.global_variables)
            self._decode(found, _NOTHING)
        except NoGrammar as error:
            self._request.log(LogLevel.WARNING, str(error))
            return False
        except DecodingError as error:
            self._request.log(LogLevel.ERR, f"Grammar {grammar!r} cannot be used: {error}")
            return False
        self._grammar = found
        self._listen(timing=self._start_input_timers)
        return True

    def unload_grammar(self, name: str) -> bool:
        """Do nothing: FreeSWITCH keeps the one grammar there is until another is loaded."""
        return True

    # -- listening -----------------------------------------------------------------------------------------------

    def _listen(self, *, timing: bool) -> None:
        """Wait for an utterance."""
        self._endpointing.restart(timing=timing)
        self._results.clear()
        self._frames.clear()
        self._ready = True

    def pause(self) -> bool:
        done, self._ready = self._ready, False
        self._results.clear()
        return done

    def resume(self) -> bool:
        if self._grammar is None:
            return False
        if not self._ready:
            self._request.log(LogLevel.DEBUG, "Manually Resuming")
        self._listen(timing=self._endpointing.timing)
        return True

    def start_input_timers(self) -> None:
        self._endpointing.start_timing()

    def text_param(self, name: str, value: str) -> None:
        number = leading_int(value)
        match name.lower():
            case "no-input-timeout" if _NUMBER.fullmatch(value):
                self._endpointing.no_input_timeout = number
            case "speech-timeout" if _NUMBER.fullmatch(value):
                self._endpointing.speech_timeout = number
            case "confidence-threshold" if _NUMBER.fullmatch(value):
                self._confidence_threshold = number
            case "start-input-timers" if value:
                self._start_input_timers = is_true(value)
            case _:
                return
        self._request.log(LogLevel.DEBUG, f"{name} = {value}")

    @property
    def idle(self) -> bool:
        return not self._ready and not self._results

    def feed(self, samples: NDArray[np.int16]) -> None:
        if not self._ready:
            return
        endpointing = self._endpointing
        self._frames.append(samples)
        # A score is as many times the mean as the rate is that of a telephone's: here the mean itself counts.
        energy = int(scores(samples, self._request.rate)[0]) // max(1, self._request.rate // 8000)
        turn = endpointing.feed(energy)
        if turn is Turn.BEGIN:
            self._results.append(AsrResult(Heard.BEGIN))
        elif turn is Turn.NO_INPUT:
            self._request.log(LogLevel.DEBUG, "NO INPUT")
            self._conclude("<noinput/>")
        elif turn is not None:
            self._recognise(timed_out=turn is Turn.SPEECH_TIMEOUT)
        if not endpointing.hears:
            while len(self._frames) > _BEFORE:
                self._frames.popleft()

    # -- results -------------------------------------------------------------------------------------------------

    def _recognise(self, *, timed_out: bool) -> None:
        """Have the utterance decoded. FreeSWITCH: what fits no grammar counts only once there was a timeout."""
        assert self._grammar is not None
        try:
            found = self._decode(self._grammar, np.concatenate(list(self._frames)))
        except DecodingError as error:
            raise AsrError(str(error)) from None
        self._frames.clear()
        if not found.words:
            if timed_out:
                self._request.log(LogLevel.DEBUG, "NO MATCH")
                self._conclude("<nomatch/>")
            else:
                self._request.log(LogLevel.WARNING, "Lost the text, never mind....")
            return
        confidence = max(0, (found.score + 20_000) // 200)
        self._request.log(
            LogLevel.DEBUG,
            f"Recognized: {found.words}, Confidence: {confidence}, "
            f"Confidence-Threshold: {self._confidence_threshold}",
        )
        if self._confidence_threshold > 0 and confidence < self._confidence_threshold:
            self._conclude("<nomatch/>")
        else:
            self._conclude(escape(found.words), confidence)

    def _conclude(self, heard: str, confidence: int | None = None) -> None:
        self._ready = False
        grammar = quoteattr(self._grammar.name if self._grammar is not None else "")
        told = f' grammar={grammar} confidence="{confidence}"' if confidence is not None else ""
        text = (
            f'<?xml version="1.0"?>\n<result grammar={grammar}>\n  <interpretation{told}>\n'
            f'    <input mode="speech">{heard}</input>\n  </interpretation>\n</result>\n'
        )
        self._results.append(AsrResult(Heard.FINAL, text))

    def check_results(self) -> bool:
        return bool(self._results)

    def get_results(self) -> AsrResult:
        return self._results.popleft()

    def _decode(self, grammar: Grammar, samples: NDArray[np.int16]) -> Hypothesis:
        """Have a process recognise an utterance, or, without samples, look at a grammar. Raises DecodingError."""
        guard = self._request.switch.clock.call_later(_LONGEST_DECODING, lambda: self._workers.abandon(self))
        try:
            return self._workers.decode(
                Utterance(self._model, grammar.text, samples, self._request.rate), self
            )
        finally:
            guard.cancel()

    def close(self) -> None:
        self._ready = False
        self._request.log(LogLevel.INFO, "Port Closed.")
