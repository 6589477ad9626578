"""Calls that a web server steers: the application `httapi` posts what happens, and does what the answer says."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable
from host.application_table import ApplicationTable
from host.module_loader import ModuleUnavailable
from host.modules.mod_httapi.settings import Settings, read_settings

if TYPE_CHECKING:
    from host.interfaces import ApiRequest
    from host.session import Session
    from host.switch import Switch

_MODULE: Final = "mod_httapi"
_SYNTAX: Final = "[debug_on|debug_off]"
_DESCRIPTION: Final = "HT-TAPI Hypertext Telephony API"


def load(switch: Switch) -> None:
    """Read httapi.conf, register the application and the command; ModuleUnavailable without pycurl."""
    if find_spec("pycurl") is None:
        raise ModuleUnavailable("httapi needs the extra moonline[curl]")
    settings = read_settings(switch)
    _commands(settings).register(switch)
    _applications(settings).register(switch)


def _commands(settings: Settings) -> ApiTable:
    commands = ApiTable(_MODULE)

    @commands.command("httapi", _SYNTAX, _DESCRIPTION)
    def httapi(request: ApiRequest) -> str:
        """Have documents shown on the console, or no longer; FreeSWITCH: a call cannot ask for it."""
        if request.session is not None:
            return ""
        word = request.argument.lower()
        if word not in ("debug_on", "debug_off"):
            return f"USAGE: {_SYNTAX}\n"
        settings.debug = word == "debug_on"
        return "OK\n"

    return commands


def _applications(settings: Settings) -> ApplicationTable:
    applications = ApplicationTable(_MODULE)

    @applications.application("httapi", "{<param1>=<val1>}", _DESCRIPTION)
    def httapi(session: Session, data: str) -> None:
        """Let a server steer the call."""
        from host.modules.mod_httapi import application  # libcurl is loaded with the first call

        application.httapi(session, data, settings)

    return applications
