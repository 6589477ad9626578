"""What a file that is played says about itself becomes variables of the call (FreeSWITCH: RECORD_TITLE, …)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from media.recording_form import TAGS
from media.soundfile import LongFile
from media.source import Samples, Silence, part

if TYPE_CHECKING:
    from host.channel import Channel
    from media.source import Source


def note_tags(channel: Channel, source: Source) -> None:
    """Set RECORD_TITLE, RECORD_COPYRIGHT, … to the tags of a sound, of the first where there are several."""
    first, _, lead = part(source, 0)
    if isinstance(first, Silence) and lead is not None:  # before the first file of several
        first, _, _ = part(source, lead)
    if isinstance(first, Samples | LongFile):
        for name in TAGS:
            text = first.tags.get(name)
            if text:
                channel.variables.set(f"RECORD_{name.upper()}", text)
