"""Concealment of rows of arrays: by pitch as `LossConcealer` does it, a few at a time; the rest fades."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media.g711 import G711
from media.loss_concealment import LossConcealer
from media.realtime.row_concealment import MOST, RowConcealment
from tests.media.realtime.far_end import PCMU, Bench

FRAME = 160


def vowel(count: int, pitch: float = 120.0) -> NDArray[np.int16]:
    """Harmonics that fall off."""
    places = np.arange(count) / 8000
    wave = sum(np.sin(2 * np.pi * pitch * number * places + number) / number for number in range(1, 12))
    return np.asarray(wave * 4000).astype(np.int16)


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
@pytest.mark.parametrize("losses", [(10,), (10, 11), (10, 11, 12, 13), (10, 15, 20)])
def test_a_lost_packet_is_concealed_as_on_any_other_line(
    bench: Bench, law: str, losses: tuple[int, ...]
) -> None:
    codec = G711(law)
    end, local = bench.open(1, jitter_ms=100, codec=law, payload_type=8 if law == "PCMA" else 0)
    sound = vowel(30 * FRAME)
    heard = []
    for tick in range(30):
        payload = codec.encode(sound[tick * FRAME :][:FRAME])
        if tick in losses:
            end.packet(payload)  # it is sent and never comes
        else:
            end.say(local, payload, 8 if law == "PCMA" else 0)
        heard.append(bench.hear(1))
    heard = heard[5:]
    concealer = LossConcealer(8000)
    began = False
    for tick, got in enumerate(heard):
        if tick in losses:
            if not began:
                concealer = LossConcealer(8000)
                concealer.good(np.concatenate(heard[tick - 3 : tick]))
            began = True
            wanted = concealer.conceal(FRAME)
        else:
            wanted = codec.decode(codec.encode(sound[tick * FRAME :][:FRAME]))
            if began:
                wanted, began = concealer.good(wanted), False
        assert np.array_equal(got, wanted)
    joined = np.concatenate(heard).astype(int)
    assert np.abs(np.diff(joined)).max() < 1.6 * np.abs(np.diff(sound.astype(int))).max()


def test_where_many_lose_their_packets_most_are_faded() -> None:
    concealment = RowConcealment(100, FRAME)
    sound = vowel(4 * FRAME)
    for line in range(100):
        if concealment.has_room(line):
            concealment.begin(line, sound[: 3 * FRAME])
    heard = np.tile(sound[2 * FRAME : 3 * FRAME], (100, 1))
    lines = np.arange(100)
    kept = heard.copy()
    for lost in (1, 2, 3, 4, 9):
        concealment.conceal(lines, np.full(100, lost, np.int32), heard)
        level = np.interp(np.arange(FRAME) + (lost - 1) * FRAME, (80, 480), (1, 0))
        assert np.abs(heard[MOST:] - kept[MOST:] * level).max() <= 3
        assert np.array_equal(heard[0], heard[MOST - 1])
        assert np.array_equal(heard[0], heard[MOST]) is (lost > 3)
    assert not heard.any() and not concealment.has_room(99)
    concealment.join(lines[:10], heard)
    assert concealment.has_room(0)
    concealment.forget_all(lines)
    assert all(concealment.has_room(line) for line in range(100))


def test_a_line_that_is_used_again_remembers_nothing(bench: Bench) -> None:
    end, local = bench.open(1, jitter_ms=0)
    for _ in range(10):
        end.say(local, PCMU.encode(vowel(FRAME)))
        bench.tick()
    bench.tick()  # nothing came: concealed
    bench.lines.close(1)
    end, local = bench.open(1, jitter_ms=0)
    payload = PCMU.encode(vowel(FRAME, 200))
    end.say(local, payload)
    assert np.array_equal(bench.hear(1), PCMU.decode(payload))
