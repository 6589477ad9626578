"""The API commands that a call's variables name for its end: `api_hangup_hook` and `api_reporting_hook`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.channel_event import add_channel_headers
from host.event import Event
from host.expansion import expand
from host.log import LogLevel

if TYPE_CHECKING:
    from host.channel import Channel
    from host.session import Session


def run_api_hook(session: Session, name: str) -> None:
    """Run the API command that the variable `name` holds: `command argument` or `command::argument`.

    FreeSWITCH: the argument is expanded with the headers of the event that the command gets as its own (`env` of a
    script): the channel's variables by their names, then what a channel event tells. `session_in_hangup_hook` lets
    the command see the session, too.
    """
    channel = session.channel
    hook = channel.get_variable(name)
    if not hook:
        return
    colon = hook.find(":")
    if colon >= 0 and hook.startswith("::", colon):
        command, argument = hook[:colon], hook[colon + 2 :]
    else:
        command, _, argument = hook.partition(" ")
    event = call_data(channel)
    seen = session if channel.is_true("session_in_hangup_hook") else None
    switch = session.switch
    argument = expand(
        argument,
        event.get_header,
        api=switch.api_in_text(seen, "<API execute Permission Denied>"),
        global_lookup=switch.global_variables.get,
    )
    reply = switch.api(command, argument, seen, event)
    seen_text = "with Session" if seen else "with no Session"
    channel.log(LogLevel.DEBUG, f"Hangup Command {seen_text} {command}({argument}):\n{reply}")


def call_data(channel: Channel) -> Event:
    """Return the event CHANNEL_DATA of a call: its variables by name, its state, people and `variable_…`."""
    event = Event.of("CHANNEL_DATA", [])
    event.add_headers(channel.variables.items())
    add_channel_headers(event, channel)
    return event
