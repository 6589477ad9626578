"""C values that scripts only pass on: pointers and enums that SWIG shows as userdata of a type of their own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(eq=False, slots=True, weakref_slot=True)
class Opaque:
    """A value of the C type `ctype`; `value` is the host's."""

    ctype: str
    value: object = None
