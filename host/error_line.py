"""Errors as a line for the person who gave a command."""

from __future__ import annotations

import os


def error_line(error: Exception) -> str:
    """Return what went wrong: of an OSError the file and the reason, without Python's marks around them."""
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    if isinstance(error.filename, str | bytes):
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    return error.strerror
