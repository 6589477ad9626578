"""Work that records: what the caller says now, or the whole call."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from host.byte_text import to_bytes
from host.ivr.play import play_file
from host.ivr.record import record_file, record_session
from host.leading_number import leading_int
from host.modules.mod_httapi.client import CallRecording
from host.modules.mod_httapi.keys import bound_keys
from host.modules.mod_httapi.transfer import Attachment
from host.status import Status

if TYPE_CHECKING:
    from host.modules.mod_httapi.client import Client
    from host.modules.mod_httapi.document import Work

# FreeSWITCH: the average sample below which a frame is silent, and how many seconds of it end a recording.
_THRESHOLD: Final = 200
_SILENCE_S: Final = 2
# The name is made by a server: it leads nowhere else.
_UNSAFE: Final = re.compile(r"[/\\`\x00-\x1f]")
# A file system's names have 255 bytes, of which the call's own part needs some.
_LONGEST_NAME: Final = 100


def record(client: Client, work: Work, body: str) -> bool:
    """Record what the caller says and let the next request bring it along; False when no file is named."""
    session = client.session
    given = _UNSAFE.sub("_", work.get("file") or "")
    if not given:
        return False
    base, dot, ending = given.rpartition(".")
    base = (base if dot else given).replace(".", "_")
    ending = ending if dot else "wav"
    base, ending = base[:_LONGEST_NAME], ending[:_LONGEST_NAME]
    path = os.path.join(_folder(client), f"{session.switch.new_uuid()}_{base}.{ending}")
    keys = bound_keys(client, work)
    status = Status.SUCCESS
    try:
        if work.get("beep-file") is not None:
            status = play_file(session, work.get("beep-file") or "", args=keys)
        if not session.channel.ready:
            return status is Status.SUCCESS
        if status:
            record_file(
                session,
                path,
                _number(work, "limit", 0),
                _number(work, "threshold", _THRESHOLD),
                _number(work, "silence-hits", _SILENCE_S),
                keys,
            )
    finally:
        if keys is not None:
            keys.close()
    action = client.matched.matching_action if client.matched is not None else None
    action = action or (keys.action if keys is not None else None)
    if action:
        client.params.set("url", action)
    if os.path.exists(to_bytes(path)):
        field = work.get("name") or "attached_file"
        client.attachments.append(Attachment(field, f"{base}.{ending}", path))
    return session.channel.ready


def record_call(client: Client, work: Work, body: str) -> bool:
    """Record both directions from now to the end of the call, once; the last request brings it along."""
    session = client.session
    if client.recording is not None:
        return True
    name = work.get("name") or "recorded_file"
    path = name
    if not name.lower().startswith("http://"):
        path = os.path.join(_folder(client), f"{session.uuid}.wav")
        client.recording = CallRecording(name, path, work.get("action"))
    record_session(session, path, max(0, leading_int(work.get("limit") or "")))
    return True


def _folder(client: Client) -> str:
    return client.session.switch.global_variables.get("temp_dir") or "/tmp"


def _number(work: Work, name: str, default: int) -> int:
    text = work.get(name)
    found = default if text is None else leading_int(text)
    return found if found >= 0 else default
