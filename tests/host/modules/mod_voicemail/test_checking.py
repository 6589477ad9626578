"""Owners of mailboxes log in, hear their messages and change their settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.channel import Channel
from host.clock import MILLISECOND
from host.event import Event
from host.inbox import Digit
from media.recording import Recording
from media.tone import ToneSource
from tests.host.modules.mod_voicemail.conftest import Mail, phrases


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """Return a file of two seconds."""
    path = tmp_path / "two.wav"
    with Recording(str(path), 8000) as recording:
        recording.write(ToneSource("%(2000,0,300)", 8000).render(0, 16_000))
    return path


@pytest.fixture
def filled(mail: Mail, sound: Path) -> Mail:
    """Return mailboxes of which 1001 has one message from `77 "Ann"`."""
    assert mail.api("vm_inject", f"1001@test@box {sound} 77 Ann") == "+OK\n"
    mail.events.clear()
    return mail


def test_the_password_opens_the_box(mail: Mail) -> None:
    outcome = mail.call("check box test 1001", ((500, "4711#"), (3500, "#")))
    assert phrases(outcome) == ["hello", "enter_pass", "message_count", "message_count", "menu", "goodbye"]
    assert [event.get_header("VM-Auth-Result") for event in mail.told("authentication")] == ["success"]
    (summary,) = mail.told("folder-summary")
    assert summary.get_header("VM-Total-New-Messages") == "0"


def test_wrong_passwords_end_the_call(mail: Mail) -> None:
    outcome = mail.call("check box test 1001", ((500, "1#"), (2000, "2#")))
    assert phrases(outcome) == [
        "hello",
        "enter_pass",
        "fail_auth",
        "enter_pass",
        "fail_auth",
        "abort",
        "goodbye",
    ]
    assert [event.get_header("VM-Auth-Result") for event in mail.told("authentication")] == ["fail", "fail"]


def test_the_box_is_asked_for_when_none_is_named(mail: Mail) -> None:
    outcome = mail.call("check box test", ((500, "2002#"), (3000, "#")))
    assert phrases(outcome)[:3] == ["hello", "enter_id", "message_count"]
    assert [event.get_header("VM-User") for event in mail.told("authentication")] == ["1002"]


def test_a_hash_is_a_password_too(mail: Mail) -> None:
    mail.call("check box test 1003", ((500, "55#"), (3500, "#")))
    mail.call("check box test 1003", ((500, "56#"),), hangup_ms=2000)
    assert [event.get_header("VM-Auth-Result") for event in mail.told("authentication")] == [
        "success",
        "fail",
    ]


def test_the_login_alone_sets_the_user(mail: Mail) -> None:
    outcome = mail.call("auth_only box test 1001", ((500, "4711#"),))
    variables = outcome.session.channel.variables
    assert variables.get("user_pin_authenticated") == "true"
    assert variables.get("user_pin_authenticated_user") == "1001"
    assert phrases(outcome) == ["hello", "enter_pass"]
    refused = mail.call("auth_only box test 1001", ((500, "1#"), (2000, "2#")))
    assert refused.session.channel.hangup_cause.name == "USER_CHALLENGE"


def test_new_messages_are_played_and_saved(filled: Mail) -> None:
    outcome = filled.call("check auth box test 1001", ((1500, "2"), (6000, "#")))
    told = phrases(outcome)
    assert told == [
        "hello",
        "message_count",
        "say_message_number",
        "ack",
        "message_count",
        "message_count",
        "menu",
        "goodbye",
    ]
    assert filled.api("vm_boxcount", "box/1001@test|all") == "0:1:0:0"
    assert filled.waiting() == ["0/1"]


def test_a_message_is_played_to_its_end_and_deleted(filled: Mail, tmp_path: Path) -> None:
    (path,) = tmp_path.rglob("msg_*_broadcast_two.wav")
    outcome = filled.call("check auth box test 1001", ((11_000, "7"), (16_000, "#")))
    assert str(path) in outcome.played
    assert "listen_file_check" in phrases(outcome)
    assert filled.api("vm_boxcount", "box/1001@test|all") == "0:0:0:0"
    assert not path.exists()


def test_a_deleted_message_is_kept_when_it_is_saved_after_all(mail: Mail, sound: Path) -> None:
    for number in ("1", "2"):
        mail.api("vm_inject", f"1001@test@box {sound} {number}")
    outcome = mail.call("check auth box test 1001", ((1500, "7"), (2900, "1"), (4300, "2"), (5700, "2")))
    numbers = [
        facts["data"] for facts in outcome.kinds("phrase") if facts["macro"] == "voicemail_say_message_number"
    ]
    assert numbers == ["new:1", "new:2", "new:1", "new:2"]
    assert mail.api("vm_boxcount", "box/1001@test|all") == "0:2:0:0"


def test_a_message_is_forwarded(filled: Mail) -> None:
    filled.call(
        "check auth box test 1001", ((1500, "8"), (3500, "8"), (5500, "2002#"), (9500, "2"), (13_000, "#"))
    )
    assert filled.api("vm_boxcount", "box/1002@test") == "1"
    assert "77" in filled.api("vm_list", "1002@test/box")
    assert filled.api("vm_boxcount", "box/1001@test|all") == "0:1:0:0"


def test_a_message_is_forwarded_with_words_before_it(filled: Mail, tmp_path: Path) -> None:
    keys = (
        (1500, "8"),
        (3500, "1"),
        (8000, "#"),
        (9500, "2"),
        (15_000, "1003#"),
        (19_000, "2"),
        (22_000, "#"),
    )
    filled.call("check auth box test 1001", keys, talk=True)
    (line,) = filled.api("vm_list", "1003@test/box").splitlines()
    assert int(line.rpartition(":")[2]) > 3
    assert not list((tmp_path / "tmp").glob("msg_*"))


def test_a_password_is_changed(mail: Mail) -> None:
    outcome = mail.call(
        "check box test 1002", ((1500, "5"), (2700, "6"), (3900, "99#"), (6000, "0"), (7500, "#"))
    )
    assert "change_pass_success" in phrases(outcome)
    assert mail.api("vm_prefs", "box/1002@test|password") == "99"
    (event,) = mail.told("change-password")
    assert event.get_header("VM-User") == "1002"
    again = mail.call("check box test 1002", ((500, "99#"), (3500, "#")))
    assert phrases(again)[:3] == ["hello", "enter_pass", "message_count"]


def test_an_empty_password_may_be_refused(mail: Mail) -> None:
    outcome = mail.call(
        "check auth strict test 1002", ((1500, "5"), (2700, "6"), (3900, "#")), hangup_ms=6000
    )
    assert "change_pass_fail" in phrases(outcome)
    assert mail.api("vm_prefs", "strict/1002@test|password") == ""


def test_a_greeting_that_was_not_recorded_cannot_be_chosen(mail: Mail) -> None:
    outcome = mail.call("check auth box test 1001", ((900, "5"), (2200, "2"), (3600, "7")), hangup_ms=5000)
    assert "choose_greeting_fail" in phrases(outcome)
    assert mail.api("vm_prefs", "box/1001@test") == ""


def test_a_name_is_recorded_and_heard_in_the_greeting(mail: Mail) -> None:
    mail.call("check auth box test 1001", ((900, "5"), (2200, "3"), (6000, "#")), talk=True, hangup_ms=11_000)
    name = mail.api("vm_prefs", "box/1001@test|name_path")
    assert name.endswith("/recorded_name.wav")
    assert name in mail.call("box test 1001", hangup_ms=800).played


@pytest.mark.parametrize(
    ("keys", "ms"),
    [
        ((), 2000),
        ((("4", 1000),), 3000),  # back, here to the start
        ((("1", 500),), 2500),  # from the start again
        ((("0", 1000), ("0", 1700)), 2700),  # held, and on again
        ((("6", 1000),), 1000),  # ahead, here to the end
        ((("9", 1000),), 2000),  # no key of the message
    ],
)
def test_keys_steer_a_message(mail: Mail, sound: Path, keys: tuple[tuple[str, int], ...], ms: int) -> None:
    mail.api("vm_inject", f"1001@test@steered {sound}")
    clock = mail.switch.clock
    began: list[int] = []
    lasted: list[int] = []

    def observe(kind: str, channel: Channel | None, facts: dict[str, object]) -> None:
        if channel is None or "broadcast" not in str(facts.get("path")):
            return
        if kind == "play":
            began.append(clock.now())
            session = mail.switch.find_session(channel.uuid)
            assert session is not None
            for key, after in keys:
                clock.call_later(
                    after * MILLISECOND,
                    lambda key=key: session.receive_digit(Digit(key, 800)),  # type: ignore[misc]
                )
        else:
            lasted.append((clock.now() - began[-1]) // MILLISECOND)

    mail.switch.observers.append(observe)
    mail.call("check auth steered test 1001", hangup_ms=30_000)
    assert lasted == [pytest.approx(ms, abs=40)]


def test_a_query_is_answered_with_the_counts(filled: Mail) -> None:
    query = Event("MESSAGE_QUERY")
    query.add_header("Message-Account", "sip:1001@test")
    query.add_header("VM-Sofia-Profile", "internal")
    filled.switch.fire(query)
    filled.switch.clock.sleep(1000)
    (answer,) = filled.events
    assert answer.get_header("MWI-Messages-Waiting") == "yes"
    assert answer.get_header("MWI-Voice-Message") == "1/0 (0/0)"
    assert answer.get_header("Sofia-Profile") == "internal"
