"""What an input callback's answer does to the file that plays (FreeSWITCH: switch_ivr_process_fh)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.ivr.file_command import command_file
from host.status import Status

if TYPE_CHECKING:
    from host.ivr.input_args import InputArgs
    from host.ivr.play import FilePlayback


def obey(command: str | None, playing: FilePlayback | None, args: InputArgs | None = None) -> Status:
    """Apply a callback's answer; SUCCESS lets the operation go on, FALSE ends it.

    `seek:MS`, `seek:+MS`, `volume:N`, `volume:+N`, `speed:…`, `pause`, `restart` command a file that plays. Nothing,
    `true` and `undefined` go on; every other text ends the operation. Of a recording, only `pause` does something.
    """
    if not command:
        return Status.SUCCESS
    if args is not None and args.recorder is not None:
        status = _command_recorder(command.lower(), args)
        if status is not None:
            return status
    if playing is not None:
        status = command_file(playing, command)
        if status is not None:
            return status
    return Status.SUCCESS if command in ("true", "undefined") else Status.FALSE


def _command_recorder(command: str, args: InputArgs) -> Status | None:
    if command.startswith(("speed", "volume")):
        return Status.SUCCESS if ":" in command else Status.FALSE
    if command == "pause":
        args.toggle_pause()
        return Status.SUCCESS
    return Status.SUCCESS if command == "restart" or command.startswith("seek") else None
