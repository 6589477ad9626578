"""What an input callback's answer does to the file that plays (FreeSWITCH: switch_ivr_process_fh)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.leading_number import leading_int
from host.status import Status

if TYPE_CHECKING:
    from host.ivr.input_args import InputArgs
    from host.ivr.play import FilePlayback

# How far a signed `seek:` without a number goes, in ms.
_DEFAULT_SEEK_MS = 1000


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
        status = _command(command.lower(), playing)
        if status is not None:
            return status
    return Status.SUCCESS if command in ("true", "undefined") else Status.FALSE


def _command(command: str, playing: FilePlayback) -> Status | None:
    _, colon, value = command.partition(":")
    if command.startswith("speed"):
        if colon:
            playing.set_speed(_stepped(value, playing.speed_step, 1))
        return Status.SUCCESS if colon else Status.FALSE
    if command.startswith("volume"):
        if colon:
            playing.set_volume(_stepped(value, playing.volume_step, 1))
        return Status.SUCCESS if colon else Status.FALSE
    if command == "pause":
        playing.toggle_pause()
        return Status.SUCCESS
    if command == "stop":
        playing.stop()
        return Status.FALSE
    if command == "restart":
        playing.set_speed(0)
        playing.restart()
        return Status.SUCCESS
    if command.startswith("seek"):
        if colon:
            samples_per_ms = playing.rate // 1000
            if value[:1] in ("+", "-"):
                step = leading_int(value) or _DEFAULT_SEEK_MS
                playing.seek(playing.position + step * samples_per_ms)
            else:
                playing.seek(leading_int(value) * samples_per_ms)
        return Status.SUCCESS
    return None


def _command_recorder(command: str, args: InputArgs) -> Status | None:
    if command.startswith(("speed", "volume")):
        return Status.SUCCESS if ":" in command else Status.FALSE
    if command == "pause":
        args.toggle_pause()
        return Status.SUCCESS
    return Status.SUCCESS if command == "restart" or command.startswith("seek") else None


def _stepped(value: str, present: int, default: int) -> int:
    if value[:1] in ("+", "-"):
        return present + (leading_int(value) or default)
    return leading_int(value)
