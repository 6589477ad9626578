"""FreeSWITCH's way of splitting the arguments of commands and applications.

Single quotes hold a part together and vanish, a backslash keeps the next character from having its meaning,
`^^X` at the head makes X the delimiter, and the last of the parts asked for holds all the rest.
"""

from __future__ import annotations

import re
from typing import Final

_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", "s": " "}
_BLANKS: Final = re.compile(" +")


def separate(text: str, delimiter: str, limit: int) -> list[str]:
    """Split `text` at `delimiter` into at most `limit` (1 or more) parts, cleaned as by `clean`.

    A blank as delimiter also counts in runs and yields no empty parts; other delimiters do, but for an empty part
    at the very end. FreeSWITCH: observed with `argv`, `originate`, `coalesce`, `regex` and others.
    """
    if text.startswith("^^") and len(text) > 3:
        delimiter = text[2]
        text = text[3:]
    if not text:
        return []
    if "\\" not in text and "'" not in text:
        return _separate_plain(text, delimiter, limit)
    pieces = _cut_at_blanks(text, limit) if delimiter == " " else _cut(text, delimiter, limit)
    escapable = "" if delimiter == " " else delimiter
    return [clean(piece, escapable) for piece in pieces]


def clean(piece: str, delimiter: str = "") -> str:
    r"""Return `piece` without its quotes, its escapes resolved, the blanks at both ends stripped.

    `\n`, `\r`, `\t` and `\s` (a blank) are resolved, and a backslash before a quote of either kind, a backslash or
    the delimiter vanishes; any other backslash stays. A single quote without a partner is an ordinary character.
    Blanks inside quotes or before an opening quote are kept.
    """
    piece = piece.lstrip(" ")
    if "\\" not in piece and "'" not in piece:
        return piece.rstrip(" ")
    last_quote = piece.rfind("'")
    out: list[str] = []
    kept = 0
    quoted = False
    index, length = 0, len(piece)
    while index < length:
        character = piece[index]
        if character == "\\" and index + 1 < length:
            following = piece[index + 1]
            plain = following in "'\"\\" or following == delimiter
            meaning = following if plain else _ESCAPED.get(following)
            if meaning is not None:
                out.append(meaning)
                kept = len(out)
                index += 2
                continue
        if character == "'" and (quoted or index < last_quote):
            quoted = not quoted
            if quoted:
                kept = len(out)
        else:
            out.append(character)
            if quoted or character != " ":
                kept = len(out)
        index += 1
    return "".join(out[:kept])


def _separate_plain(text: str, delimiter: str, limit: int) -> list[str]:
    if delimiter != " ":
        parts = text.split(delimiter, limit - 1)
        if len(parts) > 1 and not parts[-1]:
            parts.pop()
        return [part.strip(" ") for part in parts]
    parts = _BLANKS.split(text.strip(" "), limit - 1) if limit > 1 else [text.strip(" ")]
    return parts


def _cut(text: str, delimiter: str, limit: int) -> list[str]:
    pieces: list[str] = []
    last_quote = text.rfind("'")
    start = index = 0
    quoted = False
    length = len(text)
    while index < length and len(pieces) < limit - 1:
        character = text[index]
        if character == "\\":
            index += 1
        elif character == "'" and (quoted or index < last_quote):
            quoted = not quoted
        elif character == delimiter and not quoted:
            pieces.append(text[start:index])
            start = index + 1
        index += 1
    if start < length:
        pieces.append(text[start:])
    return pieces


def _cut_at_blanks(text: str, limit: int) -> list[str]:
    # Unlike at other delimiters, a quote without a partner holds all the rest together.
    pieces: list[str] = []
    length = len(text)
    start = 0
    while start < length and len(pieces) < limit - 1:
        index = start
        while index < length and text[index] == " ":
            index += 1
        quoted = False
        while index < length and (quoted or text[index] != " "):
            if text[index] == "\\":
                index += 1
            elif text[index] == "'":
                quoted = not quoted
            index += 1
        pieces.append(text[start:index])
        start = index
        while start < length and text[start] == " ":
            start += 1
    if start < length:
        pieces.append(text[start:])
    return pieces
