"""The dialplan LUA: a script named by the context fills the table ACTIONS with applications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from host.caller_profile import CallerExtension, CallerProfile
from host.interfaces import Dialplan
from host.log import LogLevel
from lua_bindings import lua_conf
from lua_bindings.host_call import to_text
from lua_bindings.script import run
from lua_bindings.script_run import ScriptRun

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

DEFAULT_SCRIPT: Final = "lua/dialplan.lua"


class ActionsError(Exception):
    """The table ACTIONS holds what is no application."""


def register(switch: Switch) -> None:
    """Add the dialplan to the switch."""
    switch.dialplans.add(Dialplan("LUA", "mod_lua", hunt))


def hunt(session: Session, argument: str, profile: CallerProfile) -> CallerExtension | None:
    """Run the context's script and return its applications as an extension.

    ACTIONS holds texts (applications) and tables of an application and its data. Anything else in it, and the
    extension is empty.
    """
    channel = session.channel
    script = argument or profile.context or DEFAULT_SCRIPT
    channel.log(
        LogLevel.INFO,
        f"Processing {profile.caller_id_name}->{profile.destination_number} in context/script {script}",
    )
    extension = CallerExtension("_anon_", profile.destination_number)

    def finish(run_: ScriptRun) -> None:
        actions = run_.runtime.call("get", b"ACTIONS")
        if run_.runtime.kind_of(actions) != "table":
            channel.log(LogLevel.ERR, "Global variable ACTIONS may only be a table")
            return
        try:
            found = [_action(run_, action) for action in actions.values()]
        except ActionsError as error:
            channel.log(LogLevel.ERR, str(error))
            return
        for application, data in found:
            channel.log(LogLevel.DEBUG, f"Dialplan: {channel.name} Action {application}({data})")
            extension.applications.append((application, data))

    run(session.switch, script, session=session, limits=lua_conf.limits(session.switch), finish=finish)
    return extension


def _action(script: ScriptRun, action: Any) -> tuple[str, str]:
    text = _text(action)
    if text is not None:
        return text, ""
    if script.runtime.kind_of(action) != "table":
        raise ActionsError("ACTIONS table may only contain strings or tables")
    words = list(action.values())[:2]
    if not words:
        raise ActionsError("an empty table in the ACTIONS table names no application")
    application = _text(words[0])
    if application is None:
        raise ActionsError(
            "First element in each table in the ACTIONS table may only be a string - application name"
        )
    data = _text(words[1]) if len(words) > 1 else ""
    if data is None:
        raise ActionsError(
            "Second (optional) element in each table in the ACTIONS table may only be a string - app_data"
        )
    return application, data


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return to_text(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.14g}"
    return None
