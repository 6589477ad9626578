from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.mix import scale
from media.source import (
    Beginning,
    ComfortNoise,
    Later,
    Live,
    Louder,
    Repeat,
    Samples,
    Scaled,
    Sequence,
    Silence,
    Source,
    Speed,
    beneath,
    part,
    silence_stream,
)

RAMP = np.arange(100, dtype=np.int16)


def sources() -> list[Source]:
    ramp = Samples(RAMP, 8000)
    return [
        ramp,
        Silence(8000, 50),
        Silence(8000),
        ComfortNoise(8000, 333, 100),
        Sequence([ramp, Silence(8000, 0), Silence(8000, 7), ramp]),
        Sequence([ramp, Silence(8000), ramp]),
        Repeat(ramp, 3),
        Repeat(ramp),
        Repeat(Silence(8000, 0)),
        Speed(ramp, 1),
        Speed(ramp, -2),
        Speed(Sequence([ramp, ramp]), 2),
        Beginning(Repeat(ramp), 270),
        Scaled(Repeat(ramp), 1.7),
        Louder(Sequence([ramp, ramp]), 9),
        Later(Live(Repeat(Sequence([ramp, Silence(8000, 33)]))), 77),
    ]


@given(st.integers(0, 15), st.integers(0, 450), st.lists(st.integers(0, 250), max_size=5))
def test_any_cut_gives_the_same_samples(which: int, start: int, counts: list[int]) -> None:
    source = sources()[which]
    whole = source.render(start, sum(counts))
    parts = []
    at = start
    for count in counts:
        parts.append(source.render(at, count))
        at += count
    assert np.array_equal(whole, np.concatenate([np.zeros(0, np.int16), *parts]))
    assert whole.dtype == np.int16
    length = source.length
    assert len(whole) == (sum(counts) if length is None else max(0, min(sum(counts), length - start)))


@given(st.integers(0, 15), st.integers(0, 500))
def test_a_part_sounds_as_the_whole_does(which: int, position: int) -> None:
    source = sources()[which]
    sounding, place, count = part(source, position)
    if count is None:
        count = 300
    assert np.array_equal(source.render(position, count), sounding.render(place, count))
    if source.length is not None:
        assert count <= max(0, source.length - position)
        assert count > 0 or position >= source.length


def test_what_is_beneath() -> None:
    ramp, noise = Samples(RAMP, 8000), ComfortNoise(8000, None, 5)
    assert part(Scaled(ramp, 2), 30)[0] is not ramp
    assert beneath(Scaled(Louder(ramp, 3), 2), 30) == (ramp, 30, 70)
    faster = Speed(Sequence([ramp, Silence(8000)]), 2)
    assert beneath(faster, 10) == (ramp, 20, 40)
    assert isinstance(beneath(faster, 50)[0], Silence)
    assert beneath(Repeat(Louder(Repeat(ramp), 1)), 250) == (ramp, 50, 50)
    assert beneath(noise, 65_521 + 3)[1] == 3
    assert beneath(noise, 0)[0] is beneath(ComfortNoise(8000, 20, 5), 0)[0]  # all share one turn


def test_a_factor_is_cut_and_clipped() -> None:
    loud = Samples(np.array([100, -7, 20_000, -20_000], np.int16), 8000)
    assert Scaled(loud, 2.3).render(0, 9).tolist() == scale(loud.render(0, 9), 2.3).tolist()
    assert Scaled(loud, 2.3).render(0, 9).tolist() == [229, -16, 32_767, -32_768]


def test_sequence_plays_one_after_another() -> None:
    joined = Sequence([Samples(RAMP, 8000), Silence(8000, 3), Samples(RAMP[5:8], 8000)])
    assert joined.length == 106
    assert joined.render(98, 20).tolist() == [98, 99, 0, 0, 0, 5, 6, 7]
    assert Sequence([Silence(8000), Silence(8000, 1)]).length is None


def test_repeat_starts_over() -> None:
    assert Repeat(Samples(RAMP[:3], 8000), 3).render(2, 20).tolist() == [2, 0, 1, 2, 0, 1, 2]
    assert Repeat(Samples(RAMP[:3], 8000)).render(3_000_001, 4).tolist() == [1, 2, 0, 1]


@pytest.mark.parametrize(("steps", "length"), [(1, 75), (2, 50), (9, 50), (-1, 125), (-2, 150), (0, 100)])
def test_speed_changes_the_length_by_quarters(steps: int, length: int) -> None:
    changed = Speed(Samples(RAMP, 8000), steps)
    assert changed.length == length
    heard = changed.render(0, 1000)
    assert len(heard) == length
    assert np.abs(heard - np.arange(length) * 100 / length).max() <= 1


def test_noise_is_faint_and_the_same_each_time() -> None:
    noise = ComfortNoise(8000, None, 1400)
    heard = noise.render(0, 16000)
    assert 5 < np.abs(heard).mean() < 20
    assert np.array_equal(heard[7000:7100], ComfortNoise(8000, None, 1400).render(7000, 100))


def test_samples_cannot_be_changed_by_a_reader() -> None:
    heard = Samples(RAMP.copy(), 8000).render(0, 10)
    with pytest.raises(ValueError, match="read-only"):
        heard[0] = 1


def test_what_is_no_source_is_refused() -> None:
    with pytest.raises(ValueError, match="no samples"):
        Silence(8000).render(-1, 5)
    with pytest.raises(ValueError, match="int16"):
        Samples(np.zeros(3, np.float32), 8000)
    with pytest.raises(ValueError, match="one rate"):
        Sequence([Silence(8000), Silence(16000)])
    with pytest.raises(ValueError, match="needs a source"):
        Sequence([])


@pytest.mark.parametrize(
    ("text", "length"), [("100", 800), ("1000,1400", 8000), ("-1", None), ("250ms", 2000), (" 20", 160)]
)
def test_silence_stream(text: str, length: int | None) -> None:
    source = silence_stream(text, 8000)
    assert source.length == length
    assert source.render(0, 160).any() == ("," in text)


@pytest.mark.parametrize("text", ["0", "", "x", ",5", "9" * 5000])
def test_silence_of_no_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Expect <msec>"):
        silence_stream(text, 8000)
