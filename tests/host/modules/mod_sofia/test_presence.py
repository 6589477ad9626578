"""Presence: events, calls and publications as PIDF and dialog-info documents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from host.caller_profile import CallerProfile
from host.channel import Channel, Flag
from host.hangup_cause import HangupCause
from host.modules.mod_sofia.presence.dialog_info import call_entry, dialog_info, thing_entry
from host.modules.mod_sofia.presence.notifier import presence_of_user
from host.modules.mod_sofia.presence.pidf import (
    PidfError,
    Presence,
    Published,
    parse_pidf,
    pidf,
    presence_of,
    translated_rpid,
    xpidf,
)
from host.modules.mod_sofia.presence.presence_map import PresenceMap
from tests.host.modules.mod_sofia.presence_fakes import DOMAIN, PresenceRig, Sent, presence_rig, request

DIALOGS = "{urn:ietf:params:xml:ns:dialog-info}"
PIDF_TYPE = "application/pidf+xml"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[PresenceRig]:
    with presence_rig(tmp_path) as made:
        yield made


class FakeSession:
    """A session that is only looked up."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.uuid = channel.uuid


def call(
    rig: PresenceRig, who: str = f"1000@{DOMAIN}", *, outbound: bool = False, uuid: str = "u-1"
) -> Channel:
    """Begin a call of somebody."""
    profile = CallerProfile(
        username="1000", caller_id_name="Bob", caller_id_number="1002", destination_number="2000"
    )
    channel = Channel(rig.switch, uuid, f"sofia/internal/{who}", profile, outbound=outbound)
    channel.variables.set("presence_id", who)
    channel.variables.set("sip_call_id", f"sip-{uuid}")
    rig.switch.sessions[uuid] = FakeSession(channel)  # type: ignore[assignment]
    return channel


def hang_up(rig: PresenceRig, channel: Channel) -> None:
    channel.hangup(HangupCause.NORMAL_CLEARING)
    rig.switch.sessions.pop(channel.uuid, None)


def watch(rig: PresenceRig, event: str, to: str = f"1000@{DOMAIN}", *headers: str) -> Sent:
    """Subscribe; return the first NOTIFY, answered."""
    assert rig.receive(request("SUBSCRIBE", to, f"Event: {event}", *headers)).code == 202
    return told(rig)


def told(rig: PresenceRig) -> Sent:
    """Return the last NOTIFY, answered."""
    sent = rig.profile.last()
    sent.answer(200)
    return sent


def note(sent: Sent) -> tuple[str, str, str]:
    """Return basic, note and activity of a PIDF document."""
    root = etree.fromstring(sent.text.encode())
    found = parse_pidf(sent.text)
    activities = root.findall(".//{urn:ietf:params:xml:ns:pidf:rpid}activities/*")
    return found.basic, found.note, etree.QName(activities[0]).localname if activities else ""


def dialogs(sent: Sent) -> tuple[str, list[tuple[str, str, str]]]:
    """Return the version and each dialog's id, direction and state."""
    root = etree.fromstring(sent.text.encode())
    assert root.get("state") == "full" and root.get("entity") == f"sip:1000@{DOMAIN}"
    rows = [
        (one.get("id") or "", one.get("direction") or "", one.findtext(f"{DIALOGS}state") or "")
        for one in root.iter(f"{DIALOGS}dialog")
    ]
    return root.get("version") or "", rows


# Documents.


def test_who_is_registered_is_available_and_who_is_not_is_closed() -> None:
    assert presence_of("Registered(UDP)", "unknown") == Presence(True, "Available")
    assert presence_of("Unregistered", "away") == Presence(False, "Unregistered")
    assert presence_of("Lunch", "away") == Presence(True, "Lunch", "away")
    assert presence_of("Lunch", "unavailable") == Presence(True, "Lunch", "away")
    assert presence_of("Hello", "<x>") == Presence(True, "Hello")
    assert presence_of("x", "busy", is_open=False) == Presence(False, "Unregistered")
    assert translated_rpid("dnd", "") == "busy" and translated_rpid("away", "") == "away"


@given(st.text(), st.text())
def test_documents_are_well_formed_whatever_people_are_called(entity: str, words: str) -> None:
    entity_text, presence = f"sip:{entity}@x", Presence(True, words, "busy")
    for text in (pidf(entity_text, presence), xpidf(entity_text, words, presence)):
        etree.fromstring(text.encode(), etree.XMLParser(load_dtd=False, no_network=True))
    one = call_entry(
        uuid=words, direction="recipient", state="early", user=entity, host="x", other_number=words
    )
    etree.fromstring(dialog_info(entity_text, 0, [one]).encode())


@given(st.text(max_size=200))
def test_any_body_is_a_presence_document_or_none(text: str) -> None:
    for body in (text, f"<presence><tuple>{text}</tuple></presence>"):
        try:
            parse_pidf(body)
        except PidfError:
            pass


