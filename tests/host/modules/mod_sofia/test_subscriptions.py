"""SUBSCRIBE and NOTIFY: granting, renewing, ending, failing, and who gets which state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.modules.mod_sofia.call.dialog import Dialog
from host.modules.mod_sofia.message import Source
from host.modules.mod_sofia.presence.subscription import (
    Document,
    Remove,
    Retry,
    Send,
    Subscription,
    granted,
    parse_event,
)
from tests.host.modules.mod_sofia.presence_fakes import DOMAIN, PHONE, PresenceRig, presence_rig, request


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[PresenceRig]:
    with presence_rig(tmp_path) as made:
        yield made


def subscribe(
    rig: PresenceRig, to: str = f"1000@{DOMAIN}", event: str = "presence", **options: object
) -> str:
    """Subscribe; return the tag of the dialog."""
    answer = rig.receive(request("SUBSCRIBE", to, f"Event: {event}", **options))  # type: ignore[arg-type]
    assert answer.code == 202
    return answer.tag


# The state of one subscription.


def subscription(expires_at: float = 3700.0) -> Subscription:
    dialog = Dialog("id", "<sip:1000@x>", "near", "<sip:1001@x>", "far", "sip:1001@192.0.2.7")
    source = Source("192.0.2.7", 5060, "udp")
    return Subscription(parse_event("presence"), dialog, "1000", "x", "1001", "x", source, expires_at)


def document(text: str) -> Document:
    return Document("text/plain", lambda version: f"{text} {version}")


def sent(actions: list[object]) -> tuple[str, str, int]:
    (action,) = actions
    assert isinstance(action, Send) and action.request.body is not None
    return action.request.body.text, dict(action.request.headers)["Subscription-State"], action.request.cseq


def test_one_notify_is_on_its_way_and_only_the_last_state_waits() -> None:
    one = subscription()
    assert sent([*one.tell(document("a"), 100.0)]) == ("a 0", "active;expires=3600", 1)
    assert one.tell(document("b"), 101.0) == [] and one.tell(document("c"), 102.0) == []
    assert one.answered(180, None, 103.0) == []
    assert sent([*one.answered(200, None, 110.0)]) == ("c 1", "active;expires=3590", 2)
    assert one.answered(200, None, 111.0) == []
    assert sent([*one.again(112.0)]) == ("c 2", "active;expires=3588", 3)


def test_the_end_is_told_after_what_is_on_its_way_and_then_nothing() -> None:
    one = subscription()
    one.tell(document("a"), 100.0)
    assert one.end("timeout", 101.0) == []
    assert sent([*one.answered(200, None, 102.0)]) == ("a 1", "terminated;reason=timeout", 2)
    assert one.tell(document("b"), 103.0) == [] and one.end("deactivated", 103.0) == []
    assert one.answered(200, None, 104.0) == [Remove()]
    assert one.ended and one.tell(document("b"), 105.0) == []


@pytest.mark.parametrize("code", [404, 408, 481, 500, 603])
def test_a_notify_that_fails_ends_it(code: int) -> None:
    one = subscription()
    one.tell(document("a"), 100.0)
    assert one.answered(code, None, 101.0) == [Remove()] and one.ended


def test_who_is_busy_is_asked_again_a_few_times() -> None:
    one = subscription()
    one.tell(document("a"), 100.0)
    for _ in range(3):
        assert one.answered(503, 7, 101.0) == [Retry(7.0)]
        assert one.tell(document("b"), 102.0) == []
        assert sent([*one.retry(108.0)])[0].startswith("b")
    assert one.answered(503, 7, 101.0) == [Remove()]


@pytest.mark.parametrize(
    ("wanted", "options", "expected"),
    [
        (None, {}, 3600),
        ("120", {}, 120),
        ("0", {"force": 60}, 0),
        ("4294967295", {}, 31_536_000),
        ("600", {"force": 60}, 60),
        ("100", {"deviation": 20}, 80),
        ("50", {"deviation": 20}, 50),
    ],
)
def test_how_long_it_lives(wanted: str | None, options: dict[str, Any], expected: int) -> None:
    assert granted(wanted, **options) == expected


@given(st.text())
def test_any_expires_and_event_is_read_or_refused(text: str) -> None:
    parse_event(text)
    try:
        assert 0 <= granted(text) <= 31_536_000
    except ValueError:
        pass


# At a profile.


def test_a_subscriber_is_answered_and_told_at_once(rig: PresenceRig) -> None:
    answer = rig.receive(
        request(
            "SUBSCRIBE",
            f"1000@{DOMAIN}",
            "Event: presence;id=7",
            "Expires: 300",
            "Accept: application/pidf+xml",
        )
    )
    assert (answer.code, answer.reason) == (202, "Accepted")
    assert answer.headers["Expires"] == "300" and answer.headers["Subscription-State"] == "active;expires=300"
    assert answer.contact == "<sip:1000@192.0.2.1:5060>"
    notify = rig.profile.last()
    assert notify.header("Event") == "presence;id=7"
    assert notify.header("Subscription-State") == "active;expires=300"
    assert (notify.request.from_tag, notify.request.to_tag) == (answer.tag, "phone")
    assert notify.request.uri == "sip:1001@192.0.2.7:5062" and notify.contact == answer.contact
    assert "<basic>closed</basic>" in notify.text and "entity='sip:1000@pbx.test'" in notify.text.replace(
        '"', "'"
    )
    (row,) = rig.notifier.subscriptions["internal"].rows()
    assert (row["sub_to_user"], row["sip_user"], row["event"], row["network_ip"]) == (
        "1000", "1001", "presence", PHONE.ip,
    )  # fmt: skip


def test_it_is_renewed_within_its_dialog_and_runs_out(rig: PresenceRig) -> None:
    tag = subscribe(rig, call_id="a")
    rig.profile.last().answer(200)
    again = request(
        "SUBSCRIBE", f"1000@{DOMAIN}", "Event: presence", "Expires: 60", call_id="a", to_tag=tag, cseq=2
    )
    assert rig.receive(again).headers["Expires"] == "60"
    rig.profile.last().answer(200)
    assert len(rig.profile.sent) == 2
    old = request("SUBSCRIBE", f"1000@{DOMAIN}", "Event: presence", call_id="a", to_tag=tag, cseq=1)
    assert rig.receive(old).code == 500
    rig.advance(59)
    assert len(rig.profile.sent) == 2
    rig.advance(2)
    assert rig.profile.last().header("Subscription-State") == "terminated;reason=timeout"
    rig.profile.last().answer(200)
    assert len(rig.notifier.subscriptions["internal"]) == 0


def test_unsubscribing_tells_the_end(rig: PresenceRig) -> None:
    tag = subscribe(rig, call_id="a")
    rig.profile.last().answer(200)
    bye = request(
        "SUBSCRIBE", f"1000@{DOMAIN}", "Event: presence", "Expires: 0", call_id="a", to_tag=tag, cseq=2
    )
    assert rig.receive(bye).headers["Subscription-State"] == "terminated;reason=noresource"
    assert rig.profile.last().header("Subscription-State") == "terminated;reason=noresource"
    rig.profile.last().answer(481)
    assert len(rig.notifier.subscriptions["internal"]) == 0


def test_a_state_is_fetched_without_a_subscription(rig: PresenceRig) -> None:
    subscribe_once = request("SUBSCRIBE", f"1000@{DOMAIN}", "Event: dialog", "Expires: 0")
    assert rig.receive(subscribe_once).code == 202
    (notify,) = rig.profile.sent
    assert (
        notify.header("Subscription-State") == "terminated;reason=timeout" and "<dialog-info" in notify.text
    )
    notify.answer(200)
    assert len(rig.notifier.subscriptions["internal"]) == 0


@pytest.mark.parametrize(
    ("headers", "options", "code"),
    [
        (("Event: presence.winfo",), {}, 489),
        ((), {}, 489),
        (("Event: presence",), {"to_tag": "unknown"}, 481),
        (("Event: presence",), {"contact": ""}, 400),
    ],
)
def test_what_is_none_is_refused(
    rig: PresenceRig, headers: tuple[str, ...], options: dict[str, str], code: int
) -> None:
    answer = rig.receive(request("SUBSCRIBE", f"1000@{DOMAIN}", *headers, **options))  # type: ignore[arg-type]
    assert answer.code == code and not rig.profile.sent
    assert code != 489 or "message-summary" in answer.headers["Allow-Events"]


def test_credentials_are_asked_for(tmp_path: Path) -> None:
    with presence_rig(tmp_path, auth_subscriptions=True, sip_subscribe_respond_200_ok=True) as rig:
        plain = request("SUBSCRIBE", f"1000@{DOMAIN}", "Event: presence")
        assert rig.receive(plain).code == 407
        good = request(
            "SUBSCRIBE", f"1000@{DOMAIN}", "Event: presence", 'Proxy-Authorization: Digest username="1001"'
        )
        assert rig.receive(good).code == 200


def test_nobody_subscribes_where_presence_is_not_managed(tmp_path: Path) -> None:
    with presence_rig(tmp_path, manage_presence="") as rig:
        assert rig.receive(request("SUBSCRIBE", f"1000@{DOMAIN}", "Event: presence")).code == 489


def test_a_subscribe_sent_anew_takes_the_place_of_the_first(rig: PresenceRig) -> None:
    subscribe(rig, call_id="a")
    subscribe(rig, call_id="a", cseq=2)
    assert len(rig.notifier.subscriptions["internal"]) == 1


def test_a_phone_behind_nat_is_told_where_it_came_from(rig: PresenceRig) -> None:
    source = Source("9.9.9.9", 40000, "udp")
    subscribe(rig, contact="<sip:1001@10.0.0.5:5060>", source=source)
    assert rig.profile.last().request.next_hop == source


def test_when_the_profile_stops_all_are_told_to_come_back(rig: PresenceRig) -> None:
    subscribe(rig)
    rig.profile.last().answer(200)
    rig.sofia.at_profile_stop[0](rig.profile)
    assert rig.profile.last().header("Subscription-State") == "terminated;reason=deactivated"
