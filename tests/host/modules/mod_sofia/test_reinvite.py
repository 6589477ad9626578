"""Offers within a call, hold, glare and session timers, against a phone whose every message is written here."""

from __future__ import annotations

import pytest

from host.channel_state import CallState
from tests.host.modules.mod_sofia.one_phone import called, talking
from tests.host.modules.mod_sofia.sip_phone import Dialog, SipMessage, SipPhone
from tests.host.modules.mod_sofia.two_profiles import Rig, configuration, extension

EXTENSIONS = extension("answer", ("answer", ""), ("park", ""))
TIMERS = '<param name="session-timeout" value="120"/><param name="minimum-session-expires" value="100"/>'
CONFIGURATION = configuration(EXTENSIONS, far=TIMERS)
pytestmark = pytest.mark.usefixtures("clean")


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_the_far_end_may_hold_and_resume(rig: Rig, phone: SipPhone, direction: str) -> None:
    theirs, call = talking(rig, phone)
    call.request("INVITE", body=phone.sdp(direction, 2))
    answer = phone.wait(200)
    wanted = {"sendonly": "a=recvonly", "inactive": "a=inactive"}[direction]
    assert wanted in answer.body
    call.ack(answer)
    rig.wait(lambda: theirs.channel.call_state is CallState.HELD)
    call.request("INVITE", body=phone.sdp("sendrecv", 3))
    answer = phone.wait(200)
    call.ack(answer)
    assert "a=recvonly" not in answer.body and "a=inactive" not in answer.body
    rig.wait(lambda: theirs.channel.call_state is CallState.ACTIVE)


def test_what_a_browser_switches_off_comes_back_without_it(rig: Rig, phone: SipPhone) -> None:
    pytest.importorskip("aioice")
    theirs, call = talking(rig, phone)
    before = theirs.line.transport  # type: ignore[attr-defined]
    lines = ("ice-ufrag:there", "ice-pwd:" + "x" * 22, "setup:actpass", "rtcp-mux")
    told = "".join(f"a={line}\r\n" for line in (*lines, "fingerprint:sha-256 " + ":".join(["AB"] * 32)))
    browser = phone.sdp(version=2).replace("RTP/AVP", "UDP/TLS/RTP/SAVPF")
    call.request("INVITE", body=browser + told)
    answer = phone.wait(200)
    assert "a=ice-lite" in answer.body
    call.ack(answer)
    rig.wait(lambda: theirs.line.transport.ice is not None)  # type: ignore[attr-defined]
    assert not theirs.line.transport.learning  # type: ignore[attr-defined]
    call.request("INVITE", body=phone.sdp(version=3))
    call.ack(phone.wait(200))
    rig.wait(lambda: theirs.line.transport.ice is None)  # type: ignore[attr-defined]
    after = theirs.line.transport  # type: ignore[attr-defined]
    assert before.learning and (after.learning, after.rtcp) == (before.learning, before.rtcp)


def test_an_invite_without_an_offer_is_answered_with_one(rig: Rig, phone: SipPhone) -> None:
    theirs, call = talking(rig, phone)
    call.request("INVITE")
    answer = phone.wait(200)
    assert "m=audio" in answer.body
    call.ack(answer, phone.sdp("sendonly", 2))
    rig.wait(lambda: theirs.channel.call_state is CallState.HELD)


def test_a_call_may_begin_without_an_offer(rig: Rig, phone: SipPhone) -> None:
    call = phone.invite("answer", body="")
    answer = phone.wait(200)
    assert "m=audio" in answer.body
    call.ack(answer, phone.sdp())
    theirs = rig.leg("inbound")
    rig.wait(lambda: theirs.channel.variables.get("remote_media_port") == str(phone.media.getsockname()[1]))


def test_an_offer_that_fits_nothing_leaves_the_call_as_it_was(rig: Rig, phone: SipPhone) -> None:
    theirs, call = talking(rig, phone)
    call.request("INVITE", body=phone.sdp(version=2, codec="18"))
    assert phone.wait(488)
    call.request("INVITE", body=phone.sdp(version=3, codec="8"))
    call.ack(phone.wait(200))
    rig.wait(lambda: theirs.channel.variables.get("rtp_use_codec_name") == "PCMA")


