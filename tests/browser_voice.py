"""What aiortc says in the place of a browser."""

from __future__ import annotations

import numpy as np
from aiortc.mediastreams import AudioStreamTrack
from av import AudioFrame


class Voice(AudioStreamTrack):
    """A loud square wave of 1000 Hz: 20 ms of 8 kHz at a time."""

    async def recv(self) -> AudioFrame:
        frame = await super().recv()
        assert isinstance(frame, AudioFrame)
        samples = np.tile(np.repeat(np.array([8000, -8000], np.int16), 4), frame.samples // 8)
        frame.planes[0].update(samples.tobytes())
        return frame
