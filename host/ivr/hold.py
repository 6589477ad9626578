"""Hold (FreeSWITCH: switch_ivr_hold): the far end is told, the other leg of a bridge hears music."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.channel import Flag
from host.channel_state import CallState
from host.ivr.broadcast import broadcast

if TYPE_CHECKING:
    from host.session import Session


def is_held(session: Session) -> bool:
    """Return whether the endpoint has put the call on hold."""
    return Flag.PROTO_HOLD in session.channel.flags


def hold(session: Session, display: str = "") -> bool:
    """Ask the endpoint to hold the call, and play the other leg's `hold_music` to it.

    FreeSWITCH: always a success; an endpoint that has no hold leaves the call's state as it is.
    """
    channel = session.channel
    if session.io.message(session, "hold", display):
        channel.set_flag(Flag.PROTO_HOLD)
        channel.profile.times.last_hold = session.clock.time()
        channel.set_call_state(CallState.HELD)
        channel.fire("CHANNEL_HOLD")
    partner = session.switch.find_session(session.partner) if session.partner is not None else None
    if partner is not None:
        music = channel.get_variable("hold_music") or ""
        if music and music.lower() not in ("silence", "indicate_hold"):
            broadcast(session.switch, partner.uuid, f"endless_playback::{music}")
    return True


def unhold(session: Session) -> bool:
    """End a hold; False when the endpoint does not hold the call."""
    channel = session.channel
    if not is_held(session):
        return False
    session.io.message(session, "unhold", "")
    channel.clear_flag(Flag.PROTO_HOLD)
    times = channel.profile.times
    times.hold_accum += session.clock.time() - times.last_hold
    channel.set_call_state(CallState.UNHELD)
    channel.set_call_state(CallState.ACTIVE)
    channel.fire("CHANNEL_UNHOLD")
    partner = session.switch.find_session(session.partner) if session.partner is not None else None
    if partner is not None:
        partner.break_off()
    return True