def test_both_offer_at_once(rig: Rig, phone: SipPhone) -> None:
    theirs, call = talking(rig, phone)
    rig.api(f"uuid_hold {theirs.uuid}")
    ours = phone.wait("INVITE")
    assert "a=sendonly" in ours.body
    call.request("INVITE", body=phone.sdp(version=2))
    assert phone.wait(491)
    phone.respond(ours, 491, "Request Pending")
    phone.wait("ACK")
    again = phone.wait("INVITE")
    assert "a=sendonly" in again.body and again.header("CSeq") != ours.header("CSeq")
    phone.respond(again, 200, "OK", body=phone.sdp("recvonly", 3))
    phone.wait("ACK")


def test_offers_of_ours_wait_for_one_another(rig: Rig, phone: SipPhone) -> None:
    theirs, _ = talking(rig, phone)
    rig.api(f"uuid_hold {theirs.uuid}")
    first = phone.wait("INVITE")
    rig.api(f"uuid_hold off {theirs.uuid}")
    assert phone.nothing("INVITE", 0.1)
    phone.respond(first, 200, "OK", body=phone.sdp("recvonly", 2))
    phone.wait("ACK")
    second = phone.wait("INVITE")
    assert "a=sendonly" not in second.body
    phone.respond(second, 200, "OK", body=phone.sdp(version=3))
    phone.wait("ACK")


def test_a_second_offer_before_the_ack_is_put_off(rig: Rig, phone: SipPhone) -> None:
    _, call = talking(rig, phone)
    call.request("INVITE", body=phone.sdp(version=2))
    answer = phone.wait(200)
    call.request("INVITE", body=phone.sdp(version=3))
    assert phone.wait(500).header("Retry-After")
    call.request("ACK", cseq=int(answer.header("CSeq").split()[0]))


def test_a_hold_that_is_refused_leaves_the_media_as_it_was(rig: Rig, phone: SipPhone) -> None:
    theirs, call = talking(rig, phone)
    rig.api(f"uuid_hold {theirs.uuid}")
    hold = phone.wait("INVITE")
    assert "a=sendonly" in hold.body
    phone.respond(hold, 488, "Not Acceptable Here")
    phone.wait("ACK")
    call.request("INVITE", body=phone.sdp(version=2))
    answer = phone.wait(200)
    assert "a=sendonly" not in answer.body and version_of(answer) > version_of(hold)
    call.ack(answer)
    transport = theirs.line.transport  # type: ignore[attr-defined]
    assert transport.sending and transport.receiving
    rig.api(f"uuid_media_reneg {theirs.uuid} =PCMA")
    other = phone.wait("INVITE")
    assert "a=sendonly" not in other.body and "AVP 8 " in other.body
    phone.respond(other, 415, "No")
    phone.wait("ACK")
    assert theirs.channel.variables.get("rtp_use_codec_name") == "PCMU"
    call.request("INVITE", body="")
    again = phone.wait(200)
    assert "AVP 0 " in again.body and version_of(again) > version_of(other)
    call.ack(again, phone.sdp(version=3))


def test_a_refused_resume_stays_on_hold(rig: Rig, phone: SipPhone) -> None:
    theirs, call = talking(rig, phone)
    rig.api(f"uuid_hold {theirs.uuid}")
    phone.respond(phone.wait("INVITE"), 200, "OK", body=phone.sdp("recvonly", 2))
    phone.wait("ACK")
    rig.api(f"uuid_hold off {theirs.uuid}")
    resume = phone.wait("INVITE")
    assert "a=sendonly" not in resume.body
    phone.respond(resume, 500, "Not now")
    phone.wait("ACK")
    call.request("INVITE", body="")
    offer = phone.wait(200)
    assert "a=sendonly" in offer.body
    call.ack(offer, phone.sdp("recvonly", 3))


def version_of(message: SipMessage) -> int:
    """Return the version of a description (RFC 8866 section 5.2)."""
    return int(next(line for line in message.body.split("\r\n") if line.startswith("o=")).split()[2])


def test_an_old_request_is_refused(rig: Rig, phone: SipPhone) -> None:
    _, call = talking(rig, phone)
    call.request("INFO", cseq=9)
    phone.wait(200)
    call.request("INFO", cseq=4)
    assert phone.wait(500)
    call.cseq = 10


