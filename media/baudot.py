"""The five-bit code of text telephones (TTY, TDD): ITU-T V.18 annex A, TIA-825-A."""

from __future__ import annotations

from typing import Final

LETTERS: Final = 0x1F  # what follows is a letter
FIGURES: Final = 0x1B  # what follows is a figure or a mark

_BACK: Final = "\b"
_NONE: Final = "\0"
# By code; NUL stands for the two codes that change from one to the other.
_BY_LETTERS: Final = f"{_BACK}E\nA SIU\rDRJNFCKTZLWHYPQOBG{_NONE}MXV{_NONE}"
_BY_FIGURES: Final = f"{_BACK}3\n- -87\r$4',!:(5\")2=6019?+{_NONE}./;{_NONE}"
# What the code lacks is sent as what comes near it (V.18, table A.2).
_NEAR: Final = str.maketrans(
    {
        "#": "$", "%": "/", "&": "+", "*": ".", "<": "(", ">": ")", "@": "X", "[": "(", "]": ")", "\\": "/",
        "^": "'", "_": "-", "`": "'", "{": "(", "|": "/", "}": ")", "~": "-",
    }
)  # fmt: skip
# After so many characters the shift is sent again, in case that it was lost (V.18, A.1).
_SHIFT_AGAIN: Final = 72


def encode(text: str) -> list[int]:
    """Return the codes of a text with the shifts that it needs; characters that are unknown to the code are left out.

    Small letters become capitals; a line feed gets a carriage return.
    """
    codes: list[int] = []
    shift, since = 0, 0
    for character in text.replace("\r\n", "\n").replace("\n", "\r\n").upper().translate(_NEAR):
        letter, figure = _BY_LETTERS.find(character), _BY_FIGURES.find(character)
        if character == _NONE or max(letter, figure) < 0:
            continue
        if letter >= 0 and figure == letter:
            wanted, code = shift or LETTERS, letter
        elif letter >= 0:
            wanted, code = LETTERS, letter
        else:
            wanted, code = FIGURES, figure
        if wanted != shift or since >= _SHIFT_AGAIN:
            codes.append(wanted)
            shift, since = wanted, 0
        codes.append(code)
        since += 1
    return codes


class Decoder:
    """Reads codes one after another; letters come first."""

    def __init__(self) -> None:
        self._table = _BY_LETTERS

    def take(self, code: int) -> str:
        """Return the character of a code, "" for one that only changes what the next ones mean."""
        if code in (LETTERS, FIGURES):
            self._table = _BY_LETTERS if code == LETTERS else _BY_FIGURES
            return ""
        return self._table[code]
