"""The API commands `verto` and `verto_contact`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable
from host.leading_number import leading_int
from host.log import LogLevel, level_of
from host.modules.mod_verto import reports
from host.modules.mod_verto.endpoint import dial_string_of
from host.modules.mod_verto.verto import MODULE

if TYPE_CHECKING:
    from host.interfaces import ApiRequest
    from host.modules.mod_verto.verto import Verto

_LINE: Final = "-" * 80
USAGE: Final = f"""USAGE:
{_LINE}
verto [status|xmlstatus|jsonstatus]
verto help
verto debug [0-10]
verto perm <sessid> <type> <value>
verto noperm <sessid> <type> <value>
{_LINE}
"""
# FreeSWITCH: how much of what goes to and fro may be asked for.
_HIGHEST_DEBUG: Final = 10
WORDS: Final = ("help", "debug", "perm", "noperm", "debug-level", "status", "xmlstatus")


def table(verto: Verto) -> ApiTable:
    """Return the commands of a running module."""
    commands = ApiTable(MODULE)

    @commands.command("verto", "syntax", "Verto API")
    def _verto(request: ApiRequest) -> str:
        """Tell how things are, allow clients more or less, tell them something."""
        words = request.argument.split()
        if not words or words[0].lower() == "help":
            return USAGE
        handler = _HANDLERS.get(words[0].lower())
        return handler(verto, words[1:]) if handler is not None else f"Unknown Command [{words[0]}]\n"

    @commands.command("verto_contact", "user@domain", "Generate a verto endpoint dialstring")
    def _contact(request: ApiRequest) -> str:
        """Reply what to dial for the pages of a user."""
        return dial_string_of(verto, request.argument) if request.argument else ""

    return commands


def _allow(verto: Verto, words: list[str]) -> str:
    return _change(verto, words, add=True)


def _forbid(verto: Verto, words: list[str]) -> str:
    return _change(verto, words, add=False)


def _change(verto: Verto, words: list[str], *, add: bool) -> str:
    client = verto.client_of(words[0]) if words else None
    if client is None or len(words) < 3:
        return "-ERR"
    return "+OK" if client.permissions.change(words[1], words[2], add=add) else "-ERR"


def _announce(verto: Verto, words: list[str]) -> str:
    with verto.lock:
        clients = list(verto.clients)
    for client in clients:
        verto.send_request(client, "verto.announce", {"msg": list(words)})
    return "+OK\n"


def _debug(verto: Verto, words: list[str]) -> str:
    if words and 0 <= leading_int(words[0]) <= _HIGHEST_DEBUG:
        verto.debug = leading_int(words[0])
    return f"Debug Level: {verto.debug}\n"


def _debug_level(verto: Verto, words: list[str]) -> str:
    if words:
        verto.debug_level = level_of(words[0]) or LogLevel.INFO
    return f"Debug Level: {verto.debug_level.name}\n"


_HANDLERS: Final[dict[str, Callable[[Verto, list[str]], str]]] = {
    "perm": _allow,
    "noperm": _forbid,
    "announce": _announce,
    "debug": _debug,
    "debug-level": _debug_level,
    "status": lambda verto, words: reports.text(verto),
    "xmlstatus": lambda verto, words: reports.xml(verto),
    "jsonstatus": lambda verto, words: reports.json(verto),
}
