"""Recognition of one utterance by a grammar, with pocketsphinx; and the process in which that is done.

pocketsphinx holds Python's lock while it works, and it is C code that gets grammars of anybody's making, so a server
has it work in processes of their own: this module run as a program takes utterances from its standard input, one at
a time, and answers on its standard output. It ends with its input.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
import tempfile
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from media.speech_front_end import prepared

if TYPE_CHECKING:
    from pocketsphinx import Decoder

# What precedes each message: its length.
LENGTH: Final = struct.Struct("<I")

# Decoders kept with their models (some 40 MB each, a tenth of a second to load), and grammars in each.
_DECODERS_KEPT: Final = 2
_GRAMMARS_KEPT: Final = 64

# Lines of pocketsphinx's own log that tell why a grammar or a model is refused.
_REASONS_TOLD: Final = 3

# Media and scripts are served before this.
_PRIORITY: Final = 5


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """An acoustic model (folder), its dictionary (file), the rate of sound it was made for, and the language weight.

    Empty paths mean the American English model that the package brings.
    """

    acoustic: str = ""
    dictionary: str = ""
    rate: int = 16000
    language_weight: float = 6.5


@dataclass(frozen=True, slots=True)
class Utterance:
    """What somebody said: int16 samples of shape (n,) at `rate`, to be recognised by a JSGF grammar.

    Without samples the grammar alone is looked at.
    """

    model: SpeechModel
    grammar: str
    samples: NDArray[np.int16]
    rate: int


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The words that fit best, "" when none do; `score` is the logarithm of their probability, to base 1.0001."""

    words: str = ""
    score: int = 0


class DecodingError(Exception):
    """A grammar or a model that cannot be used, and why."""


class UtteranceDecoder:
    """Recognises utterances, one at a time, with models and grammars kept for the next one."""

    def __init__(self) -> None:
        self._decoders: OrderedDict[SpeechModel, _LoadedModel] = OrderedDict()

    def decode(self, utterance: Utterance) -> Hypothesis:
        """Return what was said. Raises DecodingError."""
        loaded = self._decoders.pop(utterance.model, None) or _LoadedModel(utterance.model)
        self._decoders[utterance.model] = loaded
        while len(self._decoders) > _DECODERS_KEPT:
            self._decoders.popitem(last=False)
        return loaded.decode(utterance)


class _LoadedModel:
    def __init__(self, model: SpeechModel) -> None:
        from pocketsphinx import Config, Decoder, get_model_path

        packaged = os.path.join(get_model_path(), "en-us")
        self._model = model
        self._grammars: OrderedDict[str, str] = OrderedDict()
        self._number = 0
        config = Config(
            hmm=model.acoustic or os.path.join(packaged, "en-us"),
            dict=model.dictionary or os.path.join(packaged, "cmudict-en-us.dict"),
            lm=None,
            samprate=model.rate,
            lw=model.language_weight,
            loglevel="WARN",
            logfn=f"/proc/self/fd/{_log().fileno()}",
        )
        try:
            self._decoder: Decoder = Decoder(config)
        except RuntimeError as error:
            raise DecodingError(_reason(str(error))) from None

    def decode(self, utterance: Utterance) -> Hypothesis:
        self._use(utterance.grammar)
        if not len(utterance.samples):
            return Hypothesis()
        sound = prepared(utterance.samples, utterance.rate, self._model.rate)
        decoder = self._decoder
        decoder.start_utt()
        # The whole utterance at once, so that its own mean is what it is compared with.
        decoder.process_raw(sound.tobytes(), False, True)
        decoder.end_utt()
        found = decoder.hyp()
        if found is None or not found.hypstr:
            return Hypothesis()
        return Hypothesis(found.hypstr, round(decoder.get_logmath().log(found.prob)))

    def _use(self, grammar: str) -> None:
        name = self._grammars.pop(grammar, None)
        if name is None:
            self._number += 1
            name = f"grammar{self._number}"
            _reason("")
            try:
                self._decoder.add_jsgf_string(name, grammar)
            except (ValueError, RuntimeError) as error:
                raise DecodingError(_reason(str(error))) from None
        self._grammars[grammar] = name
        while len(self._grammars) > _GRAMMARS_KEPT:
            _, old = self._grammars.popitem(last=False)
            self._decoder.remove_search(old)
        self._decoder.activate_search(name)


@lru_cache(maxsize=1)
def _log() -> IO[bytes]:
    """Return the file that all decoders of a process log to: pocketsphinx has one log in a process."""
    return tempfile.TemporaryFile()


def _reason(otherwise: str) -> str:
    """Return what pocketsphinx has logged since it was asked last, else `otherwise`."""
    logged = _log().read().decode("utf-8", "replace").splitlines()
    told = [line.partition("line")[2].partition(": ")[2] for line in logged if line.startswith("ERROR")]
    return "; ".join(filter(None, told[:_REASONS_TOLD])) or otherwise


def read_message(stream: IO[bytes]) -> object:
    """Return the next message; EOFError when there is none any more."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    (length,) = LENGTH.unpack(head)
    body = stream.read(length)
    if len(body) < length:
        raise EOFError
    return pickle.loads(body)


def write_message(stream: IO[bytes], message: object) -> None:
    """Send a message between two processes of this program."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(LENGTH.pack(len(body)) + body)
    stream.flush()


def main() -> None:
    """Recognise what comes in until there is no more: Utterance in, Hypothesis or DecodingError out."""
    # What is typed at the terminal is meant for the host, whose end ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)  # pocketsphinx's scanner prints what it cannot read
    os.nice(_PRIORITY)
    decoder = UtteranceDecoder()
    while True:
        try:
            asked = read_message(sys.stdin.buffer)
        except EOFError:
            return
        assert isinstance(asked, Utterance)
        answer: Hypothesis | DecodingError
        try:
            answer = decoder.decode(asked)
        except DecodingError as error:
            answer = error
        write_message(answers, answer)
