"""Why a file could not be opened, in FreeSWITCH's words."""

from __future__ import annotations

from typing import Self


class OpeningError(Exception):
    """A file that cannot be opened: `path`, and why in `reason`. It goes from one process to another."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"Error Opening File [{path}] [{reason}]")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        return type(self), (self.path, self.reason)
