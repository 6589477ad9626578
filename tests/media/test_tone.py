from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from media.source import Samples, Silence, part
from media.tone import ToneError, ToneSource, parse, split_loops
from media.tone_sound import Decay, Passage, Segment, Tone

PEAK = 10185  # v=-7 on the 16-bit scale


def segments(*lines: str, rate: int = 8000) -> list[Segment]:
    return [one for passage in parse(*lines, rate=rate) for one in passage.segments * passage.times]


def loudest(sound: NDArray[np.int16], rate: int, count: int) -> list[int]:
    """The strongest frequencies, in hertz, of a sound."""
    spectrum = np.abs(np.fft.rfft(sound))
    return sorted(int(place) * rate // len(sound) for place in np.argsort(spectrum)[-count:])


def test_a_tone_is_on_then_off() -> None:
    assert segments("%(200,100,440,480.5)") == [Segment((440.0, 480.5), 1600, 800, 8000)]
    source = ToneSource("%(200,100,440)", 8000)
    heard = source.render(0, 5000)
    assert source.length == len(heard) == 2400
    assert abs(int(np.abs(heard[:1600]).max()) - PEAK) < 60
    assert loudest(heard[:1600], 8000, 1) == [440]
    assert not heard[1600:].any()


def test_several_frequencies_share_the_level() -> None:
    heard = ToneSource("%(1000,0,350,440)", 16000).render(0, 16000)
    assert loudest(heard, 16000, 2) == [350, 440]
    assert PEAK * 0.97 < np.abs(heard).max() <= PEAK + 1


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("v=-20;%(10,0,300)", Segment((300.0,), 80, 0, 8000, -20.0)),
        ("v=3;%(10,0,300)", Segment((300.0,), 80, 0, 8000)),
        ("v=-64;%(10,0,300)", Segment((300.0,), 80, 0, 8000)),
        ("l=3;%(10,5,300)", Segment((300.0,), 80, 40, 8000, repeat=3)),
        ("l=-1;%(10,5,300)", Segment((300.0,), 80, 40, 8000, repeat=None)),
        (">=100;%(10,0,300)", Segment((300.0,), 80, 0, 8000, decay=Decay(800, -1.0))),
        ("<=100;+=.5;%(10,0,300)", Segment((300.0,), 80, 0, 8000, decay=Decay(800, 0.5))),
        ("r=16000;%(10,0,300)", Segment((300.0,), 160, 0, 16000)),
        ("d=100;w=50;5", Segment((770.0, 1336.0), 800, 400, 8000)),
        ("c=2;#", Segment((941.0, 1477.0), 2000, 500, 8000)),
        ("5(40,60)", Segment((770.0, 1336.0), 320, 480, 8000)),
        (" \r\n%(10, 20 , 300)x-\n", Segment((300.0,), 80, 160, 8000)),
        ("%(-5,20,300)", Segment((300.0,), 2000, 160, 8000)),
        ("%(10,0,300,0,400)", Segment((300.0,), 80, 0, 8000)),
    ],
)
def test_settings_and_keys(script: str, expected: Segment) -> None:
    assert segments(script) == [expected]


@pytest.mark.parametrize(
    "script", ["", "ehj", "%(10,0,0)", "%(100,50)", "%()5", "5(10)5", "5(1,2,3)5", "a", "λ"]
)
def test_what_cannot_sound_is_silent(script: str) -> None:
    assert segments(script) == []
    assert ToneSource(script, 8000).length == 0
    assert len(ToneSource(script, 8000, loops=-1).render(0, 100)) == 0


def test_a_setting_at_the_very_end_is_also_dialled() -> None:
    assert [one.frequencies[1] for one in segments("%(10,0,300);v=-7;")[1:]] == []
    assert segments("1;v=-7")[1].frequencies == (852.0, 1209.0)


