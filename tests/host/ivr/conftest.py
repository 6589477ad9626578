"""The fixture for tests that play something."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host.switch import Switch
from media.recording import Recording


@pytest.fixture
def switch(virtual_switch: Switch, tmp_path: Path) -> Switch:
    """A switch with one prompt, tone.wav: half a second."""
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    with Recording(str(sounds / "tone.wav"), 8000) as recording:
        recording.write(np.full(4000, 1000, np.int16))
    virtual_switch.modules.load("mod_sndfile")
    virtual_switch.modules.load("mod_native_file")
    virtual_switch.global_variables.set("sound_prefix", str(sounds))
    return virtual_switch
