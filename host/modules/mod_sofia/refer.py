"""REFER (RFC 3515): transfers that the far end asks for, and those we ask it for, with their NOTIFYs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.hangup_cause import HangupCause
from host.ivr.uuid_bridge import uuid_bridge
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_sofia.message import (
    Body,
    Message,
    body_of,
    cseq_of,
    from_of,
    header_of,
    status_of,
    uri_user,
)
from host.modules.mod_sofia.transfer import Transfer, parse_refer_to
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_sofia.leg import SofiaLeg
    from host.session import Session

SIPFRAG: Final = "message/sipfrag;version=2.0"
_ACCEPTED: Final = "SIP/2.0 200 OK\r\n"
_REFUSED: Final = "SIP/2.0 403 Forbidden\r\n"
_BUSY: Final = "SIP/2.0 503 Service Unavailable\r\n"


@dataclass(slots=True)
class Referral:
    """A REFER of ours that is under way: what its far end has told of it so far."""

    status: int = 0


# -- asked by the far end ----------------------------------------------------------------------------------------


def receive_refer(leg: SofiaLeg, request: Message) -> None:
    """Answer 202, transfer, and tell how it went. FreeSWITCH: `disable-transfer` refuses with 403."""
    profile, session = leg.profile, leg.session
    value = header_of(request, "refer-to") or ""
    if profile.settings.disable_transfer or session is None:
        profile.respond(request, 403, "Forbidden")
        return
    try:
        target = parse_refer_to(value)
    except ValueError:
        session.channel.log(LogLevel.ERR, "Missing Refer-To")
        profile.respond(request, 400, "Bad Refer-To")
        return
    profile.respond(request, 202, "Accepted", headers=(("Expires", "60"),), contact=leg.contact)
    event = f"refer;id={cseq_of(request)[0]}"
    variables = session.channel.variables
    variables.set("_sofia_replaces_", None)
    if target.params:
        variables.set("sip_refer_to_params", target.params)
    variables.set("transfer_disposition", "recv_replace")
    session.channel.log(LogLevel.DEBUG, f"Process REFER to [{target.user}@{target.host}]")

    def told(done: bool | None) -> None:
        leg.referred = False
        if done is not None:
            notify(leg, event, _ACCEPTED if done else _REFUSED)
        leg.end_later()

    transfer = Transfer(
        leg,
        session,
        target,
        value,
        header_of(request, "referred-by") or "",
        event,
        uri_user(from_of(request).url),
        told=lambda done: leg.stack.call(lambda: told(done)),
    )
    leg.referred = True
    if not leg.stack.work(transfer.run):
        leg.referred = False
        notify(leg, event, _BUSY)


def notify(leg: SofiaLeg, event: str, fragment: str) -> None:
    """Tell the one who sent a REFER how the call he asked for fares, for the last time."""
    if not leg.ended:
        leg.send(
            "NOTIFY",
            headers=(("Event", event), ("Subscription-State", "terminated;reason=noresource")),
            body=Body(SIPFRAG, fragment),
        )


def confirm_transfer(leg: SofiaLeg, session: Session, argument: str) -> None:
    """Tell the far end how a transfer ended that was to be confirmed: `true`, `false`, or a fragment of its own.

    FreeSWITCH: a leg whose transfer is a success is hung up with BLIND_TRANSFER; else it is bridged again.
    """
    variables = session.channel.variables
    event, uuid = variables.get("sip_blind_transfer_event"), variables.get("blind_transfer_uuid")
    if argument.upper().startswith("SIP/"):
        leg.stack.call(lambda: notify(leg, "refer", argument))
        session.channel.hangup(HangupCause.BLIND_TRANSFER)
        return
    if not event or not uuid:
        return
    done = is_true(argument)
    fragment = _ACCEPTED if done else _REFUSED
    other = session.switch.find_session(uuid)
    if not done and other is not None:
        status = other.channel.variables.get("sip_invite_failure_status")
        phrase = other.channel.variables.get("sip_invite_failure_phrase")
        if status:
            fragment = f"SIP/2.0 {status} {phrase or status}\r\n"
    leg.stack.call(lambda: notify(leg, event, fragment))
    variables.set("blind_transfer_uuid", None)
    if done:
        session.channel.hangup(HangupCause.BLIND_TRANSFER)
    elif other is not None:
        uuid_bridge(session, other)


# -- asked by us -------------------------------------------------------------------------------------------------


def send_refer(leg: SofiaLeg, session: Session, argument: str) -> None:
    """Ask the far end to call `argument` (a SIP URI, or a number at its own host) instead of us (deflect)."""
    target = argument.strip().split(" ", 1)[0]
    if not target.startswith("<"):
        uri = target if target.lower().startswith(("sip:", "sips:", "tel:")) else f"sip:{target}"
        if "@" not in uri and not uri.startswith("tel:"):
            uri += f"@{leg.dialog.remote_target.rpartition('@')[2].partition(';')[0]}"
        target = f"<{uri}>"
    referred_by = f"<{leg.contact_uri()}>"
    session.channel.variables.set("sip_refer_reply", None)

    def answered(response: Message) -> None:
        code, _ = status_of(response)
        session.channel.variables.set("sip_refer_status_code", str(code))
        if code >= 300:
            leg.referral = None
            session.channel.log(LogLevel.WARNING, f"REFER was answered {code}")
            session.channel.changed()

    leg.referral = Referral()

    def send() -> None:
        headers = (("Refer-To", target), ("Referred-By", referred_by))
        leg.send("REFER", headers=headers, on_response=answered)

    leg.stack.call(send)


def receive_notify(leg: SofiaLeg, request: Message) -> None:
    """Take what the far end tells of our REFER; other NOTIFYs go to whoever handles those outside of calls."""
    event = (header_of(request, "event") or "").partition(";")[0].strip().lower()
    session = leg.session
    if event != "refer":
        handler = leg.sofia.handlers.get("NOTIFY")
        if handler is not None:
            handler(leg.profile, request)
        else:
            leg.profile.respond(request, 200, "OK")
        return
    leg.profile.respond(request, 200, "OK")
    body = body_of(request)
    if session is None or body is None:
        return
    words = body.text.split(None, 2)
    status = leading_int(words[1]) if len(words) > 1 else 0
    variables = session.channel.variables
    variables.set("sip_refer_reply", body.text)
    variables.set(
        "sip_refer_target_provisional_status_code" if status < 200 else "sip_refer_target_status_code",
        str(status),
    )
    if leg.referral is not None:
        leg.referral.status = status
    terminated = (header_of(request, "subscription-state") or "").lower().startswith("terminated")
    if terminated or status >= 200:
        leg.referral = None
        if 200 <= status < 300:
            session.channel.hangup(HangupCause.BLIND_TRANSFER)
        session.channel.changed()