def test_a_far_end_that_has_lost_the_call_ends_it(rig: Rig, phone: SipPhone) -> None:
    theirs, _ = talking(rig, phone)
    rig.api(f"uuid_hold {theirs.uuid}")
    phone.respond(phone.wait("INVITE"), 481, "Gone")
    rig.wait(lambda: theirs.channel.down)
    assert phone.nothing("BYE")


def test_the_number_counts_on_after_a_challenge(rig: Rig, phone: SipPhone) -> None:
    theirs, _ = talking(rig, phone)
    theirs.channel.variables.set("sip_auth_username", "joe")
    theirs.channel.variables.set("sip_auth_password", "secret")
    rig.api(f"uuid_hold {theirs.uuid}")
    invite = phone.wait("INVITE")
    phone.respond(invite, 401, "Who", 'WWW-Authenticate: Digest realm="r", nonce="n"')
    phone.wait("ACK")
    again = phone.wait("INVITE")
    assert 'username="joe"' in again.header("Authorization")
    phone.respond(again, 200, "OK", body=phone.sdp("recvonly", 2))
    phone.wait("ACK")
    theirs.channel.hangup()
    bye = phone.wait("BYE")
    assert int(bye.header("CSeq").split()[0]) == int(again.header("CSeq").split()[0]) + 1
    phone.respond(bye, 200)


def test_the_session_timer_of_a_call_that_comes_in(rig: Rig, phone: SipPhone) -> None:
    phone.invite("answer", "Supported: timer", "Session-Expires: 30")
    assert phone.wait(422).header("Min-SE") == "100"
    phone.invite("answer", "Supported: timer", "Session-Expires: 200;refresher=uas")
    answer = phone.wait(200)
    assert answer.header("Session-Expires") == "200;refresher=uas"
    assert "timer" not in answer.header("Require")
    call = Dialog(phone, answer.header("From"), answer.header("To"), answer.header("Call-ID"))
    call.ack(answer)
    leg = rig.wait(lambda: list(rig.far.legs))[0]
    assert leg.timer.agreed.interval == 200 and leg.timer.agreed.ours
    call.request("UPDATE", "Supported: timer", "Session-Expires: 150;refresher=uac", cseq=2)
    refreshed = phone.wait(200, method="UPDATE")
    assert refreshed.header("Session-Expires") == "150;refresher=uac"
    assert "timer" in refreshed.header("Require")
    rig.wait(lambda: leg.timer.agreed.interval == 150 and not leg.timer.agreed.ours)


def test_a_session_that_is_too_short_for_the_far_end_is_asked_for_again(rig: Rig, phone: SipPhone) -> None:
    called(rig, phone)
    invite = phone.wait("INVITE")
    assert invite.header("Session-Expires").startswith("120")
    phone.respond(invite, 422, "Too Small", "Min-SE: 600")
    phone.wait("ACK")
    again = phone.wait("INVITE")
    assert again.header("Session-Expires").startswith("600")
    assert again.header("Call-ID") == invite.header("Call-ID")
    phone.respond(again, 200, "OK", "Session-Expires: 600;refresher=uac", body=phone.sdp())
    phone.wait("ACK")
    leg = rig.wait(lambda: [leg for leg in rig.far.legs if leg.confirmed])[0]
    rig.wait(lambda: leg.timer.agreed.ours)
    rig.sofia.stack.call(leg.refresh_session)
    refresh = phone.wait("INVITE")
    assert refresh.header("Session-Expires") == "600;refresher=uac"
    phone.respond(refresh, 422, "Too Small", "Min-SE: 900")
    phone.wait("ACK")
    refresh = phone.wait("INVITE")
    assert refresh.header("Session-Expires").startswith("900")
    phone.respond(refresh, 200, "OK", "Session-Expires: 900;refresher=uac", body=phone.sdp())
    phone.wait("ACK")


def test_their_new_contact_is_where_requests_go(rig: Rig, phone: SipPhone) -> None:
    theirs, call = talking(rig, phone)
    with SipPhone(rig.far.settings.sip_port) as elsewhere:
        phone.contact = elsewhere.contact
        call.request("INVITE", body=phone.sdp(version=2))
        answer = phone.wait(200)
        call.request("ACK", cseq=int(answer.header("CSeq").split()[0]))
        theirs.channel.hangup()
        elsewhere.respond(elsewhere.wait("BYE"), 200)
