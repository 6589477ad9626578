"""What of the switch's events pages can listen to: presence of calls, with `enable-fs-events` all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.json_members import JsonMembers
from host.json_reader import JsonError, read
from host.modules.mod_verto.plain_methods import EVENT_CHANNEL, SENDER
from host.modules.mod_verto.verto import MODULE

if TYPE_CHECKING:
    from host.event import Event
    from host.event_bus import Subscription
    from host.modules.mod_verto.verto import Verto

_PRESENCE: Final = "presence"
_FS_EVENT: Final = "FSevent"
# FreeSWITCH: names of what pages are told of a call's state, and the headers they come from.
_MEMBERS: Final = (
    ("channelCallState", "Channel-Call-State"),
    ("originalChannelCallState", "Original-Channel-Call-State"),
    ("channelState", "Channel-State"),
    ("callerUserName", "Caller-Username"),
    ("callerIDName", "Caller-Caller-ID-Name"),
    ("callerIDNumber", "Caller-Caller-ID-Number"),
    ("calleeIDName", "Caller-Callee-ID-Name"),
    ("calleeIDNumber", "Caller-Callee-ID-Number"),
    ("channelUUID", "Unique-ID"),
    ("presenceCallDirection", "Presence-Call-Direction"),
    ("channelPresenceID", "Channel-Presence-ID"),
    ("channelPresenceData", "Channel-Presence-Data"),
)


def listen(verto: Verto) -> list[Subscription]:
    """Listen to the switch's events, and return what ends that."""
    bus = verto.switch.bus
    found = [bus.subscribe(lambda event: _broadcast(verto, event), ("CUSTOM",), owner=MODULE)]
    if verto.settings.enable_presence:
        names = ("CHANNEL_CALLSTATE",)
        found.append(bus.subscribe(lambda event: _tell_presence(verto, event), names, owner=MODULE))
    if verto.settings.enable_fs_events:
        found.append(bus.subscribe(lambda event: _tell_event(verto, event), owner=MODULE))
    return found


def _broadcast(verto: Verto, event: Event) -> None:
    """Send on what another module, or somebody with `event_channel_broadcast`, has for an event channel."""
    if not (event.subclass or "").startswith(EVENT_CHANNEL) or event.get_header(SENDER) == MODULE:
        return
    try:
        message = read(event.body or "", JsonMembers)
    except JsonError:
        return
    if isinstance(message, JsonMembers):
        verto.broadcast(message)


def _tell_presence(verto: Verto, event: Event) -> None:
    presence = event.get_header("Channel-Presence-ID")
    channel = f"{_PRESENCE}.{presence}"
    if not presence or not verto.channels.has_listeners(channel):
        return
    data: dict[str, object] = {}
    for name, header in _MEMBERS:
        value = event.get_header(header)
        if value is not None:
            data[name] = value
    for name, given in event.headers:
        if name.upper().startswith("PD-") and isinstance(given, str):
            data[name] = given
    verto.broadcast({"data": data, "eventChannel": channel})


def _tell_event(verto: Verto, event: Event) -> None:
    name = event.name.lower()
    channel = f"{_FS_EVENT}.{name}"
    if event.subclass:
        channel = f"{channel}::{event.subclass.lower()}"
    if not verto.channels.has_listeners(channel):
        return
    data: dict[str, object] = {
        header: value if isinstance(value, str) else value.text for header, value in event.headers
    }
    if event.body is not None:
        data["_body"] = event.body
    verto.channels.broadcast(channel, {"eventChannel": channel, "data": data})
