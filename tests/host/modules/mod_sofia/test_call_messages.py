"""What the switch asks of a SIP leg by commands and what comes of it: redirect, media path, digits by INFO."""

from __future__ import annotations

import pytest

from tests.host.modules.mod_sofia.one_phone import talking
from tests.host.modules.mod_sofia.sip_phone import Dialog, SipPhone
from tests.host.modules.mod_sofia.two_profiles import Rig, configuration, extension

EXTENSIONS = "".join(
    (
        extension("answer", ("answer", ""), ("park", "")),
        extension("liberal", ("set", "rtp_liberal_dtmf=true"), ("answer", ""), ("park", "")),
        extension("ring", ("ring_ready", ""), ("park", "")),
    )
)
CONFIGURATION = configuration(EXTENSIONS, near='<param name="liberal-dtmf" value="true"/>')
pytestmark = pytest.mark.usefixtures("clean")


@pytest.mark.parametrize(
    ("argument", "status", "contacts"),
    [
        ("sip:other@example.com", 302, ["<sip:other@example.com>"]),
        ("<sip:a@example.com>,sip:b@example.com", 300, ["<sip:a@example.com>", "<sip:b@example.com>"]),
        ("1234", 302, ["<sip:1234@127.0.0.1>"]),
    ],
)
def test_a_ringing_call_is_redirected(
    rig: Rig, phone: SipPhone, argument: str, status: int, contacts: list[str]
) -> None:
    phone.invite("ring")
    phone.wait(180)
    theirs = rig.leg("inbound")
    assert rig.api(f"uuid_redirect {theirs.uuid} {argument}") == "+OK:\n"
    answer = phone.wait(status)
    assert answer.headers("Contact") == contacts
    rig.wait(lambda: theirs.channel.down)
    assert theirs.channel.hangup_cause.name == "REDIRECTION_TO_NEW_DESTINATION"


def test_an_answered_call_is_redirected_by_refer(rig: Rig, phone: SipPhone) -> None:
    theirs, _ = talking(rig, phone)
    rig.api(f"uuid_redirect {theirs.uuid} sip:other@example.com")
    refer = phone.wait("REFER")
    assert refer.header("Refer-To") == "<sip:other@example.com>"
    phone.respond(refer, 202, "Accepted")


def test_a_call_that_is_in_no_bridge_keeps_its_media(rig: Rig, phone: SipPhone) -> None:
    theirs, _ = talking(rig, phone)
    said: list[str] = []
    rig.switch.logs.add_sink(lambda entry: said.append(entry.text))
    assert rig.api(f"uuid_media off {theirs.uuid}") == "+OK Success\n"
    wanted = f"Cannot bypass media of {theirs.channel.name}: it is not in a bridge."
    assert any(wanted in line for line in said)
    assert rig.api(f"uuid_media {theirs.uuid}") == "-ERR Operation failed\n"
    assert rig.api("uuid_media off nobody") == "-ERR Operation failed\n"
    assert phone.nothing("INVITE", 0.2)
    assert theirs.channel.up


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (("Content-Type: application/pidf+xml",), 415),
        (("Content-Type: text/plain", "Content-Disposition: render;handling=required"), 415),
        (("Content-Type: application/sdp", "Content-Encoding: br"), 415),
        (("Content-Type: multipart/mixed;boundary=x",), 406),
        (("Content-Type: text/plain", "Content-Disposition: render; handling=optional"), 200),
    ],
)
def test_an_offer_of_a_type_that_nobody_knows(
    rig: Rig, phone: SipPhone, lines: tuple[str, ...], status: int
) -> None:
    begun = phone.invite("answer", *lines, body="hello")
    first = phone.wait(status)
    begun.ack(first, phone.sdp() if status == 200 else "")
    if status != 200:
        assert first.header("Accept") == "application/sdp, multipart/mixed"
        _, call = talking(rig, phone)
        for method in ("INVITE", "UPDATE"):
            call.request(method, *lines, body="hello")
            assert phone.wait(status, method=method)
        call.request("BYE")


def press(phone: SipPhone, call: Dialog) -> None:
    """Send the digit 5 by INFO."""
    call.request("INFO", "Content-Type: application/dtmf-relay", body="Signal=5\r\nDuration=160\r\n")
    phone.wait(200, method="INFO")


def digits(rig: Rig) -> list[str]:
    """Return a list that the digits of all calls go into."""
    pressed: list[str] = []
    rig.switch.bus.subscribe(lambda event: pressed.append(event.get_header("DTMF-Digit") or ""), ("DTMF",))
    return pressed


def test_digits_by_info_count_where_they_are_expected(rig: Rig, phone: SipPhone) -> None:
    pressed = digits(rig)
    theirs, call = talking(rig, phone)
    press(phone, call)
    rig.sofia.stack.run(lambda: None)  # what comes of it is done
    theirs.channel.variables.set("dtmf_type", "info")
    assert not pressed
    press(phone, call)
    rig.wait(lambda: pressed == ["5"])
    call.request("BYE")


@pytest.mark.parametrize("where", ["profile", "variable"])
def test_digits_by_info_count_where_digits_are_taken_liberally(rig: Rig, where: str) -> None:
    pressed = digits(rig)
    profile = rig.near if where == "profile" else rig.far
    with SipPhone(profile.settings.sip_port) as phone:
        _, call = talking(rig, phone, number="answer" if where == "profile" else "liberal")
        press(phone, call)
        rig.wait(lambda: pressed == ["5"])
        call.request("BYE")


def test_a_far_end_without_telephone_events_gets_them_liberally(rig: Rig, phone: SipPhone) -> None:
    plain = "\r\n".join(line for line in phone.sdp().split("\r\n") if "telephone-event" not in line)
    theirs, _ = talking(rig, phone, number="liberal", body=plain.replace("AVP 0 101", "AVP 0"))
    assert theirs.channel.variables.get("dtmf_type") == "rfc2833"
    assert theirs.channel.variables.get("rtp_2833_send_payload") == "101"
    rig.api(f"uuid_send_dtmf {theirs.uuid} 5@60")
    phone.media.settimeout(20)
    while True:
        packet = phone.media.recv(2048)
        if packet[1] & 0x7F == 101:
            break
    assert packet[12] == 5
