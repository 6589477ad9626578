"""Send a call to another extension of the dialplan (FreeSWITCH: a blind transfer)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.channel_state import ChannelState
from host.hangup_cause import HangupCause
from host.inbox import Wake
from host.leading_number import leading_int
from host.log import LogLevel
from host.session_state import run_moment
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session

# FreeSWITCH's default of `max_forwards`: a call that is sent on so often goes in circles.
TRANSFER_LIMIT: Final = 70


def session_transfer(session: Session, extension: str, dialplan: str = "", context: str = "") -> Status:
    """Send the call to another extension; empty parts stay as they are. What runs now is no longer `ready`.

    FreeSWITCH: an empty extension is `service`, the dialplan of a call that was in `inline` is XML, and a call
    that was transferred 70 times (or as often as `max_forwards` says) is hung up.
    """
    channel = session.channel
    variables = channel.variables
    if channel.down:
        return Status.FALSE
    limit = "max_session_transfers" if variables.get("max_session_transfers") else "max_forwards"
    given = variables.get(limit)
    left = TRANSFER_LIMIT if given is None else leading_int(given) - 1
    if left <= 0:
        channel.hangup(HangupCause.EXCHANGE_ROUTING_ERROR)
        return Status.FALSE
    variables.set(limit, str(left))
    session.forget_input(digits=True)
    channel.flags.discard(Flag.ORIGINATING)
    session.handlers.clear()
    variables.set("temp_hold_music", None)
    run_moment(session, "blind_transfer")
    extension = extension or "service"
    reused = Flag.REUSE_CALLER_PROFILE in channel.flags
    profile = channel.profile if reused else channel.profile.clone()
    profile.destination_number = extension
    former_dialplan = profile.dialplan if profile.dialplan.lower() != "inline" else ""
    profile.dialplan = dialplan or variables.get("force_transfer_dialplan") or former_dialplan or "XML"
    profile.context = context or variables.get("force_transfer_context") or profile.context or "default"
    profile.rdnis = channel.profile.destination_number
    stamp = session.clock.time() // 1_000_000
    profile.transfer_source = (
        f"{stamp}:{session.switch.new_uuid()}:bl_xfer:{extension}/{profile.context}/{profile.dialplan}"
    )
    variables.push("transfer_history", profile.transfer_source)
    variables.set("transfer_source", profile.transfer_source)
    channel.set_flag(Flag.TRANSFER)
    bridged_to = session.switch.find_session(variables.get("bridge_to") or "")
    if bridged_to is not None:
        bridged_to.channel.variables.set("signal_bond", None)
    variables.set("signal_bond", None)
    if not reused:
        channel.push_profile(profile)
    if channel.state is ChannelState.CS_ROUTING:
        channel.running_state = ChannelState.CS_INIT  # hunt again with the new profile
    else:
        channel.set_state(ChannelState.CS_ROUTING)
    channel.log(
        LogLevel.NOTICE,
        f"Transfer {channel.name} to {profile.dialplan}[{extension}@{profile.context}]",
        observed=True,
    )
    session.switch.observe(
        "transfer", channel, extension=extension, dialplan=profile.dialplan, context=profile.context
    )
    session.inbox.put(Wake())
    return Status.SUCCESS
