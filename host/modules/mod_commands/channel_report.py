"""The reports `channels` and `calls`: one row a channel, or one a call with both of its legs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

from host.channel import Channel, Flag
from host.clock import SECOND
from host.local_zone import local_zone
from host.modules.mod_commands.report import Report
from host.session import Session
from host.switch import Switch

_Column = Callable[[Channel], str]


def _variable(name: str) -> _Column:
    return lambda channel: channel.variables.get(name) or ""


def _told(column: str) -> _Column:
    return lambda channel: channel.row[column]


def _created(channel: Channel) -> str:
    moment = datetime.fromtimestamp(channel.profile.times.created // SECOND, UTC)
    return moment.astimezone(local_zone()).strftime("%Y-%m-%d %H:%M:%S")


# FreeSWITCH's columns of the table `channels`, in its order.
_COLUMNS: Final[dict[str, _Column]] = {
    "uuid": lambda channel: channel.uuid,
    "direction": _told("direction"),
    "created": _created,
    "created_epoch": lambda channel: str(channel.profile.times.created // SECOND),
    "name": _told("name"),
    "state": _told("state"),
    "cid_name": _told("cid_name"),
    "cid_num": _told("cid_num"),
    "ip_addr": _told("ip_addr"),
    "dest": _told("dest"),
    "application": _told("application"),
    "application_data": _told("application_data"),
    "dialplan": _told("dialplan"),
    "context": _told("context"),
    "read_codec": _told("read_codec"),
    "read_rate": _told("read_rate"),
    "read_bit_rate": _told("read_bit_rate"),
    "write_codec": _told("write_codec"),
    "write_rate": _told("write_rate"),
    "write_bit_rate": _told("write_bit_rate"),
    "secure": _variable("rtp_has_crypto"),
    "hostname": lambda channel: channel.switch.hostname,
    "presence_id": _told("presence_id"),
    "presence_data": _told("presence_data"),
    "accountcode": _told("accountcode"),
    "callstate": _told("callstate"),
    "callee_name": _told("callee_name"),
    "callee_num": _told("callee_num"),
    "callee_direction": _told("callee_direction"),
    "call_uuid": _told("call_uuid"),
    "sent_callee_name": _told("sent_callee_name"),
    "sent_callee_num": _told("sent_callee_num"),
    "initial_cid_name": _told("initial_cid_name"),
    "initial_cid_num": _told("initial_cid_num"),
    "initial_ip_addr": _told("initial_ip_addr"),
    "initial_dest": _told("initial_dest"),
    "initial_dialplan": _told("initial_dialplan"),
    "initial_context": _told("initial_context"),
}
_SEARCHED: Final = ("uuid", "name", "cid_name", "cid_num", "presence_data", "accountcode")

# What a leg of a detailed call and of a basic one tells.
_DETAILS: Final = tuple(_COLUMNS)[: tuple(_COLUMNS).index("initial_cid_name")]
_LEFT_OUT: Final = frozenset(
    {
        "application",
        "application_data",
        "dialplan",
        "context",
        "read_codec",
        "read_rate",
        "read_bit_rate",
        "write_codec",
        "write_rate",
        "write_bit_rate",
        "secure",
        "hostname",
    }
)
_BASICS: Final = tuple(name for name in _DETAILS if name not in _LEFT_OUT)
_A_BASICS: Final = (*_BASICS[: _BASICS.index("call_uuid") + 1], "hostname", *_BASICS[-2:])
_B_BASICS: Final = tuple(name for name in _BASICS if name != "call_uuid")

# The columns of `channels`, and of both legs of `calls` and `detailed_calls`.
CHANNEL_COLUMNS: Final = tuple(_COLUMNS)
BASIC_COLUMNS: Final = (_A_BASICS, _B_BASICS)
DETAILED_COLUMNS: Final = (_DETAILS, _DETAILS)


def channel_report(switch: Switch, like: str | None = None) -> Report:
    """Return the channels, the oldest first; with `like` those that an SQL pattern or a part of a text fits."""
    channels: Iterable[Channel] = (session.channel for session in _sessions(switch))
    if like is not None:
        pattern = _like(like)
        channels = (
            channel
            for channel in channels
            if any(pattern.fullmatch(_COLUMNS[name](channel)) for name in _SEARCHED)
        )
    getters = tuple(_COLUMNS.values())
    return Report(tuple(_COLUMNS), [[get(channel) for get in getters] for channel in channels])


def call_report(switch: Switch, *, detailed: bool = False, bridged: bool = False) -> Report:
    """Return the calls: a leg by itself, or two that are bridged; `bridged` only the latter.

    FreeSWITCH: what is not bridged comes first, then the others as they were bridged; with `detailed` or `bridged`
    all come as they began.
    """
    a_names, b_names = (_DETAILS, _DETAILS) if detailed else (_A_BASICS, _B_BASICS)
    columns = (*a_names, *(f"b_{name}" for name in b_names), "call_created_epoch")
    rows: list[list[str]] = []
    for session in _sessions(switch):
        other = switch.find_session(session.partner) if session.partner is not None else None
        if (bridged and other is None) or (other is not None and not _calls(session, other)):
            continue
        row = [_COLUMNS[name](session.channel) for name in a_names]
        if other is None:
            row += [""] * (len(b_names) + 1)
        else:
            row += [_COLUMNS[name](other.channel) for name in b_names]
            row.append(str(session.channel.profile.times.bridged // SECOND))
        rows.append(row)
    if not detailed and not bridged:
        rows.sort(key=lambda row: int(row[-1] or 0))
    return Report(columns, rows)


def bridged_pairs(switch: Switch) -> list[tuple[str, str, str, str, str]]:
    """Return the bridged calls: their UUID, when they were bridged as text and in seconds, and both legs' UUIDs."""
    pairs = []
    for session in _sessions(switch):
        other = switch.find_session(session.partner) if session.partner is not None else None
        if other is None or not _calls(session, other):
            continue
        bridged = session.channel.profile.times.bridged // SECOND
        moment = datetime.fromtimestamp(bridged, UTC).astimezone(local_zone())
        call = session.channel.variables.get("call_uuid") or session.uuid
        pairs.append((call, f"{moment:%Y-%m-%d %H:%M:%S}", str(bridged), session.uuid, other.uuid))
    return pairs


def _sessions(switch: Switch) -> list[Session]:
    return sorted(switch.sessions.values(), key=lambda session: session.number)


def _calls(session: Session, other: Session) -> bool:
    """Return whether `session` is the one of two bridged legs that the call is listed under."""
    for flag in (Flag.BRIDGE_ORIGINATOR, Flag.UUID_BRIDGE_ORIGINATOR):
        if (flag in session.channel.flags) != (flag in other.channel.flags):
            return flag in session.channel.flags
    return session.number < other.number


def _like(text: str) -> re.Pattern[str]:
    """Return SQL's LIKE as a pattern; a text without `%` may stand anywhere. FreeSWITCH: `'` and `;` are blanks."""
    text = text.translate({ord("'"): " ", ord(";"): " "})
    if "%" not in text:
        text = f"%{text}%"
    parts = {"%": ".*", "_": "."}
    return re.compile(
        "".join(parts.get(c) or re.escape(c) for c in text), re.IGNORECASE | re.DOTALL | re.ASCII
    )
