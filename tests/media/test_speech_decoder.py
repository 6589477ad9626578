"""Recognition of utterances: how often it is right on generated speech, and what grammars it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media.espeak import synthesize
from media.speech_decoder import DecodingError, SpeechModel, Utterance, UtteranceDecoder
from media.speech_front_end import prepared
from media.speech_workers import SpeechWorkers

MODEL = SpeechModel()
NOTHING = np.zeros(0, np.int16)
MENU = ("sales", "support", "billing", "operator", "opening hours", "technical support", "cancel")
VOICES = ("en-us", "en-us+f3", "en-us+m3", "en")


def grammar(*words: str) -> str:
    return f"#JSGF V1.0;\ngrammar test;\npublic <test> = {' | '.join(words)} ;\n"


def said(text: str, voice: str = "en-us", rate: int = 8000) -> NDArray[np.int16]:
    silence = np.zeros(rate // 2, np.int16)
    return np.concatenate((silence, synthesize(text, voice, rate), silence))


@pytest.fixture(scope="module")
def decoder() -> UtteranceDecoder:
    return UtteranceDecoder()


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize(("words", "least"), [(("yes", "no"), 1.0), (MENU, 0.9)])
def test_words_are_recognised(
    decoder: UtteranceDecoder, words: tuple[str, ...], least: float, rate: int
) -> None:
    spoken = [(word, voice) for word in words for voice in VOICES]
    rules = grammar(*words)
    right = sum(
        decoder.decode(Utterance(MODEL, rules, said(word, voice, rate), rate)).words == word
        for word, voice in spoken
    )
    assert right >= least * len(spoken)


def test_the_same_utterance_gives_the_same_hypothesis(decoder: UtteranceDecoder) -> None:
    first = Utterance(MODEL, grammar("yes", "no"), said("yes"), 8000)
    other = Utterance(MODEL, grammar(*MENU), said("opening hours", "en-us+f3"), 8000)
    answers = [decoder.decode(first), decoder.decode(other), decoder.decode(first)]
    assert answers[0] == answers[2] == UtteranceDecoder().decode(first)
    assert answers[0].words == "yes" and answers[0].score <= 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "syntax error"),
        ("this is no grammar", "syntax error"),
        (grammar("yes", "frumious"), "'frumious' is missing in the dictionary"),
    ],
)
def test_grammars_that_are_refused(decoder: UtteranceDecoder, text: str, why: str) -> None:
    for _ in range(2):
        with pytest.raises(DecodingError, match=why):
            decoder.decode(Utterance(MODEL, text, NOTHING, 8000))
    assert decoder.decode(Utterance(MODEL, grammar("yes", "no"), said("no"), 8000)).words == "no"


def test_a_model_that_is_not_there(decoder: UtteranceDecoder) -> None:
    with pytest.raises(DecodingError, match="does not contain acoustic model"):
        decoder.decode(Utterance(SpeechModel("/no/such/model"), grammar("yes"), NOTHING, 8000))


def test_many_grammars_one_after_the_other(decoder: UtteranceDecoder) -> None:
    for number in range(70):
        assert not decoder.decode(
            Utterance(MODEL, grammar("yes", f"no{' yes' * number}"), NOTHING, 8000)
        ).words


def test_an_utterance_is_cut_levelled_and_filled() -> None:
    speech = said("yes")
    loud, soft = prepared(speech, 8000, 16000), prepared((speech // 8).astype(np.int16), 8000, 16000)
    assert len(speech) < len(loud) < 2 * len(speech)
    assert abs(int(np.abs(loud).max()) - int(np.abs(soft).max())) < 1500
    spectrum = np.abs(np.fft.rfft(loud.astype(np.float64)))
    at = len(spectrum) * 5500 // 8000
    assert spectrum[at - 50 : at + 50].mean() > 100
    assert len(prepared(NOTHING, 8000, 16000)) == 0
    assert len(prepared(np.zeros(8000, np.int16), 8000, 16000)) == 16000


def test_processes_decode_and_are_replaced_when_they_die() -> None:
    workers = SpeechWorkers(1)
    yes = Utterance(MODEL, grammar("yes", "no"), said("yes"), 8000)
    try:
        assert workers.decode(yes).words == "yes"
        with pytest.raises(DecodingError, match="frumious"):
            workers.decode(Utterance(MODEL, grammar("frumious"), NOTHING, 8000))
        (process,) = workers._free
        process.kill()
        process.wait()
        with pytest.raises(DecodingError, match="is gone"):
            workers.decode(yes)
        assert workers.decode(yes).words == "yes"
        workers.abandon(object())
    finally:
        workers.close()
    with pytest.raises(DecodingError, match="has ended"):
        workers.decode(yes)
