"""Offers within a call: re-INVITE and UPDATE from the far end, and those we send (hold, refresh, another codec)."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_sofia.call import session_timer
from host.modules.mod_sofia.call.invite_headers import ALLOW
from host.modules.mod_sofia.call.request_inspection import refuse_content, refuse_extensions
from host.modules.mod_sofia.message import (
    Body,
    Message,
    header_of,
    headers_of,
    sdp_of,
    set_body,
    status_of,
)

if TYPE_CHECKING:
    from host.modules.mod_sofia.call.leg import SofiaLeg
    from host.modules.mod_sofia.profile.profile import Profile

SDP: Final = "application/sdp"
# Answers that say that the far end has forgotten the call (RFC 3261 section 12.2.1.2, RFC 4028 section 10).
GONE: Final = (408, 481)
# How long to wait, in s, before it is looked again whether an INVITE that is under way in the dialog is over.
_BUSY_WAIT: Final = 0.1

Header = tuple[str, str]


def timer_headers(leg: SofiaLeg, request: Message) -> tuple[Header, ...]:
    """Begin the leg's session timer anew as `request` asks; return the headers of the 2xx. IntervalTooSmall."""
    settings = leg.profile.settings
    if not settings.enable_timer:
        return ()
    agreed, headers = session_timer.answer_request(
        header_of(request, "session-expires"),
        header_of(request, "min-se"),
        supported=option_tag(request, "timer"),
        interval=leg.timer.agreed.interval or leg.session_timeout(),
        least=settings.minimum_session_expires,
    )
    leg.timer.begin(agreed)
    return headers


def option_tag(message: Message, tag: str, *names: str) -> bool:
    """Return whether Supported or Require (or the headers `names`) list an option tag (RFC 3261 section 19.2)."""
    for name in names or ("supported", "require"):
        for value in headers_of(message, name):
            if tag in [part.strip().lower() for part in value.split(",")]:
                return True
    return False


def receive_invite(leg: SofiaLeg, request: Message) -> None:
    """Take a re-INVITE: answer its offer, or make one when it has none.

    Refused with 491 while our own is under way, with 500 and Retry-After while an earlier one of theirs is (RFC 3261
    section 14.2), with 488 when nothing fits; the call then goes on as it was.
    """
    profile = leg.profile
    if leg.invite_pending or not leg.confirmed:
        profile.respond(request, 491, "Request Pending")
        return
    if leg.answering is not None:
        _put_off(profile, request)
        return
    if refuse_extensions(profile, request) or refuse_content(profile, request):
        return
    if leg.relay(request):
        return
    sdp, described = _describe(leg, request)
    if not described:
        return
    try:
        headers = timer_headers(leg, request)
    except session_timer.IntervalTooSmall as error:
        refuse_interval(leg, request, error)
        return
    late = sdp_of(request) is None

    def taken(answer: str | None) -> None:
        if late and answer is not None and leg.media is not None and not leg.media.accept(answer):
            leg.log(LogLevel.WARNING, "The answer in an ACK fits no offer of ours")

    accept_invite(leg, request, sdp, headers, taken)


def _put_off(profile: Profile, request: Message) -> None:
    """Refuse an offer that came while an earlier one is open: it may come again, some time later."""
    retry = (("Retry-After", str(random.randint(1, 10))),)
    profile.respond(request, 500, "Server Internal Error", headers=retry)


def refuse_interval(leg: SofiaLeg, request: Message, error: session_timer.IntervalTooSmall) -> None:
    """Refuse a request for its session interval."""
    least = (("Min-SE", str(error.least)),)
    leg.profile.respond(request, 422, "Session Interval Too Small", headers=least)


def accept_invite(
    leg: SofiaLeg,
    request: Message,
    sdp: str,
    headers: tuple[Header, ...],
    taken: Callable[[str | None], object],
) -> None:
    """Answer a re-INVITE with 200; `taken(answer)` is told of the description in the ACK, None without."""
    leg.dialog.take_target(request)
    leg.answering = request

    def acknowledged(ack: Message) -> None:
        leg.answering = None
        taken(sdp_of(ack))
        leg.note_hold()

    def lost() -> None:
        leg.answering = None
        leg.lose_acknowledgement()

    leg.profile.respond(
        request,
        200,
        "OK",
        headers=(("Allow", ALLOW), ("Supported", "timer, replaces"), *headers),
        body=Body(SDP, sdp) if sdp else None,
        contact=leg.contact,
        on_ack=acknowledged,
        on_no_ack=lost,
    )
    leg.note_hold()


