"""Commands that send a call elsewhere, join it with another, or interrupt what it does."""

from __future__ import annotations

from typing import Final

from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.channel import Flag
from host.channel_argument import NO_CHANNEL, find, session_of, words_of
from host.interfaces import ApiRequest
from host.ivr.broadcast import broadcast, flush_broadcasts
from host.ivr.hold import hold, toggle_hold, unhold
from host.ivr.park import park_session
from host.ivr.transfer_recordings import follow_transfer
from host.ivr.uuid_bridge import uuid_bridge as bridge_sessions
from host.session import Session

commands: Final = ApiTable("mod_commands")
command = commands.command

_OK: Final = "+OK\n"


@command("uuid_park", "<uuid>", "Park channel")
def uuid_park(request: ApiRequest) -> str:
    session = session_of(request, request.argument, NO_CHANNEL)
    park_session(session)
    return _OK


@command("uuid_transfer", "<uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]", "Transfer a session")
def uuid_transfer(request: ApiRequest) -> str:
    uuid, *where = words_of(request, 2, 5)
    session = session_of(request, uuid, NO_CHANNEL)
    leg = ""
    if where[0].startswith("-"):
        leg, *where = where
    where = where[:3] or [""]  # FreeSWITCH: without an extension to the empty one, which no dialplan has
    other = _bridged_to(request, session)
    if leg.lower() == "-bleg" and other is not None:
        follow_transfer(session, other)
        session = other
    elif leg.lower() == "-both" and other is not None:
        # Neither is to hang up because the other leaves the bridge.
        for one in (session, other):
            one.channel.set_flag(Flag.REDIRECT)
        other.transfer(*where)
    return _OK if session.transfer(*where) else "-ERR\n"


@command(
    "uuid_dual_transfer",
    "<uuid> <A-dest-exten>[/<A-dialplan>][/<A-context>] <B-dest-exten>[/<B-dialplan>][/<B-context>]",
    "Transfer a session and its partner",
)
def uuid_dual_transfer(request: ApiRequest) -> str:
    uuid, *where = words_of(request, 3, 4)
    if len(where) != 2:
        raise UsageError
    session = session_of(request, uuid, NO_CHANNEL)
    other = _bridged_to(request, session)
    if other is not None:
        for one in (session, other):
            one.channel.set_flag(Flag.REDIRECT)
        other.transfer(*_destination(where[1]))
    session.transfer(*_destination(where[0]))
    return _OK


@command("uuid_bridge", "", "Bridge call legs")
def uuid_bridge(request: ApiRequest) -> str:
    """Join two calls. FreeSWITCH: a third UUID is tried where the second cannot be had."""
    parts = separate(request.argument, " ", 4)
    if len(parts) < 2:
        return "-USAGE: <uuid> <other_uuid>\n"
    first = find(request, parts[0])
    for uuid in parts[1:3]:
        other = find(request, uuid)
        if first is not None and other is not None and bridge_sessions(first, other):
            return f"+OK {uuid}\n"
    return "-ERR Invalid uuid\n"


@command("uuid_broadcast", "<uuid> <path> [aleg|bleg|holdb|both]", "Execute dialplan application")
def uuid_broadcast(request: ApiRequest) -> str:
    uuid, text, *legs = words_of(request, 2, 3)
    sent = broadcast(request.switch, uuid, text, legs[0].lower() if legs else "aleg")
    return "+OK Message sent\n" if sent else "-ERR invalid uuid\n"


@command("break", "<uuid> [all]", "uuid_break")
@command("uuid_break", "<uuid> [all]", "Break out of media sent to channel")
def uuid_break(request: ApiRequest) -> str:
    """End what plays; with `all` also what was to come after it; with `both` on the bridged leg, too."""
    if not request.argument:
        raise UsageError
    uuid, _, how = request.argument.partition(" ")
    session = session_of(request, uuid, NO_CHANNEL)
    other = _bridged_to(request, session) if "both" in how else None
    for one in (session, other):
        if one is not None:
            if "all" in how:
                flush_broadcasts(one)
            one.break_off("all" in how)
    return _OK


@command("pause", "<uuid> <on|off>", "Pause media on a channel")
@command("uuid_pause", "<uuid> <on|off>", "Pause media on a channel")
def uuid_pause(request: ApiRequest) -> str:
    uuid, wanted, *_ = words_of(request, 2, 4)
    session = session_of(request, uuid, NO_CHANNEL)
    if wanted.lower() == "on":
        session.channel.set_flag(Flag.HOLD)
    else:
        session.channel.clear_flag(Flag.HOLD)
    return ""


@command("uuid_hold", "[off|toggle] <uuid> [<display>]", "Place call on hold")
def uuid_hold(request: ApiRequest) -> str:
    """Hold or go on. FreeSWITCH: a call that is not there is a success."""
    parts = separate(request.argument, " ", 4)
    if not parts or not parts[0]:
        raise UsageError("-ERR Operation failed\n")
    how = parts[0].lower()
    if how in ("off", "toggle"):
        parts.pop(0)
    session = find(request, parts[0]) if parts else None
    if session is None:
        return "+OK Success\n"
    display = parts[1] if len(parts) > 1 else ""
    if how == "off":
        done = unhold(session)
    elif how == "toggle":
        done = toggle_hold(session, display)
    else:
        done = hold(session, display)
    return "+OK Success\n" if done else "-ERR Operation failed\n"


def _bridged_to(request: ApiRequest, session: Session) -> Session | None:
    return find(request, session.partner) if session.partner is not None else None


def _destination(text: str) -> list[str]:
    """Return extension, dialplan and context of `exten/dialplan/context`; `/inline` at the end keeps other slashes."""
    if text.endswith("/inline"):
        return [text.removesuffix("/inline"), "inline"]
    return text.split("/", 2)
