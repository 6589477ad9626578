"""Provisional responses that are acknowledged (RFC 3262), UPDATE (RFC 3311), and how calls end out of turn."""

from __future__ import annotations

import pytest

from host.channel import Flag
from host.hangup_cause import HangupCause
from host.session import Session
from tests.host.modules.mod_sofia.one_phone import called
from tests.host.modules.mod_sofia.sip_phone import Dialog, SipMessage, SipPhone
from tests.host.modules.mod_sofia.two_profiles import QUICK_TIMERS, Rig, configuration, extension

EXTENSIONS = "".join(
    (
        extension("answer", ("answer", ""), ("park", "")),
        extension("early", ("pre_answer", ""), ("sleep", "300"), ("answer", ""), ("park", "")),
        extension("ring", ("ring_ready", ""), ("park", "")),
        extension("busy", ("hangup", "USER_BUSY")),
    )
)
RELIABLE = '<param name="enable-100rel" value="true"/>'
CONFIGURATION = configuration(EXTENSIONS, near=RELIABLE + QUICK_TIMERS, far=RELIABLE + QUICK_TIMERS)
pytestmark = pytest.mark.usefixtures("clean")


def test_a_reliable_183_is_repeated_until_its_prack_and_holds_the_200_back(rig: Rig, phone: SipPhone) -> None:
    call = phone.invite("early", "Require: 100rel")
    progress = phone.wait(183)
    assert progress.header("Require") == "100rel" and "m=audio" in progress.body
    again = phone.wait(183)
    assert again.header("RSeq") == progress.header("RSeq")
    assert phone.nothing(200)
    call.learn(progress)
    call.request("PRACK", "RAck: 999 1 INVITE")
    assert phone.wait(481, method="PRACK")
    call.request("PRACK", f"RAck: {progress.header('RSeq')} 1 INVITE")
    assert phone.wait(200, method="PRACK")
    answer = phone.wait(200, method="INVITE")
    call.ack(answer)
    rig.wait(lambda: rig.leg("inbound").channel.answered)
    call.request("BYE")
    assert phone.wait(200, method="BYE")


def test_a_reliable_183_without_a_prack_ends_the_call(rig: Rig, phone: SipPhone) -> None:
    phone.invite("early", "Require: 100rel")
    theirs = rig.leg("inbound")
    assert phone.wait(504)
    rig.wait(lambda: theirs.channel.down)
    assert theirs.channel.hangup_cause is HangupCause.RECOVERY_ON_TIMER_EXPIRE


def test_an_update_in_an_early_dialog_is_answered(rig: Rig, phone: SipPhone) -> None:
    call = phone.invite("early", "Supported: 100rel")
    progress = phone.wait(183)
    call.learn(progress)
    call.request("PRACK", f"RAck: {progress.header('RSeq')} 1 INVITE")
    phone.wait(200, method="PRACK")
    call.request("UPDATE", body=phone.sdp(version=2))
    assert "m=audio" in phone.wait(200, method="UPDATE").body
    call.ack(phone.wait(200, method="INVITE"))


def test_an_update_before_there_is_an_answer_is_put_off(rig: Rig, phone: SipPhone) -> None:
    call = phone.invite("ring")
    call.learn(phone.wait(180))
    call.request("UPDATE", body=phone.sdp(version=2))
    assert phone.wait(500, method="UPDATE").header("Retry-After")


def test_their_reliable_responses_get_a_prack_each_once_and_in_order(rig: Rig, phone: SipPhone) -> None:
    ours = called(rig, phone)
    invite = phone.wait("INVITE")
    assert "100rel" in invite.header("Supported")
    phone.respond(invite, 183, "Progress", "Require: 100rel", "RSeq: 7", body=phone.sdp())
    prack = phone.wait("PRACK")
    assert prack.header("RAck") == "7 1 INVITE"
    phone.respond(prack, 200)
    rig.wait(lambda: Flag.EARLY_MEDIA in ours.channel.flags)
    phone.respond(invite, 183, "Again", "Require: 100rel", "RSeq: 7", body=phone.sdp())
    phone.respond(invite, 180, "Too early", "Require: 100rel", "RSeq: 9")
    assert phone.nothing("PRACK")
    phone.respond(invite, 180, "Ringing", "Require: 100rel", "RSeq: 8")
    prack = phone.wait("PRACK")
    assert prack.header("RAck") == "8 1 INVITE"
    phone.respond(prack, 200)
    phone.respond(invite, 200, "OK", body=phone.sdp())
    assert phone.wait("ACK").header("CSeq") == "1 ACK"
    ours.channel.hangup()
    bye = phone.wait("BYE")
    assert bye.header("CSeq").split()[0] == "4"
    phone.respond(bye, 200)