def test_an_open_bracket_sounds_and_is_read_again() -> None:
    found = segments("%(1000,0,300")
    assert found[0] == Segment((300.0,), 8000, 0, 8000)
    assert [one.frequencies for one in found[1:]] == [(697.0, 1209.0), *[(941.0, 1336.0)] * 3]


def test_a_repeat_is_spent_on_one_tone() -> None:
    assert [one.repeat for one in segments("l=2;1;2")] == [2, 1]


def test_the_whole_script_in_turns() -> None:
    assert parse("L=3;1", rate=8000) == [
        Passage((Segment((697.0, 1209.0), 2000, 500, 8000),)),
        Passage((Segment((697.0, 1209.0), 2000, 500, 8000),), 2),
    ]
    assert [one.volume for one in segments("L=3;1;v=-10;2;")] == [-7, -10, -10, -10, -10, -10]
    assert ToneSource("L=4;%(10,10,300)", 8000).length == 4 * 160
    assert ToneSource("L=1000000000;%(10,10,300)", 8000).length == 160 * 10**9


def test_settings_last_from_line_to_line() -> None:
    assert [one.volume for one in segments("v=-10;1\n", "2\n")] == [-10, -10]
    source = ToneSource.of_lines(["d=10;w=0;1\n", "2\n"], 8000, loops=3)
    assert source.length == 3 * 160


def test_loops_of_a_path() -> None:
    assert split_loops("%(1,2,3);LOOPS=-1") == ("%(1,2,3)", -1)
    assert split_loops("%(1,2,3)") == ("%(1,2,3)", 0)
    once = ToneSource("%(200,100,440)", 8000).render(0, 9999)
    twice = ToneSource("%(200,100,440);loops=2", 8000)
    assert twice.length == 4800
    assert np.array_equal(twice.render(0, 9999), np.tile(once, 2))
    endless = ToneSource("%(200,100,440);loops=-1", 8000)
    assert endless.length is None
    assert np.array_equal(endless.render(2400 * 10**6, 2400), once)
    assert ToneSource("%(200,100,440);loops=9", 8000, loops=1).length == 2400


def test_an_endless_repeat_silences_what_follows() -> None:
    source = ToneSource("%(10,0,500);l=-1;%(10,10,300);%(10,0,900)", 8000)
    assert source.length is None
    assert np.array_equal(source.render(80, 160), source.render(80 + 160 * 1000, 160))


def test_decay_falls_in_steps_down_to_the_lowest_volume() -> None:
    heard = ToneSource(">=100;+=6;%(2000,0,1000)", 8000).render(0, 16000)
    peaks = [int(np.abs(heard[at : at + 400]).max()) for at in range(200, 16000, 800)]
    assert peaks[0] == pytest.approx(PEAK, rel=0.02)
    assert peaks[1] == pytest.approx(PEAK / 2, rel=0.03)
    assert peaks[9] == peaks[-1] > 0


def test_rise_stops_at_full_volume() -> None:
    heard = ToneSource("v=-6;<=10;%(1000,0,1000)", 8000).render(0, 8000)
    assert np.abs(heard[7000:]).max() == pytest.approx(PEAK * 10 ** (7 / 20), rel=0.01)


@pytest.mark.parametrize(
    ("script", "loops", "memory"),
    [
        ("%(2000,4000,440,480)", -1, 48_000),
        ("%(400,200,400,450);%(400,2000,400,450)", -1, 24_000),
        ("%(2000,4000,440,480)", 7, 48_000),
        ("l=-1;%(500,500,425)", 0, 8_000),
        ("%(25000,0,425)", 0, 8_000),
        ("%(25000,0,440.5)", 0, 16_000),
        ("%(30000,0,350,440)", -1, 8_000),
        ("%(12000,20000,440)", -1, 96_000),
        ("L=500;%(10,10,440)", 0, 160),
    ],
)
def test_what_comes_again_is_in_memory_once(script: str, loops: int, memory: int) -> None:
    """A minute of it consists of that and silence, and of no more parts than there is a reason for."""
    source = ToneSource(script, 8000, loops)
    again = ToneSource(script, 8000, loops)
    position, held, parts = 0, set(), 0
    end = min(480_000, source.length or 480_000)
    while position < end:
        sounding, _, count = part(source, position)
        assert isinstance(sounding, Samples | Silence)
        if isinstance(sounding, Samples):
            assert part(again, position)[0] is sounding  # shared with all who play the same
            held.add((id(sounding), sounding.length))
        count = (count or end) if count is None else count
        position += count
        parts += 1
        assert count > 0
    if script.startswith("L="):
        assert source.length == 80_000 and parts == 500
    else:
        assert [length for _, length in held] == [memory]
        assert parts <= 61


