"""Take the switch out of the path of a call's sound, and into it again (FreeSWITCH: switch_ivr_nomedia, …_media)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.channel_watch import wait_until
from host.clock import SECOND
from host.log import LogLevel
from host.truth import is_true

if TYPE_CHECKING:
    from host.session import Session

# How long far ends may take to agree: two offers, each of which may go unanswered for 32 s (RFC 3261 timer B). Then
# whoever waits goes on; the endpoint has put the calls in order by itself.
_AGREED_WITHIN: Final = 70 * SECOND
# FreeSWITCH: how long it is waited for the two calls to be in their bridge again.
_BRIDGED_WITHIN: Final = SECOND
# FreeSWITCH: how long after the end of a hold sound leaves the switch again (`bypass_media_after_hold`).
_AFTER_HOLD: Final = SECOND // 5

# What the endpoint is told; the argument is the other leg's UUID, empty for none.
_BACK: Final = "media"
_BACK_3P: Final = "media_3p"
_BACK_ANSWERED: Final = "media_answered"
_OUT: Final = "nomedia"
_OUT_3P: Final = "nomedia_3p"


def media_on(
    session: Session, *, rebridge: bool = False, third_party: bool = False, answered: bool = False
) -> bool:
    """Have a call's sound pass here again, and wait until it does; False where it did not pass elsewhere, or cannot.

    With `rebridge` that of the call that it is bridged with, too, and both are bridged again. `third_party` has the
    far ends make the offers. With `answered` the call itself has agreed on that already: only the other one is asked.
    """
    from host.ivr.uuid_bridge import uuid_bridge  # which ends bridges without sound itself

    channel = session.channel
    if Flag.PROXY_MODE not in channel.flags:
        return False
    other = _bridged_to(session) if rebridge else None
    if Flag.EARLY_MEDIA in channel.flags and not channel.answered:
        channel.flags.discard(Flag.EARLY_MEDIA)  # what was heard before came from elsewhere
    kind = _BACK_ANSWERED if answered else _BACK_3P if third_party else _BACK
    if not _agree(session, other, kind) or Flag.PROXY_MODE in channel.flags:
        channel.log(LogLevel.ERR, f"Can't re-establish media on {channel.name}")
        return False
    for leg in (session, other):
        if leg is not None:
            leg.channel.flags.discard(Flag.PROXY_MEDIA)
    if other is None:
        return True
    if Flag.BRIDGED in channel.flags & other.channel.flags:  # it was relayed, and never out of a bridge
        return True
    a, b = (session, other) if Flag.BRIDGE_ORIGINATOR in channel.flags else (other, session)
    uuid_bridge(a, b)
    wait_until(
        session.clock,
        lambda: (
            (Flag.BRIDGED in a.channel.flags and Flag.BRIDGED in b.channel.flags)
            or a.channel.down
            or b.channel.down
            or session.in_own_thread
        ),
        a.channel,
        b.channel,
        deadline=session.clock.now() + _BRIDGED_WITHIN,
    )
    return True


def media_off(session: Session, *, third_party: bool = False) -> bool:
    """Have the far ends of a bridge send their sound to each other, and wait until they do.

    False where one of them does not agree, or cannot do it: sound goes on passing here. A call that is not bridged,
    or with one that has no far end elsewhere, stays as it is, which is no failure. `third_party`: the far end of
    `session` makes the offer.
    """
    from host.ivr.signal_bridge import signal_bridge  # which has sound come back itself

    channel = session.channel
    if Flag.PROXY_MODE in channel.flags:
        return not third_party
    other = session.switch.find_session(session.partner or "")
    if other is None or not (channel.can_bypass_media and other.channel.can_bypass_media):
        reason = "it is not in a bridge" if other is None else f"{other.channel.name} is no call by SIP"
        channel.log(LogLevel.WARNING, f"Cannot bypass media of {channel.name}: {reason}.")
        return True
    if not _agree(session, other, _OUT_3P if third_party else _OUT):
        return False
    if Flag.PROXY_MODE not in channel.flags & other.channel.flags:
        channel.log(LogLevel.NOTICE, f"{channel.name} keeps its media: a far end did not agree to bypass it.")
        return False
    a, b = (session, other) if Flag.BRIDGE_ORIGINATOR in channel.flags else (other, session)
    signal_bridge(a, b)
    return True


def prepare_bypass(caller: Session) -> None:
    """Find out whether the sound of a call that is about to be placed for `caller` is to pass here.

    FreeSWITCH: `proxy_media` has it pass as it comes, whatever it is; `bypass_media` true or false; of a caller who is
    answered only once both are (`bypass_media_after_bridge`). So it is here for one who has early media, or who has
    not described any.
    """
    channel = caller.channel
    already = Flag.PROXY_MODE in channel.flags
    wanted, relayed = channel.get_variable("bypass_media"), channel.get_variable("proxy_media")
    if relayed and is_true(relayed):
        channel.flags.add(Flag.PROXY_MEDIA)
    elif relayed:
        channel.flags.discard(Flag.PROXY_MEDIA)
    if Flag.PROXY_MEDIA in channel.flags or (wanted and is_true(wanted)):
        if not channel.can_bypass_media:
            channel.log(LogLevel.WARNING, f"{channel.name} does not support the proxy feature, disabling.")
            channel.flags.discard(Flag.PROXY_MEDIA)
            return
        channel.flags.add(Flag.PROXY_MODE)
    elif wanted and already:
        media_on(caller)
    if Flag.PROXY_MODE not in channel.flags:
        return
    late = not channel.variables.get("switch_r_sdp")
    if late or channel.answered or (Flag.EARLY_MEDIA in channel.flags and not already):
        if Flag.PROXY_MEDIA in channel.flags:
            channel.log(LogLevel.WARNING, f"Cannot proxy media of {channel.name}: it has media here already.")
        else:
            channel.log(
                LogLevel.DEBUG, "Channel is already up, delaying proxy mode 'till both legs are answered."
            )
            channel.variables.set("bypass_media_after_bridge", "true")
            channel.variables.set("bypass_media", None)
        if already:
            media_on(caller)
        channel.flags -= {Flag.PROXY_MODE, Flag.PROXY_MEDIA}
        return
    caller.io.message(caller, "release_media", "")


def leave_after_hold(session: Session, partner: Session) -> None:
    """Have sound leave the switch again after a hold for which it came back, in a thread of its own."""
    if not any(_leaves_after_hold(one) for one in (session, partner)):
        return

    def run() -> None:
        clock = session.clock
        clock.sleep(_AFTER_HOLD)
        if session.channel.up and Flag.BRIDGED in session.channel.flags:
            media_off(session, third_party=True)

    session.clock.spawn(run, "bypass-after-hold")


def _leaves_after_hold(session: Session) -> bool:
    channel = session.channel
    if Flag.BYPASS_MEDIA_AFTER_HOLD in channel.flags:
        return True
    return channel.is_true("bypass_media_resume_on_hold") and channel.is_true("bypass_media_after_hold")


def _bridged_to(session: Session) -> Session | None:
    uuid = session.channel.variables.get("signal_bridge_to")
    return session.switch.find_session(uuid or session.partner or "")


def _agree(session: Session, other: Session | None, kind: str) -> bool:
    """Have the endpoint agree with the far ends, and wait for that; False where it is busy with it, or refuses."""
    legs = [one for one in (session, other) if one is not None]
    for leg in legs:
        if Flag.MEDIA_TRANS in leg.channel.flags:
            return False
    for leg in legs:
        leg.channel.flags.add(Flag.MEDIA_TRANS)
    try:
        if not session.io.message(session, kind, other.uuid if other is not None else ""):
            return False
        channels = [leg.channel for leg in legs]
        wait_until(
            session.clock,
            lambda: all(Flag.REQ_MEDIA not in channel.flags or channel.down for channel in channels),
            *channels,
            deadline=session.clock.now() + _AGREED_WITHIN,
        )
        return all(channel.up for channel in channels)
    finally:
        for leg in legs:
            leg.channel.flags.discard(Flag.MEDIA_TRANS)
