"""A channel's row in the core's table `channels`: what its events have told, so that it may lag behind the channel.

FreeSWITCH: CHANNEL_CREATE makes the row, and each later event sets columns of its own (switch_core_sqldb). What changes
without an event of that kind is not seen there, as a destination that the dialplan `inline` gives back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from host.channel_state import CallState, ChannelState

if TYPE_CHECKING:
    from host.channel import Channel

_Told = Mapping[str, str]


class ChannelRow:
    """The columns that events set, all empty until then; `listed` once CHANNEL_CREATE has made the row."""

    __slots__ = ("columns", "listed")

    def __init__(self) -> None:
        self.columns: dict[str, str] = {}
        self.listed = False

    def __getitem__(self, column: str) -> str:
        return self.columns.get(column, "")

    def follow(self, channel: Channel, event: str, told: Iterable[tuple[str, str]] = ()) -> None:
        """Set what `event` of the channel tells, `told` being the headers of the event's own."""
        set_columns = _FOLLOWED.get(event)
        if set_columns is not None and (self.listed or event == "CHANNEL_CREATE"):
            set_columns(self, channel, dict(told))


def _created(row: ChannelRow, channel: Channel, told: _Told) -> None:
    profile = channel.profile
    row.listed = True
    row.columns |= {
        "direction": channel.direction,
        "name": channel.name,
        "state": channel.running_state.name,
        "callstate": channel.call_state.name,
        "dialplan": profile.dialplan,
        "context": profile.context,
        "initial_cid_name": profile.caller_id_name,
        "initial_cid_num": profile.caller_id_number,
        "initial_ip_addr": profile.network_addr,
        "initial_dest": profile.destination_number,
        "initial_dialplan": profile.dialplan,
        "initial_context": profile.context,
    }
    # FreeSWITCH: the first codecs of an inbound one are told just before this, those of an outbound one too early.
    if not channel.outbound:
        _coded(row, channel, told)


def _coded(row: ChannelRow, channel: Channel, told: _Told) -> None:
    for side in ("read", "write"):
        rate = channel.variables.get(f"{side}_rate") or ""
        row.columns[f"{side}_codec"] = channel.variables.get(f"{side}_codec") or ""
        row.columns[f"{side}_rate"] = rate
        row.columns[f"{side}_bit_rate"] = str(int(rate) * _BITS) if rate.isdecimal() else ""


def _executed(row: ChannelRow, channel: Channel, told: _Told) -> None:
    row.columns["application"] = told.get("Application", "")
    row.columns["application_data"] = told.get("Application-Data", "")
    _presence(row, channel)


def _originated(row: ChannelRow, channel: Channel, told: _Told) -> None:
    _presence(row, channel)
    row.columns["call_uuid"] = channel.variables.get("call_uuid") or channel.uuid


def _updated(row: ChannelRow, channel: Channel, told: _Told) -> None:
    _people(row, channel)
    row.columns["callee_direction"] = told.get("Direction", "")


def _called(row: ChannelRow, channel: Channel, told: _Told) -> None:
    if channel.call_state not in (CallState.DOWN, CallState.HANGUP):
        row.columns["callstate"] = channel.call_state.name


def _changed(row: ChannelRow, channel: Channel, told: _Told) -> None:
    asked = channel.state
    if asked in _UNSEEN:
        return
    row.columns["state"] = channel.running_state.name
    if asked is ChannelState.CS_ROUTING:
        profile = channel.profile
        row.columns |= {
            "ip_addr": profile.network_addr,
            "dest": profile.destination_number,
            "dialplan": profile.dialplan,
            "context": profile.context,
        }
        _people(row, channel)
        _presence(row, channel)


def _bridged(row: ChannelRow, channel: Channel, told: _Told) -> None:
    call = channel.variables.get("call_uuid") or channel.uuid
    for leg in _legs(channel, told):
        leg.row.columns["call_uuid"] = call


def _unbridged(row: ChannelRow, channel: Channel, told: _Told) -> None:
    call = channel.variables.get("call_uuid") or channel.uuid
    for leg in _legs(channel, told):
        if leg.row["call_uuid"] == call:
            leg.row.columns["call_uuid"] = leg.uuid


def _renamed(row: ChannelRow, channel: Channel, told: _Told) -> None:
    if row["call_uuid"] == told.get("Old-Unique-ID"):
        row.columns["call_uuid"] = channel.uuid


def _legs(channel: Channel, told: _Told) -> Iterable[Channel]:
    for header in ("Bridge-A-Unique-ID", "Bridge-B-Unique-ID"):
        session = channel.switch.find_session(told.get(header, ""))
        if session is not None:
            yield session.channel


def _people(row: ChannelRow, channel: Channel) -> None:
    profile = channel.profile
    row.columns |= {
        "cid_name": profile.caller_id_name,
        "cid_num": profile.caller_id_number,
        "callee_name": profile.callee_id_name,
        "callee_num": profile.callee_id_number,
    }


def _presence(row: ChannelRow, channel: Channel) -> None:
    variables = channel.variables
    row.columns["presence_id"] = variables.get("presence_id") or channel.presence_id
    row.columns["presence_data"] = variables.get("presence_data") or channel.presence_data
    row.columns["accountcode"] = variables.get("accountcode") or ""


_BITS: Final = 16  # of a sample
_UNSEEN: Final = frozenset(
    {
        ChannelState.CS_NEW,
        ChannelState.CS_INIT,
        ChannelState.CS_HANGUP,
        ChannelState.CS_REPORTING,
        ChannelState.CS_DESTROY,
    }
)
_FOLLOWED: Final[Mapping[str, Callable[[ChannelRow, Channel, _Told], None]]] = {
    "CHANNEL_CREATE": _created,
    "CODEC": _coded,
    "CHANNEL_ANSWER": _coded,
    "CHANNEL_PROGRESS_MEDIA": _coded,
    "CHANNEL_EXECUTE": _executed,
    "CHANNEL_HOLD": _executed,
    "CHANNEL_UNHOLD": _executed,
    "CHANNEL_ORIGINATE": _originated,
    "CALL_UPDATE": _updated,
    "CHANNEL_CALLSTATE": _called,
    "CHANNEL_STATE": _changed,
    "CHANNEL_BRIDGE": _bridged,
    "CHANNEL_UNBRIDGE": _unbridged,
    "CHANNEL_UUID": _renamed,
}
