"""What a recording's file is to be like besides its name, its rate and its channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

# What a tag may be of (libsndfile: SF_STR_…).
TAGS: Final = ("title", "copyright", "software", "artist", "comment", "date")

# A channel of a file that has two.
Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class RecordingForm:
    """How a file is written.

    With `over` one that is there is written over from its beginning: what is longer stays. A new file has `rate`
    samples a second, the rate of the sound where that is None. With `swapped` the second of two channels comes first.
    Sound of one channel goes to that `side` of a file with two.
    `tags` are texts by their names, which are those of `TAGS`; where a kind of file has no place for them they are
    left out.
    """

    over: bool = False
    rate: int | None = None
    swapped: bool = False
    side: Side | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


PLAIN: Final = RecordingForm()
