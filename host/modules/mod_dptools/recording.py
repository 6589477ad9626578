"""Applications that record the caller, or the whole call beside what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.arguments import separate
from host.hangup_cause import HangupCause
from host.ivr.record import record_file, steer_recording
from host.ivr.record import record_session as begin
from host.ivr.record import stop_record_session as end
from host.ivr.recording_settings import own_settings
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_dptools.terminators import terminator_args
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

# FreeSWITCH: what is behind the third word is not looked at.
_SESSION_WORDS: Final = 3


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application(
    "record", "<path> [<time_limit_secs>] [<silence_thresh>] [<silence_hits>]", "Record File", media=True
)
def record(session: Session, data: str) -> None:
    """Record the caller until a terminator, a limit or silence; FreeSWITCH: when that fails, the call is hung up."""
    channel = session.channel
    words = separate(data, " ", 4)
    if not words:
        channel.log(LogLevel.ERR, "No file specified.")
        return
    path, limit, threshold, hits = words + [""] * (4 - len(words))
    status = record_file(
        session,
        path,
        max(0, leading_int(limit.removeprefix("+"))),
        max(0, leading_int(threshold)),
        max(0, leading_int(hits)),
        terminator_args(session),
    )
    if not channel.ready or status not in (Status.SUCCESS, Status.BREAK):
        channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)


@_application("record_session", "<path> [+<timeout>]", "Record Session", media=True)
def record_session(session: Session, data: str) -> None:
    """Record both sides of the call from now on, at most `+N` seconds, with settings of its own in `{name=value}`."""
    path, *more = data.split(" ", _SESSION_WORDS - 1)
    if not path:
        return
    limit = 0
    if more and more[0].startswith("+"):
        limit = max(0, leading_int(more.pop(0)[1:]))
    begin(session, path, limit, own_settings(" ".join(more)))


@_application("stop_record_session", "<path>", "Stop Record Session", media=True)
def stop_record_session(session: Session, data: str) -> None:
    """End the recording of a path, or `all` of them."""
    end(session, data)


@_application("record_session_mask", "<path>", "Mask audio in recording", media=True)
def record_session_mask(session: Session, data: str) -> None:
    """Record silence in place of what is said."""
    steer_recording(session, data, "mask")


@_application("record_session_unmask", "<path>", "Stop masking audio in recording", media=True)
def record_session_unmask(session: Session, data: str) -> None:
    """Record again what is said."""
    steer_recording(session, data, "unmask")


@_application("record_session_pause", "<path>", "Pause recording", media=True)
def record_session_pause(session: Session, data: str) -> None:
    """Leave out what is said from now on."""
    steer_recording(session, data, "pause")


@_application("record_session_resume", "<path>", "Resume paused recording", media=True)
def record_session_resume(session: Session, data: str) -> None:
    """Go on with a recording that was paused."""
    steer_recording(session, data, "resume")
