"""Park: hold a call without doing anything with it until somebody moves it (FreeSWITCH: switch_ivr_park)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.channel import Flag
from host.channel_state import ChannelState
from host.clock import SECOND
from host.event import Event
from host.hangup_cause import HangupCause, parse_cause
from host.inbox import Break, Digit
from host.ivr.idle_silence import IdleSilence
from host.leading_number import leading_int
from host.log import LogLevel
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session


def park(session: Session) -> Status:
    """Wait until the call is hung up, transferred or bridged; keys are lost. FALSE when it is parked already.

    `park_timeout` (`seconds[:cause]`) hangs up after that time; it holds for one park. `send_silence_when_idle` is
    sent meanwhile.
    """
    channel = session.channel
    if Flag.CONTROLLED in channel.flags:
        channel.log(LogLevel.ERR, "Cannot park channels that are under control already.")
        return Status.FALSE
    if channel.state is ChannelState.CS_RESET:
        return Status.FALSE
    timeout = channel.variables.get("park_timeout")
    deadline, cause = _timeout(session)
    channel.set_flag(Flag.CONTROLLED)
    channel.set_flag(Flag.PARK)
    channel.fire("CHANNEL_PARK")
    with IdleSilence(session) as silence:
        while channel.ready and Flag.PARK in channel.flags:
            silence.begin()
            item = session.receive(
                deadline,
                (Digit, Event, Break),
                until=lambda: Flag.PARK not in channel.flags or silence.due,
            )
            if isinstance(item, Digit):
                session.tell_digit(item)
            elif item is None and deadline is not None and session.clock.now() >= deadline:
                channel.hangup(cause)
    if timeout is not None and channel.state is ChannelState.CS_PARK is not channel.running_state:
        # Whoever sent it to another park just then meant the timeout for that one.
        channel.variables.set("park_timeout", timeout)
    channel.clear_flag(Flag.PARK)
    channel.clear_flag(Flag.CONTROLLED)
    channel.fire("CHANNEL_UNPARK")
    return Status.SUCCESS


def on_park(session: Session) -> bool:
    """Run the state CS_PARK."""
    park(session)
    return True


def park_session(session: Session) -> None:
    """Send a call to the state CS_PARK, out of whatever it does (FreeSWITCH: switch_ivr_park_session)."""
    channel = session.channel
    if channel.state is not ChannelState.CS_PARK:
        channel.set_flag(Flag.TRANSFER)
        channel.set_state(ChannelState.CS_PARK)


def _timeout(session: Session) -> tuple[int | None, HangupCause]:
    variables = session.channel.variables
    text = variables.get("park_timeout")
    if text is None:
        return None, HangupCause.NORMAL_CLEARING
    variables.set("park_timeout", None)
    variables.set("park_after_bridge", None)
    seconds, colon, cause = text.partition(":")
    deadline = session.clock.now() + leading_int(seconds) * SECOND if leading_int(seconds) >= 0 else None
    return deadline, parse_cause(cause) if colon else HangupCause.NORMAL_CLEARING
