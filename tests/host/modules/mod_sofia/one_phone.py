"""A phone in a call with the host: one that it has placed, or one that comes to it."""

from __future__ import annotations

from host.session import Session
from tests.host.modules.mod_sofia.sip_phone import Dialog, SipMessage, SipPhone
from tests.host.modules.mod_sofia.two_profiles import Rig


def talking(
    rig: Rig, phone: SipPhone, *extra: str, number: str = "answer", body: str | None = None
) -> tuple[Session, Dialog]:
    """Return a call from the phone that is answered: our leg, and the phone's view; `extra` are header lines."""
    call = phone.invite(number, *extra, body=body)
    call.ack(phone.wait(200))
    theirs = rig.leg("inbound")
    rig.wait(lambda: theirs.channel.answered)
    return theirs, call


def called(rig: Rig, phone: SipPhone, variables: str = "") -> Session:
    """Have the phone called; return our leg."""
    rig.api(f"bgapi originate {variables}sofia/far/phone@127.0.0.1:{phone.port} &park")
    return rig.leg("outbound")


def called_and_answering(rig: Rig, phone: SipPhone, *extra: str) -> tuple[Session, Dialog, SipMessage]:
    """Return a call to the phone that is answered with header lines: our leg, the phone's view, and the INVITE."""
    ours = called(rig, phone)
    invite = phone.wait("INVITE")
    phone.respond(invite, 200, "OK", *extra, body=phone.sdp())
    phone.wait("ACK")
    rig.wait(lambda: ours.channel.answered)
    return ours, Dialog.of(phone, invite), invite
