"""What a channel's variables tell of what was sent to its far end last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from host.dtmf_string import PAUSES_MS, SAMPLES_PER_MS, SentDigit

if TYPE_CHECKING:
    from host.channel import Channel

_PAUSE_MS: Final = 250  # FreeSWITCH: what it reckons with behind each key


def note_sent_digits(channel: Channel, digits: Iterable[SentDigit]) -> None:
    """Note in `last_dtmf_duration` how many ms the keys take together."""
    took = sum(
        digit.duration // SAMPLES_PER_MS + _PAUSE_MS for digit in digits if digit.digit not in PAUSES_MS
    )
    if took:
        channel.set_variable("last_dtmf_duration", str(took))


def note_shown(channel: Channel, text: str) -> None:
    """Note in `last_sent_callee_id_name` and `_number` whom the far end was told to show: `name|number`."""
    for part, value in zip(("name", "number"), text.split("|", 1), strict=False):
        if value:
            channel.set_variable(f"last_sent_callee_id_{part}", value)
