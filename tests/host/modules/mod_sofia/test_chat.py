"""Text messages from phones and to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from host.chat import chat_message, send_chat
from host.event import Event
from host.interfaces import ChatInterface
from host.modules.mod_sofia.message import OutgoingRequest
from tests.host.modules.mod_sofia.presence_fakes import DOMAIN, PresenceRig, presence_rig, request


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[PresenceRig]:
    with presence_rig(tmp_path) as made:
        yield made


def heard(rig: PresenceRig, name: str, subclass: str | None = None) -> list[Event]:
    events: list[Event] = []
    rig.switch.bus.subscribe(events.append, [name], subclass)
    return events


def protocol(rig: PresenceRig, name: str, taken: bool = True) -> list[Event]:
    """Bring a chat protocol; return what it gets."""
    messages: list[Event] = []

    def send(message: Event) -> bool:
        messages.append(message)
        return taken

    rig.switch.chats.add(ChatInterface(name, "test", send))
    return messages


def from_phone(
    to: str, *headers: str, body: str = "Grüß dich", kind: str = "text/plain", **options: Any
) -> Any:
    return request("MESSAGE", to, *headers, body=body, content_type=kind, **options)


def test_a_message_from_a_phone_goes_to_its_protocol(rig: PresenceRig) -> None:
    got, events = protocol(rig, "conf"), heard(rig, "MESSAGE")
    answer = rig.receive(from_phone(f"conf+3000@{DOMAIN}", "X-Mood: good", "X-Mood: better"))
    assert (answer.code, answer.reason) == (202, "Accepted")
    (message,) = got
    values = {
        name: message.get_header(name)
        for name in ("proto", "to_proto", "from", "to", "type", "sip_profile", "from_sip_ip", "sip_h_X-Mood")
    }
    assert values == {
        "proto": "sip", "to_proto": "conf", "from": f"1001@{DOMAIN}", "to": "3000", "type": "text/plain",
        "sip_profile": "internal", "from_sip_ip": "192.0.2.7", "sip_h_X-Mood": "good",
    }  # fmt: skip
    assert message.body == "Grüß dich" and message.get_header("sip_h_X-Mood-1") == "better"
    assert message.get_header("from_full") == f"<sip:1001@{DOMAIN}>;tag=phone"
    assert [event.get_header("Nonblocking-Delivery") for event in events] == ["true"]


def test_a_chatplan_may_have_the_last_word(rig: PresenceRig) -> None:
    got = protocol(rig, "conf")

    def plan(message: Event) -> bool:
        message.add_header("final_delivery", "true")
        return True

    rig.switch.chats.add(ChatInterface("GLOBAL_SMS", "test", plan))
    rig.receive(from_phone(f"conf+3000@{DOMAIN}"))
    assert not got


def test_phones_write_to_each_other(rig: PresenceRig) -> None:
    rig.profile.bind("1000")
    rig.receive(from_phone(f"1000@{DOMAIN}"))
    sent = rig.profile.last().request
    assert (sent.uri, sent.from_uri) == ("sip:1000@192.0.2.7:5062", f"<sip:1001@{DOMAIN}>")
    assert dict(sent.headers)["X-FS-Sending-Message"] == rig.switch.core_uuid
    assert rig.profile.last().text == "Grüß dich"


@pytest.mark.parametrize("kind", ["application/im-iscomposing+xml", "text/x-composing"])
def test_who_is_typing_is_of_no_interest(rig: PresenceRig, kind: str) -> None:
    events = heard(rig, "MESSAGE")
    assert rig.receive(from_phone(f"1000@{DOMAIN}", kind=kind)).code == 202 and not events


def test_our_own_message_is_not_taken_again(rig: PresenceRig) -> None:
    assert (
        rig.receive(from_phone(f"1000@{DOMAIN}", f"X-FS-Sending-Message: {rig.switch.core_uuid}")).code == 503
    )


def test_the_profile_says_who_may_write_and_what_is_answered(tmp_path: Path) -> None:
    with presence_rig(
        tmp_path, auth_messages=True, sip_messages_respond_200_ok=True, fire_message_events=True
    ) as rig:
        got, told = protocol(rig, "conf"), heard(rig, "RECV_MESSAGE")
        assert rig.receive(from_phone(f"conf+3000@{DOMAIN}")).code == 407 and not got
        good = 'Proxy-Authorization: Digest username="1001"'
        assert rig.receive(from_phone(f"conf+3000@{DOMAIN}", good)).code == 200
        assert len(got) == len(told) == 1 and told[0].body == "Grüß dich"


def test_a_message_within_a_call_is_queued_for_it(rig: PresenceRig) -> None:
    queued: list[Event] = []

    class Session:
        uuid = "u-1"
        queue_event = staticmethod(queued.append)

    rig.switch.sessions["u-1"] = Session()  # type: ignore[assignment]
    message = from_phone(f"conf+3000@{DOMAIN}")
    message.session_uuid = "u-1"
    rig.receive(message)
    rig.switch.sessions.clear()
    assert [event.body for event in queued] == ["Grüß dich"]


def chat(rig: PresenceRig, to: str, sender: str = "bob", proto: str = "global", **headers: str) -> bool:
    message = chat_message(rig.switch, proto, sender, to, "hello", "text/plain")
    for name, value in headers.items():
        message.add_header(name, value)
    done = send_chat(rig.switch, "sip", message)
    rig.switch.observe("chat", None, message=message)
    return done


@pytest.mark.parametrize(
    ("to", "uri"),
    [
        (f"1000@{DOMAIN}", "sip:1000@192.0.2.7:5062"),
        (f"internal/1000@{DOMAIN}", "sip:1000@192.0.2.7:5062"),
        ("internal/ann@example.test", "sip:ann@example.test"),
        ("internal/sip:ann@192.0.2.3:5099;transport=tcp", "sip:ann@192.0.2.3:5099;transport=tcp"),
    ],
)
def test_the_protocol_sip_finds_whom_a_message_is_for(rig: PresenceRig, to: str, uri: str) -> None:
    rig.profile.bind("1000")
    assert chat(rig, to, sip_h_X_Mood="fine", **{"sip_h_X-Mood": "fine"})
    sent = rig.profile.last().request
    assert (sent.uri, sent.from_display) == (uri, "bob")
    assert sent.from_uri.startswith("sip:bob@") and dict(sent.headers)["X-Mood"] == "fine"
    assert rig.profile.last().text == "hello"


def test_who_writes_by_another_protocol_can_be_answered(rig: PresenceRig) -> None:
    rig.profile.bind("1000")
    assert chat(rig, f"1000@{DOMAIN}", sender=f"3000@{DOMAIN}", proto="conf")
    assert rig.profile.last().request.from_uri == f"sip:conf+3000@{DOMAIN}"


@pytest.mark.parametrize("to", [f"1999@{DOMAIN}", "nowhere/x@y", "x"])
def test_a_message_for_nobody_is_not_sent(rig: PresenceRig, to: str) -> None:
    errors = heard(rig, "CUSTOM", "sofia::error")
    assert not chat(rig, to) and not rig.profile.sent
    assert [event.get_header("Error-Reason") for event in errors] == (
        ["no recipient"] if DOMAIN in to else []
    )


@pytest.mark.parametrize(("code", "taken"), [(200, True), (404, False)])
def test_a_blocking_message_waits_for_its_response(rig: PresenceRig, code: int, taken: bool) -> None:
    rig.profile.bind("1000")
    send = rig.profile.send_request

    def answering(request: OutgoingRequest) -> None:
        send(request)
        rig.profile.last().answer(100)
        rig.profile.last().answer(code)

    rig.profile.send_request = answering  # type: ignore[method-assign]
    message = chat_message(rig.switch, "global", "bob", f"1000@{DOMAIN}", "hello", "text/plain")
    message.add_header("blocking", "true")
    assert send_chat(rig.switch, "sip", message) is taken
    assert message.get_header("Delivery-Result-Code") == str(code)


def test_a_blocking_message_without_a_response_is_lost(rig: PresenceRig) -> None:
    rig.profile.bind("1000")
    message = chat_message(rig.switch, "global", "bob", f"1000@{DOMAIN}", "hello", "text/plain")
    message.add_header("blocking", "true")
    assert not send_chat(rig.switch, "sip", message)
    assert message.get_header("Delivery-Result-Code") == "0"
