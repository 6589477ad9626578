"""Where in a sound a playback begins and goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host.ivr.file_command import command_file
from host.ivr.play import play_file
from host.session import Session
from host.status import Status
from host.switch import Switch
from media.recording import Recording
from tests.host.one_call import in_call


@pytest.fixture
def second(tmp_path: Path) -> str:
    """A file of one second."""
    recording = Recording(str(tmp_path / "second.wav"), 8000)
    recording.write(np.full(8000, 1000, np.int16))
    recording.close()
    return recording.path


@pytest.mark.parametrize(("start", "samples"), [(0, 8000), (4000, 4000), (8001, 1), (-1, 1), (2**31 - 1, 1)])
def test_behind_the_end_is_the_last_sample(switch: Switch, second: str, start: int, samples: int) -> None:
    outcome = in_call(switch, lambda session: play_file(session, second, start))
    assert outcome.values == [Status.SUCCESS]
    assert outcome.session.channel.get_variable("playback_samples") == str(samples)


def test_a_tone_is_played_from_its_start(switch: Switch) -> None:
    outcome = in_call(switch, lambda session: play_file(session, "tone_stream://%(1000,0,440)", 4000))
    assert outcome.session.channel.get_variable("playback_ms") == "1000"


def test_a_sign_without_a_number_is_one_step(switch: Switch, second: str) -> None:
    seen: list[tuple[Status | None, int]] = []

    def command(session: Session) -> None:
        file = session.playing
        assert file is not None
        seen.append((command_file(file, "speed:+"), file.speed_step))
        seen.append((command_file(file, "restart"), file.speed_step))
        seen.append((command_file(file, "volume:-"), file.volume_step))
        seen.append((command_file(file, "volume"), file.volume_step))
        seen.append((command_file(file, "bogus"), 0))

    def do(session: Session) -> None:
        session.clock.call_later(300_000, lambda: command(session))
        play_file(session, second)

    in_call(switch, do)
    assert seen == [
        (Status.SUCCESS, 1),
        (Status.SUCCESS, 0),
        (Status.SUCCESS, 1),
        (Status.FALSE, 1),
        (None, 0),
    ]
