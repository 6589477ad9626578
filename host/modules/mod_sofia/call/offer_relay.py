"""Offers within a call whose sound passes from far end to far end: they go on to the other one, and its answer back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from host.channel import Flag
from host.ivr.hold import note_hold_passed_on
from host.ivr.media_path import media_on
from host.ivr.uuid_bridge import partner_of
from host.log import LogLevel
from host.modules.mod_sofia.call import bypass, reinvite, session_timer
from host.modules.mod_sofia.call.invite_headers import ALLOW
from host.modules.mod_sofia.message import Body, Message, method_of, sdp_of, status_of
from host.modules.mod_sofia.sip_cause import status_phrase

if TYPE_CHECKING:
    from host.modules.mod_sofia.call.leg import SofiaLeg
    from host.modules.mod_sofia.call.reinvite import Header
    from host.session import Session

# FreeSWITCH: an offer with one of these puts on hold.
_HOLDING: Final = ("sendonly", "0.0.0.0", "inactive")
_RESUME: Final = "resume-media-on-hold"


def relay(leg: SofiaLeg, request: Message) -> bool:
    """Pass the offer of a re-INVITE or UPDATE on; False where it is to be answered here."""
    session, media = leg.session, leg.media
    if session is None or media is None or not bypass.is_bypassed(leg):
        return False
    other = bypass.leg_of(partner_of(session))
    if other is None or not bypass.is_bypassed(other) or other.media is None:
        session.channel.log(LogLevel.WARNING, "Re-INVITE to a no-media channel that is not in a bridge.")
        if not media.open():
            return False
        session.channel.flags.discard(Flag.PROXY_MODE)
        return False
    try:
        headers = reinvite.timer_headers(leg, request)
    except session_timer.IntervalTooSmall as error:
        reinvite.refuse_interval(leg, request, error)
        return True
    offer = sdp_of(request)
    if offer is None:
        _offer_the_other(leg, request, headers, other)
    elif offer == media.remote_description:
        _answer(leg, request, headers, media.last_description)
    elif other.invite_pending or other.answering is not None or not other.confirmed:
        leg.profile.respond(request, 491, "Request Pending")
    elif not _take_in_on_hold(leg, session, request, offer, headers):
        _PassedOffer(leg, other, request, offer, headers).send()
    return True


def _answer(leg: SofiaLeg, request: Message, headers: tuple[Header, ...], description: str) -> None:
    if method_of(request) == "UPDATE":
        leg.dialog.take_target(request)
        leg.profile.respond(
            request,
            200,
            "OK",
            headers=(("Allow", ALLOW), *headers),
            body=Body(reinvite.SDP, description),
            contact=leg.contact,
        )
    else:
        reinvite.accept_invite(leg, request, description, headers, lambda _: None)


def _offer_the_other(leg: SofiaLeg, request: Message, headers: tuple[Header, ...], other: SofiaLeg) -> None:
    """Answer an INVITE without an offer: the other far end's description is one, its answer goes there if it is new."""
    media = leg.media
    assert media is not None

    def taken(answer: str | None) -> None:
        if answer is None or bypass.same_sound(answer, media.remote_description):
            return
        media.note_remote(answer)
        if not other.ended:
            bypass.redirect(other, answer)

    reinvite.accept_invite(leg, request, media.last_description, headers, taken)


def _take_in_on_hold(
    leg: SofiaLeg, session: Session, request: Message, offer: str, headers: tuple[Header, ...]
) -> bool:
    """Answer an offer of hold here and have all sound pass here, so that there is music; False where it is not wanted.

    FreeSWITCH: `media-option` resume-media-on-hold, or `bypass_media_resume_on_hold`.
    """
    channel, media = session.channel, leg.media
    wanted = _RESUME in leg.profile.settings.media_option or channel.is_true("bypass_media_resume_on_hold")
    if not wanted or "m=image" in offer or not any(word in offer for word in _HOLDING):
        return False
    if media is None or not media.open():
        return False
    channel.flags.discard(Flag.PROXY_MODE)
    answer = media.answer(offer)
    channel.flags.add(Flag.PROXY_MODE)
    if answer is None:
        media.release()
        return False
    # Both calls are bridged again, which makes them active: the hold is noted behind that.
    leg.taken_in = True
    _answer(leg, request, headers, answer)

    def run() -> None:
        taken = media_on(session, rebridge=True, answered=True)
        leg.stack.call(lambda: note_hold(taken))

    def note_hold(taken: bool) -> None:
        leg.taken_in = False
        if taken:
            leg.note_hold()
        elif channel.up:
            media.release()

    session.clock.spawn(run, "media-on-hold")
    return True


class _PassedOffer:
    """An offer of one far end on its way to the other."""

    def __init__(
        self, leg: SofiaLeg, other: SofiaLeg, request: Message, offer: str, headers: tuple[Header, ...]
    ) -> None:
        self._leg = leg
        self._other = other
        self._request = request
        self._offer = offer
        self._headers = headers
        self._transaction: Any = None
        self._cancelled = False

    def send(self) -> None:
        """Offer it to the other far end."""
        leg, other = self._leg, self._other
        leg.log(LogLevel.DEBUG, f"Passing SDP to other leg.\n{self._offer}")
        leg.answering = self._request
        other.invite_pending = True
        if method_of(self._request) == "INVITE":
            leg.profile.respond(self._request, 100, "Trying")
            transaction: Any = self._request.transaction
            transaction.cancel_cb = lambda rtime, cancel: self._cancel()
        assert other.media is not None
        other.send(
            "INVITE",
            headers=reinvite.invite_headers(other),
            body=Body(reinvite.SDP, other.media.describe_other(self._offer)),
            on_response=self._answered,
            started=self._started,
        )

    def _started(self, transaction: Any) -> None:
        self._transaction = transaction

    def _cancel(self) -> None:
        """The far end takes its offer back; sippy has answered it with 487."""
        self._cancelled = True
        self._leg.answering = None
        if self._transaction is not None:
            self._other.profile.transactions.cancel(self._transaction)

    def _answered(self, response: Message) -> None:
        code, _ = status_of(response)
        if code < 200:
            return
        leg, other = self._leg, self._other
        other.invite_pending = False
        if not self._cancelled:
            leg.answering = None
        if code < 300:
            other.profile.transactions.sendACK(response.transaction, other.next_hop())
            other.dialog.take_target(response)
            self._accepted(sdp_of(response))
            return
        if other.media is not None:
            other.media.withdraw()
        if not self._cancelled and not leg.ended:
            # FreeSWITCH: 415 is told as 488; that the other far end knows its call no more is not this one's.
            code = 488 if code == 415 else 500 if code in reinvite.GONE else code
            leg.profile.respond(self._request, code, status_phrase(code))
        if status_of(response)[0] in reinvite.GONE:
            other.lose_call(status_of(response)[0])

    def _accepted(self, answer: str | None) -> None:
        leg, other = self._leg, self._other
        assert leg.media is not None and other.media is not None
        if answer:
            other.media.note_remote(answer)
        if leg.ended or other.ended:
            return
        if self._cancelled or not bypass.is_bypassed(leg):
            bypass.redirect(other, leg.media.remote_description)  # what holds is what was before
            return
        leg.media.note_remote(self._offer)
        if leg.session is not None:
            held = "sendonly" in self._offer and "inactive" not in self._offer
            leg.session.run_in_session(lambda call: note_hold_passed_on(call, held))
        text = leg.media.describe_other(answer) if answer else leg.media.last_description
        _answer(leg, self._request, self._headers, text)
