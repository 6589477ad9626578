"""Hold (FreeSWITCH: switch_ivr_hold): the far end is told, the other leg of a bridge hears music."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.channel_state import CallState
from host.ivr.broadcast import play_music, stop_broadcast
from host.ivr.media_path import leave_after_hold, media_on
from host.log import LogLevel

if TYPE_CHECKING:
    from host.session import Session

# FreeSWITCH: what is heard when the far end holds a leg without hold music.
DEFAULT_MUSIC: Final = "local_stream://moh"
INDICATE_HOLD: Final = "indicate_hold"


def is_held(session: Session) -> bool:
    """Return whether the endpoint has put the call on hold."""
    return Flag.PROTO_HOLD in session.channel.flags


def hold(session: Session, display: str = "", *, music: bool = True) -> bool:
    """Ask the endpoint to hold the call, and (`music`) play its hold music to the other leg; False when it is held.

    FreeSWITCH: an endpoint that has no hold leaves the call's state as it is, and yet it is told (CHANNEL_HOLD).
    """
    channel = session.channel
    if channel.call_state is CallState.HELD:
        channel.log(LogLevel.WARNING, "Call is already on hold. No need to hold again.")
        return False
    if Flag.PROXY_MODE in channel.flags:
        media_on(session, rebridge=True)  # there is no music where no sound passes
    if session.io.message(session, "hold", display):
        channel.set_flag(Flag.PROTO_HOLD)
        _note_held(session)
    partner = _partner(session)
    if partner is not None and music:
        path = hold_music(session)
        if path and path.lower() not in ("silence", INDICATE_HOLD):
            play_music(partner, path)
    channel.fire("CHANNEL_HOLD")
    return True


def toggle_hold(session: Session, display: str = "") -> bool:
    """End a hold, or begin one where the call is active; False when that fails (FreeSWITCH: else nothing is done)."""
    if is_held(session):
        return unhold(session)
    if session.channel.call_state not in (CallState.ACTIVE, CallState.UNHELD):
        return True
    return hold(session, display)


def unhold(session: Session) -> bool:
    """End a hold; False when the endpoint does not hold the call."""
    channel = session.channel
    if not is_held(session):
        channel.log(LogLevel.WARNING, "Call is not on hold. No need to unhold.")
        return False
    session.io.message(session, "unhold", "")
    channel.clear_flag(Flag.PROTO_HOLD)
    _tell_unheld(session)
    partner = _partner(session)
    if partner is not None:
        stop_broadcast(partner)
    return True


def held_by_far_end(session: Session, held: bool) -> None:
    """Note that the far end put the call on hold, or took it off, and let the other leg of a bridge hear music.

    FreeSWITCH: the hold music of the leg that holds, `local_stream://moh` without; `indicate_hold` puts the other
    leg's far end on hold as well. The states HELD, UNHELD and ACTIVE, and both events are told.
    """
    channel = session.channel
    if not note_hold_passed_on(session, held):
        return
    partner = _partner(session)
    if held:
        music = hold_music(session) or DEFAULT_MUSIC
        if partner is None or music.lower() == "silence":
            return
        if music.lower() == INDICATE_HOLD:
            channel.flags.add(Flag.HOLD)
            hold(partner, music=False)
        else:
            play_music(partner, music)
        return
    if partner is None:
        return
    if Flag.HOLD in channel.flags:
        channel.flags.discard(Flag.HOLD)
        unhold(partner)
    else:
        stop_broadcast(partner)
    leave_after_hold(session, partner)


def note_hold_passed_on(session: Session, held: bool) -> bool:
    """Note that the far end holds the call, or no longer, and tell it; False where that is known, or the call over.

    That is all of a hold that the other far end is told of itself.
    """
    channel = session.channel
    if held is (Flag.LEG_HOLDING in channel.flags) or channel.down:
        return False
    if held:
        channel.set_flag(Flag.LEG_HOLDING)
        _tell_held(session)
    else:
        channel.clear_flag(Flag.LEG_HOLDING)
        _tell_unheld(session)
    return True


def hold_refused(session: Session, *, held: bool) -> None:
    """Turn back a hold (`held`), or the end of one, that the far end has refused: the call is as it was before."""
    channel = session.channel
    if channel.down or held is not is_held(session):
        return
    partner = _partner(session)
    if held:
        channel.clear_flag(Flag.PROTO_HOLD)
        _tell_unheld(session)
        if partner is not None:
            stop_broadcast(partner)
    else:
        channel.set_flag(Flag.PROTO_HOLD)
        _tell_held(session)


def _note_held(session: Session) -> None:
    channel = session.channel
    channel.profile.times.last_hold = session.clock.time()
    channel.set_call_state(CallState.HELD)


def _tell_held(session: Session) -> None:
    _note_held(session)
    session.channel.fire("CHANNEL_HOLD")


def _tell_unheld(session: Session) -> None:
    channel = session.channel
    times = channel.profile.times
    times.hold_accum += session.clock.time() - times.last_hold
    channel.set_call_state(CallState.UNHELD)
    channel.set_call_state(CallState.ACTIVE)
    channel.fire("CHANNEL_UNHOLD")


def hold_music(session: Session) -> str:
    """Return what the other leg hears while `session` is on hold: `temp_hold_music`, else `hold_music`; "" for none."""
    channel = session.channel
    music = channel.get_variable("temp_hold_music") or channel.get_variable("hold_music") or ""
    return session.expand(music)


def _partner(session: Session) -> Session | None:
    return session.switch.find_session(session.partner) if session.partner is not None else None
