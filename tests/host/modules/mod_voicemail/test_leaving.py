"""Callers leave messages."""

from __future__ import annotations

from pathlib import Path

from tests.host.modules.mod_voicemail.conftest import Mail, phrases


def test_a_message_is_recorded_checked_and_delivered(mail: Mail) -> None:
    outcome = mail.call("box test 1001", ((100, "#"), (6000, "#"), (8000, "2"), (10_500, "#")), talk=True)
    assert phrases(outcome) == [
        "play_greeting",
        "record_file_check",
        "ack",
        "record_urgent_check",
        "ack",
        "goodbye",
    ]
    assert mail.api("vm_boxcount", "box/1001@test|all") == "1:0:0:0"
    assert mail.waiting() == ["1/0"]
    (event,) = mail.told("leave-message")
    path = Path(event.get_header("VM-File-Path") or "")
    assert path.is_file() and path.parent.parts[-4:] == ("voicemail", "box", "test", "1001")
    assert event.get_header("VM-Caller-ID-Number") == "1000"
    assert event.get_header("VM-Folder") == "inbox"
    assert int(event.get_header("VM-Message-Len") or 0) >= 3
    variables = outcome.session.channel.variables
    assert variables.get("voicemail_account") == "1001"
    assert variables.get("voicemail_read_flags") == "B_NORMAL"
    assert (variables.get("voicemail_message_len") or "").startswith("00:00:0")


def test_a_message_can_be_urgent(mail: Mail) -> None:
    mail.variables = {"skip_greeting": "true", "skip_instructions": "true", "skip_record_check": "true"}
    outcome = mail.call("box test 1001", ((3000, "#"), (4000, "*")), talk=True)
    assert phrases(outcome) == ["record_urgent_check", "ack", "goodbye"]
    assert mail.api("vm_boxcount", "box/1001@test|new-urgent") == "1"


def test_a_hangup_keeps_what_was_said(mail: Mail) -> None:
    mail.variables = {"skip_greeting": "true", "skip_instructions": "true"}
    mail.call("box test 1001", talk=True, hangup_ms=5000)
    assert mail.api("vm_boxcount", "box/1001@test|new") == "1"


def test_too_short_messages_are_discarded(mail: Mail, tmp_path: Path) -> None:
    mail.variables = {"skip_greeting": "true", "skip_instructions": "true"}
    outcome = mail.call("box test 1001", tuple((ms, "#") for ms in range(400, 8000, 400)), talk=True)
    assert phrases(outcome) == ["ack", "ack", "goodbye"]
    assert mail.api("vm_boxcount", "box/1001@test|all") == "0:0:0:0"
    assert not list(tmp_path.rglob("msg_*"))


def test_silence_ends_a_message(mail: Mail) -> None:
    mail.variables = {
        "skip_greeting": "true",
        "skip_instructions": "true",
        "skip_record_urgent_check": "true",
    }
    outcome = mail.call("box test 1001")
    assert phrases(outcome) == ["record_file_check", "ack", "goodbye"]
    assert outcome.session.channel.variables.get("silence_hits_exhausted") == "true"
    assert mail.api("vm_boxcount", "box/1001@test|new") == "1"


def test_the_operator_takes_the_call_out_of_the_greeting(mail: Mail) -> None:
    outcome = mail.call("box test 1001", ((150, "9"),))
    assert outcome.session.channel.profile.destination_number == "operator"
    assert not mail.told("leave-message")


def test_the_operator_takes_the_call_out_of_a_short_recording(mail: Mail) -> None:
    mail.variables = {"skip_greeting": "true", "skip_instructions": "true", "vm_operator_extension": "77"}
    outcome = mail.call("box test 1001", ((700, "9"),))
    assert outcome.session.channel.profile.destination_number == "77"


def test_users_without_voicemail_and_strangers_get_no_message(mail: Mail) -> None:
    assert phrases(mail.call("box test 1004")) == []
    assert phrases(mail.call("box test 999")) == ["goodbye"]
    mail.variables = {"voicemail_skip_goodbye": "true"}
    assert phrases(mail.call("box test 999")) == []


def test_wrong_words_are_logged(mail: Mail) -> None:
    assert any("Error Usage: [check] [auth] <profile_name>" in line for line in mail.call("box").logs)
    assert any("Error invalid profile none" in line for line in mail.call("none test 1001").logs)


def test_copies_go_to_other_boxes_and_a_full_box_takes_no_more(mail: Mail) -> None:
    mail.variables = {"skip_greeting": "true", "skip_instructions": "true", "skip_record_check": "true"}
    mail.call("box test 1005", ((8000, "#"),), talk=True)
    assert mail.api("vm_boxcount", "box/1005@test") == "1"
    assert mail.api("vm_boxcount", "box/1001@test") == "1"
    paths = {event.get_header("VM-File-Path") for event in mail.told("leave-message")}
    assert len(paths) == 2
    assert phrases(mail.call("box test 1005", talk=True)) == ["disk_quota_exceeded", "goodbye"]


def test_a_chosen_greeting_is_played(mail: Mail, tmp_path: Path) -> None:
    first = mail.call(
        "check auth box test 1001",
        ((900, "5"), (2200, "1"), (3600, "3"), (8000, "#")),
        talk=True,
        hangup_ms=15_000,
    )
    assert "record_greeting" in phrases(first)
    greeting = mail.api("vm_prefs", "box/1001@test")
    assert greeting.endswith("/greeting_3.wav") and Path(greeting).is_file()
    second = mail.call("box test 1001", ((300, "#"), (1500, "#")), talk=True, hangup_ms=2500)
    assert greeting in second.played
    mail.variables = {"voicemail_greeting_number": "4"}
    assert phrases(mail.call("box test 1001", hangup_ms=800))[0] == "play_greeting"