def test_published_documents_are_read_in_any_namespace() -> None:
    document = (
        "<?xml version='1.0' encoding='UTF-8'?><presence xmlns='urn:ietf:params:xml:ns:pidf' "
        "xmlns:r='urn:ietf:params:xml:ns:pidf:rpid' xmlns:d='urn:ietf:params:xml:ns:pidf:data-model'>"
        "<tuple id='a'><status><basic>open</basic></status><note>first</note></tuple>"
        "<d:person id='b'><r:activities><r:away/></r:activities><d:note>At lunch</d:note></d:person></presence>"
    )
    assert parse_pidf(document) == Published("open", "At lunch", "away")
    closed = "<presence><tuple><status><basic>closed</basic></status></tuple></presence>"
    assert parse_pidf(closed) == Published("closed", "Unregistered", "Unregistered")
    for wrong in (
        "",
        "<a/>",
        "<!DOCTYPE presence [<!ENTITY a 'b'>]><presence/>",
        "<presence>" + " " * 30_000,
    ):
        with pytest.raises(PidfError):
            parse_pidf(wrong)


def test_a_parked_call_is_a_dialog_that_can_be_fetched() -> None:
    entry = thing_entry(
        "park", uuid="6001", direction="recipient", state="confirmed", user="6001", host="x", plain=False
    )
    text = dialog_info("sip:park+6001@x", 3, [entry])
    assert 'version="3"' in text and '<target uri="sip:park+6001@x"/>' in text
    assert "sip:6001@x;proto=park</identity>" in text and 'pvalue="no"' in text


# Calls.


def test_lamps_follow_a_call(rig: PresenceRig) -> None:
    assert dialogs(watch(rig, "dialog")) == ("0", [])
    channel = call(rig)
    rig.switch.observe("route", channel)
    assert dialogs(told(rig)) == ("1", [("u-1", "initiator", "early")])
    channel.set_flag(Flag.ANSWERED)
    rig.switch.observe("answer", channel)
    answered = told(rig)
    assert dialogs(answered) == ("2", [("u-1", "initiator", "confirmed")])
    assert 'call-id="sip-u-1"' in answered.text and "sip:2000@pbx.test" in answered.text
    assert '<target uri="sip:**1000@pbx.test"/>' in answered.text
    channel.fire("CHANNEL_HOLD")
    held = told(rig)
    assert dialogs(held)[1] == [("u-1", "initiator", "early")] and 'pvalue="no"' in held.text
    channel.fire("CHANNEL_UNHOLD")
    assert dialogs(told(rig))[1] == [("u-1", "initiator", "confirmed")]
    hang_up(rig, channel)
    assert dialogs(told(rig)) == ("5", [("u-1", "initiator", "terminated")])


def test_of_two_calls_the_one_that_is_left_is_shown(rig: PresenceRig) -> None:
    watch(rig, "dialog")
    first, second = call(rig), call(rig, outbound=True, uuid="u-2")
    rig.switch.observe("route", first)
    told(rig)
    rig.switch.observe("ring_ready", second)
    assert dialogs(told(rig))[1] == [("u-1", "initiator", "early"), ("u-2", "recipient", "early")]
    hang_up(rig, first)
    assert dialogs(told(rig))[1] == [("u-2", "recipient", "early"), ("u-1", "initiator", "terminated")]
    assert dialogs(watch(rig, "dialog"))[1] == [("u-2", "recipient", "early")]


def test_a_call_that_is_up_already_is_told_to_who_subscribes_later(rig: PresenceRig) -> None:
    channel = call(rig, outbound=True)
    channel.set_flag(Flag.ANSWERED)
    assert dialogs(watch(rig, "dialog"))[1] == [("u-1", "recipient", "confirmed")]


def test_people_read_with_whom_somebody_talks(rig: PresenceRig) -> None:
    rig.profile.bind("1000")
    assert note(watch(rig, "presence")) == ("open", "Available", "")
    channel = call(rig)
    rig.switch.observe("route", channel)
    assert note(told(rig)) == ("open", "Call 2000", "on-the-phone")
    channel.set_flag(Flag.ANSWERED)
    rig.switch.observe("answer", channel)
    assert note(told(rig)) == ("open", "Talk 2000", "on-the-phone")
    rig.fire(
        "PRESENCE_IN",
        proto="sip",
        **{"from": f"1000@{DOMAIN}"},
        status="Registered",
        presence_source="register",
    )
    hang_up(rig, channel)
    assert note(told(rig)) == ("open", "Available", "")
    assert len(rig.profile.sent) == 4


def test_privacy_and_early_calls_are_the_profile_s_choice(tmp_path: Path) -> None:
    with presence_rig(tmp_path, presence_privacy=True, presence_disable_early=True) as rig:
        watch(rig, "presence")
        channel = call(rig)
        rig.switch.observe("route", channel)
        assert len(rig.profile.sent) == 1
        channel.set_flag(Flag.ANSWERED)
        rig.switch.observe("answer", channel)
        assert note(told(rig))[1] == "On The Phone"


def test_nothing_is_fired_while_nobody_listens(rig: PresenceRig) -> None:
    assert not rig.switch.bus.wants("PRESENCE_IN")
    channel = call(rig)
    rig.switch.observe("route", channel)
    assert "presence_told" not in channel.private


