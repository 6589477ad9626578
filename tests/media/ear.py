"""What a tap of a line hears."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Ear:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.blocks: list[NDArray[np.int16]] = []

    def write(self, samples: NDArray[np.int16]) -> None:
        self.blocks.append(samples.copy())

    @property
    def heard(self) -> NDArray[np.int16]:
        """All samples since the last `forget`."""
        return np.concatenate(self.blocks) if self.blocks else np.zeros(0, np.int16)

    @property
    def loudest(self) -> int:
        """The largest magnitude of them, 0 where there are none."""
        return int(np.abs(self.heard.astype(int)).max(initial=0))

    def forget(self) -> None:
        self.blocks.clear()
