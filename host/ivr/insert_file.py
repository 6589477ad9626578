"""Insert one sound file into another (FreeSWITCH: switch_ivr_insert_file)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from host.log import LogLevel
from host.sound_file import SoundFileError, full_path, open_source
from host.status import Status
from media.recording import Recording, RecordingError

if TYPE_CHECKING:
    from host.session import Session

# A file is read whole before it is written anew; an hour at 8 kHz is 58 MB.
LONGEST_S = 3600


def insert_file(session: Session, path: str, insert_path: str, sample_point: int) -> Status:
    """Rewrite `path` with `insert_path` put in at sample `sample_point` (beyond the end: at the end).

    GENERR when one cannot be read or written, and then `path` is as it was. Both are at the call's rate afterwards.
    """
    channel, rate = session.channel, session.line.rate
    target, insert = full_path(channel, path), full_path(channel, insert_path)
    try:
        around, inside = open_source(session.switch, target, rate), open_source(session.switch, insert, rate)
        for name, source in ((target, around), (insert, inside)):
            if source.length is None or source.length > LONGEST_S * rate:
                raise SoundFileError(f"[{name}] is too long to insert into or to be inserted")
        assert around.length is not None and inside.length is not None
        point = max(0, min(sample_point, around.length))
        whole = np.concatenate(
            (
                around.render(0, point),
                inside.render(0, inside.length),
                around.render(point, around.length - point),
            )
        )
        stem, ending = os.path.splitext(target)
        made = f"{stem}.{session.uuid}{ending}"
        recording = Recording(made, rate)
        try:
            recording.write(whole)
        finally:
            recording.close()
        os.replace(made, target)
    except (OSError, RecordingError) as error:
        channel.log(LogLevel.ERR, f"Cannot insert [{insert}] into [{target}]: {error}")
        return Status.GENERR
    return Status.SUCCESS
