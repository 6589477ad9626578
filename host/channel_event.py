"""The headers that every event of a channel carries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from host.event import Event
from host.hangup_cause import HangupCause

if TYPE_CHECKING:
    from host.caller_profile import CallerProfile
    from host.channel import Channel

# The events that FreeSWITCH sends with the channel's variables; the others come too often for that.
_WITH_VARIABLES: Final = frozenset(
    {
        "CALL_UPDATE",
        "CHANNEL_ANSWER",
        "CHANNEL_BRIDGE",
        "CHANNEL_CREATE",
        "CHANNEL_DATA",
        "CHANNEL_DESTROY",
        "CHANNEL_EXECUTE",
        "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_HOLD",
        "CHANNEL_ORIGINATE",
        "CHANNEL_PARK",
        "CHANNEL_PROGRESS",
        "CHANNEL_PROGRESS_MEDIA",
        "CHANNEL_UNBRIDGE",
        "CHANNEL_UNHOLD",
        "CHANNEL_UNPARK",
        "CHANNEL_UUID",
        "CUSTOM",
        "MEDIA_BUG_START",
        "MEDIA_BUG_STOP",
        "PLAYBACK_START",
        "PLAYBACK_STOP",
        "RECORD_START",
        "RECORD_STOP",
        "REQUEST_PARAMS",
        "SESSION_HEARTBEAT",
        "TEXT",
    }
)

# The private value of a channel whose events all carry its variables (the application `verbose_events`).
VERBOSE_EVENTS: Final = "verbose_events"


def channel_event(
    channel: Channel, name: str, subclass: str | None = None, first: Iterable[tuple[str, str]] = ()
) -> Event:
    """Return a new event of `channel` with the headers `first`, then its basic, caller and variable headers."""
    switch = channel.switch
    event = switch.new_event(name, subclass)
    event.add_headers(first)
    verbose = switch.control.verbose_events or VERBOSE_EVENTS in channel.private
    add_channel_headers(event, channel, variables=verbose or name in _WITH_VARIABLES)
    return event


# FreeSWITCH writes the two kinds in letters of their own.
_CODEC_HEADERS: Final = {
    "read": ("channel-read-codec-name", "channel-read-codec-rate", "channel-read-codec-bit-rate"),
    "write": ("Channel-Write-Codec-Name", "Channel-Write-Codec-Rate", "Channel-Write-codec-bit-rate"),
}


def tell_codec(channel: Channel, side: str, codec: str, rate: int, *, introduced: bool = True) -> None:
    """Note that a channel reads or writes (`side`: read, write) with a codec from now on, and tell it with CODEC.

    FreeSWITCH: a channel has its first codecs before it has a caller profile (not `introduced`).
    """
    known = zip(_CODEC_HEADERS[side], (codec, str(rate), str(rate * 16)), strict=True)
    channel.variables.set(f"{side}_codec", codec)
    channel.variables.set(f"{side}_rate", str(rate))
    channel.row.follow(channel, "CODEC")
    if channel.switch.bus.wants("CODEC"):
        event = channel.switch.new_event("CODEC")
        add_channel_headers(event, channel, variables=False, people=introduced)
        event.add_headers(known)
        channel.switch.fire(event)


def add_channel_headers(
    event: Event, channel: Channel, *, variables: bool = True, people: bool = True
) -> None:
    """Add what FreeSWITCH tells of a channel: state, codecs, caller profiles, `variable_…`."""
    add = event.add_header
    add("Channel-State", channel.running_state.name)
    add("Channel-Call-State", channel.call_state.name)
    add("Channel-State-Number", str(int(channel.state)))
    add("Channel-Name", channel.name)
    add("Unique-ID", channel.uuid)
    add("Call-Direction", channel.direction)
    add("Presence-Call-Direction", channel.direction)
    add("Channel-HIT-Dialplan", "true" if channel.hit_dialplan else "false")
    for header, variable, own in (
        ("Channel-Presence-ID", "presence_id", channel.presence_id),
        ("Channel-Presence-Data", "presence_data", channel.presence_data),
    ):
        value = channel.variables.get(variable) or own
        if value:
            add(header, value)
    add("Channel-Call-UUID", channel.variables.get("call_uuid") or channel.uuid)
    add("Answer-State", channel.answer_state)
    if channel.hangup_cause is not HangupCause.NONE:
        add("Hangup-Cause", channel.hangup_cause.name)
    for side in ("Read", "Write"):
        rate = channel.variables.get(f"{side.lower()}_rate")
        if rate:
            add(f"Channel-{side}-Codec-Name", channel.variables.get(f"{side.lower()}_codec") or "L16")
            add(f"Channel-{side}-Codec-Rate", rate)
            add(f"Channel-{side}-Codec-Bit-Rate", str(int(rate) * 16))
    if people:
        _add_people(event, channel)
    if variables:
        for variable, value in list(channel.variables.items()):
            add(f"variable_{variable}", value)


def _add_people(event: Event, channel: Channel) -> None:
    add = event.add_header
    add_profile_headers(event, channel.profile, "Caller", channel.direction)
    if channel.profile.originator is not None:
        add("Other-Type", "originator")
        add_profile_headers(event, channel.profile.originator, "Other-Leg", "inbound")
    elif channel.profile.originatee is not None:
        add("Other-Type", "originatee")
        add_profile_headers(event, channel.profile.originatee, "Other-Leg", "outbound")


def add_profile_headers(event: Event, profile: CallerProfile, prefix: str, direction: str) -> None:
    """Add one caller profile under `prefix` (`Caller`, `Other-Leg`); empty fields are left out."""
    times = profile.times
    for header, value in (
        ("Direction", profile.direction or direction),
        # FreeSWITCH: of the other leg it is a copy that tells, which has lost this.
        ("Logical-Direction", "inbound" if prefix == "Other-Leg" else profile.logical_direction or direction),
        ("Username", profile.username),
        ("Dialplan", profile.dialplan),
        ("Caller-ID-Name", profile.caller_id_name),
        ("Caller-ID-Number", profile.caller_id_number),
        ("Orig-Caller-ID-Name", profile.orig_caller_id_name),
        ("Orig-Caller-ID-Number", profile.orig_caller_id_number),
        ("Callee-ID-Name", profile.callee_id_name),
        ("Callee-ID-Number", profile.callee_id_number),
        ("Network-Addr", profile.network_addr),
        ("ANI", profile.ani),
        ("ANI-II", profile.aniii),
        ("Destination-Number", profile.destination_number),
        ("Unique-ID", profile.uuid),
        ("Source", profile.source),
        ("Transfer-Source", profile.transfer_source if prefix != "Other-Leg" else ""),
        ("Context", profile.context),
        ("RDNIS", profile.rdnis),
        ("Channel-Name", profile.chan_name),
        ("Profile-Index", str(profile.profile_index) if prefix != "Other-Leg" else ""),
        ("Profile-Created-Time", str(times.profile_created)),
        ("Channel-Created-Time", str(times.created)),
        ("Channel-Answered-Time", str(times.answered)),
        ("Channel-Progress-Time", str(times.progress)),
        ("Channel-Progress-Media-Time", str(times.progress_media)),
        ("Channel-Hangup-Time", str(times.hungup)),
        ("Channel-Transfer-Time", str(times.transferred)),
        ("Channel-Resurrect-Time", str(times.resurrected)),
        ("Channel-Bridged-Time", str(times.bridged)),
        ("Channel-Last-Hold", str(times.last_hold)),
        ("Channel-Hold-Accum", str(times.hold_accum)),
        ("Screen-Bit", "true" if profile.screen else "false"),
        ("Privacy-Hide-Name", "true" if profile.privacy_hide_name else "false"),
        ("Privacy-Hide-Number", "true" if profile.privacy_hide_number else "false"),
    ):
        if value:
            event.add_header(f"{prefix}-{header}", value)
