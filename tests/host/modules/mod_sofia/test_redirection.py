"""3xx to calls of ours, with and without a call that they are placed for."""

from __future__ import annotations

import pytest

from host.hangup_cause import HangupCause
from tests.host.modules.mod_sofia.one_phone import called
from tests.host.modules.mod_sofia.sip_phone import SipPhone
from tests.host.modules.mod_sofia.two_profiles import Rig, configuration, extension

EXTENSIONS = "".join(
    (
        extension("on(.*)", ("bridge", "sofia/far/phone@127.0.0.1:$1")),
        extension("fatal(.*)", ("bridge", "{outbound_redirect_fatal=true}sofia/far/phone@127.0.0.1:$1")),
        extension("there", ("answer", ""), ("park", "")),
    )
)
CONFIGURATION = configuration(EXTENSIONS)
pytestmark = pytest.mark.usefixtures("clean")


def moved(phone: SipPhone, contact: str) -> None:
    """Have the next call to the phone redirected."""
    phone.respond(phone.wait("INVITE"), 302, "Moved", f"Contact: {contact}", "Diversion: <sip:phone@x>")
    phone.wait("ACK")


def test_a_redirection_is_followed_when_nobody_waits(rig: Rig, phone: SipPhone) -> None:
    called(rig, phone)
    with SipPhone(rig.far.settings.sip_port) as other:
        moved(phone, f"<sip:new@127.0.0.1:{other.port}>")
        invite = other.wait("INVITE")
        assert invite.start.startswith("INVITE sip:new@127.0.0.1")
        other.respond(invite, 200, "OK", body=other.sdp())
        other.wait("ACK")
    variables = rig.leg("outbound").channel.variables
    assert variables.get("sip_redirect_contact_user_0") == "new"
    assert variables.get("sip_redirected_by") == "<sip:phone@x>"


def test_a_caller_is_handed_over_when_the_contact_is_of_this_switch(rig: Rig, phone: SipPhone) -> None:
    with SipPhone(rig.far.settings.sip_port) as caller:
        call = caller.invite(f"on{phone.port}")
        moved(phone, "<sip:there@127.0.0.1>")
        call.ack(caller.wait(200))
        theirs = rig.leg("inbound")
        assert theirs.channel.profile.destination_number == "there"
        assert theirs.channel.variables.get("sip_redirect_dialstring") == "sofia/far/sip:there@127.0.0.1"


def test_a_caller_waits_while_a_contact_elsewhere_is_called(rig: Rig, phone: SipPhone) -> None:
    with SipPhone(rig.far.settings.sip_port) as caller, SipPhone(rig.far.settings.sip_port) as other:
        call = caller.invite(f"on{phone.port}")
        moved(phone, f"<sip:new@localhost:{other.port}>")
        invite = other.wait("INVITE")
        other.respond(invite, 200, "OK", body=other.sdp())
        other.wait("ACK")
        call.ack(caller.wait(200))


def test_a_redirection_may_be_the_end(rig: Rig, phone: SipPhone) -> None:
    with SipPhone(rig.far.settings.sip_port) as caller:
        caller.invite(f"fatal{phone.port}")
        moved(phone, "<sip:there@127.0.0.1>")
        theirs = rig.leg("inbound")
        rig.wait(lambda: theirs.channel.variables.get("last_bridge_hangup_cause") == "REQUESTED_CHAN_UNAVAIL")


def test_a_contact_that_is_none_is_a_refusal(rig: Rig, phone: SipPhone) -> None:
    called(rig, phone)
    ours = rig.leg("outbound")
    phone.respond(phone.wait("INVITE"), 302, "Moved", "Contact: <tel:5>")
    phone.wait("ACK")
    rig.wait(lambda: ours.channel.down)
    assert ours.channel.hangup_cause is not HangupCause.NONE
    assert ours.channel.variables.get("sip_term_status") == "302"
