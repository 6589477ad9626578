"""What becomes of the call that took a caller's place once the caller's call is placed, or has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.caller_profile import CallerExtension
from host.channel import Flag
from host.channel_state import ChannelState
from host.channel_watch import wait_for_state
from host.hangup_cause import HangupCause
from host.ivr.uuid_bridge import uuid_bridge
from host.log import LogLevel
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session

# What makes a channel itself; a call that takes over another's variables keeps its own.
_IDENTITY: Final = frozenset(
    {
        "uuid",
        "call_uuid",
        "session_id",
        "channel_name",
        "direction",
        "is_outbound",
        "signal_bond",
        "originate_signal_bond",
        "holding_uuid",
        "soft_holding_uuid",
    }
)


def hand_over(caller: Session, holder: Session, leg: Session | None) -> HangupCause:
    """Join `holder` with the leg that was called for `caller`, which leaves; return ATTENDED_TRANSFER.

    FreeSWITCH: without a leg `holder` goes on with what `caller` would have done next in the dialplan, or is sent to
    the caller's number where that came from no dialplan.
    """
    if leg is not None:
        holder.channel.variables.set("hangup_after_bridge", "true")
        caller.channel.log(LogLevel.DEBUG, f"Attended Transfer [{holder.uuid}][{leg.uuid}]")
        if uuid_bridge(holder, leg) is not Status.SUCCESS:
            leg.channel.hangup(HangupCause.ATTENDED_TRANSFER)
    elif holder.channel.up and not go_on_as(caller, holder):
        number = caller.channel.get_variable("destination_number") or ""
        profile = caller.channel.profile
        holder.transfer(number, profile.dialplan, profile.context)
    if Flag.INTERCEPTED not in caller.channel.flags:
        caller.channel.hangup(HangupCause.ATTENDED_TRANSFER)
    return HangupCause.ATTENDED_TRANSFER


def go_on_as(caller: Session, holder: Session) -> bool:
    """Let `holder` run the applications that are left of the caller's extension, with the caller's variables.

    FreeSWITCH: switch_channel_caller_extension_masquerade; `attended_transfer_no_copy` lists variables that are not
    taken over. False when the caller has no extension. The channel's own identity is never taken over.
    """
    extension = caller.channel.profile.extension
    if extension is None:
        return False
    channel = holder.channel
    number = channel.profile.destination_number
    profile = channel.profile.clone()
    profile.destination_number = caller.channel.profile.destination_number
    channel.push_profile(profile)
    profile.extension = CallerExtension(number, number, list(extension.applications[extension.position :]))
    kept = (caller.channel.variables.get("attended_transfer_no_copy") or "").lower().split(",")
    for name, value in list(caller.channel.variables.items()):
        if name.lower() not in _IDENTITY and name.lower() not in kept:
            channel.variables.set(name, value)
    restart(holder)
    return True


def restart(session: Session) -> None:
    """Take a call out of what it does and let it run its profile's extension (FreeSWITCH: switch_channel_restart)."""
    channel = session.channel
    if channel.set_state(ChannelState.CS_RESET):
        wait_for_state(session.clock, channel, ChannelState.CS_RESET)
    channel.set_state(ChannelState.CS_EXECUTE)
