"""Standard output and standard error of a command: always there, and able to take any text."""

from __future__ import annotations

import io
import os
import sys


def prepare_standard_streams() -> None:
    r"""Open what was closed when the process began, and let no text be one that cannot be written.

    A descriptor 0, 1 or 2 that is closed would be given to the next file or socket, and what prints would write there.
    Text that the locale's encoding lacks, and bytes that are no UTF-8, are shown with a backslash (`\udcff`).
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def write_out(text: str) -> None:
    """Write to standard output, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def forget_output() -> None:
    """Throw away what could not be written: the interpreter would try, and complain, once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
