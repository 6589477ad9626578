"""Commands that ask for a channel's state and change it: answering, hanging up, variables."""

from __future__ import annotations

from typing import Final

from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.channel import Flag
from host.channel_argument import (
    NO_CHANNEL,
    find,
    no_such_channel,
    parts_of,
    session_of,
    uuid_and_text,
    words_of,
)
from host.channel_event import channel_event
from host.hangup_cause import HangupCause, find_cause
from host.interfaces import ApiRequest
from host.leading_number import leading_int
from host.log import level_of

commands: Final = ApiTable("mod_commands")
command = commands.command

_ERROR: Final = "-ERROR\n"
_OK: Final = "+OK\n"
_MOST_VARIABLES: Final = 64


@command("uuid_answer", "<uuid>", "answer")
def uuid_answer(request: ApiRequest) -> str:
    session = session_of(request, request.argument, _ERROR)
    session.answer()
    return _OK


@command("uuid_pre_answer", "<uuid>", "pre_answer")
def uuid_pre_answer(request: ApiRequest) -> str:
    session = session_of(request, request.argument, _ERROR)
    session.pre_answer()
    return _OK


@command("uuid_ring_ready", "<uuid> [queued]", "Sending ringing to a channel")
def uuid_ring_ready(request: ApiRequest) -> str:
    uuid, *how = parts_of(request, 1, 2)
    if how and how[0].lower() != "queued":
        raise UsageError
    session = session_of(request, uuid, _ERROR)
    session.ring_ready()
    return _OK


@command("uuid_early_ok", "<uuid>", "stop ignoring early media")
def uuid_early_ok(request: ApiRequest) -> str:
    session = session_of(request, request.argument, _ERROR)
    session.channel.set_flag(Flag.EARLY_OK)
    return ""


@command("uuid_outgoing_answer", "<uuid>", "Answer outgoing channel")
def uuid_outgoing_answer(request: ApiRequest) -> str:
    (uuid,) = parts_of(request, 1, 1)
    session = session_of(request, uuid, NO_CHANNEL)
    if not session.channel.outbound:
        return "-ERR Not an outbound channel!\n"
    session.mark_answered()
    return _OK


@command("uuid_kill", "<uuid> [cause]", "Kill channel")
def uuid_kill(request: ApiRequest) -> str:
    uuid, _, cause = request.argument.partition(" ")
    if not uuid:
        raise UsageError
    session = session_of(request, uuid, NO_CHANNEL)
    session.channel.hangup(_cause(cause))
    return _OK


@command("hupall", "<cause> [<var> <value>] [<var2> <value2>]", "hupall")
def hupall(request: ApiRequest) -> str:
    """Hang up all calls, or those that hold all the values given; an odd word at the end is left out."""
    parts = separate(request.argument, " ", 11)
    cause = HangupCause.MANAGER_REQUEST if not parts else _cause(parts[0])
    pairs = list(zip(parts[1::2], parts[2::2], strict=False))
    if not pairs:
        request.switch.hang_up_all(cause)
        return f"+OK hangup all channels with cause {cause.name}\n"
    for session in list(request.switch.sessions.values()):
        channel = session.channel
        if channel.up and all(channel.get_variable(name) == value for name, value in pairs):
            channel.hangup(cause)
    name, value = pairs[0]
    more = "..." if len(pairs) > 1 else ""
    return f"+OK hangup all channels matching [{name}]=[{value}]{more} with cause: {cause.name}\n"


@command("uuid_exists", "<uuid>", "Check if a uuid exists")
def uuid_exists(request: ApiRequest) -> str:
    return "true" if find(request, request.argument) is not None else "false"


@command("uuid_dump", "<uuid> [format]", "Dump session vars")
def uuid_dump(request: ApiRequest) -> str:
    """Tell all of a channel: URL-encoded, or as `plain` text in square brackets, `xml` or `json`."""
    uuid, *form = words_of(request, 1, 2)
    session = session_of(request, uuid, NO_CHANNEL)
    event = channel_event(session.channel, "CHANNEL_DATA")
    wanted = form[0].lower() if form else "txt"
    if wanted == "plain":
        return "".join(f"{name}: [{event.get_header(name)}]\n" for name, _ in event.headers) + "\n"
    return event.serialize(wanted if wanted in ("xml", "json") else None)


@command("uuid_getvar", "<uuid> <var>", "Get a variable from a channel")
def uuid_getvar(request: ApiRequest) -> str:
    uuid, name, *_ = words_of(request, 2, 4)
    session = session_of(request, uuid, NO_CHANNEL)
    channel = session.channel
    base, bracket, index = name.partition("[")
    value = None
    if bracket and "]" in index:
        value = channel.variables.get(base, leading_int(index))
    if value is None:
        value = channel.get_variable(name)
    return "_undef_" if value is None else value


@command("uuid_setvar", "<uuid> <var> [value]", "Set a variable")
def uuid_setvar(request: ApiRequest) -> str:
    uuid, name, *value = words_of(request, 2, 3)
    session = session_of(request, uuid, NO_CHANNEL)
    if not name:
        return "-ERR No variable specified\n"
    session.channel.set_variable(name, value[0] if value else None)
    return _OK


@command("uuid_setvar_multi", "<uuid> <var>=<value>;<var>=<value>...", "Set multiple variables")
def uuid_setvar_multi(request: ApiRequest) -> str:
    if not request.argument:
        raise UsageError
    uuid, blank, text = request.argument.partition(" ")
    if not blank:
        return ""
    session = find(request, uuid)
    if session is None:
        request.write(NO_CHANNEL)
        raise UsageError
    done = 0
    for definition in separate(text, ";", _MOST_VARIABLES):
        name, _, value = definition.partition("=")
        if name:
            session.channel.set_variable(name, value)
            done += 1
        else:
            request.write("-ERR No variable specified\n")
    if not done:
        raise UsageError
    return _OK


@command("uuid_loglevel", "<uuid> <level>", "Set loglevel on session")
def uuid_loglevel(request: ApiRequest) -> str:
    """Set how much of a call is logged; `-b` before the level does so for its other leg, too."""
    uuid, text = uuid_and_text(request)
    both = text.startswith("-b ")
    level = level_of(text.removeprefix("-b ").strip())
    if level is None:
        return "-ERR Invalid log level!\n"
    session = session_of(request, uuid, no_such_channel(uuid))
    session.channel.log_level = level
    other = find(request, session.partner) if both and session.partner is not None else None
    if other is not None:
        other.channel.log_level = level
    return _OK


@command("uuid_zombie_exec", "<uuid>", "Set zombie_exec flag on the specified uuid")
def uuid_zombie_exec(request: ApiRequest) -> str:
    session = session_of(request, request.argument, "-ERR no such session\n")
    session.channel.set_flag(Flag.ZOMBIE_EXEC)
    return "+OK MMM Brains...\n"


@command("uuid_xfer_zombie", "<uuid>", "Allow A leg to hangup and continue originating")
def uuid_xfer_zombie(request: ApiRequest) -> str:
    parts = parts_of(request, 1, 2, "-ERR Operation Failed\n")
    session = session_of(request, parts[0], "-ERR Operation Failed\n")
    session.channel.set_flag(Flag.XFER_ZOMBIE)
    return "+OK Success\n"


def _cause(text: str) -> HangupCause:
    """Return the cause of a name or number; FreeSWITCH: an unknown one is NORMAL_CLEARING."""
    return find_cause(text.strip()) or HangupCause.NORMAL_CLEARING
