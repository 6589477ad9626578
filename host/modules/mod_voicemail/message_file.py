"""The sound files of messages: how long one is, two put together, one deleted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from host.log import LogLevel
from host.sound_file import open_source
from media.recording import Recording, RecordingError

if TYPE_CHECKING:
    from host.switch import Switch

# Messages are measured and put together at this rate, so many samples at a time.
_RATE: Final = 8000
_BLOCK: Final = 80_000


def sound_seconds(switch: Switch, path: str) -> int:
    """Return the length of a sound file in whole seconds, 0 when it cannot be told."""
    try:
        length = open_source(switch, path, _RATE).length
    except OSError:
        return 0
    return (length or 0) // _RATE


def merge(switch: Switch, first: str, second: str, path: str) -> bool:
    """Write one sound file after another into `path`; False, logged, when one cannot be read or that not written."""
    try:
        sources = [open_source(switch, name, _RATE) for name in (first, second)]
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with Recording(path, _RATE) as merged:
            for source in sources:
                for start in range(0, source.length or 0, _BLOCK):
                    merged.write(source.render(start, _BLOCK))
    except (OSError, RecordingError) as error:
        switch.log(LogLevel.ERR, f"Error merging files: {error}")
        return False
    return True


def delete(switch: Switch, path: str) -> bool:
    """Delete a file; False, logged, when that fails."""
    try:
        os.unlink(path)
    except (OSError, ValueError) as error:
        switch.log(LogLevel.WARNING, f"Failed to delete file [{path}]: {error}")
        return False
    return True
