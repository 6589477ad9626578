"""What operators wish of a server that runs, by signals or by the API."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.session_control import Shutdown


class Wishes:
    """A pipe of wishes, by their signals' numbers; one waits for them in the main thread."""

    def __init__(self) -> None:
        self.again = False
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._former_writer = -1
        self._former: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> Wishes:
        # The number is written by the interpreter's own handler: one in Python would not run while `next` blocks,
        # where the signal came just before that.
        self._former_writer = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._former[number] = signal.signal(number, lambda number, frame: None)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._former_writer)
        for number, handler in self._former.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)

    def next(self) -> int:
        """Wait for the next wish and return the number of its signal."""
        while (number := os.read(self._reader, 1)[0]) not in self._former:
            continue  # a signal that somebody else handles
        return number

    def end(self, wish: Shutdown) -> None:
        """Take the API's wish that the switch ends, perhaps to start again."""
        self.again = wish.restart
        try:
            os.write(self._writer, bytes([signal.SIGTERM]))
        except BlockingIOError:
            pass  # thousands of wishes wait
