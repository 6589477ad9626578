"""What is played over SIP arrives whole and undistorted, whatever the codec, also through a bridge of two codecs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from tests.host.modules.mod_sofia.live_rig import RATE, Caller, LiveRig, live, write_wav
from tests.host.modules.mod_sofia.two_profiles import extension

# How much softer what a codec adds is than the sound, in dB; Opus does not keep the waveform, so less.
FAITHFUL = {"PCMU": 34.0, "PCMA": 34.0, "G722": 25.0, "opus": 8.0}
# By how many samples at 8 kHz a codec may shift what it carries; a frame is 160.
STEADY = {"PCMU": 0, "PCMA": 0, "G722": 1, "opus": 16}
SECONDS = 1


def sweep() -> NDArray[np.int16]:
    """Return a rising tone, 300 to 1500 Hz: no two of its moments sound alike."""
    times = np.arange(SECONDS * RATE) / RATE
    turns = 300 * times + (1200 / SECONDS / 2) * times * times
    return (3000 * np.sin(2 * np.pi * turns)).astype(np.int16)


def places_and_noise(heard: NDArray[np.int16], said: NDArray[np.int16]) -> tuple[list[int], list[float]]:
    """Return how much later each 100 ms of `said` are `heard`, in samples, and their signal-to-noise ratios in dB."""
    sound, blocks = heard.astype(np.float64), said.astype(np.float64)
    begin = int(np.flatnonzero(np.abs(sound) > 200)[0])
    shifts, ratios = [], []
    for start in range(0, len(blocks) - 800, 800):
        block = blocks[start : start + 800]
        low = max(0, begin + start - 800)
        window = sound[low : begin + start + 1600]
        place = low + int(np.argmax(np.correlate(window, block, "valid")))
        error = sound[place : place + 800] - block
        shifts.append(place - start)
        ratios.append(10 * np.log10(np.sum(block**2) / max(1.0, np.sum(error**2))))
    return shifts, ratios


def moved(shifts: list[int]) -> int:
    """Return how far the place of what is heard moves, in samples at 8 kHz."""
    return max(abs(shift - shifts[0]) for shift in shifts)


def at_8_khz(caller: Caller) -> NDArray[np.int16]:
    rate, heard = caller.session.line.rate, caller.ear.heard
    return heard if rate == RATE else soxr.resample(heard, rate, RATE)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRig]:
    folder = Path(tmp_path_factory.mktemp("audio"))
    write_wav(folder / "sweep.wav", sweep())
    extensions = "".join(
        (
            extension("park", ("answer", ""), ("park", "")),
            extension("echo", ("answer", ""), ("echo", "")),
            extension("play", ("answer", ""), ("playback", str(folder / "sweep.wav")), ("park", "")),
            *(
                extension(
                    f"through_{codec}",
                    ("bridge", f"[absolute_codec_string={codec}]sofia/far/echo@127.0.0.1:$${{near_port}}"),
                )
                for codec in FAITHFUL
            ),
        )
    )
    with live(folder, extensions) as rig:
        yield rig


def test_a_prompt_arrives_whole(rig: LiveRig) -> None:
    callers = {codec: Caller(rig, "play", f"absolute_codec_string={codec}") for codec in FAITHFUL}
    for codec, caller in callers.items():
        rig.variable(caller.far, "playback_ms", str(1000 * SECONDS))
        assert caller.session.channel.get_variable("read_codec") == codec
    rig.wait(lambda: min(len(at_8_khz(caller)) for caller in callers.values()) > (SECONDS + 0.3) * RATE)
    for codec, caller in callers.items():
        shifts, ratios = places_and_noise(at_8_khz(caller), sweep())
        assert moved(shifts) <= STEADY[codec], f"{codec}: {shifts}"
        assert np.median(ratios) > FAITHFUL[codec], f"{codec}: {ratios}"
        caller.hang_up()


def test_a_bridge_of_two_codecs_carries_sound_both_ways(rig: LiveRig) -> None:
    pairs = [("PCMU", "G722"), ("PCMU", "opus"), ("G722", "PCMA"), ("opus", "PCMU"), ("PCMU", "PCMU")]
    callers = [
        (Caller(rig, f"through_{callee}", f"absolute_codec_string={caller}"), caller, callee)
        for caller, callee in pairs
    ]
    for caller, _, callee in callers:
        other = rig.switch.find_session(rig.variable(caller.far, "bridge_uuid"))
        assert other is not None
        assert other.channel.get_variable("write_codec") == callee
    for caller, _, _ in callers:
        said = sweep()
        rate = caller.session.line.rate
        caller.ear.forget()
        caller.say(said if rate == RATE else soxr.resample(said, RATE, rate))
    rig.wait(lambda: min(len(at_8_khz(caller)) for caller, _, _ in callers) > (SECONDS + 0.5) * RATE)
    for caller, near, far in callers:
        shifts, ratios = places_and_noise(at_8_khz(caller), sweep())
        assert moved(shifts) <= STEADY[near] + STEADY[far], f"{near} {far}: {shifts}"
        assert np.median(ratios) > min(FAITHFUL[near], FAITHFUL[far]) - 4, f"{near} {far}: {ratios}"
        assert max(shifts) < 0.4 * RATE, f"{near} {far}: {shifts}"
        caller.hang_up()
