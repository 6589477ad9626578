"""Waiting messages, and the events with which scripts have requests sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.modules.mod_sofia.presence_fakes import DOMAIN, PresenceRig, presence_rig, request


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[PresenceRig]:
    with presence_rig(tmp_path) as made:
        yield made


def waiting(rig: PresenceRig, **headers: str) -> None:
    """Tell what a mailbox holds."""
    account = headers.pop("account", f"1000@{DOMAIN}")
    fields = {"MWI_Messages_Waiting": "yes", "MWI_Message_Account": account, "MWI_Voice_Message": "2/1 (0/0)"}
    rig.fire("MESSAGE_WAITING", **fields, **headers)


BODY = f"Messages-Waiting: yes\r\nMessage-Account: sip:1000@{DOMAIN}\r\nVoice-Message: 2/1 (0/0)\r\n\r\n"


def test_a_mailbox_is_asked_and_its_answer_is_told(rig: PresenceRig) -> None:
    asked: list[dict[str, str]] = []

    def answer(event: object) -> None:
        found = event.get_header  # type: ignore[attr-defined]
        asked.append(
            {name: found(name) for name in ("Message-Account", "VM-Sofia-Profile", "VM-sub-call-id")}
        )
        waiting(rig, Sofia_Profile="internal", sub_call_id=found("VM-sub-call-id"))

    rig.switch.bus.subscribe(answer, ["MESSAGE_QUERY"])
    rig.receive(request("SUBSCRIBE", f"1000@{DOMAIN}", "Event: message-summary", call_id="sub"))
    assert asked == [
        {"Message-Account": f"sip:1000@{DOMAIN}", "VM-Sofia-Profile": "internal", "VM-sub-call-id": "sub"}
    ]
    (notify,) = rig.profile.sent
    assert notify.text == BODY and notify.header("Event") == "message-summary"
    assert notify.request.body is not None
    assert notify.request.body.content_type == "application/simple-message-summary"
    rig.advance(5)
    assert len(rig.profile.sent) == 1


def test_without_a_mailbox_a_subscriber_is_told_that_there_is_nothing(rig: PresenceRig) -> None:
    rig.receive(request("SUBSCRIBE", f"1000@{DOMAIN}", "Event: message-summary"))
    assert not rig.profile.sent
    rig.advance(1)
    assert rig.profile.last().text.startswith("Messages-Waiting: no\r\n")


def test_a_change_is_told_to_subscribers_and_registered_phones(rig: PresenceRig) -> None:
    rig.receive(request("SUBSCRIBE", f"1000@{DOMAIN}", "Event: message-summary"))
    rig.advance(1)
    rig.profile.last().answer(200)
    rig.profile.sent.clear()
    rig.profile.bind("1000", '"" <sip:1000@10.0.0.9:5060;fs_nat=yes;fs_path=sip%3A1000%40192.0.2.9%3A6000>')
    rig.profile.bind("1002")
    waiting(rig)
    subscribed, unsolicited = rig.profile.sent
    assert subscribed.text == unsolicited.text == BODY
    assert unsolicited.header("Subscription-State") == "terminated;reason=noresource"
    assert unsolicited.request.uri == "sip:1000@10.0.0.9:5060" and not unsolicited.request.call_id
    assert unsolicited.request.next_hop is not None and unsolicited.request.next_hop.ip == "192.0.2.9"
    rig.profile.sent.clear()
    waiting(rig, account=f"sip:1002@{DOMAIN}", call_id="reg-1002")
    assert [sent.request.to_uri for sent in rig.profile.sent] == [f"sip:1002@{DOMAIN}"]


def test_the_call_id_of_the_registration_is_the_profile_s_choice(tmp_path: Path) -> None:
    with presence_rig(tmp_path, mwi_use_reg_callid=True) as rig:
        rig.profile.bind("1000")
        waiting(rig)
        assert rig.profile.last().request.call_id == "reg-1000"


@pytest.mark.parametrize("account", ["nobody", "@", ":", f"sip:9999@{DOMAIN}"])
def test_who_is_not_here_is_not_told(rig: PresenceRig, account: str) -> None:
    rig.profile.bind("1000")
    waiting(rig, account=account)
    assert not rig.profile.sent


# NOTIFY, SEND_MESSAGE, SEND_INFO.


def test_an_event_has_a_phone_notified(rig: PresenceRig) -> None:
    rig.profile.bind("1000")
    user = {"profile": "internal", "user": "1000", "host": DOMAIN}
    rig.fire("NOTIFY", "hello", **user, content_type="text/plain", event_string="check-sync;reboot=true")
    notify = rig.profile.last()
    assert notify.header("Event") == "check-sync;reboot=true" and notify.text == "hello"
    assert (notify.request.uri, notify.request.from_uri) == ("sip:1000@192.0.2.7:5062", f"sip:1000@{DOMAIN}")
    rig.fire("NOTIFY", **user, event_string="check-sync")
    assert len(rig.profile.sent) == 1


def test_an_event_has_a_uri_notified(rig: PresenceRig) -> None:
    uris = {"profile": "internal", "to_uri": "sip:a@192.0.2.3", "from_uri": "sip:b@192.0.2.4"}
    rig.fire("NOTIFY", "x", **uris, extra_headers="X-One: 1\nX-Two: 2")
    notify = rig.profile.last()
    assert notify.request.uri == notify.request.to_uri == "sip:a@192.0.2.3"
    assert notify.request.headers == (
        ("Event", "message-summary"),
        ("Subscription-State", "terminated;reason=noresource"),
        ("X-One", "1"),
        ("X-Two", "2"),
    )
    rig.fire("NOTIFY", "x", **uris, contact_uri="sip:a@192.0.2.9", no_sub_state="true", call_id="given")
    notify = rig.profile.last()
    assert (notify.request.uri, notify.request.call_id) == ("sip:a@192.0.2.9", "given")
    assert not notify.header("Subscription-State")


def test_messages_and_infos_go_to_phones(rig: PresenceRig) -> None:
    rig.profile.bind("1000")
    rig.fire(
        "SEND_MESSAGE",
        "hi",
        profile="internal",
        user="1000",
        host=DOMAIN,
        content_type="text/plain",
        subject="S",
    )
    sent = rig.profile.last()
    assert (sent.request.method, sent.text, sent.header("Subject")) == ("MESSAGE", "hi", "S")
    rig.fire(
        "SEND_INFO",
        "data",
        profile="internal",
        local_user=f"1000@{DOMAIN}",
        from_uri="sip:me@x",
        content_type="a/b",
    )
    sent = rig.profile.last()
    assert (sent.request.method, sent.request.to_uri) == ("INFO", "sip:1000@192.0.2.7:5062")
    count = len(rig.profile.sent)
    rig.fire("SEND_INFO", profile="internal", local_user=f"1999@{DOMAIN}", from_uri="sip:me@x")
    rig.fire("SEND_INFO", profile="internal", call_id="nowhere")
    rig.fire("SEND_INFO", to_uri="sip:a@b")
    assert len(rig.profile.sent) == count
