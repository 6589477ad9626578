"""Going to the background as daemons do, with word back to the one who started it."""

from __future__ import annotations

import os
import sys
from typing import Final

_LONGEST_WORD: Final = 65_536


class Background:
    """This process in the background; the one that was started waits for its word."""

    def __init__(self, word: int) -> None:
        self._word = word

    def tell(self, status: int, text: str) -> None:
        """Let the process that was started print `text` and end with `status`; harmless the second time."""
        if self._word >= 0:
            os.write(self._word, f"{status} {text}".encode(errors="replace")[:_LONGEST_WORD])
            os.close(self._word)
            self._word = -1


def go_to_background() -> Background:
    """Fork; return in the child, which has no terminal. The parent waits for the child's word, prints it and exits.

    To be called before any thread is started.
    """
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        _wait_for_word(reader)
    os.close(reader)
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)
    return Background(writer)


def _wait_for_word(reader: int) -> None:
    word = b""
    while piece := os.read(reader, _LONGEST_WORD):
        word += piece
    status, _, text = word.decode(errors="replace").partition(" ")
    ok = status == "0"
    stream = sys.stdout if ok else sys.stderr
    stream.write(text or "moonline: the background process ended without a word\n")
    stream.flush()
    os._exit(0 if ok else 1)
