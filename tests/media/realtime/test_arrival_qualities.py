from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.call_quality import ArrivalQuality
from media.realtime.arrival_qualities import ArrivalQualities


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(-3, 30) | st.just(700), st.integers(0, 40)), max_size=120
    )
)
def test_many_lines_are_judged_as_one_by_one(packets: list[tuple[int, int, int]]) -> None:
    many, single = ArrivalQualities(4), ArrivalQuality()
    many.open(2)
    number = sequence = tick = 0
    line = np.array([2], np.intp)
    for ticks, ahead, pause in packets:
        number += 1
        sequence, tick = sequence + ahead, tick + ticks
        if pause == 0:
            single.reset()
            many.pause(2, number - 1)
        single.heard(sequence, tick * 20_000)
        many.heard(line, np.array([ahead]), np.array([ticks]), np.array([number]))
    found = many.of(2, number)
    assert (found.received, found.lost, found.gaps) == (single.received, single.lost, single.gaps)
    assert found.flaws == single.flaws
    assert found.mean_interval == pytest.approx(single.mean_interval)
    assert found.maximum_variance == pytest.approx(single.maximum_variance, abs=1e-6)
    assert (found.mos, found.loss_rate, found.burst_rate) == pytest.approx(
        (single.mos, single.loss_rate, single.burst_rate)
    )


def test_an_even_stream_has_no_variance() -> None:
    many = ArrivalQualities(2)
    many.open(0)
    one, even = np.array([0], np.intp), np.array([1])
    for number in range(1, 101):
        many.heard(one, even, even, np.array([number]))
    found = many.of(0, 100)
    assert (found.received, found.mean_interval, found.maximum_variance) == (91, 20.0, 0.0)
    assert found.quality_percentage == 100 and found.mos == pytest.approx(4.5)
