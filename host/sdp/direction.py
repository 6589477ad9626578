"""Which way media flows: `a=sendrecv` and its kin (RFC 8866 section 6.7), always as the describing side has it."""

from __future__ import annotations

from enum import Enum


class Direction(Enum):
    """The value is the attribute's name."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        return self in (Direction.SENDRECV, Direction.RECVONLY)

    @property
    def reverse(self) -> Direction:
        """The same flow seen from the other side."""
        return _of(self.receives, self.sends)

    def within(self, other: Direction) -> Direction:
        """What both allow."""
        return _of(self.sends and other.sends, self.receives and other.receives)


def _of(sends: bool, receives: bool) -> Direction:
    if sends:
        return Direction.SENDRECV if receives else Direction.SENDONLY
    return Direction.RECVONLY if receives else Direction.INACTIVE
