"""Run one dialplan application on a call: who may, what is expanded first, and the events around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.hangup_cause import HangupCause
from host.log import LogLevel
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session

# Applications that call applications (execute_extension, transfer inline, a script): deeper is a loop.
EXECUTE_DEPTH_LIMIT: Final = 50


def execute_application(session: Session, application: str, data: str = "") -> Status:
    """Run a dialplan application with `data`, expanded first; FALSE when there is none or the call cannot take it.

    FreeSWITCH: an unknown application hangs the call up with DESTINATION_OUT_OF_ORDER.
    """
    channel = session.channel
    app = session.switch.applications.get(application)
    if app is None:
        channel.log(LogLevel.ERR, f"Invalid Application {application}")
        channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        return Status.FALSE
    if channel.down and not (app.zombie_exec or channel.private.get("zombie_exec")):
        return Status.FALSE
    if session.depth >= EXECUTE_DEPTH_LIMIT:
        channel.log(LogLevel.ERR, f"{channel.name} Too many levels of execution at {application}")
        channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        return Status.FALSE
    if app.needs_media and Flag.PROXY_MODE in channel.flags:
        from host.ivr.media_path import media_on  # which knows sessions

        channel.log(LogLevel.DEBUG, f"Application {application} Requires media on channel {channel.name}!")
        media_on(session)
    if app.needs_media and not channel.flags & {Flag.ANSWERED, Flag.EARLY_MEDIA}:
        session.pre_answer()
    expanded = data if app.raw_data else session.expand(data)
    variables = channel.variables
    app_uuid, app_uuid_name = variables.get("app_uuid"), variables.get("app_uuid_name")
    for name, value in (
        ("app_uuid", None),
        ("app_uuid_name", None),
        ("current_application", app.name),
        ("current_application_data", expanded),
        ("current_application_response", None),
    ):
        variables.set(name, value)
    channel.log(LogLevel.DEBUG, f"EXECUTE [depth={session.depth}] {channel.name} {app.name}({expanded})")
    session.switch.observe("execute", channel, application=app.name, data=expanded, depth=session.depth)
    what = [("Application", app.name), *([("Application-Data", expanded)] if expanded else [])]
    which = [("Application-UUID", app_uuid or session.switch.new_uuid())]
    which += [("Application-UUID-Name", app_uuid_name)] if app_uuid_name else []
    channel.fire("CHANNEL_EXECUTE", *what, *which)
    channel.private["last_app"] = (app.name, expanded)
    variables.set("current_application", app.name)
    session.forget_input()  # FreeSWITCH: a break was for what ran until now
    session.depth += 1
    try:
        app.run(session, expanded)
    finally:
        session.depth -= 1
    response = variables.get("current_application_response") or "_none_"
    channel.fire("CHANNEL_EXECUTE_COMPLETE", *what, ("Application-Response", response), *which)
    session.switch.observe("executed", channel, application=app.name, response=response, depth=session.depth)
    return Status.SUCCESS