def test_a_200_that_crosses_our_cancel_is_acknowledged_and_ended(rig: Rig, phone: SipPhone) -> None:
    ours = called(rig, phone)
    invite = phone.wait("INVITE")
    phone.respond(invite, 180, "Ringing")
    rig.wait(lambda: Flag.RING_READY in ours.channel.flags)
    ours.channel.hangup(HangupCause.ORIGINATOR_CANCEL)
    cancel = phone.wait("CANCEL")
    phone.respond(invite, 200, "OK", body=phone.sdp())
    phone.wait("ACK")
    phone.respond(phone.wait("BYE"), 200)
    phone.respond(cancel, 200)
    assert ours.channel.variables.get("sip_hangup_disposition") == "send_cancel"
    assert ours.channel.variables.get("sip_invite_failure_status") == "487"


def test_a_cancel_waits_for_a_provisional_response(rig: Rig, phone: SipPhone) -> None:
    ours = called(rig, phone)
    invite = phone.wait("INVITE")
    ours.channel.hangup(HangupCause.ORIGINATOR_CANCEL)
    assert phone.nothing("CANCEL", 0.2)
    phone.respond(invite, 100, "Trying")
    phone.respond(phone.wait("CANCEL"), 200)
    phone.respond(invite, 487, "Request Terminated")
    phone.wait("ACK")


def test_a_fork_that_answers_too_is_ended(rig: Rig, phone: SipPhone) -> None:
    ours = called(rig, phone)
    invite = phone.wait("INVITE")
    phone.respond(invite, 200, "OK", tag="first", body=phone.sdp())
    assert phone.wait("ACK").tag("To") == "first"
    phone.respond(invite, 200, "OK", tag="second", body=phone.sdp())
    assert phone.wait("ACK").tag("To") == "second"
    bye = phone.wait("BYE")
    assert bye.tag("To") == "second"
    phone.respond(bye, 200)
    rig.wait(lambda: ours.channel.answered)


def test_a_2xx_that_comes_again_is_acknowledged_again(rig: Rig, phone: SipPhone) -> None:
    called(rig, phone)
    invite = phone.wait("INVITE")
    for _ in range(3):
        phone.respond(invite, 200, "OK", body=phone.sdp())
        assert phone.wait("ACK").tag("To") == "there"


def test_a_2xx_that_nobody_acknowledges_ends_the_call(rig: Rig, phone: SipPhone) -> None:
    phone.invite("answer")
    phone.wait(200)
    phone.wait(200)
    theirs = rig.leg("inbound")
    phone.respond(phone.wait("BYE"), 200)
    rig.wait(lambda: theirs.channel.down)
    assert theirs.channel.hangup_cause is HangupCause.RECOVERY_ON_TIMER_EXPIRE


def unacknowledged(rig: Rig, phone: SipPhone) -> tuple[Dialog, SipMessage, Session]:
    """Return a call from the phone that waits for the ACK of its answer: the phone's view, the answer, our leg."""
    call = phone.invite("answer")
    answer = phone.wait(200)
    theirs = rig.leg("inbound")
    rig.wait(lambda: theirs.channel.answered)
    return call, answer, theirs


def test_our_bye_waits_for_the_ack(rig: Rig, phone: SipPhone) -> None:
    call, answer, theirs = unacknowledged(rig, phone)
    theirs.channel.hangup()
    rig.wait(lambda: theirs.uuid not in rig.switch.sessions)
    assert phone.nothing("BYE", 0.2)
    call.ack(answer)
    bye = phone.wait("BYE")
    assert bye.header("Reason").startswith("Q.850;cause=16")
    phone.respond(bye, 200)


def test_our_bye_does_not_wait_for_an_ack_for_ever(rig: Rig, phone: SipPhone) -> None:
    _, _, theirs = unacknowledged(rig, phone)
    theirs.channel.hangup()
    assert phone.nothing("BYE", 0.5)
    phone.respond(phone.wait("BYE"), 200)
    assert phone.nothing("BYE", 0.2)


