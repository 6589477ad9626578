"""Methods that are about no call: `echo`, `jsapi`, `fsapi`, `verto.ping`, and those of event channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.json_api import JsonApiError
from host.json_members import JsonMembers
from host.modules.mod_verto.json_rpc import (
    BAD_PARAMETERS,
    CALL_FAILED,
    Answer,
    RpcError,
    object_member,
    text_member,
    text_of,
)
from host.modules.mod_verto.verto import MODULE

if TYPE_CHECKING:
    from host.modules.mod_verto.client import Client
    from host.modules.mod_verto.verto import Verto

# Events of this subclass carry what is broadcast between modules, with this header for who has sent it.
EVENT_CHANNEL: Final = "event_channel::"
SENDER: Final = "Event-Channel-Key"
_PRESENCE: Final = "presence"


def echo(verto: Verto, client: Client, params: JsonMembers | None) -> Answer:
    """Answer what was sent."""
    if params is None:
        raise RpcError(CALL_FAILED, "Params data missing")
    return Answer(params)


def ping(verto: Verto, client: Client, params: JsonMembers | None) -> Answer:
    """Answer PONG."""
    told: dict[str, object] = {"auth-expires": client.expires} if client.expires else {}
    return Answer({**told, "message": "PONG"})


def jsapi(verto: Verto, client: Client, params: JsonMembers | None) -> Answer:
    """Run a JSON command of the switch, `command` with `data`, where the user may."""
    name = text_member(params, "command")
    may = client.permissions
    if name is None or params is None or not may.allows_json_command(name):
        raise _denied()
    if name.lower() == "fsapi" and may.jsapi is not None:
        data = object_member(params, "data")
        command = text_member(data, "cmd")
        if command is not None and not may.allows_command(command, text_member(data, "arg") or ""):
            raise _denied()
    found = verto.switch.json_commands.get(name)
    if found is None or "data" not in params:
        raise _denied()
    data = object_member(params, "data")
    try:
        return Answer(found.run(verto.switch, data if data is not None else JsonMembers(), None))
    except JsonApiError as error:
        return Answer(error.response)


def fsapi(verto: Verto, client: Client, params: JsonMembers | None) -> Answer:
    """Run an API command, `cmd` with `arg`, where the user may."""
    command, argument = text_member(params, "cmd"), text_member(params, "arg") or ""
    if command is not None and not client.permissions.allows_command(command, argument):
        raise _denied()
    if command is None or verto.switch.api_commands.get(command) is None:
        return Answer({"message": "INVALID CALL"})
    return Answer({"message": verto.switch.api(command, argument)})


def subscribe(verto: Verto, client: Client, params: JsonMembers | None) -> Answer:
    """Have the client told of what is broadcast on channels, as far as it may listen to them."""
    added, refused, known = [], [], []
    for channel in _channels(params):
        if not (verto.may_listen(client, channel) and verto.channels.has_room(client)):
            refused.append(channel)
        elif verto.channels.subscribe(client, channel):
            added.append(channel)
        else:
            known.append(channel)
    told: dict[str, object] = {"subscribedChannels": added} if added or known else {}
    lists = (("unauthorizedChannels", refused), ("alreadySubscribedChannels", known))
    told.update((name, channels) for name, channels in lists if channels)
    if not (added or known):
        raise _refused(told)
    wanted = [channel for channel in added if channel.lower().startswith(_PRESENCE)]
    return Answer(told, (lambda: _tell_presence(verto, wanted)) if wanted else None)


def unsubscribe(verto: Verto, client: Client, params: JsonMembers | None) -> Answer:
    """Have the client told no more of channels."""
    ended: list[str] = []
    unknown: list[str] = []
    for channel in _channels(params):
        (ended if verto.channels.unsubscribe(client, channel) else unknown).append(channel)
    lists = (("unsubscribedChannels", ended), ("notSubscribedChannels", unknown))
    told: dict[str, object] = {name: channels for name, channels in lists if channels}
    if unknown and not ended:
        raise _refused(told)
    return Answer(told)


def broadcast(verto: Verto, client: Client, params: JsonMembers | None) -> Answer:
    """Send an event on a channel that the client may listen to.

    FreeSWITCH: with `localBroadcast` to the clients that listen, else to the other modules alone; what is wrong is told
    in the result.
    """
    channel = text_member(params, "eventChannel")
    if params is None or channel is None:
        return Answer({"message": "eventChannel not specified.", "code": CALL_FAILED})
    if not verto.may_listen(client, channel):
        return Answer({"message": "Permission Denied.", "code": CALL_FAILED})
    params["userid"] = client.uid
    params["sessid"] = client.sessid
    display = client.params.get("caller-id-name")
    if display:
        params["fromDisplay"] = display
    if params.get("localBroadcast") is True:
        verto.channels.broadcast(channel, params, main=False)
    elif verto.switch.bus.wants("CUSTOM"):
        event = verto.switch.new_event("CUSTOM", f"{EVENT_CHANNEL}{channel}")
        event.add_header(SENDER, MODULE)
        event.body = text_of(params)
        verto.switch.fire(event)
    return Answer({})


def _channels(params: JsonMembers | None) -> list[str]:
    given = params.get("eventChannel") if params is not None else None
    names = given if isinstance(given, list) else [given]
    return [name for name in names if isinstance(name, str)]


def _tell_presence(verto: Verto, channels: list[str]) -> None:
    """Have the state of the calls told that a new listener is interested in."""
    wanted = {channel.partition(".")[2] for channel in channels}
    for session in list(verto.switch.sessions.values()):
        presence = session.channel.variables.get("presence_id")
        if presence is None or not wanted & {"", presence}:
            continue
        state = session.channel.call_state
        session.channel.fire(
            "CHANNEL_CALLSTATE",
            first=(
                ("Original-Channel-Call-State", state.name),
                ("Channel-Call-State-Number", str(int(state))),
            ),
        )


def _denied() -> RpcError:
    return RpcError(BAD_PARAMETERS, "Permission Denied")


def _refused(told: dict[str, object]) -> RpcError:
    """FreeSWITCH: the lists are the error's members; a code and a message stand beside them here."""
    return RpcError(BAD_PARAMETERS, "Permission Denied" if told else "eventChannel not specified.", **told)
