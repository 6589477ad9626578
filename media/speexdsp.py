"""libspeexdsp's preprocessor: noise suppression and automatic gain, by the system's shared library where it is there.

There is no wheel of it that is kept up; Debian's package is `libspeexdsp1`. The library is opened when it is first
needed.
"""

from __future__ import annotations

import ctypes
import weakref
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

LIBRARY: Final = "libspeexdsp.so.1"

# The requests of speex_preprocess.h.
_SET_AGC: Final = 2
_SET_AGC_LEVEL: Final = 6
_SET_NOISE_SUPPRESS: Final = 18

# What the library takes: sample values for the gain's level, dB for the noise (its own default first).
LEVEL_RANGE: Final = (1, 32_768)
DEFAULT_NOISE_SUPPRESS: Final = -15


class SpeexDspUnavailable(Exception):
    """The library is not installed."""

    def __init__(self) -> None:
        super().__init__(f"{LIBRARY} is not installed (Debian: libspeexdsp1)")


@dataclass(frozen=True, slots=True)
class PreprocessSettings:
    """What is done to the sound of one direction; `agc_level` is a sample value, None for no automatic gain.

    Noise is always suppressed, by `noise_suppress` dB.
    """

    agc_level: int | None = None
    noise_suppress: int = DEFAULT_NOISE_SUPPRESS


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(LIBRARY)
    library.speex_preprocess_state_init.restype = ctypes.c_void_p
    library.speex_preprocess_state_init.argtypes = [ctypes.c_int, ctypes.c_int]
    library.speex_preprocess_state_destroy.restype = None
    library.speex_preprocess_state_destroy.argtypes = [ctypes.c_void_p]
    library.speex_preprocess_ctl.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    library.speex_preprocess_run.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    return library


def require() -> None:
    """Raise SpeexDspUnavailable when the library is not there."""
    try:
        _library()
    except OSError:
        raise SpeexDspUnavailable from None


class Preprocessor:
    """The state of one direction of one line: frames of `size` samples at `rate`, one after another.

    Raises SpeexDspUnavailable.
    """

    def __init__(self, rate: int, size: int, settings: PreprocessSettings) -> None:
        require()
        self._library = _library()
        self._state = self._library.speex_preprocess_state_init(size, rate)
        weakref.finalize(self, self._library.speex_preprocess_state_destroy, self._state).atexit = False
        self.size = size
        self.change(settings)

    def change(self, settings: PreprocessSettings) -> None:
        """Do other things from the next frame on."""
        on = ctypes.c_int(int(settings.agc_level is not None))
        self._library.speex_preprocess_ctl(self._state, _SET_AGC, ctypes.byref(on))
        if settings.agc_level is not None:
            level = ctypes.c_float(min(max(settings.agc_level, LEVEL_RANGE[0]), LEVEL_RANGE[1]))
            self._library.speex_preprocess_ctl(self._state, _SET_AGC_LEVEL, ctypes.byref(level))
        noise = ctypes.c_int(settings.noise_suppress)
        self._library.speex_preprocess_ctl(self._state, _SET_NOISE_SUPPRESS, ctypes.byref(noise))

    def run(self, frames: NDArray[np.int16]) -> NDArray[np.int16]:
        """Process whole frames, int16 of shape (n · size,), into an array of its own."""
        processed = np.array(frames, np.int16)  # a copy: the library works in place
        address = processed.ctypes.data
        for place in range(0, len(processed), self.size):
            self._library.speex_preprocess_run(self._state, address + 2 * place)
        return processed