def test_a_bye_in_place_of_an_ack_ends_the_repetition_of_our_2xx(rig: Rig, phone: SipPhone) -> None:
    call = phone.invite("answer")
    answer = phone.wait(200)
    call.learn(answer)
    call.request("BYE")
    assert phone.wait(200, method="BYE")
    phone.received.clear()
    assert phone.nothing(200, 0.6)
    call.ack(answer)
    rig.quiet()


def test_the_far_end_may_end_the_call_in_place_of_its_ack(rig: Rig, phone: SipPhone) -> None:
    call, answer, theirs = unacknowledged(rig, phone)
    theirs.channel.hangup()
    call.learn(answer)
    call.request("BYE")
    assert phone.wait(200, method="BYE")
    rig.quiet()
    call.ack(answer)
    assert phone.nothing("BYE", 0.2)


def test_byes_may_cross(rig: Rig, phone: SipPhone) -> None:
    call = phone.invite("answer")
    call.ack(phone.wait(200))
    theirs = rig.leg("inbound")
    theirs.channel.hangup()
    bye = phone.wait("BYE")
    call.request("BYE")
    assert phone.wait(481, method="BYE")
    phone.respond(bye, 200)


def test_a_cancelled_call_knows_it(rig: Rig, phone: SipPhone) -> None:
    call = phone.invite("ring")
    phone.wait(180)
    theirs = rig.leg("inbound")
    call.cancel()
    assert phone.wait(200, method="CANCEL")
    assert phone.wait(487)
    rig.wait(lambda: theirs.channel.down)
    assert theirs.channel.hangup_cause is HangupCause.ORIGINATOR_CANCEL
    variables = theirs.channel.variables
    assert variables.get("sip_hangup_disposition") == "recv_cancel"
    assert variables.get("sip_invite_failure_phrase") == "CANCEL"
    assert variables.get("proto_specific_hangup_cause") == "sip:487"


def test_a_refusal_with_a_reason_and_the_variables_it_leaves(rig: Rig, phone: SipPhone) -> None:
    ours = called(rig, phone)
    reason = 'Reason: Q.850;cause=1;text="Unallocated"'
    phone.respond(phone.wait("INVITE"), 480, "Nobody Home", reason, "X-Why: asleep")
    rig.wait(lambda: ours.channel.down)
    assert ours.channel.hangup_cause is HangupCause.UNALLOCATED_NUMBER
    variables = ours.channel.variables
    assert variables.get("sip_hangup_disposition") == "recv_refuse"
    assert variables.get("sip_invite_failure_status") == "480"
    assert variables.get("sip_invite_failure_phrase") == "Nobody Home"
    assert variables.get("sip_term_status") == "480"
    assert variables.get("sip_rh_X-Why") == "asleep"


def test_an_unknown_extension_that_is_required_is_refused(rig: Rig, phone: SipPhone) -> None:
    phone.invite("answer", "Require: time-travel")
    assert phone.wait(420).header("Unsupported") == "time-travel"


@pytest.mark.parametrize("digest", ["MD5"])
def test_a_challenged_invite_is_sent_again_with_credentials(rig: Rig, phone: SipPhone, digest: str) -> None:
    ours = called(rig, phone, "{sip_auth_username=joe,sip_auth_password=secret}")
    invite = phone.wait("INVITE")
    challenge = f'Digest realm="a, b", nonce="n", algorithm={digest}, qop="auth"'
    phone.respond(invite, 407, "Who", f"Proxy-Authenticate: {challenge}")
    phone.wait("ACK")
    invite = phone.wait("INVITE")
    assert 'username="joe"' in invite.header("Proxy-Authorization")
    assert invite.header("CSeq") == "2 INVITE"
    phone.respond(invite, 200, "OK", body=phone.sdp())
    phone.wait("ACK")
    call = Dialog.of(phone, invite)
    call.request("BYE", 'Reason: Q.850;cause=17;text="USER_BUSY"', "X-Parting: bye")
    assert phone.wait(200, method="BYE")
    rig.wait(lambda: ours.channel.down)
    assert ours.channel.hangup_cause is HangupCause.USER_BUSY
    assert ours.channel.variables.get("sip_bye_h_X-Parting") == "bye"
