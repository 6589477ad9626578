"""The API command `page`: play a file to many, a few at a time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable
from host.dial_string import parse_variables
from host.interfaces import ApiRequest
from host.log import LogLevel
from host.modules.mod_dptools.paging import Page, place_page

if TYPE_CHECKING:
    from host.switch import Switch

_commands: Final = ApiTable("mod_dptools")


@_commands.command(
    "page", "(var1=val1,var2=val2)<var1=val1,var2=val2><chan1>[:_:<chanN>]", "Send a file as a page"
)
def page(request: ApiRequest) -> str:
    """Place calls and send those that are answered to an extension, by default one that plays the file.

    In the brackets: `page_path`, `page_exten`, `page_dp` (inline), `page_context`, `page_chunk_size`, `page_data`.
    What is wrong is said in the log alone.
    """
    if not request.argument:
        return "-ERR no data"
    switch = request.switch
    inside, bracket, rest = request.argument.removeprefix("(").partition(")")
    if not request.argument.startswith("(") or not bracket:
        switch.log(LogLevel.ERR, "Parse Error!")
        return ""
    given = dict(parse_variables(inside))
    targets = rest.strip(" ") or given.get("page_data", "")
    path = given.get("page_path", "")
    if not targets:
        switch.log(LogLevel.ERR, "No channels specified.")
    elif not path:
        switch.log(LogLevel.ERR, "No file specified.")
    elif not os.path.exists(path):
        switch.log(LogLevel.ERR, f"File {path} does not exist")
    else:
        place_page(switch, Page.of(path, given.get), targets)
    return ""


def load(switch: Switch) -> None:
    """Bring the command."""
    _commands.register(switch)
