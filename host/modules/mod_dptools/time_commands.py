"""The API commands of this module that format and read times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host import time_format
from host.api_table import ApiTable
from host.interfaces import ApiRequest
from host.local_zone import local_zone

if TYPE_CHECKING:
    from host.switch import Switch

_commands: Final = ApiTable("mod_dptools")


@_commands.command("strftime", "<format_string>", "strftime")
def strftime(request: ApiRequest) -> str:
    """Return a time as a text."""
    return time_format.strftime(request.argument, request.switch.clock.time(), local_zone())


@_commands.command("strepoch", "<string>", "Convert a date string into epoch time")
def strepoch(request: ApiRequest) -> str:
    """Return a text's time in seconds since the epoch."""
    return time_format.strepoch(request.argument, request.switch.clock.time(), local_zone())


@_commands.command("strmicroepoch", "<string>", "Convert a date string into micoepoch time")
def strmicroepoch(request: ApiRequest) -> str:
    """Return a text's time in microseconds since the epoch."""
    return time_format.strmicroepoch(request.argument, request.switch.clock.time(), local_zone())


def load(switch: Switch) -> None:
    """Bring the commands."""
    _commands.register(switch)
