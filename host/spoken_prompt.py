"""What a missing FreeSWITCH prompt would have said, told from its file name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Final

from media.espeak import synthesize
from media.source import Samples, Source

# The folders of FreeSWITCH's English prompts.
PROMPT_FOLDERS: Final = frozenset(
    {
        "ascii", "base256", "conference", "currency", "digits", "directory", "ivr", "misc", "phonetic-ascii",
        "time", "users", "voicemail", "zrtp",
    }
)  # fmt: skip
_RATE_FOLDER: Final = re.compile(r"/(8000|16000|32000|48000)(?=/)")
_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_ORDINALS: Final = {
    "1": "first", "2": "second", "3": "third", "4": "fourth", "5": "fifth", "6": "sixth", "7": "seventh",
    "8": "eighth", "9": "ninth", "10": "tenth", "11": "eleventh", "12": "twelfth", "13": "thirteenth",
    "14": "fourteenth", "15": "fifteenth", "16": "sixteenth", "17": "seventeenth", "18": "eighteenth",
    "19": "nineteenth", "20": "twentieth", "30": "thirtieth", "40": "fortieth", "50": "fiftieth",
    "60": "sixtieth", "70": "seventieth", "80": "eightieth", "90": "ninetieth", "hundred": "hundredth",
    "thousand": "thousandth", "million": "millionth",
}  # fmt: skip
_TIMES: Final = {"a-m": "A M", "p-m": "P M", "oh": "oh", "oclock": "o'clock"}


def words_of(path: str) -> str:
    """Return a file's name as words: "enter-your_pin.wav" is "enter your pin"."""
    return re.sub(r"[_\-]+", " ", os.path.splitext(os.path.basename(path))[0]).strip()


def spoken_text(path: str, prefixes: Iterable[str] = ()) -> str | None:
    """Return the words of a prompt named like FreeSWITCH's, None when the path is not named so.

    `ivr/ivr-welcome_to_freeswitch.wav` is "welcome to freeswitch", `digits/7.wav` is "7", `time/day-1.wav` is
    "Monday". A path counts when its folder is one of FreeSWITCH's prompt folders, below a prefix or relative.
    """
    plain = _RATE_FOLDER.sub("", path.replace(os.sep, "/"))
    for prefix in sorted((p for p in prefixes if p), key=len, reverse=True):
        if plain.startswith(prefix.rstrip("/") + "/"):
            plain = plain[len(prefix.rstrip("/")) + 1 :]
            break
    parts = plain.strip("/").split("/")
    if len(parts) < 2 or parts[-2] not in PROMPT_FOLDERS:
        return None
    folder, stem = parts[-2], os.path.splitext(parts[-1])[0]
    if not stem:
        return None
    if folder in ("ascii", "phonetic-ascii", "base256") and stem.isdigit() and 32 <= int(stem) < 127:
        return {" ": "space", ".": "dot", "@": "at"}.get(chr(int(stem)), chr(int(stem)))
    if folder == "digits":
        return _ORDINALS.get(stem[2:], stem[2:]) if stem.startswith("h-") else stem
    if folder == "time":
        kind, _, number = stem.partition("-")
        if kind == "day" and number.isdigit() and int(number) < len(_DAYS):
            return _DAYS[int(number)]
        if kind == "mon" and number.isdigit() and int(number) < len(_MONTHS):
            return _MONTHS[int(number)]
        if stem in _TIMES:
            return _TIMES[stem]
    words = re.sub(r"^(ivr|vm|conf|dir|dir_|zrtp|user|currency|misc)[-_]", "", stem)
    return re.sub(r"[_\-]+", " ", words).strip() or None


def spoken(text: str, rate: int) -> Source:
    """Return `text` spoken in English, at `rate` samples a second."""
    return Samples(synthesize(text, "en", rate), rate)
