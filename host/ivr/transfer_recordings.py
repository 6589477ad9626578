"""Let recordings of a call go on with another one when it is transferred (`recording_follow_transfer`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.ivr.record import end_with_call, session_recordings
from host.log import LogLevel

if TYPE_CHECKING:
    from host.session import Session


def follow_transfer(
    session: Session, to: Session | None, variable: str = "recording_follow_transfer"
) -> None:
    """Move the recordings of `session` to `to` where its variable says so."""
    if to is not None and to is not session and session.channel.is_true(variable):
        transfer_recordings(session, to)


def transfer_recordings(session: Session, to: Session) -> None:
    """Have all that records `session` record `to` from now on, into the same files.

    FreeSWITCH: not to a call without media; what is to be done with a file afterwards goes along. A call whose line
    has another rate than the file is not recorded.
    """
    theirs = to.channel.variables
    for name, value in session.channel.variables.beginning("record_post_process_exec_"):
        theirs.set(name, value)
    running, others = session_recordings(session), session_recordings(to)
    if running and not to.channel.media_ready:
        session.channel.log(LogLevel.WARNING, "Cannot transfer media bugs to a channel with no media.")
        return
    for path, recording in list(running.items()):
        if path in others or to.line.rate != recording.recording.rate:
            session.channel.log(LogLevel.WARNING, f"Cannot record {to.channel.name} into {path}")
            continue
        session.channel.log(
            LogLevel.DEBUG, f"Transfering {path} from {session.channel.name} to {to.channel.name}"
        )
        del running[path]
        if not others:
            end_with_call(to)
        others[path] = recording
        recording.move(to)
