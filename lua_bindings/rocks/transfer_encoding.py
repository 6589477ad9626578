"""The low-level filters of the rock mime: Base64, quoted-printable, line ends, stuffed dots, wrapped lines.

Each takes a context and a chunk and answers the chunk's encoding and the new context (LuaSocket's reference, MIME).
A context of bytes is what is left of the last chunk; without a chunk the leftovers are finished.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from lua_bindings.rocks.crossing import Answer, crossings

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun

_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/=]")
# What quoted-printable leaves as it is (RFC 2045, 6.7), blanks and tabs apart.
_PLAIN: Final = frozenset(range(33, 61)) | frozenset(range(62, 127))
_CR, _LF, _TAB, _SPACE, _EQUALS, _DOT = 13, 10, 9, 32, 61, 46


def functions(run: ScriptRun) -> Mapping[str, Callable[..., object]]:
    """Return the filters."""
    return crossings(
        run,
        "mime",
        {
            "b64": b64,
            "unb64": unb64,
            "qp": quoted_printable,
            "unqp": unquote_printable,
            "wrp": wrap,
            "qpwrp": wrap_quoted,
            "eol": line_ends,
            "dot": stuff_dots,
        },
    )


def _chunks(context: bytes | None, chunk: bytes | None) -> tuple[bytes, bool]:
    """Return the octets to work on, and whether they are the last."""
    return (context or b"") + (chunk or b""), chunk is None


def b64(context: bytes | None, chunk: bytes | None) -> Answer:
    """Encode three octets to four letters; a missing second argument ends the text, with padding."""
    if context is None:
        return None, None
    data, last = _chunks(context, chunk)
    if last:
        return base64.b64encode(data) or None, None
    whole = len(data) - len(data) % 3
    return base64.b64encode(data[:whole]), data[whole:]


def unb64(context: bytes | None, chunk: bytes | None) -> Answer:
    """Decode Base64; what is no letter of it is passed over, an unfinished group at the end is dropped."""
    if context is None:
        return None, None
    data, last = _chunks(context, chunk)
    data = _NOT_BASE64.sub(b"", data)
    made = bytearray()
    whole = len(data) - len(data) % 4
    for start in range(0, whole, 4):
        group = data[start : start + 4]
        valid = 1 if group[2] == _EQUALS else 2 if group[3] == _EQUALS else 3
        made += base64.b64decode(group.replace(b"=", b"A"))[:valid]
    if last:
        return bytes(made) or None, None
    return bytes(made), data[whole:]


def quoted_printable(context: bytes | None, chunk: bytes | None, marker: bytes | None) -> Answer:
    """Encode as quoted-printable; `marker` stands for each CRLF of the text (CRLF itself for text lines).

    What cannot be told yet at the end (CR, a blank that may end the line) is quoted, and a soft line break follows.
    """
    if context is None:
        return None, None
    marker = b"\r\n" if marker is None else marker
    data, last = _chunks(context, chunk)
    made = bytearray()
    index, size = 0, len(data)
    while index < size:
        octet = data[index]
        if octet == _CR:
            if index + 1 == size:
                break
            if data[index + 1] == _LF:
                made += marker
                index += 2
                continue
            made += b"=0D"
        elif octet in (_SPACE, _TAB):
            if index + 2 >= size:
                break
            made += b"=%02X" % octet if data[index + 1 : index + 3] == b"\r\n" else bytes((octet,))
        else:
            made += _quoted(octet)
        index += 1
    rest = data[index:]
    if not last:
        return bytes(made), rest
    if rest:
        made += b"".join(map(_quoted, rest)) + b"=\r\n"
    return bytes(made) or None, None


def _quoted(octet: int) -> bytes:
    return bytes((octet,)) if octet in _PLAIN else b"=%02X" % octet


_HEXADECIMAL: Final = re.compile(rb"[0-9A-Fa-f]{2}")
_QUOTED: Final = re.compile(rb"=(..)|(\r\n|[\t\x20-\x3c\x3e-\x7e])|\r.|.", re.DOTALL)


def unquote_printable(context: bytes | None, chunk: bytes | None) -> Answer:
    """Decode quoted-printable; what is no escape stays, what may not stand there or is cut off is dropped."""
    if context is None:
        return None, None
    data, last = _chunks(context, chunk)
    rest = b""
    cut = re.search(rb"=[^=]?\Z|\r\Z", data, re.DOTALL)
    if cut is not None:
        data, rest = data[: cut.start()], data[cut.start() :]

    def plain(found: re.Match[bytes]) -> bytes:
        pair: bytes | None = found[1]
        if pair is None:
            return found[2] or b""
        if _HEXADECIMAL.fullmatch(pair):
            return bytes((int(pair, 16),))
        return b"" if pair == b"\r\n" else found[0]

    made = _QUOTED.sub(plain, data)
    if last:
        return made or None, None
    return made, rest


def wrap(left: float | None, chunk: bytes | None, length: float | None) -> Answer:
    """Break lines after `length` octets; `left` is how many the current line still takes."""
    return _wrapped(left, chunk, length, b"\r\n", 0, 0)


def wrap_quoted(left: float | None, chunk: bytes | None, length: float | None) -> Answer:
    """Break lines of quoted-printable softly, never inside an escape."""
    return _wrapped(left, chunk, length, b"=\r\n", 1, 3)


def _wrapped(
    left: float | None, chunk: bytes | None, length: float | None, end: bytes, few: int, few_at_escape: int
) -> Answer:
    """Break lines by `end` where an octet finds no more room than `few`, or where `=` finds `few_at_escape`."""
    width = int(length or 76)
    room = int(width if left is None else left)
    if chunk is None:
        return (end, width) if room < width else (None, width)
    made = bytearray()
    for octet in chunk:
        if octet == _CR:
            continue
        if octet == _LF:
            made += b"\r\n"
            room = width
            continue
        if room <= (few_at_escape if octet == _EQUALS else few):
            made += end
            room = width
        made.append(octet)
        room -= 1
    return bytes(made), room


def line_ends(last: float | None, chunk: bytes | None, marker: bytes | None) -> Answer:
    """Write `marker` for CR, LF, CRLF and LFCR; `last` is the line end that the previous chunk ended with, or 0."""
    marker = b"\r\n" if marker is None else marker
    if chunk is None:
        return None, 0
    before = int(last or 0)
    made = bytearray()
    for octet in chunk:
        if octet not in (_CR, _LF):
            made.append(octet)
            before = 0
        elif before:  # the second half of a pair, or the same again
            if before == octet:
                made += marker
            before = 0
        else:
            made += marker
            before = octet
    return bytes(made), before


def stuff_dots(state: float | None, chunk: bytes | None) -> Answer:
    """Double a dot that begins a line, for SMTP; `state` counts how much of CRLF came before (2: a line begins)."""
    if chunk is None:
        return None, 2
    before = int(state or 0)
    made = bytearray()
    for octet in chunk:
        made.append(octet)
        if octet == _CR:
            before = 1
        elif octet == _LF:
            before = 2 if before == 1 else 0
        else:
            if octet == _DOT and before == 2:
                made.append(_DOT)
            before = 0
    return bytes(made), before
