"""The called one confirms that a person takes the call (`group_confirm_key`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.channel import Flag
from host.hangup_cause import HangupCause
from host.ivr.digits import read
from host.ivr.play import play_file
from host.log import LogLevel
from host.status import Status

if TYPE_CHECKING:
    from host.ivr.dial_options import Confirm
    from host.session import Session


def ask_for_key(session: Session, confirm: Confirm) -> None:
    """Play the file until the key is pressed, again and again; then the leg has the flag WINNER.

    Runs in the leg's own thread. With the key `exec` an application runs instead, and who is still there after it
    has won.
    """
    channel = session.channel
    if confirm.key.lower() == "exec":
        application, _, data = confirm.file.partition(" ")
        if application and session.execute(application, data) and channel.up:
            _win(session)
        return
    length = len(confirm.key)
    while channel.ready:
        digits, status = read(
            session,
            length,
            length,
            "" if confirm.file == "silence" else confirm.file,
            "",
            confirm.read_timeout_ms,
            "",
        )
        if status is Status.NOT_FOUND:
            channel.log(LogLevel.ERR, f"{channel.name} Error Playing File!")
            channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        elif digits == confirm.key:
            _win(session)
            return
        elif confirm.error_file:
            play_file(session, confirm.error_file)


def _win(session: Session) -> None:
    session.channel.variables.set("group_dial_status", "winner")
    session.channel.set_flag(Flag.WINNER)
