"""The speed test's frames."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from host.modules.mod_verto.speed_test import MOST_BYTES, ROUNDS, SpeedTest


def test_up_and_down() -> None:
    test = SpeedTest()
    assert test.take("#SPU 2500", 0) is None
    assert test.take("#SPB ....", 5_000) is None
    assert test.take("#SPE", 30_000) == "#SPU 30"
    frames = test.download()
    assert [len(frame) for frame in frames] == [1024, 1024, 452]
    assert all(frame.startswith("#SPB ") for frame in frames)
    assert test.end(ROUNDS * 4_000) == "#SPD 4"
    assert test.take("#SPE", 40_000) is None


def test_sizes_that_are_not_taken() -> None:
    for size in ("0", "-1", "x", str(MOST_BYTES + 1)):
        test = SpeedTest()
        test.take(f"#SPU {size}", 0)
        assert test.take("#SPE", 1) is None


@given(st.lists(st.text(max_size=10).map(lambda text: f"#{text}"), max_size=8))
def test_any_frames(frames: list[str]) -> None:
    test = SpeedTest()
    for frame in frames:
        test.take(frame, 0)
