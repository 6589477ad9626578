from __future__ import annotations

import numpy as np
import pytest

from media.mix import downmix, gain, granular_volume, mix

LOUD = np.array([30000, -30000, 100, 0], np.int16)


def test_sums_are_clipped() -> None:
    assert mix(LOUD, LOUD).tolist() == [32767, -32768, 200, 0]
    assert mix(LOUD, np.array([-30000], np.int16)).tolist() == [0, -30000, 100, 0]
    with pytest.raises(ValueError, match="nothing"):
        mix()


def test_channels_are_added_up() -> None:
    assert downmix(np.array([[1, 2], [30000, 30000]], np.int16)).tolist() == [3, 32767]
    assert downmix(np.array([[7], [8]], np.int16)).tolist() == [7, 8]
    assert downmix(LOUD) is LOUD


def test_volumes() -> None:
    assert gain(LOUD, 0) is LOUD
    assert gain(np.array([1000, -1000], np.int16), 6).tolist() == [1995, -1995]
    assert gain(LOUD, 20).tolist() == [32767, -32768, 1000, 0]
    assert granular_volume(LOUD, -50).tolist() == [0, 0, 0, 0]
    assert granular_volume(LOUD, 99).tolist() == [32767, -32768, 31622, 0]
