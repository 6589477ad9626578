"""Calls whose sound passes from far end to far end: what each describes is for the other (FreeSWITCH: bypass media).

All but `leg_of` is for the SIP thread. A leg is bypassed while its channel has the flag PROXY_MODE.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from host.channel import Flag
from host.log import LogLevel
from host.modules.mod_sofia.call import reinvite

if TYPE_CHECKING:
    from host.modules.mod_sofia.call.leg import SofiaLeg
    from host.session import Session

Then = Callable[[bool], object]


def is_bypassed(leg: SofiaLeg) -> bool:
    """Return whether the sound of a leg passes elsewhere."""
    return leg.session is not None and Flag.PROXY_MODE in leg.session.channel.flags


def leg_of(session: Session | None) -> SofiaLeg | None:
    """Return a session's leg where it has one by SIP that is not over."""
    from host.modules.mod_sofia.call.leg import SofiaLeg  # which is made of this

    leg = session.io if session is not None else None
    return leg if isinstance(leg, SofiaLeg) and not leg.ended else None


# -- out of the path ---------------------------------------------------------------------------------------------


def take_out(first: SofiaLeg, second: SofiaLeg) -> None:
    """Have two answered legs send their sound to each other: the second is offered what the first has described.

    One that refuses leaves both with their sound here. What the switch waits for is told by REQ_MEDIA.
    """
    offered = first.media.remote_description if first.media is not None else ""
    if not offered:
        _finish(first, second)
        return

    def second_answered(taken: bool) -> None:
        if not taken:
            _set(second, bypassed=False)
            _finish(first, second)
            return
        assert second.media is not None
        _set(first, bypassed=True)
        redirect(first, second.media.remote_description, first_answered)

    def first_answered(taken: bool) -> None:
        if not taken:
            _set(first, bypassed=False)
            bring_back(second, lambda _: _finish(first, second))
            return
        assert first.media is not None
        described = first.media.remote_description
        if same_sound(described, offered):
            _finish(first, second)
        else:  # it has answered with something else than it had described before
            redirect(second, described, lambda _: _finish(first, second))

    _set(second, bypassed=True)
    redirect(second, offered, second_answered)


def take_out_by_third_party(first: SofiaLeg, second: SofiaLeg) -> None:
    """The same with an offer of the first's own making (RFC 3725 section 4.1): two offers are never needed."""

    def offered(offer: str, acknowledge: Callable[[str], object]) -> None:
        def answered(taken: bool) -> None:
            if taken and second.media is not None and not first.ended:
                _set(first, bypassed=True)
                assert first.media is not None
                first.media.note_remote(offer)
                acknowledge(first.media.describe_other(second.media.remote_description))
                _finish(first, second)
                return
            _set(second, bypassed=False)
            answer = first.media.answer(offer) if first.media is not None else None
            if answer is None:
                acknowledge(first.media.last_description if first.media is not None else "")
                bring_back(first, lambda _: _finish(first, second))
            else:
                acknowledge(answer)
                _finish(first, second)

        _set(second, bypassed=True)
        redirect(second, offer, answered)

    reinvite.ask_for_offer(first, offered, lambda: _finish(first, second))


# -- back into the path ------------------------------------------------------------------------------------------


def take_in(first: SofiaLeg, second: SofiaLeg | None, *, answered: bool = False) -> None:
    """Have the sound of a leg pass here again, and that of the other one it is bridged with.

    Where one refuses, both go on as they were. `answered`: the first has agreed already.
    """

    def first_taken(taken: bool) -> None:
        if taken and second is None:
            _close_relay(first)
        if not taken or second is None:
            _finish(first, second)
            return
        bring_back(second, second_taken)

    def second_taken(taken: bool) -> None:
        if taken:
            _close_relay(first)
        if taken or first.ended or second is None or second.ended or second.media is None:
            _finish(first, second)
            return
        _set(first, bypassed=True)
        if answered:
            _finish(first, second)
        else:
            redirect(first, second.media.remote_description, gone_back)

    def gone_back(taken: bool) -> None:
        if first.media is not None:
            first.media.release()
        _finish(first, second)

    if answered:
        _set(first, bypassed=False)
        first_taken(True)
    else:
        bring_back(first, first_taken)


def _close_relay(leg: SofiaLeg) -> None:
    if leg.media is not None:
        leg.media.close_relay()


def bring_back(leg: SofiaLeg, then: Then) -> None:
    """Offer a far end sound that passes here; `then(False)`, and all as it was, where it refuses."""
    media = leg.media
    if media is None or leg.ended or not media.open():
        then(False)
        return
    _set(leg, bypassed=False)

    def answered(taken: bool) -> None:
        if not taken:
            _set(leg, bypassed=True)
            media.release()
        then(taken)

    reinvite.send_invite(leg, media.offer_anew, answered)


def redirect(leg: SofiaLeg, description: str, then: Then | None = None) -> None:
    """Offer a far end what the other one has described."""
    media = leg.media
    if media is None:
        if then is not None:
            then(False)
        return
    reinvite.send_invite(leg, lambda: media.describe_other(description), then)


def same_sound(one: str, other: str) -> bool:
    """Return whether two descriptions differ in nothing but their origin."""
    return _without_origin(one) == _without_origin(other)


def _without_origin(description: str) -> list[str]:
    return [line for line in description.splitlines() if line and not line.startswith("o=")]


def _set(leg: SofiaLeg, *, bypassed: bool) -> None:
    session = leg.session
    if session is None:
        return
    if bypassed:
        session.channel.flags.add(Flag.PROXY_MODE)
    else:
        session.channel.flags.discard(Flag.PROXY_MODE)


def _finish(first: SofiaLeg, second: SofiaLeg | None) -> None:
    """Tell those who wait that the far ends have agreed, or have not."""
    for leg in (first, second):
        session = leg.session if leg is not None else None
        if leg is not None and session is not None:
            what = "bypasses" if is_bypassed(leg) else "has"
            leg.log(LogLevel.DEBUG, f"{session.channel.name} {what} its media")
            session.channel.clear_flag(Flag.REQ_MEDIA)
