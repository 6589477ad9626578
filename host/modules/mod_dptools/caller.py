"""Applications about who calls: access lists, privacy, presence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.arguments import separate
from host.channel import Channel
from host.hangup_cause import HangupCause, parse_cause
from host.log import LogLevel
from host.truth import is_true

if TYPE_CHECKING:
    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")
_application = _applications.application

_PRIVACY_SYNTAX: Final = "off|on|name|full|number"
_FALSE_WORDS: Final = frozenset({"no", "off", "false", "f", "disabled", "inactive", "disallow", "0"})

# FreeSWITCH: what a phone's line key is told for a status, in place of `active`.
_CALL_INFO: Final = {"idle": "idle", "hold": "held", "hold-private": "held-private"}


def load(switch: Switch) -> None:
    """Register the applications."""
    _applications.register(switch)


@_application(
    "check_acl", "<ip> <acl | cidr> [<hangup_cause>]", "Check an ip against an ACL list", routing=True
)
def check_acl(session: Session, data: str) -> None:
    """Hang the call up when a list does not let an address in."""
    words = separate(data, " ", 3)
    if len(words) < 2:
        return
    address, name = words[:2]
    if session.switch.api("acl", f"{address} {name}", session).strip() == "true":
        return
    session.channel.log(LogLevel.DEBUG, f"Call failed acl check for ip {address} on list {name}")
    session.channel.hangup(parse_cause(words[2]) if len(words) > 2 else HangupCause.CALL_REJECTED)


@_application("privacy", _PRIVACY_SYNTAX, "Set privacy on calls", routing=True)
def privacy(session: Session, data: str) -> None:
    """Hide the caller's name, number or both from the called side, or nothing."""
    channel = session.channel
    if not data:
        channel.log(LogLevel.ERR, "No privacy mode specified.")
        return
    mode = data.lower()
    profile = channel.profile
    profile.screen = True
    if mode == "name":
        profile.privacy_hide_name = True
    elif mode == "number":
        profile.privacy_hide_number = True
    elif mode == "full" or is_true(mode) or mode in _FALSE_WORDS:
        profile.privacy_hide_name = profile.privacy_hide_number = mode not in _FALSE_WORDS
    else:
        channel.log(
            LogLevel.ERR, "INVALID privacy mode specified. Use a valid mode [no|yes|name|full|number]."
        )


@_application("presence", "<rpid> <status> [<id>]", "Send Presence", routing=True)
def presence(session: Session, data: str) -> None:
    """Tell the presence of the channel's `presence_id`, or of the one given, with the event PRESENCE_IN."""
    channel = session.channel
    words = separate(data, " ", 6)
    if len(words) < 2:
        channel.log(LogLevel.ERR, "INVALID ARGS!")
        return
    rpid, status = words[:2]
    who = words[2] if len(words) > 2 else channel.get_variable("presence_id")
    if not who:
        return
    count = channel.private.get("presence_events", 0)
    assert isinstance(count, int)  # nothing else is put there
    channel.private["presence_events"] = count + 1
    headers = [
        ("proto", "any"),
        ("from", who),
        ("rpid", rpid),
        ("status", status),
        ("event_type", "presence"),
        ("alt_event_type", "dialog"),
        ("presence-call-info-state", _call_info(channel, status)),
    ]
    call_info = channel.get_variable("presence_call_info")
    if call_info:
        headers.append(("presence-call-info", call_info))
    headers += [("presence-call-direction", channel.direction), ("event_count", str(count))]
    if channel.is_true("presence_privacy"):
        headers.append(("Presence-Privacy", "true"))
    channel.fire("PRESENCE_IN", *headers)


def _call_info(channel: Channel, status: str) -> str:
    if channel.down:
        return "idle"
    chosen = _CALL_INFO.get(status.lower())
    if chosen is None and not channel.answered:
        chosen = "progressing" if channel.outbound else "alerting"
    return chosen or "active"
