"""Attended transfer: a leg of a bridge calls a third, and joins the other two when it hangs up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.channel_state import ChannelState
from host.event import Event
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.ivr.bridge import bridge
from host.ivr.input_args import InputArgs
from host.ivr.originate import originate
from host.ivr.uuid_bridge import partner_of, uuid_bridge
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session

_CANCEL: Final = "#"
_HANGUP: Final = "*"


def attended_transfer(session: Session, dial_string: str) -> Status:
    """Call `dial_string` and speak with it while the other leg waits.

    When this leg hangs up (also by `attxfer_hangup_key`, `*`), the other two are joined; when the third does not
    answer, hangs up, or is hung up by `attxfer_cancel_key` (`#`), the first two are joined again.
    """
    channel = session.channel
    variables = channel.variables
    waiting = partner_of(session)
    bond = waiting.uuid if waiting is not None else None
    variables.set("soft_holding_uuid", bond)

    def keep_waiting() -> None:
        """Keep the waiting leg from hanging up with this one, and let the call go on that is being placed."""
        if channel.state in (ChannelState.CS_HANGUP, ChannelState.CS_ROUTING) and waiting is not None:
            waiting.channel.flags.add(Flag.REDIRECT)
            channel.flags.add(Flag.XFER_ZOMBIE)

    channel.watchers.insert(0, keep_waiting)  # before the waiting leg hears of it
    try:
        peer, _ = originate(session.switch, dial_string, session, 0)
        if peer is None:
            variables.set("signal_bond", bond)
            if waiting is not None and channel.down:
                waiting.channel.hangup(HangupCause.NORMAL_CLEARING)
            return Status.FALSE
        if channel.ready:
            _consult(session, peer)
        variables.set("signal_bond", bond)
        if waiting is not None and peer.channel.up and not channel.ready:
            joined = uuid_bridge(peer, waiting)
            result = "success" if joined is Status.SUCCESS else "failure"
            peer.channel.variables.set("att_xfer_result", result)
            return joined
        if peer.channel.up:
            peer.channel.hangup(HangupCause.NORMAL_CLEARING)
        return Status.SUCCESS
    finally:
        channel.watchers.remove(keep_waiting)
        variables.set("soft_holding_uuid", None)
        channel.flags.discard(Flag.XFER_ZOMBIE)


def _consult(session: Session, peer: Session) -> None:
    channel = session.channel
    keys = {
        name: channel.variables.get(name) or peer.channel.variables.get(name) or default
        for name, default in (("attxfer_cancel_key", _CANCEL), ("attxfer_hangup_key", _HANGUP))
    }

    def on_input(consulting: Session, item: Digit | Event) -> Status:
        if not isinstance(item, Digit):
            return Status.SUCCESS
        if item.digit == keys["attxfer_hangup_key"]:
            channel.hangup(HangupCause.NORMAL_CLEARING)
            return Status.FALSE
        if item.digit == keys["attxfer_cancel_key"]:
            peer.channel.hangup(HangupCause.NORMAL_CLEARING)
            return Status.FALSE
        return Status.SUCCESS

    for one in (channel, peer.channel):
        one.flags.add(Flag.INNER_BRIDGE)
    bridge(session, peer, InputArgs(on_input))
    for one in (channel, peer.channel):
        one.clear_flag(Flag.INNER_BRIDGE)
