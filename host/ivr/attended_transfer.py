"""Attended transfer: a leg of a bridge calls a third, and joins the other two when it hangs up."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from host.caller_profile import CallerExtension
from host.channel import Flag
from host.channel_state import ChannelState
from host.event import Event
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.ivr.bridge import bridge
from host.ivr.input_args import InputArgs
from host.ivr.originate import originate
from host.ivr.originate_handover import restart
from host.ivr.transfer_recordings import transfer_recordings
from host.ivr.uuid_bridge import partner_of, uuid_bridge
from host.status import Status

if TYPE_CHECKING:
    from host.session import Session

_KEYS: Final = (("attxfer_cancel_key", "#"), ("attxfer_hangup_key", "*"), ("attxfer_conf_key", "0"))
# States in which a leg leaves what it was in.
_LEAVING: Final = (ChannelState.CS_HANGUP, ChannelState.CS_ROUTING)


def attended_transfer(session: Session, dial_string: str) -> Status:
    """Call `dial_string` and speak with it while the other leg waits.

    When this leg hangs up (also by `attxfer_hangup_key`, `*`), the other two are joined; while the third still rings,
    the one who waits hears its ringback until it answers. When the third does not answer, hangs up, or is hung up by
    `attxfer_cancel_key` (`#`), the first two are joined again. `attxfer_conf_key` (`0`) joins all three; whoever of
    the first two leaves then leaves the other one with the third. `att_xfer_result` tells how the joining went.
    """
    variables = session.channel.variables
    waiting = partner_of(session)
    bond = waiting.uuid if waiting is not None else None
    variables.set("soft_holding_uuid", bond)
    follows = session.channel.is_true("recording_follow_attxfer")
    if follows and waiting is not None:
        transfer_recordings(waiting, session)
    end = _on_leaving(session, lambda: _keep(waiting))
    try:
        peer, _ = originate(session.switch, dial_string, session, 0)
        if peer is None:
            passed_on = variables.get("soft_holding_uuid") is None
            variables.set("signal_bond", bond)
            if waiting is not None and session.channel.down and not passed_on:
                waiting.channel.hangup(HangupCause.NORMAL_CLEARING)
            return Status.FALSE
        conference = session.channel.ready and _consult(session, peer)
        variables.set("signal_bond", bond)
        if waiting is not None:
            if follows and peer.channel.up and not session.channel.ready:
                transfer_recordings(session, peer)
            return _join(session, waiting, peer)
        if not conference:
            peer.channel.hangup(HangupCause.NORMAL_CLEARING)
        return Status.SUCCESS
    finally:
        end()
        variables.set("soft_holding_uuid", None)


def _keep(waiting: Session | None) -> None:
    """Keep the waiting leg from going on, or hanging up, because its bridge ends: it is about to be joined."""
    if waiting is not None and waiting.channel.up:
        waiting.channel.flags |= {Flag.REDIRECT, Flag.TRANSFER}


def _on_leaving(session: Session, run: Callable[[], object]) -> Callable[[], None]:
    """Have `run()` called once, when a leg is hung up or sent elsewhere, before its bridge hears of it.

    Return what keeps it from being called any more.
    """
    watchers = session.channel.watchers

    def forget() -> None:
        if look in watchers:
            watchers.remove(look)

    def look() -> None:
        if session.channel.state in _LEAVING:
            forget()
            run()

    watchers.insert(0, look)
    look()
    return forget


def _join(session: Session, waiting: Session, peer: Session) -> Status:
    """Bring those together who are left when the consultation is over."""
    if peer.channel.up and not session.channel.ready:
        return _bridge(peer, peer, waiting)
    if peer.channel.up:
        for leaving, other in ((session, waiting), (waiting, session)):
            leaving.channel.variables.set("xfer_uuids", f"{peer.uuid} {other.uuid}")
            _on_leaving(leaving, partial(uuid_bridge, peer, other))
    return _bridge(session, session, waiting)


def _bridge(told: Session, one: Session, two: Session) -> Status:
    """Bridge two legs, and leave on `told` whether that went well."""
    status = uuid_bridge(one, two)
    told.channel.variables.set("att_xfer_result", "success" if status is Status.SUCCESS else "failure")
    return status


def _consult(session: Session, peer: Session) -> bool:
    """Let a leg speak with the third until one of them, or a key, ends it; True when all three are to speak."""
    channel = session.channel
    cancel, hangup, conference = (
        (channel.variables.get(name) or peer.channel.variables.get(name) or default)[0]
        for name, default in _KEYS
    )
    joined = False

    def on_input(consulting: Session, item: Digit | Event) -> Status:
        nonlocal joined
        if not isinstance(item, Digit):
            return Status.SUCCESS
        if item.digit == hangup:
            channel.hangup(HangupCause.NORMAL_CLEARING)
        elif item.digit == cancel:
            peer.channel.hangup(HangupCause.NORMAL_CLEARING)
        elif item.digit == conference:
            joined = True
            _speak_with_both(session, peer)
        else:
            return Status.SUCCESS
        return Status.FALSE

    for one in (channel, peer.channel):
        one.flags.add(Flag.INNER_BRIDGE)
    bridge(session, peer, InputArgs(on_input))
    for one in (channel, peer.channel):
        one.clear_flag(Flag.INNER_BRIDGE)
    return joined


def _speak_with_both(session: Session, peer: Session) -> None:
    """Let the third speak with this leg and whom that is bridged with; where nobody waits any more, take this leg."""
    waiting = session.switch.find_session(session.channel.variables.get("soft_holding_uuid") or "")
    application = "intercept" if waiting is not None and not waiting.channel.ready else "three_way"
    peer.channel.profile.extension = CallerExtension(application, application, [(application, session.uuid)])
    restart(peer)
    session.channel.variables.set("hangup_after_bridge", None)
