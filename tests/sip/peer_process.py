"""A peer's program as a process that a test starts and ends."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.sip.until import until

_END_SECONDS = 10.0


class PeerProcess:
    """A program whose output goes to a file."""

    def __init__(self, command: Sequence[str], output: Path) -> None:
        self._output = output
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
            )

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait until it is ready. AssertionError with what it printed when it ends before."""

        def ready_or_ended() -> bool:
            assert self._process.poll() is None, self.printed()
            return ready()

        until(ready_or_ended, self.printed)

    def printed(self) -> str:
        """Return what it printed."""
        return self._output.read_text(errors="replace")

    def end(self) -> None:
        """Ask it to end, and kill it when it does not."""
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
