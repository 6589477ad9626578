"""The command `json`, and the JSON commands of this module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from host import json_text
from host import version as versions
from host.api_table import ApiTable
from host.interfaces import ApiRequest, JsonApi
from host.ivr.broadcast import Broadcast, queue_broadcast
from host.json_api import INVALID_REQUEST, JsonApiError, execute_json
from host.json_members import JsonMembers
from host.json_reader import read
from host.modules.mod_commands.server import stack_sizes, uptime
from host.session import Session
from host.switch import Switch
from host.truth import is_true

commands: Final = ApiTable("mod_commands")
command = commands.command

_DEEPEST: Final = 200  # FreeSWITCH's limit is 1000; every level costs the interpreter some frames


@command("json", "JSON", "JSON API")
def json(request: ApiRequest) -> str:
    if not request.argument:
        return "-ERR No JSON supplied.\n"
    try:
        # FreeSWITCH: what follows the value is not looked at.
        asked = read(request.argument, JsonMembers)
        if _depth(asked) > _DEEPEST:
            return "-ERR Parse error.\n"
        if not isinstance(asked, dict):
            if isinstance(asked, list):  # FreeSWITCH: the answer's members without their names
                asked += ["error", INVALID_REQUEST, None]
            return f"{json_text.compact(asked)}\n"
        execute_json(request.switch, asked, request.session)
        pretty = str(asked.get("format", "")).lower() == "pretty"
        return f"{json_text.pretty(asked) if pretty else json_text.compact(asked)}\n"
    except (ValueError, RecursionError):
        return "-ERR Parse error.\n"


@command("event_channel_broadcast", "<channel> <json>", "Broadcast")
def event_channel_broadcast(request: ApiRequest) -> str:
    """Hand an object to who listens on its `eventChannel`, as the event CHANNEL_DATA of that subclass."""
    try:
        message = read(request.argument, JsonMembers)
    except (ValueError, RecursionError):
        return "-ERR parsing json\n"
    channel = message.get("eventChannel") if isinstance(message, dict) else None
    if not isinstance(channel, str) or not channel:
        return ""
    switch = request.switch
    if switch.bus.wants("CUSTOM"):
        event = switch.new_event("CUSTOM", f"event_channel::{channel}")
        event.body = json_text.compact(message)
        switch.fire(event)
    return "+OK message sent\n"


def fsapi(switch: Switch, data: dict[str, object], session: Session | None) -> object:
    """Run an API command: `cmd` and `arg`."""
    name, argument = data.get("cmd"), data.get("arg")
    if not isinstance(name, str):
        return {"message": "INVALID CALL"}
    if switch.api_commands.get(name) is None:
        raise JsonApiError({"message": "INVALID CALL"})
    return {"message": switch.api(name, argument if isinstance(argument, str) else "", session)}


def channel_data(switch: Switch, data: dict[str, object], session: Session | None) -> object:
    """Tell all of a channel."""
    return {"channelData": _channel_data(_session(switch, data))}


def media_stats(switch: Switch, data: dict[str, object], session: Session | None) -> object:
    """Tell the packet statistics of a channel: nothing for one that sends no packets."""
    found = _session(switch, data)
    stats = found.channel.private.get("media_stats")
    reply = dict(stats) if isinstance(stats, dict) else {}
    if data.get("channelData"):
        reply["channelData"] = _channel_data(found)
    return reply


def execute(switch: Switch, data: dict[str, object], session: Session | None) -> object:
    """Have a channel execute an application."""
    application, argument = data.get("app"), data.get("arg")
    if not isinstance(application, str) or not isinstance(data.get("uuid"), str):
        raise JsonApiError({"response": "INVALID INPUT"})
    found = _session(switch, data)
    reply: dict[str, object]
    if is_true(str(data.get("extendedData", ""))):
        reply = {"channelData": _channel_data(found)}
    else:
        reply = {"channelName": found.channel.name}
    queue_broadcast(found, Broadcast(application, argument if isinstance(argument, str) else ""))
    return reply


def status(switch: Switch, data: dict[str, object], session: Session | None) -> object:
    """Tell what the command `status` tells."""
    control = switch.control
    stack, highest_stack = stack_sizes()
    return {
        "systemStatus": "ready" if switch.running and control.shutdown is None else "not ready",
        "uptime": uptime(switch)._asdict(),
        "version": versions.human(),
        "sessions": {
            "count": {
                "total": switch.sessions_since_start,
                "active": len(switch.sessions),
                "peak": control.sessions_peak,
                "peak5Min": control.sessions_peak_recent,
                "limit": control.max_sessions,
            },
            "rate": {
                "current": control.last_sessions_per_second,
                "max": control.max_sessions_per_second,
                "peak": control.sessions_per_second_peak,
                "peak5Min": control.sessions_per_second_peak_recent,
            },
        },
        "idleCPU": {"used": control.min_idle_cpu, "allowed": round(switch.idle_cpu.percent(), 6)},
        "stackSizeKB": {"current": stack, "max": highest_stack},
    }


_RUNS: Final[dict[str, Callable[[Switch, dict[str, object], Session | None], object]]] = {
    "fsapi": fsapi,
    "channelData": channel_data,
    "mediaStats": media_stats,
    "execute": execute,
    "status": status,
}


def register_json(switch: Switch) -> None:
    """Register the JSON commands."""
    for name, run in _RUNS.items():
        switch.json_commands.add(JsonApi(name, "mod_commands", run))


def _session(switch: Switch, data: dict[str, object]) -> Session:
    uuid = data.get("uuid")
    if not isinstance(uuid, str) or not uuid:
        raise JsonApiError({"response": "INVALID INPUT"})
    session = switch.find_session(uuid)
    if session is None or session.channel.down:
        raise JsonApiError({"response": "Session does not exist"})
    return session


def _channel_data(session: Session) -> dict[str, object]:
    channel = session.channel
    return {
        "core-uuid": session.switch.core_uuid,
        "switchname": session.switch.hostname,
        "channel_data": {
            "state": channel.running_state.name,
            "direction": channel.direction,
            "state_number": str(int(channel.running_state)),
            "flags": ";".join(f"{int(n)}=1" for n in sorted(flag.value for flag in channel.flags)),
            "caps": "",
        },
        "callStats": {},
        "variables": dict(channel.variables.items()),
    }


def _depth(value: object) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        following: list[object] = []
        for one in level:
            if isinstance(one, dict):
                following += one.values()
            elif isinstance(one, list):
                following += one
        level = following
    return deepest
