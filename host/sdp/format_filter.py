"""Take codecs out of a description that goes on to another far end (FreeSWITCH: `bypass_media_sdp_filter`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_RULE: Final = re.compile(r"(remove|only)\((.+)\)", re.IGNORECASE)
# RFC 3551, as far as FreeSWITCH knows the names without an rtpmap.
_STATIC: Final = {"PCMU": 0, "GSM": 3, "DVI4": 5, "PCMA": 8, "G722": 9, "G729": 18, "H261": 31, "H263": 34}
_MOST_RULES: Final = 50  # FreeSWITCH's limit
_EVENTS: Final = "telephone-event"
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|$)")
_MEDIA: Final = re.compile(r"(m=\S+ +\S+ +\S*/\S+)((?: +\d+)*)", re.ASCII)
_FORMAT: Final = re.compile(r"a=(?:rtpmap|fmtp):(\d+)", re.IGNORECASE | re.ASCII)


def filtered(description: str, rules: str) -> str:
    """Return a description without the formats that `rules` take out: `remove(CODEC)` or `only(CODEC)`, `|` between.

    FreeSWITCH: the payload types of the codec (and `only` leaves telephone-events as well), whatever section they
    stand in; the names of RFC 3551 are their numbers. What is no rule is passed over, and so is a codec that is not
    there.
    """
    for rule in rules.split("|")[:_MOST_RULES]:
        found = _RULE.fullmatch(rule.strip())
        if found is None:
            continue
        number = _number_of(description, found[2])
        if number is None:
            continue
        if found[1].lower() == "remove":
            description = _without(description, number.__eq__)
        else:
            kept = {number, _number_of(description, _EVENTS)}
            description = _without(description, lambda payload, kept=kept: payload not in kept)  # type: ignore[misc]
    return description


def _number_of(description: str, codec: str) -> int | None:
    number = _STATIC.get(codec.upper())
    if number is not None:
        return number
    mapped = re.search(rf"^a=rtpmap:(\d+) +{re.escape(codec)}/", description, re.IGNORECASE | re.MULTILINE)
    return int(mapped[1]) if mapped is not None else None


def _without(description: str, unwanted: Callable[[int], object]) -> str:
    lines = []
    for line in _LINE.findall(description):
        media = _MEDIA.match(line)
        told = _FORMAT.match(line)
        if media is not None:
            left = [payload for payload in media[2].split() if not unwanted(int(payload))]
            line = " ".join([media[1], *left]) + line[media.end() :]
        elif told is not None and unwanted(int(told[1])):
            continue
        lines.append(line)
    return "".join(lines)
