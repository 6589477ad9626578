"""Letters, addresses and telephone numbers as prompt names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from host.byte_text import to_bytes
from host.leading_number import leading_int
from host.say.request import SayRequest, SayType

# FreeSWITCH: whatever is no letter or digit of a telephone number is a short pause.
TELEPHONE_PAUSE = "silence_stream://100"


def spell(request: SayRequest) -> Iterator[str]:
    """Yield the letters of a text, each byte by its ASCII number, small letters for capitals."""
    folder = {SayType.NAME_SPELLED: "ascii", SayType.NAME_PHONETIC: "phonetic-ascii"}.get(request.type)
    for byte in to_bytes(request.text).lower():
        if chr(byte).isdigit() and byte < 128:
            yield f"digits/{chr(byte)}"
        elif folder:
            yield f"{folder}/{byte}"


def telephone(request: SayRequest) -> Iterator[str]:
    """Yield the digits, letters and plus signs of a telephone number; a run of anything else is one pause."""
    silent = False
    for byte in to_bytes(request.text).lower():
        character = chr(byte)
        if "0" <= character <= "9":
            yield f"digits/{character}"
        elif character == "+" or "a" <= character <= "z":
            yield f"ascii/{byte}"
        else:
            if not silent:
                yield TELEPHONE_PAUSE
            silent = True
            continue
        silent = False


def ip_address(request: SayRequest, count: Callable[[SayRequest], Iterator[str]]) -> Iterator[str]:
    """Yield an IPv4 address, its four numbers by `count`; nothing when it has fewer than three points."""
    parts = request.text.split(".", 3)
    if len(parts) < 4:
        return
    for index, part in enumerate(parts):
        if index:
            yield "digits/dot"
        yield from count(replace(request, text=str(leading_int(part) % 2**32), type=SayType.ITEMS))