def receive_update(leg: SofiaLeg, request: Message) -> None:
    """Take an UPDATE (RFC 3311): an offer, or a mere refresh."""
    profile = leg.profile
    if refuse_content(profile, request):
        return
    body: Body | None = None
    if sdp_of(request) is not None:
        if leg.invite_pending or leg.answering is not None:
            profile.respond(request, 491, "Request Pending")
            return
        if leg.offer_unanswered:  # RFC 3311 section 5.2
            _put_off(profile, request)
            return
        if leg.relay(request):
            return
        sdp, described = _describe(leg, request)
        if not described:
            return
        body = Body(SDP, sdp) if sdp else None
    try:
        headers = timer_headers(leg, request)
    except session_timer.IntervalTooSmall as error:
        refuse_interval(leg, request, error)
        return
    leg.dialog.take_target(request)
    profile.respond(request, 200, "OK", headers=(("Allow", ALLOW), *headers), body=body, contact=leg.contact)
    leg.note_hold()


def _describe(leg: SofiaLeg, request: Message) -> tuple[str, bool]:
    """Return the description for the answer to an offer (or an offer of ours), and whether there is one."""
    media, offer = leg.media, sdp_of(request)
    if media is None:
        leg.profile.respond(request, 488, "Not Acceptable Here")
        return "", False
    if leg.session is not None and offer is not None:
        leg.session.channel.variables.set("sip_reinvite_sdp", offer)
    sdp = media.offer() if offer is None else media.answer(offer)
    if sdp is None:
        leg.profile.respond(request, 488, "Not Acceptable Here", headers=(("Allow", ALLOW),))
        return "", False
    return sdp, True


def send_invite(
    leg: SofiaLeg, offer: Callable[[], str], then: Callable[[bool], object] | None = None
) -> None:
    """Send a re-INVITE with what `offer` returns when it is its turn, in the SIP thread; `then(taken)` is told.

    RFC 3261 section 14.1: after 491 it is sent again a little later; 408 and 481 end the call; after any other refusal
    the media goes on as it was.
    """
    if leg.ended or not leg.confirmed:
        if then is not None:
            then(False)
        return
    if leg.invite_pending or leg.answering is not None:
        leg.stack.call_later(_BUSY_WAIT, lambda: send_invite(leg, offer, then))
        return
    leg.invite_pending = True
    headers = invite_headers(leg)

    def answered(response: Message) -> None:
        code, _ = status_of(response)
        if code < 200:
            return
        leg.invite_pending = False
        if code < 300:
            leg.profile.transactions.sendACK(response.transaction, leg.next_hop())
        elif leg.media is not None:
            leg.media.withdraw()
        if code == 491:
            leg.stack.call_later(_glare_wait(leg), lambda: send_invite(leg, offer, then))
            return
        if code == 422 and _raise_interval(leg, response):
            send_invite(leg, offer, then)
            return
        _finished(leg, response, code, offered=True, then=then)

    sdp = offer()
    leg.log(LogLevel.DEBUG, f"Sending an offer within the call\nLocal SDP:\n{sdp}")
    leg.send("INVITE", headers=headers, body=Body(SDP, sdp), on_response=answered)


