"""Where an utterance begins and ends, by energies alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from host.modules.mod_pocketsphinx.endpointing import Endpointing, Turn

LOUD, QUIET = 1000, 10


def endpointing(**changed: int) -> Endpointing:
    settings = {"threshold": 400, "silence_hits": 35, "listen_hits": 1} | changed
    return Endpointing(
        settings["threshold"],
        settings["silence_hits"],
        settings["listen_hits"],
        settings.get("no_input_timeout", 4000),
        settings.get("speech_timeout", 1000),
    )


def turns(judge: Endpointing, energies: list[int]) -> list[tuple[int, Turn]]:
    told = [(number, judge.feed(energy)) for number, energy in enumerate(energies)]
    return [(number, turn) for number, turn in told if turn is not None]


def test_an_utterance() -> None:
    """35 silent frames and 12 more after the last loud one."""
    energies = [QUIET] * 5 + [LOUD] * 10 + [QUIET] * 60
    assert turns(endpointing(), energies) == [(5, Turn.BEGIN), (14 + 35 + 12, Turn.END)]


def test_a_pause_within_it() -> None:
    energies = [LOUD] * 5 + [QUIET] * 34 + [LOUD] * 5 + [QUIET] * 60
    assert turns(endpointing(), energies) == [(0, Turn.BEGIN), (43 + 35 + 12, Turn.END)]


def test_a_click_is_no_utterance() -> None:
    """One loud frame is told, but more than `listen_hits` are needed for an end."""
    assert turns(endpointing(), [LOUD] + [QUIET] * 500) == [(0, Turn.BEGIN)]


def test_nobody_speaks() -> None:
    judge = endpointing(no_input_timeout=2000)
    assert turns(judge, [QUIET] * 300) == []
    judge.start_timing()
    assert turns(judge, [QUIET] * 300) == [(99, Turn.NO_INPUT)]
    judge.restart(timing=True)
    assert turns(judge, [QUIET] * 300) == [(99, Turn.NO_INPUT)]


def test_silence_after_speech() -> None:
    judge = endpointing(speech_timeout=500)
    judge.restart(timing=True)
    assert turns(judge, [LOUD] * 5 + [QUIET] * 100) == [(0, Turn.BEGIN), (4 + 25, Turn.SPEECH_TIMEOUT)]
    assert not judge.hears


def test_no_timeouts() -> None:
    judge = endpointing(no_input_timeout=0, speech_timeout=0)
    judge.restart(timing=True)
    assert turns(judge, [QUIET] * 1000 + [LOUD] + [QUIET] * 1000) == [(1000, Turn.BEGIN)]


@given(st.lists(st.sampled_from([QUIET, LOUD]), max_size=300), st.booleans())
def test_ends_and_beginnings_alternate(energies: list[int], timing: bool) -> None:
    judge = endpointing(silence_hits=5)
    judge.restart(timing=timing)
    last: Turn | None = None
    for _, turn in turns(judge, energies):
        if turn is Turn.END:
            assert last is Turn.BEGIN
        last = turn
