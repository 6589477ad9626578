"""Calls as pages are told of them and steer them; no sound is sent here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from host.cdr_variables import DIGITS_DIALED
from host.channel import Flag
from host.modules import mod_verto
from host.session import Session
from tests.host.modules.mod_verto.verto_rig import (
    ALLOWED,
    Page,
    Rig,
    configuration,
    extension,
    user,
    verto_switch,
)

OFFER = "\r\n".join(
    (
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 0 101",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        "a=rtcp-mux",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789012345678901",
        "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
        "a=setup:actpass",
        "a=sendrecv",
        "",
    )
)
ANSWER = OFFER.replace("actpass", "active")
VIDEO = OFFER.replace("m=audio", "m=video")
DIALPLAN = (
    extension("5000", ("answer", ""), ("park", ""))
    + extension("5001", ("pre_answer", ""), ("sleep", "100"), ("answer", ""), ("park", ""))
    + extension("5002", ("park", ""))
    + extension("5003", ("hangup", "CALL_REJECTED"))
    + extension("5004", ("bridge", "user/1001@example.org"))
    + extension(
        "5005", ("answer", ""), ("set", "collected=${user_data(1000@example.org var colour)}"), ("park", "")
    )
)
USERS = (
    user("1000", ALLOWED + '<param name="caller-id-name" value="Anna"/>', '<variable name="colour" value="green"/>')
    + user("1001", ALLOWED)
    + user("1002", ALLOWED + '<param name="verto-context" value="other"/><param name="verto-dialplan" value="inline"/>')
)  # fmt: skip


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with verto_switch(tmp_path, configuration(DIALPLAN, users=USERS)) as made:
        yield made


def dialog(call_id: str, **more: Any) -> dict[str, Any]:
    return {"dialogParams": {"callID": call_id, **more}}


def place(page: Page, call_id: str, number: str, sdp: str = OFFER, **more: Any) -> dict[str, Any]:
    """Have a page call a number."""
    return page.result("verto.invite", sdp=sdp, **dialog(call_id, destination_number=number, **more))


def talking(rig: Rig, page: Page, call_id: str, number: str = "5000") -> None:
    """Have a page call a number and be answered. The page is told so before the call counts as answered."""
    place(page, call_id, number)
    page.expect("verto.answer")
    rig.wait(lambda: variable(rig, call_id, "current_application") == "park")


def session(rig: Rig, uuid: str) -> Session:
    found = rig.switch.find_session(uuid)
    assert found is not None
    return found


def variable(rig: Rig, uuid: str, name: str) -> str:
    return rig.api(f"uuid_getvar {uuid} {name}")


@contextmanager
def dialling(rig: Rig, dial_string: str, then: str = "&park()") -> Iterator[list[str]]:
    """Place a call meanwhile; its reply is there afterwards."""
    reply: list[str] = []
    caller = threading.Thread(target=lambda: reply.append(rig.api(f"originate {dial_string} {then}")))
    caller.start()
    yield reply
    caller.join()


def test_what_a_call_knows(rig: Rig) -> None:
    page = rig.page("1000@example.org", sessid="mine", userVariables={"page": "blue"})
    told = place(
        page,
        "call-1",
        "5005",
        caller_id_name="Berta",
        caller_id_number="77",
        remote_caller_id_name="Five",
        remote_caller_id_number="5005",
        userVariables={"x": "y", "yes": True},
        audio={"echoCancellation": True},
    )
    assert (told["message"], told["callID"]) == ("CALL CREATED", "call-1")
    answer = page.expect("verto.answer")
    assert answer["callID"] == "call-1" and answer["variables"] == {}
    assert "a=setup:active" in answer["sdp"] and "a=mid:0" in answer["sdp"]
    rig.wait(lambda: variable(rig, "call-1", "collected") == "green")
    for name, value in (
        ("channel_name", "verto.rtc/5005"),
        ("verto_user", "1000@example.org"),
        ("verto_host", "example.org"),
        ("presence_id", "1000@example.org"),
        ("chat_proto", "verto"),
        ("event_channel_cookie", "mine"),
        ("jsock_uuid_str", "mine"),
        ("verto_profile_name", "pages"),
        ("verto_dvar_x", "y"),
        ("verto_dvar_yes", "true"),
        ("verto_echoCancellation", "true"),
        ("verto_noiseSuppression", "false"),
        ("verto_remote_caller_id_name", "Five"),
        ("media_webrtc", "true"),
        ("colour", "green"),
        ("page", "blue"),
        ("user_name", "1000"),
        ("domain_name", "example.org"),
        ("caller_id_name", "Berta"),
        ("caller_id_number", "77"),
        ("callee_id_number", "5005"),
        ("username", "1000@example.org"),
        ("network_addr", "127.0.0.1"),
        ("source", "mod_verto"),
        ("context", "default"),
        ("rtp_use_codec_name", "PCMU"),
        ("switch_r_sdp", OFFER),
    ):
        assert variable(rig, "call-1", name) == value, name
    assert variable(rig, "call-1", "verto_client_address").startswith("127.0.0.1:")
    page.close()


def test_who_calls_without_a_name(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    talking(rig, page, "call-1")
    assert variable(rig, "call-1", "caller_id_name") == "Anna"
    page.close()


def test_context_and_dialplan_of_a_user(rig: Rig) -> None:
    page = rig.page("1002@example.org")
    place(page, "call-1", "answer,park")
    page.expect("verto.answer")
    assert variable(rig, "call-1", "dialplan") == "inline"
    assert variable(rig, "call-1", "context") == "default"  # user_context goes before the param
    page.close()


@pytest.mark.parametrize(
    ("method", "params", "message"),
    (
        ("verto.invite", {}, "Dialog data missing"),
        ("verto.invite", {"dialogParams": {}, "sdp": OFFER}, "CallID missing"),
        ("verto.invite", dialog("x"), "SDP missing"),
        ("verto.answer", dialog("x"), "SDP missing"),
        ("verto.answer", {"sdp": ANSWER, **dialog("x")}, "CALL DOES NOT EXIST"),
        ("verto.attach", {"sdp": ANSWER, **dialog("x")}, "CALL DOES NOT EXIST"),
        ("verto.bye", dialog("x"), "CALL DOES NOT EXIST"),
        ("verto.bye", {}, "Dialog data missing"),
        ("verto.modify", dialog("x"), "action missing"),
        ("verto.modify", {"action": "hold", **dialog("x")}, "CALL DOES NOT EXIST"),
    ),
)
def test_requests_that_fail(rig: Rig, method: str, params: dict[str, Any], message: str) -> None:
    page = rig.page("1000@example.org")
    error = page.error(method, **params)
    assert (error["code"], error["message"]) == (-32002, message)
    page.close()


@pytest.mark.parametrize("call_id", ("", "../etc/passwd", "a/b", "x" * 200, "a\nb", "taken"))
def test_call_ids_that_are_not_taken(rig: Rig, call_id: str) -> None:
    rig.api("originate {origination_uuid=taken}null/x &park()")
    page = rig.page("1000@example.org")
    error = page.error("verto.invite", sdp=OFFER, **dialog(call_id, destination_number="5000"))
    assert (error["code"], error["message"]) == (-32002, "CALL ERROR")
    assert error["cause"] == "DESTINATION_OUT_OF_ORDER"
    page.close()


def test_variables_that_are_not_for_pages(rig: Rig) -> None:
    told = {
        "presence_id": "x@y",
        "api_on_answer": "shutdown",
        "toll_allow": "all",
        "colour": "red",
        "mine": "1",
    }
    page = rig.page("1000@example.org", userVariables=told)
    talking(rig, page, "call-1")
    found = {name: variable(rig, "call-1", name) for name in told}
    assert found == {
        "presence_id": "1000@example.org",
        "api_on_answer": "_undef_",
        "toll_allow": "_undef_",
        "colour": "green",
        "mine": "1",
    }
    page.close()


def test_early_media(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    place(page, "call-1", "5001")
    assert "sdp" in page.expect("verto.media")
    assert "sdp" not in page.expect("verto.answer")
    page.close()


def test_a_call_of_which_nothing_fits(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    place(page, "call-1", "5000", sdp=VIDEO)
    bye = page.expect("verto.bye")
    assert (bye["callID"], bye["cause"], bye["causeCode"]) == ("call-1", "INCOMPATIBLE_DESTINATION", 88)
    page.close()


def test_a_call_that_is_refused(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    place(page, "call-1", "5003")
    assert page.expect("verto.bye")["cause"] == "CALL_REJECTED"
    page.close()


@pytest.mark.parametrize(
    ("told", "cause"),
    (
        ({}, "NORMAL_CLEARING"),
        ({"cause": "USER_BUSY"}, "USER_BUSY"),
        ({"causeCode": 21}, "CALL_REJECTED"),
        ({"causeCode": "21"}, "CALL_REJECTED"),
        ({"cause": "nonsense", "causeCode": 9999}, "NORMAL_CLEARING"),
    ),
)
def test_a_page_hangs_up(rig: Rig, told: dict[str, Any], cause: str) -> None:
    page = rig.page("1000@example.org")
    talking(rig, page, "call-1")
    ended = page.result("verto.bye", **dialog("call-1"), **told)
    assert (ended["callID"], ended["message"], ended["cause"]) == ("call-1", "CALL ENDED", cause)
    rig.quiet()
    page.result("verto.ping")
    assert not [one for one in page.requests if one["method"] == "verto.bye"]
    page.close()


def test_digits(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    talking(rig, page, "call-1")
    assert page.result("verto.info", dtmf="1#", **dialog("call-1"))["message"] == "SENT"
    assert session(rig, "call-1").channel.private[DIGITS_DIALED] == "1#"
    page.close()


def test_calls_of_others_are_not_to_be_steered(rig: Rig) -> None:
    page, other = rig.page("1000@example.org"), rig.page("1001@example.org")
    talking(rig, page, "call-1")
    assert other.error("verto.bye", **dialog("call-1"))["message"] == "CALL DOES NOT EXIST"
    assert "message" not in other.result("verto.info", dtmf="1", **dialog("call-1"))
    rig.api("originate {origination_uuid=plain}null/x &park()")
    assert page.error("verto.bye", **dialog("plain"))["message"] == "CALL DOES NOT EXIST"
    for one in (page, other):
        one.close()


def test_hold(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    talking(rig, page, "call-1")

    def state() -> str:
        return session(rig, "call-1").channel.call_state.name

    held = page.result("verto.modify", action="hold", **dialog("call-1"))
    assert (held["holdState"], held["action"], held["callID"]) == ("held", "hold", "call-1")
    rig.wait(lambda: state() == "HELD")
    assert page.result("verto.modify", action="whatever", **dialog("call-1"))["holdState"] == "held"
    assert page.result("verto.modify", action="unhold", **dialog("call-1"))["holdState"] == "active"
    rig.wait(lambda: state() == "ACTIVE")
    assert page.result("verto.modify", action="toggleHold", **dialog("call-1"))["holdState"] == "held"
    rig.wait(lambda: state() == "HELD")
    page.close()


def test_other_media(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    talking(rig, page, "call-1")
    sdp = page.result("verto.modify", action="updateMedia", sdp=OFFER, **dialog("call-1"))["sdp"]
    assert "m=audio" in sdp and "a=setup:active" in sdp
    error = page.error("verto.modify", action="updateMedia", sdp=VIDEO, **dialog("call-1"))
    assert error["message"] == "CODEC NEGOTIATION ERROR"
    assert page.error("verto.modify", action="updateMedia", **dialog("call-1"))["message"] == "SDP missing"
    page.close()


def test_who_the_page_speaks_with(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    talking(rig, page, "call-1")
    rig.api("uuid_setvar call-1 verto_h_colour red")
    rig.api("uuid_display call-1 Carl|123")
    told = page.expect("verto.display")
    assert (told["display_name"], told["display_number"], told["callID"]) == ("Carl", "123", "call-1")
    assert told["verto_h_colour"] == "red" and told["display_direction"] == "inbound"
    page.close()


def test_media_offered_anew(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    talking(rig, page, "call-1")
    assert rig.api("uuid_media_reneg call-1").startswith("+OK")
    offered = page.expect("verto.attach")
    assert "a=setup:actpass" in offered["sdp"]
    page.result("verto.attach", sdp=ANSWER, **dialog("call-1"))
    page.close()


def test_a_page_is_called(rig: Rig) -> None:
    page = rig.page("1001@example.org", sessid="mine")
    with dialling(rig, "{verto_svar_a=b,origination_caller_id_name=Dora}verto.rtc/1001@example.org") as reply:
        invited = page.expect("verto.invite")
        call_id = invited["callID"]
        assert invited["variables"] == {"verto_svar_a": "b"} and invited["caller_id_name"] == "Dora"
        assert invited["display_direction"] == "outbound" and "a=setup:actpass" in invited["sdp"]
        assert "a=group:BUNDLE 0\r\n" in invited["sdp"] and "a=mid:0\r\n" in invited["sdp"]
        assert variable(rig, call_id, "channel_name") == "verto.rtc/mine"
        assert variable(rig, call_id, "verto_orig_dest") == "1001@example.org"
        assert variable(rig, call_id, "callee_id_number") == "1001"
        page.result("verto.answer", sdp=ANSWER, **dialog(call_id, callee_id_name="Emil"))
    assert reply == [f"+OK {call_id}\n"]
    # whom we called is the caller of what the leg does next
    assert variable(rig, call_id, "caller_id_name") == "Emil"
    rig.api(f"uuid_kill {call_id}")
    assert page.expect("verto.bye")["cause"] == "NORMAL_CLEARING"
    page.close()


def test_a_page_refuses(rig: Rig) -> None:
    page = rig.page("1001@example.org")
    with dialling(rig, "verto.rtc/1001@example.org") as reply:
        page.result("verto.bye", cause="USER_BUSY", **dialog(page.expect("verto.invite")["callID"]))
    assert reply == ["-ERR USER_BUSY\n"]
    page.close()


def test_an_answer_that_does_not_fit(rig: Rig) -> None:
    page = rig.page("1001@example.org")
    with dialling(rig, "verto.rtc/1001@example.org") as reply:
        call_id = page.expect("verto.invite")["callID"]
        assert page.error("verto.answer", sdp=VIDEO, **dialog(call_id))["message"] == "CODEC ERROR"
    assert reply == ["-ERR INCOMPATIBLE_DESTINATION\n"]
    page.close()


def test_a_page_goes_while_it_rings(rig: Rig) -> None:
    page = rig.page("1001@example.org")
    with dialling(rig, "verto.rtc/1001@example.org") as reply:
        page.expect("verto.invite")
        page.close()
    assert reply == ["-ERR DESTINATION_OUT_OF_ORDER\n"]


def test_nobody_is_there(rig: Rig) -> None:
    assert rig.api("originate verto.rtc/1001@example.org &park()") == "-ERR USER_NOT_REGISTERED\n"
    assert rig.api("originate verto.rtc/u:nobody &park()") == "-ERR DESTINATION_OUT_OF_ORDER\n"
    assert rig.api("originate ${verto_contact(1001@example.org)} &park()").startswith("-ERR ")


def test_all_pages_of_a_user_ring(rig: Rig) -> None:
    one, two = rig.page("1001@example.org"), rig.page("1001@example.org")
    with dialling(rig, "user/1001@example.org") as reply:
        first, second = one.expect("verto.invite"), two.expect("verto.invite")
        two.result("verto.answer", sdp=ANSWER, **dialog(second["callID"]))
        assert one.expect("verto.bye")["callID"] == first["callID"]
    assert reply == [f"+OK {second['callID']}\n"]
    for page in (one, two):
        page.close()


def test_one_page_calls_another(rig: Rig) -> None:
    one, two = rig.page("1000@example.org"), rig.page("1001@example.org")
    place(one, "call-1", "5004")
    called = two.expect("verto.invite")["callID"]
    two.result("verto.answer", sdp=ANSWER, **dialog(called))
    one.expect("verto.answer")
    rig.wait(lambda: variable(rig, "call-1", "bridge_uuid") == called)
    assert two.result("verto.modify", action="transfer", destination="5000", **dialog(called))["message"] == (
        "CALL TRANSFERRED"
    )
    rig.wait(lambda: variable(rig, "call-1", "current_application") == "park")
    assert two.expect("verto.bye")["callID"] == called
    error = one.error("verto.modify", action="transfer", destination="5000", **dialog("call-1"))
    assert error["message"] == "call is not bridged"
    for page in (one, two):
        page.close()


def bridged(rig: Rig, page: Page, call_id: str, other: str) -> None:
    """Have a page call, and join that call with a leg that nobody hears."""
    talking(rig, page, call_id)
    assert rig.api(f"originate {{origination_uuid={other}}}null/x &park()").startswith("+OK")
    assert rig.api(f"uuid_bridge {call_id} {other}").startswith("+OK")
    rig.wait(
        lambda: (
            variable(rig, call_id, "bridge_uuid") == other
            and session(rig, other).partner == call_id
            and all(Flag.BRIDGED in session(rig, one).channel.flags for one in (call_id, other))
        )
    )


def test_two_calls_become_one(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    bridged(rig, page, "call-1", "left")
    bridged(rig, page, "call-2", "right")
    page.result("verto.modify", action="replace", replaceCallID="call-2", **dialog("call-1"))
    rig.wait(lambda: session(rig, "left").partner == "right")
    assert (
        variable(rig, "left", "transfer_history")
        .partition("att_xfer:")[2]
        .startswith("1000@example.org@example.org/null/x")
    )
    ended = {page.expect("verto.bye")["callID"] for _ in range(2)}
    assert ended == {"call-1", "call-2"}
    page.close()


def test_a_call_takes_the_place_of_one_to_a_script(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    bridged(rig, page, "call-1", "left")
    talking(rig, page, "call-2", "5005")
    page.result("verto.modify", action="replace", replaceCallID="call-2", **dialog("call-1"))
    rig.wait(lambda: variable(rig, "left", "destination_number") == "5005")
    rig.wait(lambda: not rig.switch.find_session("call-2"))
    page.close()


def test_calls_that_cannot_be_joined(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    talking(rig, page, "call-1")
    talking(rig, page, "call-2")
    ask = {"action": "replace", **dialog("call-1")}
    assert page.error("verto.modify", replaceCallID="call-2", **ask)["message"] == "transfer failed"
    assert page.error("verto.modify", replaceCallID="x", **ask)["message"] == "invalid transfer leg"
    assert page.error("verto.modify", **ask)["message"] == "replaceCallID missing"
    page.close()


def test_the_second_call_still_rings(rig: Rig) -> None:
    page, third = rig.page("1000@example.org"), rig.page("1001@example.org")
    bridged(rig, page, "call-1", "left")
    place(page, "call-2", "5004")
    called = third.expect("verto.invite")["callID"]
    page.result("verto.modify", action="replace", replaceCallID="call-2", **dialog("call-1"))
    ended = {page.expect("verto.bye")["callID"] for _ in range(2)}
    assert ended == {"call-1", "call-2"}
    third.result("verto.answer", sdp=ANSWER, **dialog(called))
    rig.wait(lambda: session(rig, "left").partner == called)
    for one in (page, third):
        one.close()


def test_a_page_that_vanishes_gets_its_calls_back(rig: Rig) -> None:
    page = rig.page("1000@example.org", sessid="mine")
    talking(rig, page, "answered")
    talking(rig, page, "lost", "5000")
    place(page, "ringing", "5002")
    page.vanish()
    rig.wait(lambda: not rig.switch.find_session("ringing"))
    assert all(leg.detached for leg in rig.verto.legs)
    again = rig.page("1000@example.org", sessid="mine")
    offers = {again.expect("verto.attach")["callID"] for _ in range(2)}
    ready = again.expect("verto.clientReady")
    assert offers == set(ready["reattached_sessions"]) == {"answered", "lost"}
    assert not any(leg.detached for leg in rig.verto.legs)
    rig.api("uuid_setvar answered last_sent_display_name Otto")
    again.result("verto.attach", sdp=ANSWER, **dialog("answered"))
    assert again.expect("verto.display")["display_name"] == "Otto"
    error = again.error("verto.attach", sdp=VIDEO, **dialog("lost"))
    assert error["message"] == "CODEC NEGOTIATION ERROR"
    assert again.expect("verto.bye")["cause"] == "BEARERCAPABILITY_NOTAVAIL"
    again.close()


def test_nobody_gets_the_calls_of_another(rig: Rig) -> None:
    page = rig.page("1000@example.org", sessid="mine")
    talking(rig, page, "call-1")
    page.vanish()
    rig.wait(lambda: [leg for leg in rig.verto.legs if leg.detached])
    thief = rig.page("1001@example.org", sessid="mine")
    assert thief.expect("verto.clientReady") == {"reattached_sessions": []}
    assert thief.error("verto.bye", **dialog("call-1"))["message"] == "CALL DOES NOT EXIST"
    thief.close()


def test_a_call_that_is_not_wanted_back(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    place(page, "call-1", "5000", recoverCall=False)
    page.expect("verto.answer")
    page.close()
    rig.quiet()


def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    soon = '<param name="detach-timeout-sec" value="1"/>'
    causes: list[object] = []
    with verto_switch(tmp_path, configuration(DIALPLAN, users=USERS, settings=soon)) as rig:
        rig.switch.observers.append(
            lambda kind, channel, facts: causes.append(facts["cause"]) if kind == "hangup" else None
        )
        page = rig.page("1000@example.org")
        talking(rig, page, "call-1")
        page.close()
        rig.quiet()
    assert causes == ["RECOVERY_ON_TIMER_EXPIRE"]


def test_another_page_takes_the_call(rig: Rig) -> None:
    first = rig.page("1000@example.org", sessid="mine")
    talking(rig, first, "call-1")
    second = rig.page("1000@example.org", sessid="mine")
    first.expect("verto.punt")
    assert second.expect("verto.attach")["callID"] == "call-1"
    assert first.ended()
    rig.wait(lambda: len(rig.verto.clients) == 1)
    assert not rig.verto.legs[0].detached
    second.close()


def test_nothing_is_left_of_the_module(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    talking(rig, page, "call-1")
    mod_verto.unload(rig.switch)
    assert page.ended()
    rig.wait(lambda: not rig.switch.sessions)
    assert not [one for one in threading.enumerate() if one.name == "verto"]
