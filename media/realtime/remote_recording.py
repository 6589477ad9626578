"""The host's handle on a recording that the engine's process writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from media.realtime import message
from media.realtime.engine_lost import EngineLost
from media.recording import RecordingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from media.realtime.engine_connection import EngineConnection


def _whole(answer: object) -> int:
    assert isinstance(answer, int)
    return answer


class RemoteRecording:
    """A recording that the engine's process writes; see `media.recording.Recorder`."""

    def __init__(
        self, connection: EngineConnection, number: int, path: str, rate: int, channels: int
    ) -> None:
        self._connection = connection
        self.number = number
        self.path = path
        self.rate = rate
        self.channels = channels
        self._samples: int | None = None

    @property
    def samples(self) -> int:
        """How many samples were recorded; as many as were known when the engine's process was lost."""
        if self._samples is not None:
            return self._samples
        try:
            return _whole(self._connection.ask(message.Recorded(self.number)))
        except EngineLost:
            return 0

    def write(self, samples: NDArray[np.int16]) -> None:
        """Belongs to the engine: raises RecordingError."""
        raise RecordingError(self.path, "only a tap can write to it")

    def pause(self) -> None:
        """Leave out what is heard from now on."""
        self._steer("pause")

    def resume(self) -> None:
        """End a pause."""
        self._steer("resume")

    def mask(self) -> None:
        """Record silence from now on."""
        self._steer("mask")

    def unmask(self) -> None:
        """End a mask."""
        self._steer("unmask")

    def close(self) -> None:
        """Complete the file; RecordingError when that fails. May be called more than once."""
        if self._samples is not None:
            return
        self._samples = 0
        try:
            self._samples = _whole(self._connection.ask(message.CloseRecording(self.number)))
        except EngineLost:
            return  # its file is valid up to what was written last

    def _steer(self, what: str) -> None:
        if self._samples is None:
            self._connection.send(message.SteerRecording(self.number, what))
