"""The API command `page`: play a file to many, a few at a time."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable
from host.dial_string import parse_variables
from host.interfaces import ApiRequest
from host.ivr.originate import originate
from host.leading_number import leading_int
from host.log import LogLevel

if TYPE_CHECKING:
    from host.switch import Switch

_commands: Final = ApiTable("mod_dptools")

_SEPARATOR: Final = ":_:"
_CHUNK: Final = 10  # FreeSWITCH: calls placed at a time, unless page_chunk_size says otherwise
_MOST_AT_A_TIME: Final = 100


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
        where = (
            given.get("page_exten") or f"playback:{path}",
            given.get("page_dp") or "inline",
            given.get("page_context", ""),
        )
        chunk = leading_int(given.get("page_chunk_size", ""))
        _place(switch, targets, where, min(chunk if chunk > 0 else _CHUNK, _MOST_AT_A_TIME))
    return ""


def load(switch: Switch) -> None:
    """Bring the command."""
    _commands.register(switch)


def _place(switch: Switch, targets: str, where: tuple[str, str, str], at_a_time: int) -> None:
    """Place the calls, so many at a time, each in a thread that places the next when it is done."""
    waiting = deque(target for target in targets.split(_SEPARATOR) if target)

    def work() -> None:
        while switch.running:
            try:
                target = waiting.popleft()
            except IndexError:
                return
            leg, _ = originate(switch, target)
            if leg is not None:
                leg.transfer(*where)

    for number in range(min(at_a_time, len(waiting))):
        switch.clock.spawn(work, f"page-{number}")
