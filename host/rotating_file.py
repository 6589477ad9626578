"""A log file that is moved away when it has grown, so that no log fills a disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from host.log_writer import LogFile

# Moved files with a date in their names that one second may have; more would be a log that rotates at every line.
_MOST_OF_A_SECOND: Final = 1000


class RotatingFile:
    """Appends to `path` until it has `rollover` bytes (0: for ever), then goes on with an empty one.

    With `keep` the former files are `path.1`, the latest, to `path.KEEP`; without, they have the date behind the name
    (`stamp()`), and none is deleted.
    """

    def __init__(self, path: Path, rollover: int, keep: int, stamp: Callable[[], str]) -> None:
        """Open the file; raises OSError."""
        self._file = LogFile(path)
        self._path = path
        self._rollover = rollover
        self._keep = keep
        self._stamp = stamp
        self._size = path.stat().st_size

    def write(self, text: str) -> None:
        """Append text; raises OSError."""
        self._file.write(text)
        self._size += len(text.encode("utf-8", "surrogateescape"))
        if 0 < self._rollover <= self._size:
            self.rotate()

    def rotate(self) -> None:
        """Move the file away and begin another; raises OSError."""
        if self._keep > 0:
            for number in range(self._keep - 1, 0, -1):
                former = self._numbered(number)
                if former.exists():
                    former.replace(self._numbered(number + 1))
            self._path.replace(self._numbered(1))
        else:
            self._path.replace(self._dated())
        self.reopen()

    def reopen(self) -> None:
        """Open the path again, for what moved it away; raises OSError."""
        self._file.reopen()
        self._size = self._path.stat().st_size

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _dated(self) -> Path:
        base = f"{self._path.name}.{self._stamp()}"
        for number in range(1, _MOST_OF_A_SECOND):
            path = self._path.with_name(f"{base}.{number}")
            if not os.path.lexists(path):
                return path
        raise FileExistsError(f"{base}.{_MOST_OF_A_SECOND}")
