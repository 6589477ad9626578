"""mod_shell_stream: what a command of the shell writes is heard: `shell_stream://COMMAND`.

It lets whoever chooses what is played run commands, so it is loaded only where modules.conf names it, or by `load`.
The command gets `-r RATE -c 1` behind its own arguments and writes 16-bit samples of the machine's byte order.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final

import numpy as np

from host.clock import MILLISECOND, RealClock
from host.interfaces import FileFormat
from media.source import Samples
from media.stream_source import StreamRing, StreamSource

if TYPE_CHECKING:
    from host.clock import Clock
    from host.switch import Switch
    from media.source import Source

NAME: Final = "mod_shell_stream"

_SHELL: Final = "/bin/sh"
_BLOCK: Final = 32_768  # bytes; FreeSWITCH reads so many at once
_PAUSE: Final = 20 * MILLISECOND  # until there is room in the ring again
# In a call by the virtual clock the command's sound is taken whole, and no more of it than this.
_VIRTUAL_SECONDS: Final = 600


def load(switch: Switch) -> None:
    """Register the scheme."""
    switch.file_formats.add(FileFormat("shell_stream", NAME, open_stream))


def open_stream(switch: Switch, path: str, rate: int, parameters: Mapping[str, str]) -> Source:
    """Run the command and play what it writes, until it ends or is heard no more; OSError when it cannot be run."""
    if not path.strip() or "\0" in path:
        raise OSError("no command")
    process = subprocess.Popen(
        [_SHELL, "-c", os.fsencode(f"{path} -r {rate} -c 1")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    if not isinstance(switch.clock, RealClock):
        return _whole(process, process.stdout, rate)
    ring = StreamRing(rate)
    given_up = threading.Event()
    threading.Thread(
        target=_fill,
        args=(switch.clock, process, process.stdout, ring, given_up),
        name="shell-stream",
        daemon=True,
    ).start()
    return _Heard(ring, process, given_up)


class _Heard(StreamSource):
    """The source that is handed out: when nobody holds it any more the command is ended."""

    def __init__(self, ring: StreamRing, process: subprocess.Popen[bytes], given_up: threading.Event) -> None:
        super().__init__(ring.source.path, ring.source.rate)
        self._kept = ring
        weakref.finalize(self, _give_up, process, given_up)


def _whole(process: subprocess.Popen[bytes], output: IO[bytes], rate: int) -> Samples:
    most = 2 * rate * _VIRTUAL_SECONDS
    with output:
        sound = output.read(most)
    _end(process)
    process.wait()
    return Samples(np.frombuffer(sound[: len(sound) // 2 * 2], np.int16), rate)


def _fill(
    clock: Clock,
    process: subprocess.Popen[bytes],
    output: IO[bytes],
    ring: StreamRing,
    given_up: threading.Event,
) -> None:
    odd = b""
    with output:
        while block := os.read(output.fileno(), _BLOCK):
            block = odd + block
            whole = len(block) // 2 * 2
            odd = block[whole:]
            samples = np.frombuffer(block[:whole], np.int16)
            while len(samples := samples[ring.write(samples) :]) and not given_up.is_set():
                clock.sleep(_PAUSE)
    ring.end()
    process.wait()


def _give_up(process: subprocess.Popen[bytes], given_up: threading.Event) -> None:
    given_up.set()
    _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command and all it has started."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):  # all of it has ended, or gone to another user
            os.killpg(process.pid, signal.SIGKILL)
