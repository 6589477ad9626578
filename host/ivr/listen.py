"""Play a source that is no file, and listen to the caller with a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.ivr.input_args import InputArgs
from host.status import Status
from media.notice import Detected, PlaybackEnded

if TYPE_CHECKING:
    from host.session import Session
    from media.command import Detector
    from media.source import Source


def play_source(session: Session, source: Source, args: InputArgs) -> Status:
    """Play `source` to its end; SUCCESS then, BREAK when input ended it, FALSE when the call is over."""
    playback = session.line.play(source)
    try:
        while True:
            item = session.receive(None, (PlaybackEnded, *args.kinds()))
            if item is None:
                return Status.FALSE
            if isinstance(item, PlaybackEnded):
                if item.playback == playback.number:
                    return Status.SUCCESS
                continue
            status = args.take(session, item)
            if not status:
                return status
    finally:
        playback.stop()


def listen_for(session: Session, detector: Detector, source: Source | None = None) -> str | None:
    """Wait until `detector` finds something and return what it says; `source` is played meanwhile.

    None when the source ended first, or when the call is over. Keys stay queued.
    """
    line = session.line
    playback = line.play(source) if source is not None else None
    number = line.listen(detector)
    try:
        while True:
            item = session.receive(None, (Detected, PlaybackEnded))
            if item is None:
                return None
            if isinstance(item, Detected):
                if item.detector == number:
                    return item.detail
            elif (
                isinstance(item, PlaybackEnded) and playback is not None and item.playback == playback.number
            ):
                return None
    finally:
        line.unlisten(number)
        if playback is not None:
            playback.stop()
