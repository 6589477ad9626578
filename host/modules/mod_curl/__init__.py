"""HTTP requests from commands and the dialplan: `curl` and `curl_sendfile`, done by libcurl as in FreeSWITCH.

libcurl is loaded with the first request: most calls make none.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable
from host.application_table import ApplicationTable
from host.module_loader import ModuleUnavailable
from host.modules.mod_curl import syntax

if TYPE_CHECKING:
    from host.interfaces import ApiRequest
    from host.session import Session
    from host.switch import Switch

_MODULE: Final = "mod_curl"

_commands: Final = ApiTable(_MODULE)
_applications: Final = ApplicationTable(_MODULE)


def load(switch: Switch) -> None:
    """Register the commands and the applications; ModuleUnavailable without pycurl."""
    if find_spec("pycurl") is None:
        raise ModuleUnavailable("curl needs the extra moonline[curl]")
    _commands.register(switch)
    _applications.register(switch)


@_commands.command("curl", syntax.CURL, "curl API")
def _curl(request: ApiRequest) -> str:
    """Ask a server, and reply what it said."""
    from host.modules.mod_curl.commands import curl_command

    return curl_command(request)


@_commands.command("curl_sendfile", syntax.SEND_COMMAND, "curl_sendfile API")
def _curl_sendfile(request: ApiRequest) -> str:
    """Send a file, and reply how it went."""
    from host.modules.mod_curl.sendfile import send_command

    return send_command(request)


@_applications.application("curl", syntax.CURL, "Perform a http request", routing=True)
def _curl_application(session: Session, data: str) -> None:
    """Ask a server, and leave what it said in channel variables."""
    from host.modules.mod_curl.commands import curl_application

    curl_application(session, data)


@_applications.application(
    "curl_sendfile",
    syntax.SEND_APPLICATION,
    "Send a file and some optional post variables via HTTP",
    routing=True,
)
def _curl_sendfile_application(session: Session, data: str) -> None:
    """Send a file that `data` or channel variables name."""
    from host.modules.mod_curl.sendfile import send_application

    send_application(session, data)
