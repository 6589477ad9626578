"""The command `event_sink`: a web client's listener. No web server asks here, so it says what it is for."""

from __future__ import annotations

from typing import Final

from host.api_table import ApiTable
from host.interfaces import ApiRequest

commands: Final = ApiTable("mod_event_socket")


@commands.command("event_sink", "<web data>", "event_sink")
def event_sink(request: ApiRequest) -> str:
    """Answer as to everyone who does not come from a web server."""
    return "This is a web application!\n"