def ask_for_offer(
    leg: SofiaLeg,
    then: Callable[[str, Callable[[str], object]], object],
    failed: Callable[[], object],
) -> None:
    """Send a re-INVITE without an offer; `then(offer, acknowledge)` is told of the one in the 2xx.

    It is acknowledged by `acknowledge(answer)`, once. `failed()` is told of any other end; glare is waited for.
    """
    if leg.ended or not leg.confirmed:
        failed()
        return
    if leg.invite_pending or leg.answering is not None:
        leg.stack.call_later(_BUSY_WAIT, lambda: ask_for_offer(leg, then, failed))
        return
    leg.invite_pending = True

    def answered(response: Message) -> None:
        code, _ = status_of(response)
        if code < 200:
            return
        offer = sdp_of(response)
        if code < 300 and offer is not None:
            transaction = response.transaction

            def acknowledge(answer: str) -> None:
                leg.invite_pending = False
                if answer:
                    set_body(transaction.ack, Body(SDP, answer))
                leg.profile.transactions.sendACK(transaction, leg.next_hop())

            _finished(leg, response, code)
            then(offer, acknowledge)
            return
        leg.invite_pending = False
        if code < 300:
            leg.profile.transactions.sendACK(response.transaction, leg.next_hop())
        if code == 491:
            leg.stack.call_later(_glare_wait(leg), lambda: ask_for_offer(leg, then, failed))
        elif code == 422 and _raise_interval(leg, response):
            ask_for_offer(leg, then, failed)
        else:
            _finished(leg, response, code)
            failed()

    leg.send("INVITE", headers=invite_headers(leg), on_response=answered)


def invite_headers(leg: SofiaLeg) -> tuple[Header, ...]:
    """Return the headers of a re-INVITE."""
    return (("Allow", ALLOW), ("Supported", "timer, replaces"), *_refresh_headers(leg))


def send_update(leg: SofiaLeg) -> None:
    """Refresh the session with an UPDATE without a body; one that is not understood becomes a re-INVITE."""

    def answered(response: Message) -> None:
        code, _ = status_of(response)
        if code < 200:
            return
        if code == 491:
            leg.stack.call_later(_glare_wait(leg), lambda: send_update(leg))
        elif code == 422 and _raise_interval(leg, response):
            send_update(leg)
        elif code >= 300 and code not in GONE and leg.media is not None:
            leg.allowed.discard("UPDATE")
            send_invite(leg, leg.media.same_offer)
        else:
            _finished(leg, response, code)

    if not leg.ended:
        headers = (("Supported", "timer"), *_refresh_headers(leg))
        leg.send("UPDATE", headers=headers, on_response=answered)


def _refresh_headers(leg: SofiaLeg) -> tuple[Header, ...]:
    """Return the headers of a request that begins the interval anew: whoever refreshes goes on doing so."""
    timer = leg.timer.agreed
    if not timer.interval:
        return ()
    least = max(leg.profile.settings.minimum_session_expires, leg.least_interval)
    return session_timer.request_headers(timer.interval, least, refresher="uac" if timer.ours else "uas")


def _raise_interval(leg: SofiaLeg, response: Message) -> bool:
    """Take over the least interval that a 422 asks for; False when that is what we have (RFC 4028 section 7.3)."""
    least = leading_int(header_of(response, "min-se") or "")
    timer = leg.timer.agreed
    if least <= timer.interval:
        return False
    leg.timer.agreed = session_timer.Agreed(least, timer.ours)
    leg.least_interval = least
    return True


def _finished(
    leg: SofiaLeg,
    response: Message,
    code: int,
    *,
    offered: bool = False,
    then: Callable[[bool], object] | None = None,
) -> None:
    taken = 200 <= code < 300
    if taken:
        leg.dialog.take_target(response)
        answer = sdp_of(response)
        if offered and leg.media is not None:
            taken = answer is None or leg.media.accept(answer)
            if answer is None or not taken:
                leg.media.withdraw()
        if leg.timer.agreed.interval:
            interval = leg.timer.agreed.interval
            leg.timer.begin(session_timer.accept_response(header_of(response, "session-expires"), interval))
        leg.note_hold()
    elif code in GONE:
        leg.lose_call(code)
    elif offered:
        leg.log(LogLevel.NOTICE, f"An offer of ours was refused with {code}; the media goes on as it was")
    if then is not None:
        then(taken)


def _glare_wait(leg: SofiaLeg) -> float:
    """Return how long to wait after a 491, in s: the one who owns the Call-ID waits longer (RFC 3261 section 14.1)."""
    if leg.owns_call_id:
        return random.uniform(2.1, 4.0)
    return random.uniform(0.0, 2.0)
