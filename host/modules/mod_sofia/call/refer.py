"""REFER (RFC 3515): transfers that the far end asks for, and those we ask it for, with their NOTIFYs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.event import Event
from host.hangup_cause import HangupCause
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_sofia.call.refer_to import ReferTo, parse_refer_to
from host.modules.mod_sofia.call.transfer import Transfer
from host.modules.mod_sofia.message import (
    Body,
    Message,
    NameAddress,
    body_of,
    call_id_of,
    contact_of,
    cseq_of,
    from_of,
    header_of,
    status_of,
    tag_of,
    to_of,
    uri_host,
    uri_user,
)
from host.truth import is_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from host.modules.mod_sofia.call.leg import SofiaLeg
    from host.session import Session

SIPFRAG: Final = "message/sipfrag;version=2.0"
_ACCEPTED: Final = "SIP/2.0 200 OK\r\n"
_REFUSED: Final = "SIP/2.0 403 Forbidden\r\n"
# FreeSWITCH: how long a call waits to be told how its REFER fared, in s.
_REFER_WAIT: Final = 10.0
_BUSY: Final = "SIP/2.0 503 Service Unavailable\r\n"


class Referral:
    """A REFER of ours that is under way."""


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
    release = _hold_back(leg, target)

    def run() -> None:
        try:
            transfer.run()
        finally:
            leg.stack.call(release)

    if not leg.stack.work(run):
        leg.referred = False
        notify(leg, event, _BUSY)
        release()


def _hold_back(leg: SofiaLeg, target: ReferTo) -> Callable[[], None]:
    """Let ends of the calls that a transfer is about wait for it: a phone may leave as soon as it has its 202."""
    replaced = leg.sofia.find_dialog(*target.replaced_dialog) if target.replaces else None
    legs = [one for one in (leg, replaced) if one is not None and one.held_back is None]
    for one in legs:
        one.held_back = []

    def release() -> None:
        for one in legs:
            waiting, one.held_back = one.held_back or [], None
            for end in waiting:
                end()

    return release


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

    FreeSWITCH: with a fragment of its own the leg is hung up; one whose transfer is a success waits for its far end to
    do so; after a failure it takes back the one whom it has transferred.
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
    if not done:
        session.transfer(f"intercept:{uuid}", "inline")


# -- asked by us -------------------------------------------------------------------------------------------------


def send_refer(leg: SofiaLeg, session: Session, argument: str) -> None:
    """Ask the far end to call `argument` (a SIP URI, or a number at its own host) instead of us (deflect).

    FreeSWITCH: the leg is hung up with BLIND_TRANSFER when the far end has told how that ended, whatever it told, or
    after 10 s; not with `sip_refer_continue_after_reply`.
    """
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
            session.channel.log(LogLevel.WARNING, f"REFER was answered {code}")

    referral = leg.referral = Referral()

    def give_up() -> None:
        if leg.referral is referral:
            _end_referral(leg, session)

    def send() -> None:
        headers = (("Refer-To", target), ("Referred-By", referred_by))
        leg.send("REFER", headers=headers, on_response=answered)
        leg.stack.call_later(_REFER_WAIT, give_up)

    leg.stack.call(send)


def _end_referral(leg: SofiaLeg, session: Session) -> None:
    leg.referral = None
    if not session.channel.is_true("sip_refer_continue_after_reply"):
        session.channel.hangup(HangupCause.BLIND_TRANSFER)
    session.channel.changed()


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
    _tell_notify(session, request, body)
    words = body.text.split(None, 2)
    status = leading_int(words[1]) if len(words) > 1 else 0
    variables = session.channel.variables
    if 0 < status < 200:
        variables.set("sip_refer_target_provisional_status_code", str(status))
        return
    variables.set("sip_refer_target_status_code", str(status))
    variables.set("sip_refer_reply", body.text)
    if status == 200 or leg.referral is not None:
        _end_referral(leg, session)


def _tell_notify(session: Session, request: Message, body: Body) -> None:
    """Fire the event of a NOTIFY that tells how a REFER fares."""
    event = Event("CUSTOM", "sofia::notify_refer")
    contact = contact_of(request)
    state, _, params = (header_of(request, "subscription-state") or "").partition(";")
    package, _, number = (header_of(request, "event") or "").partition(";id=")
    near, far = to_of(request), from_of(request)
    told = [
        ("content-type", body.content_type),
        ("event-package", package.partition(";")[0].strip()),
        ("event-id", number.partition(";")[0].strip()),
        ("contact", _address(contact) if contact is not None else ""),
        ("from", _address(far)),
        ("from-tag", tag_of(far)),
        ("to", _address(near)),
        ("to-tag", tag_of(near)),
        ("call-id", call_id_of(request)),
        ("subscription-substate", state.strip()),
        *(
            (f"subscription-{name.strip()}", value.strip())
            for name, _, value in (part.partition("=") for part in params.split(";"))
            if name.strip() in ("reason", "retry-after", "expires")
        ),
        ("UniqueID", session.uuid),
    ]
    event.add_headers((name, value) for name, value in told if value)
    event.body = body.text
    session.switch.fire(event)


def _address(address: NameAddress) -> str:
    return f"{uri_user(address.url)}@{uri_host(address.url)}"
