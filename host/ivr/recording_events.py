"""What is told of a recording, and what runs, when it begins and when it ends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from host import session_state

if TYPE_CHECKING:
    from host.ivr.recording_settings import Settings
    from host.session import Session


def tell_start(session: Session, path: str, settings: Settings) -> None:
    """Tell that a recording begins: event RECORD_START, `execute_on_record_start`, `api_on_record_start`."""
    channel = session.channel
    channel.fire("RECORD_START", ("Record-File-Path", path), *_told_settings(settings))
    session.switch.observe("record", channel, path=path)
    _run_own_application(session, "execute_on_record_start", settings)
    session_state.run_moment(session, "record_start")


def tell_end(
    session: Session,
    path: str,
    samples: int,
    rate: int,
    cause: str,
    settings: Settings,
    told: str | None = None,
) -> None:
    """Set what is known of a recording that ended, and tell it: RECORD_STOP, `…_on_record_stop`.

    `told` is the cause that the event has.
    """
    channel = session.channel
    ms = samples * 1000 // rate
    put = channel.variables.set
    put("record_samples", str(ms * rate // 1000))
    put("record_seconds", str(ms // 1000))
    put("record_ms", str(ms))
    more: tuple[tuple[str, str], ...] = ()
    if told is not None:
        put("record_completion_cause", told)
        more = (("Record-Completion-Cause", told),)
    channel.fire("RECORD_STOP", ("Record-File-Path", path), *_told_settings(settings), *more)
    session.switch.observe("recorded", channel, path=path, ms=ms, ended=cause)
    _run_own_application(session, "execute_on_record_stop", settings)
    session_state.run_moment(session, "record_stop")


def file_size(path: str) -> str:
    """Return the bytes of a file as text, 0 where there is none."""
    return str(os.path.getsize(path) if os.path.exists(path) else 0)


def _told_settings(settings: Settings) -> list[tuple[str, str]]:
    return [(f"Recording-Variable-{name}", value) for name, value in settings.own.items()]


def _run_own_application(session: Session, name: str, settings: Settings) -> None:
    text = settings.own.get(name)
    if text:
        session_state.run_application_text(session, text)


def run_applications(session: Session, name: str, settings: Settings) -> None:
    """Run the applications that the setting `name` and the variables that begin so name."""
    _run_own_application(session, name, settings)
    for _, text in session.channel.variables.beginning(name):
        session_state.run_application_text(session, text)


def run_post_process_api(session: Session) -> None:
    """Run the API command of `record_post_process_exec_api`, `command:argument`."""
    text = session.channel.get_variable("record_post_process_exec_api")
    if text:
        command, _, argument = text.partition(":")
        session.switch.api(command, session.expand(argument), session)
