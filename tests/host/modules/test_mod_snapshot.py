"""mod_snapshot: the last seconds of a call in a file."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from host.ivr.sleep import sleep
from host.media_bug import media_bugs
from host.session import Session
from host.switch import Switch
from media.last_sound import LastSound
from media.source import Silence
from media.tone import ToneSource
from tests.host.one_call import in_call


@pytest.fixture
def switch(virtual_switch: Switch) -> Switch:
    virtual_switch.modules.load("mod_snapshot")
    Path(virtual_switch.global_variables.get("sounds_dir") or "").mkdir(exist_ok=True)
    return virtual_switch


def written(switch: Switch) -> tuple[Path, np.ndarray[tuple[int], np.dtype[np.int16]]]:
    path = Path(switch.global_variables.get("file") or "")
    with wave.open(str(path)) as file:
        return path, np.frombuffer(file.readframes(file.getnframes()), np.int16)


def test_the_last_seconds_are_written(switch: Switch) -> None:
    def do(session: Session) -> object:
        replies = [switch.api("uuid_snapshot", f"{session.uuid} start 6 read call")]
        replies.append(switch.api("uuid_snapshot", f"{session.uuid} start"))
        sleep(session, 10_000)
        replies.append(switch.api("uuid_snapshot", f"{session.uuid} snap"))
        return replies, [bug.function for bug in media_bugs(session)]

    outcome = in_call(switch, do, say=ToneSource("%(9000,0,440)", 8000))
    assert outcome.values == [(["+OK Success\n", "-ERR Operation Failed\n", "+OK Success\n"], ["snapshot"])]
    path, sound = written(switch)
    assert path.name.startswith("call_20") and path.suffix == ".wav"
    assert len(sound) == 6 * 8000
    assert np.abs(sound[: 4 * 8000]).max() > 3000 and np.abs(sound[-7000:]).max() == 0
    assert f"Wrote {path}" in outcome.logs


def test_a_key_takes_it(switch: Switch) -> None:
    def do(session: Session) -> object:
        session.execute("snapshot", "start")
        sleep(session, 3000)
        return switch.global_variables.get("file") is not None

    outcome = in_call(switch, do, press=((1000, "*7"),), say=Silence(8000))
    assert outcome.values == [True]


def test_nothing_is_written_that_is_not_kept(switch: Switch) -> None:
    def do(session: Session) -> object:
        session.execute("snapshot", "")
        return switch.api("uuid_snapshot", f"{session.uuid} snap")

    outcome = in_call(switch, do)
    assert outcome.values == ["-ERR Operation Failed\n"]
    assert "test/1 Bug is not attached." in outcome.logs
    assert "Usage: start <sec> <read|write>" in outcome.logs


def test_a_module_that_goes_keeps_nothing(switch: Switch) -> None:
    def do(session: Session) -> object:
        switch.api("uuid_snapshot", f"{session.uuid} start")
        switch.modules.unload("mod_snapshot")
        return media_bugs(session)

    assert in_call(switch, do).values == [[]]


def test_the_newest_samples_are_kept() -> None:
    sound = LastSound(5)
    sound.write(np.arange(3, dtype=np.int16))
    assert sound.take().tolist() == [0, 1, 2] and len(sound.take()) == 0
    for start in (0, 2, 4, 6):
        sound.write(np.arange(start, start + 2, dtype=np.int16))
    assert sound.take().tolist() == [3, 4, 5, 6, 7]
    sound.write(np.arange(9, dtype=np.int16))
    assert sound.take().tolist() == [4, 5, 6, 7, 8]
    with pytest.raises(ValueError):
        LastSound(0)
