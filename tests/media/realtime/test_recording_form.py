"""How a file is to be written, across the processes of the engine and of its recorder."""

from __future__ import annotations

import queue
import wave
from pathlib import Path

import numpy as np

from media.notice import Notice, PlaybackEnded
from media.realtime.remote_engine import RemoteEngine
from media.recording_form import RecordingForm
from media.sndfile import Sndfile
from media.source import Samples

RATE = 8000
_LONGEST_S = 60


def test_tags_rate_and_side_reach_the_file(engine: RemoteEngine, tmp_path: Path) -> None:
    path = str(tmp_path / "a.wav")
    form = RecordingForm(rate=16000, side="right", tags={"title": "A Title"})
    told: queue.Queue[Notice] = queue.Queue()
    line, far = engine.line(RATE, lambda notice: None), engine.line(RATE, told.put)
    line.connect(far)
    recording = engine.recording(path, RATE, form=form)
    tap = line.tap(recording, write=False)
    far.play(Samples(np.full(4000, 500, np.int16), RATE))
    assert isinstance(told.get(timeout=_LONGEST_S), PlaybackEnded)
    line.untap(tap)
    recording.close()
    with wave.open(path) as file:
        assert (file.getframerate(), file.getnchannels()) == (16000, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    assert len(samples) == 2 * recording.samples
    assert not samples[:, 0].any()
    assert samples[:, 1].max() >= 500
    written = Sndfile(path)
    assert written.tags() == {"title": "A Title"}
    written.close()
    line.close()
    far.close()