@pytest.mark.parametrize("script", ["%(25000,0,425)", "%(20000,0,440.5,350.25)", "%(18000,0,33.3,1004,2000)"])
def test_what_is_made_of_periods_is_as_if_it_were_not(script: str) -> None:
    segment = segments(script)[0]
    exact = Tone(segment, 8000, segment.on)
    for start in (0, 8_000, 77_777, segment.on - 5_000):
        made = ToneSource(script, 8000).render(start, 5_000)
        assert np.abs(made.astype(int) - exact.render(start, 5_000)).max() <= 1


def test_what_never_comes_again_is_computed() -> None:
    source = ToneSource("%(20000,0,440.123456789)", 8000)
    assert isinstance(part(source, 1000)[0], Tone)
    falling = ToneSource("v=0;>=100;+=0.1;%(20000,100,440)", 8000)
    assert isinstance(part(falling, 1000)[0], Tone) and isinstance(part(falling, 160_100)[0], Silence)


def test_a_script_of_many_long_tones_takes_neither_time_nor_memory() -> None:
    script = "".join(f"%(16000,0,{300 + number})" for number in range(3000))
    began = time.process_time()
    source = ToneSource(script, 8000)
    assert source.length == 3000 * 128_000
    heard = source.render(1499 * 128_000 + 4_000, 8_000)
    assert time.process_time() - began < 1
    assert loudest(heard, 8000, 1) == [1799]


def test_errors() -> None:
    with pytest.raises(ToneError, match="65536"):
        parse("1" * 65537, rate=8000)
    for rate in ("0", "-8000", "999999"):
        with pytest.raises(ToneError, match="sample rate"):
            parse(f"r={rate};1", rate=8000)


SCRIPT = st.lists(
    st.sampled_from(
        ["%(20,10,440)", "%(7,0,350,440)", "v=-20;", "l=2;", "L=2;", "d=9;", "w=3;", ">=5;", "5", "r=16000;",
         "#(9,1)", "%(", ")", ",", "=", ";", "l=-1;", " "]
    ),
    max_size=8,
).map("".join)  # fmt: skip


@given(SCRIPT, st.integers(0, 3000), st.lists(st.integers(0, 500), max_size=4), st.sampled_from([0, 2, -1]))
def test_rendering_does_not_depend_on_the_cut(script: str, start: int, counts: list[int], loops: int) -> None:
    source = ToneSource(script, 8000, loops)
    whole = source.render(start, sum(counts))
    at = start
    for count in counts:
        assert np.array_equal(whole[at - start : at - start + count], source.render(at, count))
        at += count
    if source.length is not None:
        assert len(source.render(0, source.length + 5)) == source.length


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(script: str) -> None:
    try:
        source = ToneSource(script, 8000)
    except ToneError:
        return
    source.render(0, 4000)


def test_long_tones_are_exact_and_quick() -> None:
    source = ToneSource("%(3600000,0,440,480)", 8000)
    late = source.render(8000 * 3000, 8000)
    assert np.abs(late.astype(int) - source.render(0, 8000)).max() <= 1
    ring = ToneSource("%(2000,4000,440,480);loops=-1", 8000)
    ring.render(0, 8000)
    began = time.process_time()
    ring.render(0, 8000 * 600)
    assert time.process_time() - began < 0.6  # ten minutes in less than a thousandth of their time
