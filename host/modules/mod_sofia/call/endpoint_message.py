"""What the switch asks of a SIP leg by messages: hold, deflect, redirect, display, info, and so on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.channel_watch import wait_until
from host.clock import SECOND
from host.hangup_cause import HangupCause
from host.ivr.hold import hold_refused
from host.log import LogLevel
from host.modules.mod_sofia.call import bypass, refer, reinvite
from host.modules.mod_sofia.call.invite_headers import FS_SUPPORT
from host.modules.mod_sofia.message import Body, quoted_display
from host.modules.mod_sofia.sip_cause import status_cause, status_phrase
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_sofia.call.leg import SofiaLeg
    from host.session import Session

# FreeSWITCH: how long a call waits to be told how its REFER fared before it goes on, in µs.
_REFER_WAIT: Final = 10 * SECOND


def take_message(leg: SofiaLeg, session: Session, kind: str, argument: str) -> bool:
    """Do what a message says; False for one that means nothing to a SIP leg. Called in any thread."""
    handler = _HANDLERS.get(kind)
    return handler is not None and handler(leg, session, argument)


def _hold(leg: SofiaLeg, session: Session, argument: str) -> bool:
    return _set_hold(leg, session, held=True)


def _unhold(leg: SofiaLeg, session: Session, argument: str) -> bool:
    return _set_hold(leg, session, held=False)


def _set_hold(leg: SofiaLeg, session: Session, *, held: bool) -> bool:
    """Offer the far end to hear nothing and say nothing (`sofia_hold_inactive`: neither), or both again."""
    media = leg.media
    if media is None or not session.channel.answered:
        return False
    inactive = is_true(session.channel.get_variable("sofia_hold_inactive"))

    def offer() -> str:
        return media.hold_offer(inactive=inactive) if held else media.resume_offer()

    def answered(taken: bool) -> None:
        if not taken:
            session.run_in_session(lambda call: hold_refused(call, held=held))

    leg.stack.call(lambda: reinvite.send_invite(leg, offer, answered))
    return True


def _redirect(leg: SofiaLeg, session: Session, argument: str) -> bool:
    """Answer a call that is not answered with 302 and these contacts, `,` between them; deflect an answered one."""
    if session.channel.answered:
        return _deflect(leg, session, argument)
    contacts = []
    for part in argument.split(","):
        text = part.strip()
        if not text:
            continue
        if "sip:" not in text.lower() and "sips:" not in text.lower():
            place = leg.profile.settings.sip_ip
            text = f"sip:{text}" if "@" in text else f"sip:{text}@{place}"
        contacts.append(text if "<" in text else f"<{text}>")
    code = 300 if len(contacts) > 1 else 302
    reason = "Multiple Choices" if code == 300 else "Moved Temporarily"
    session.channel.variables.set("sip_redirect_contact", ", ".join(contacts) or None)
    leg.refuse(code, reason, tuple(("Contact", contact) for contact in contacts))
    session.channel.hangup(HangupCause.REDIRECTION_TO_NEW_DESTINATION)
    return True


def _deflect(leg: SofiaLeg, session: Session, argument: str) -> bool:
    if not argument or not session.channel.answered:
        return False
    refer.send_refer(leg, session, argument)
    if session.in_own_thread:
        channel = session.channel
        wait_until(
            session.clock,
            lambda: leg.referral is None or channel.down,
            channel,
            deadline=session.clock.now() + _REFER_WAIT,
        )
    return True


def _respond(leg: SofiaLeg, session: Session, argument: str) -> bool:
    """Refuse with `CODE [reason]`, or make a provisional or final answer of it."""
    number, _, reason = argument.strip().partition(" ")
    code = int(number) if number.isdigit() else 0
    if not 100 <= code <= 699 or session.channel.answered:
        session.channel.log(LogLevel.WARNING, f"Cannot respond with {argument!r}")
        return False
    phrase = reason or status_phrase(code)
    if code == 180:
        session.ring_ready()
    elif code == 183:
        session.pre_answer()
    elif 200 <= code < 300:
        session.answer()
    elif code >= 300:
        leg.refuse(code, phrase, ())
        session.channel.hangup(status_cause(code))
    else:
        leg.stack.call(lambda: leg.provisional(code, phrase))
    return True


def _display(leg: SofiaLeg, session: Session, argument: str) -> bool:
    """Tell the far end whom it speaks with (`name|number`): an INFO for those that said they take it, else UPDATE."""
    name, _, number = argument.partition("|")
    settings = leg.profile.settings
    if not name or not settings.send_display_update:
        return True
    number = number or name
    profile = session.channel.profile
    if session.channel.outbound:
        profile.caller_id_name, profile.caller_id_number = name, number
    else:
        profile.callee_id_name, profile.callee_id_number = name, number
    identity = f"{quoted_display(name)}<sip:{number}@{settings.sip_ip}>"
    headers = (
        ("P-Asserted-Identity", identity),
        ("X-FS-Display-Name", name),
        ("X-FS-Display-Number", number),
    )
    support = (session.channel.variables.get("sip_remote_fs_support") or "").lower()
    if session.channel.answered and "update_display" in support:
        leg.stack.call(lambda: leg.send("INFO", headers=(*headers, ("X-FS-Support", FS_SUPPORT)), body=None))
    elif session.channel.answered and leg.allows("UPDATE"):
        leg.stack.call(lambda: leg.send("UPDATE", headers=headers))
    return True


def _info(leg: SofiaLeg, session: Session, argument: str) -> bool:
    """Send an INFO with a text; its type and subtype may stand before it, a line each (FreeSWITCH: freeswitch/data)."""
    parts = argument.split("\n", 2)
    body = Body(f"{parts[0]}/{parts[1]}", parts[2]) if len(parts) == 3 else Body("freeswitch/data", argument)
    leg.stack.call(lambda: leg.send("INFO", body=body))
    return True


def _chat(leg: SofiaLeg, session: Session, argument: str) -> bool:
    leg.stack.call(lambda: leg.send("MESSAGE", body=Body("text/plain", argument)))
    return True


def _renegotiate(leg: SofiaLeg, session: Session, argument: str) -> bool:
    """Offer the media anew, with the codecs `argument` names (uuid_media_reneg)."""
    media = leg.media
    if media is None or not session.channel.answered:
        return False
    preferences = argument.lstrip("=") or None
    leg.stack.call(lambda: reinvite.send_invite(leg, lambda: media.offer(preferences)))
    return True


def _out(leg: SofiaLeg, session: Session, argument: str) -> bool:
    """Have this far end and that of the leg `argument` send their sound to each other (`uuid_media off`)."""
    return _leave(leg, session, argument, bypass.take_out)


def _out_3p(leg: SofiaLeg, session: Session, argument: str) -> bool:
    return _leave(leg, session, argument, bypass.take_out_by_third_party)


def _leave(
    leg: SofiaLeg, session: Session, argument: str, take_out: Callable[[SofiaLeg, SofiaLeg], object]
) -> bool:
    partner = session.switch.find_session(argument)
    other = bypass.leg_of(partner)
    if partner is None or other is None or not (session.channel.answered and partner.channel.answered):
        return False
    for one in (leg, other):
        if one.media is not None and one.media.secure:
            # FreeSWITCH's words; keys are between each far end and this host
            session.channel.log(
                LogLevel.ERR, f"Cannot bypass {session.channel.name} due to secure connection."
            )
            return False
    _await(leg, other)
    leg.stack.call(lambda: take_out(leg, other))
    return True


def _back(leg: SofiaLeg, session: Session, argument: str) -> bool:
    """Have sound pass here again, also that of the leg `argument` (`uuid_media`)."""
    return _come_back(leg, session, argument, answered=False)


def _back_answered(leg: SofiaLeg, session: Session, argument: str) -> bool:
    return _come_back(leg, session, argument, answered=True)


def _come_back(leg: SofiaLeg, session: Session, argument: str, *, answered: bool) -> bool:
    other = bypass.leg_of(session.switch.find_session(argument))
    if not session.channel.answered:
        if not session.channel.outbound:
            session.channel.flags.discard(Flag.PROXY_MODE)  # what we describe when we answer is ours
        return not session.channel.outbound
    _await(leg, other)
    leg.stack.call(lambda: bypass.take_in(leg, other, answered=answered))
    return True


def _await(*legs: SofiaLeg | None) -> None:
    for leg in legs:
        if leg is not None and leg.session is not None:
            leg.session.channel.flags.add(Flag.REQ_MEDIA)


def _release(leg: SofiaLeg, session: Session, argument: str) -> bool:
    """Give the ports of a call back whose sound passes elsewhere."""
    if leg.media is not None and leg.media.bypassed:
        leg.media.release()
    return True


def _phone_event(leg: SofiaLeg, session: Session, argument: str) -> bool:
    """Have the phone itself answer or hold (`talk`, `hold`): a NOTIFY of that event."""
    event = argument.strip() or "talk"
    headers = (("Event", event), ("Subscription-State", "active"))
    leg.stack.call(lambda: leg.send("NOTIFY", headers=headers))
    return True


def _acknowledge(leg: SofiaLeg, session: Session, argument: str) -> bool:
    return True  # the INVITE was answered with 100 when it came


def _media_stats(leg: SofiaLeg, session: Session, argument: str) -> bool:
    if leg.media is None:
        return False
    leg.media.report(session.channel.variables)
    return True


def _jitter_buffer(leg: SofiaLeg, session: Session, argument: str) -> bool:
    return leg.media is not None and leg.media.set_jitter_buffer(argument)


def _transfer_response(leg: SofiaLeg, session: Session, argument: str) -> bool:
    refer.confirm_transfer(leg, session, argument)
    return True


_HANDLERS: Final[dict[str, Callable[[SofiaLeg, Session, str], bool]]] = {
    "hold": _hold,
    "unhold": _unhold,
    "redirect": _redirect,
    "deflect": _deflect,
    "respond": _respond,
    "display": _display,
    "info": _info,
    "chat": _chat,
    "message": _chat,
    "phone_event": _phone_event,
    "media_reneg": _renegotiate,
    "nomedia": _out,
    "nomedia_3p": _out_3p,
    "media": _back,
    "media_3p": _back,
    "media_answered": _back_answered,
    "release_media": _release,
    "bridge": _release,
    "acknowledge_call": _acknowledge,
    "media_stats": _media_stats,
    "jitter_buffer": _jitter_buffer,
    "blind_transfer_response": _transfer_response,
}
