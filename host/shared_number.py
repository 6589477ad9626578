"""A number that Lua code reads straight from memory, without a call of the host."""

from __future__ import annotations

import ctypes


class SharedNumber:
    """A 32 bit number; `cell[0]` is its value, which wraps around, and `address` where it lies in memory.

    Only the holder of the interpreter's lock writes it. Whoever reads from an address keeps this object alive.
    """

    __slots__ = ("cell",)

    def __init__(self) -> None:
        self.cell = _ONE()

    @property
    def address(self) -> int:
        """Where the number lies in this process's memory."""
        return ctypes.addressof(self.cell)


_ONE = ctypes.c_int32 * 1