# Events.


def test_other_protocols_speak_for_themselves(rig: PresenceRig) -> None:
    probes: list[str] = []
    rig.switch.bus.subscribe(lambda event: probes.append(event.get_header("to") or ""), ["PRESENCE_PROBE"])
    first = watch(rig, "dialog", f"park+6001@{DOMAIN}")
    assert probes == [f"park+6001@{DOMAIN}"] and f'entity="sip:park+6001@{DOMAIN}"' in first.text
    headers = {"from": f"6001@{DOMAIN}", "proto": "park", "force_status": "Holding", "unique_id": "6001"}
    rig.fire("PRESENCE_IN", **headers, answer_state="confirmed", channel_state="CS_ROUTING")
    assert "<state>confirmed</state>" in told(rig).text
    rig.fire("PRESENCE_IN", **headers, answer_state="terminated", channel_state="CS_HANGUP")
    assert "<state>terminated</state>" in told(rig).text
    count = len(rig.profile.sent)
    rig.fire(
        "PRESENCE_IN",
        **{"from": f"6002@{DOMAIN}", "proto": "park"},
        answer_state="confirmed",
        unique_id="6002",
    )
    assert len(rig.profile.sent) == count


def test_registrations_and_the_command_presence_are_told(rig: PresenceRig) -> None:
    assert note(watch(rig, "presence")) == ("closed", "Unregistered", "")
    rig.fire("PRESENCE_IN", proto="sip", **{"from": f"1000@{DOMAIN}"}, status="Registered", rpid="unknown")
    assert note(told(rig)) == ("open", "Available", "")
    rig.fire("PRESENCE_IN", proto="dp", **{"from": f"1000@{DOMAIN}"}, status="In a meeting", rpid="busy")
    assert note(told(rig)) == ("open", "In a meeting", "busy")
    rig.fire("PRESENCE_OUT", proto="dp", **{"from": f"1000@{DOMAIN}"})
    assert note(told(rig))[0] == "closed"


def test_polycoms_read_another_document(rig: PresenceRig) -> None:
    first = watch(rig, "presence", f"1000@{DOMAIN}", "User-Agent: PolycomSoundPointIP")
    assert first.request.body is not None and first.request.body.content_type == "application/xpidf+xml"


# PUBLISH.


def publish(rig: PresenceRig, words: str, *headers: str, kind: str = PIDF_TYPE) -> tuple[int, str]:
    """Publish; return code and entity tag."""
    body = ""
    if words:
        body = (
            "<presence xmlns='urn:ietf:params:xml:ns:pidf'><tuple id='a'><status><basic>open</basic></status>"
            f"<note>{words}</note></tuple></presence>"
        )
    sent = request(
        "PUBLISH", f"1000@{DOMAIN}", *headers, body=body, content_type=kind if body else "", sender="1000"
    )
    answer = rig.receive(sent)
    return answer.code, answer.headers.get("SIP-ETag", "")


def test_what_is_published_is_told_renewed_and_runs_out(rig: PresenceRig) -> None:
    rig.profile.bind("1000")
    watch(rig, "presence")
    code, tag = publish(rig, "Busy bee", "Event: presence", "Expires: 100")
    assert code == 200 and note(told(rig))[1] == "Busy bee"
    assert presence_of_user(rig.sofia, "internal", "1000", DOMAIN) == ("Busy bee", "Busy bee")  # type: ignore[arg-type]
    assert publish(rig, "", "Event: presence", "SIP-If-Match: other")[0] == 412
    code, newer = publish(rig, "", "Event: presence", "Expires: 100", f"SIP-If-Match: {tag}")
    assert code == 200 and newer != tag
    assert publish(rig, "", "Event: presence", f"SIP-If-Match: {tag}")[0] == 412
    rig.advance(101)
    assert note(told(rig))[1] == "Available"
    assert presence_of_user(rig.sofia, "internal", "1000", DOMAIN) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "headers", "kind", "code"),
    [
        ("x", ("Event: dialog",), PIDF_TYPE, 489),
        ("", ("Event: presence",), PIDF_TYPE, 400),
        ("x", ("Event: presence",), "text/plain", 415),
        ("<", ("Event: presence",), PIDF_TYPE, 400),
    ],
)
def test_what_cannot_be_published(
    rig: PresenceRig, words: str, headers: tuple[str, ...], kind: str, code: int
) -> None:
    assert publish(rig, words, *headers, kind=kind) == (code, "")


def test_extensions_may_belong_to_another_protocol() -> None:
    rules = etree.fromstring(
        "<configuration><domains><domain name='pbx.test'><exten regex='3\\d+' proto='conf'/></domain>"
        "<domain name='*'><exten regex='(' proto='bad'/><exten regex='^4' proto='park'/></domain>"
        "</domains></configuration>"
    )
    found = PresenceMap(rules)
    assert (found.find("3001", "PBX.test"), found.find("3001", "x"), found.find("41", "x")) == (
        "conf",
        "",
        "park",
    )
