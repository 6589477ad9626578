"""Requests within a call, but for those that change its media: BYE, INFO, OPTIONS, NOTIFY, and where the rest goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.hangup_cause import HangupCause
from host.inbox import Digit
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_sofia.call import refer, reinvite
from host.modules.mod_sofia.call.call_variables import passed_headers
from host.modules.mod_sofia.call.invite_headers import ALLOW, extra_headers
from host.modules.mod_sofia.call.partner import copy_to_partner, tell_partner
from host.modules.mod_sofia.message import Message, all_headers, body_of, header_of, method_of
from host.modules.mod_sofia.sip_cause import reason_cause

if TYPE_CHECKING:
    from host.modules.mod_sofia.call.leg import SofiaLeg
    from host.session import Session

# FreeSWITCH: a digit of INFO without a duration lasts so many samples at 8 kHz.
_DEFAULT_DURATION: Final = 2000
# FreeSWITCH: what digits of Nortel's phones last, which tell no duration.
_NORTEL_DURATION: Final = 100
_NORTEL: Final = "application/vnd.nortelnetworks.digits"
_DIGITS: Final = ("application/dtmf-relay", "application/dtmf", _NORTEL)

# Headers of BYE that FreeSWITCH keeps by names of its own.
_BYE_VARIABLES: Final = (
    ("server", "sip_user_agent"),
    ("user-agent", "sip_user_agent"),
    ("rtp-txstat", "sip_rtp_txstat"),
    ("rtp-rxstat", "sip_rtp_rxstat"),
    ("p-rtp-stat", "sip_p_rtp_stat"),
)


def receive(leg: SofiaLeg, request: Message) -> None:
    """Answer a request of the leg's dialog."""
    handler = _HANDLERS.get(method_of(request))
    if handler is not None:
        handler(leg, request)
        return
    outside = leg.sofia.handlers.get(method_of(request))
    if outside is not None:
        outside(leg.profile, request)
    else:
        leg.profile.respond(request, 501, "Not Implemented", headers=(("Allow", ALLOW),))


def _bye(leg: SofiaLeg, request: Message) -> None:
    """Take a BYE. FreeSWITCH: its Reason decides the cause, its headers and those of `sip_bye_h_` go both ways."""
    if leg.held_back is not None:
        leg.held_back.append(lambda: _bye(leg, request))
        return
    session = leg.session
    headers: list[tuple[str, str]] = []
    cause = reason_cause(header_of(request, "reason"), leg.profile.settings.username)
    if session is not None:
        variables = session.channel.variables
        headers = extra_headers(dict(variables.items()), "sip_bye_h_")
        reason = header_of(request, "reason")
        if reason:
            variables.set("sip_reason", reason)
            tell_partner(session, ("sip_reason", reason))
        body = body_of(request)
        if body is not None:
            variables.set("sip_bye_content_type", body.content_type)
            variables.set("sip_bye_payload", body.text)
        for name, value in passed_headers(request, "sip_bye_h_"):
            variables.set(name, value)
        copy_to_partner(session, "sip_bye_h_")
        for name, variable in _BYE_VARIABLES:
            value_of = header_of(request, name)
            if value_of:
                variables.set(variable, value_of)
    leg.profile.respond(request, 200, "OK", headers=headers)
    if leg.answering is not None:
        leg.profile.transactions.end_waiting_for_ack(leg.answering)
        leg.answering = None
    leg.end_early()
    leg.finish()
    leg.lose(cause or HangupCause.NORMAL_CLEARING, 200, "recv_bye")


def _info(leg: SofiaLeg, request: Message) -> None:
    """Take a digit, or tell what came with the event RECV_INFO (FreeSWITCH: any other INFO, too, is answered 200)."""
    leg.profile.respond(request, 200, "OK")
    session = leg.session
    body = body_of(request)
    if session is None:
        return
    kind = body.content_type if body is not None else ""
    if body is not None and kind in _DIGITS:
        digit, duration = parse_dtmf(kind, body.text)
        if digit and takes_digits(leg, session):
            _take_digit(session, Digit(digit, duration, "ENDPOINT"))
        elif digit:
            session.channel.log(
                LogLevel.WARNING,
                f"IGNORE INFO DTMF({digit}) (This channel was not configured to use INFO DTMF!)",
            )
        return
    headers = [(f"SIP-{name.title()}", value) for name, value in all_headers(request) if name != "via"]
    event = session.event("RECV_INFO")
    event.add_headers(headers)
    if body is not None:
        event.add_header("Content-Type", kind)
        event.body = body.text
    session.switch.fire(event)


def _take_digit(session: Session, digit: Digit) -> None:
    """Hand a digit on. FreeSWITCH: of a call whose sound passes elsewhere, to the one that it is bridged with."""
    partner = session.switch.find_session(session.partner or "")
    if Flag.PROXY_MODE in session.channel.flags and partner is not None:
        partner.send_digit(digit)
    else:
        session.receive_digit(digit)


def takes_digits(leg: SofiaLeg, session: Session) -> bool:
    """Whether digits of INFO count. FreeSWITCH: where `dtmf_type` is info, or digits are taken liberally."""
    settings, channel = leg.profile.settings, session.channel
    kind = (channel.get_variable("dtmf_type") or settings.dtmf_type).lower()
    return kind == "info" or settings.liberal_dtmf or channel.is_true("rtp_liberal_dtmf")


def parse_dtmf(content_type: str, text: str) -> tuple[str, int]:
    """Return the digit and its duration in samples at 8 kHz that an INFO carries; no digit for what is none."""
    digit, duration = "", _DEFAULT_DURATION
    if content_type == "application/dtmf":
        digit = text.strip()[:2]
    elif content_type == _NORTEL:
        digit, duration = text.lower().partition("d=")[2].split("\n")[0].strip(), _NORTEL_DURATION
    else:
        for line in text.splitlines():
            name, _, value = line.partition("=")
            if name.strip().lower() == "signal":
                digit = value.strip()
            elif name.strip().lower() == "duration":
                duration = leading_int(value.strip()) * 8 or _DEFAULT_DURATION
    digit = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D", "16": "F"}.get(digit, digit)
    return (digit.upper() if len(digit) == 1 and digit.upper() in "0123456789*#ABCDF" else "", duration)


def _options(leg: SofiaLeg, request: Message) -> None:
    leg.profile.respond(request, 200, "OK", headers=(("Allow", ALLOW), ("Accept", "application/sdp")))


def _message(leg: SofiaLeg, request: Message) -> None:
    handler = leg.sofia.handlers.get("MESSAGE")
    if handler is None:
        leg.profile.respond(request, 501, "Not Implemented")
        return
    request.session_uuid = leg.session.uuid if leg.session is not None else ""
    handler(leg.profile, request)


_HANDLERS: Final[dict[str, Callable[[SofiaLeg, Message], None]]] = {
    "BYE": _bye,
    "INFO": _info,
    "OPTIONS": _options,
    "MESSAGE": _message,
    "INVITE": reinvite.receive_invite,
    "UPDATE": reinvite.receive_update,
    "REFER": refer.receive_refer,
    "NOTIFY": refer.receive_notify,
    "PRACK": lambda leg, request: leg.receive_prack(request),
}
