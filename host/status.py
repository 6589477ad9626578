"""What a blocking operation of the switch answers."""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """The outcome of an operation; the text is what FreeSWITCH shows for it in `%s` of a status."""

    SUCCESS = "SUCCESS"
    FALSE = "FALSE"
    TIMEOUT = "TIMEOUT"
    BREAK = "BREAK"
    NOT_FOUND = "NOT_FOUND"
    GENERR = "GENERR"
    RESTART = "RESTART"

    def __bool__(self) -> bool:
        return self is Status.SUCCESS
