"""The API commands on mailboxes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.host.modules.mod_voicemail.conftest import Mail


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a WAV of no samples: what counts here is that there is a file."""
    path = tmp_path / "note.wav"
    path.write_bytes(b"RIFF")
    return path


def uuids(mail: Mail, box: str = "1001@test/box") -> list[str]:
    return [line.split(":")[6] for line in mail.api("vm_list", box).splitlines()]


def facts(reply: str) -> dict[str, str]:
    found = json.loads(reply)
    return {name: value for name, value in found.items() if name.startswith("VM-")}


def test_a_group_and_a_domain_get_copies(mail: Mail, file: Path) -> None:
    assert mail.api("vm_inject", f"group=sales@test@box {file} 5 'Old Bob'") == "+OK\n"
    counts = [mail.api("vm_boxcount", f"box/{user}@test") for user in (1001, 1002, 1003, 1005)]
    assert counts == ["1", "1", "1", "0"]
    assert ":Old Bob:5:" in mail.api("vm_list", "1003@test/box")
    assert mail.api("voicemail_inject", f"group=none@test@box {file}") == "+OK\n"


def test_a_copy_needs_a_box(mail: Mail, file: Path) -> None:
    for target in ("none@test@box", "1001@nowhere@box", "1001@test", "1001"):
        assert mail.api("vm_inject", f"{target} {file}").startswith("Error: [group="), target
    assert mail.api("vm_inject", "1001@test@box /nowhere.wav") == "+OK\n"
    assert not uuids(mail)


def test_messages_are_listed_read_and_deleted(mail: Mail, file: Path) -> None:
    mail.api("vm_inject", f"1001@test@box {file} 5 Bob")
    mail.api("vm_inject", f"1001@test@box {file} 6 Eve 1002@test A_URGENT")
    one, two = uuids(mail)
    assert mail.api("vm_boxcount", "box/2002@test|all") == "0:0:0:0"
    assert mail.api("vm_boxcount", "box/1001@test|all") == "2:0:1:0"
    xml = mail.api("vm_list", f"1001@test/box xml {two}")
    assert xml.startswith("<voicemail>\n <message>\n  <created_epoch>") and xml.count("<uuid>") == 1
    assert mail.api("vm_read", f"1001@test/box read {one}") == "+OK\n"
    assert mail.api("vm_boxcount", "box/1001@test|saved") == "1"
    assert mail.api("vm_read", f"1001@test/box unread {one}") == "+OK\n"
    assert mail.api("vm_boxcount", "box/1001@test|new") == "2"
    paths = [Path(line.split(":")[5]) for line in mail.api("vm_list", "1001@test/box").splitlines()]
    assert mail.api("vm_delete", f"1001@test/box {one}") == "+OK\n"
    assert uuids(mail) == [two]
    assert [path.exists() for path in paths] == [False, True]
    assert mail.api("vm_delete", "1001@test/box") == "+OK\n"
    assert not paths[1].exists()
    reasons = [event.get_header("Update-Reason") for event in mail.events if event.name == "MESSAGE_WAITING"]
    assert reasons == ["NEW", "NEW", "READ", "READ", "DELETE", "DELETE"]


def test_the_full_summary_tells_the_urgent_ones(mail: Mail, file: Path) -> None:
    mail.api("vm_inject", f"1001@test@strict {file} 6 Eve 1002@test A_URGENT")
    assert mail.waiting() == ["1/0 (1/0)"]


def test_preferences_are_told(mail: Mail) -> None:
    assert mail.api("vm_prefs", "box/1001") == "-ERR No domain specified\n"
    assert mail.api("vm_prefs", "none/1001@test") == "-ERR No such profile\n"
    assert mail.api("vm_prefs", "1001@test") == "-ERR profile 'default' doesn't exist\n"
    assert mail.api("vm_fsdb_pref_password_set", "box test 1001 12") == "-OK\n"
    assert mail.api("vm_prefs", "box/sip:1001@test|all") == "::12"
    assert mail.api("vm_prefs", "box/1001@test|") == "::12"
    assert mail.api("vm_prefs", "1001@") == "-ERR profile 'default' doesn't exist\n"


def test_fsdb_commands_manage_messages(mail: Mail, file: Path) -> None:
    mail.api("vm_inject", f"1001@test@box {file} 5 Bob")
    mail.api("vm_inject", f"1001@test@box {file} 6 Eve x A_URGENT")
    bob, eve = uuids(mail)
    listed = facts(mail.api("vm_fsdb_msg_list", "json box test 1001 inbox new"))
    assert listed == {"VM-List-Message-1-UUID": eve, "VM-List-Message-2-UUID": bob, "VM-List-Count": "2"}
    assert mail.api("vm_fsdb_msg_list", "json box test 1001 inbox new UP") == "-ERR Bad Argument: 'UP'\n"
    told = facts(mail.api("vm_fsdb_msg_get", f"json box test 1001 {bob}"))
    assert told["VM-Message-Caller-Name"] == "Bob" and told["VM-Message-Read-Flags"] == "B_NORMAL"
    assert "VM-Message-Flags" not in told
    assert facts(mail.api("vm_fsdb_msg_get", "json box test 1001 none")) == {}
    assert mail.api("vm_fsdb_msg_save", f"box test 1001 {eve}") == "-OK\n"
    counted = facts(mail.api("vm_fsdb_msg_count", "json box test 1001 inbox"))
    assert list(counted.values()) == ["1", "0", "1", "1"]
    mail.api("vm_fsdb_msg_delete", f"box test 1001 {eve}")
    mail.api("vm_fsdb_msg_undelete", f"box test 1001 {eve}")
    mail.api("vm_fsdb_msg_delete", f"box test 1001 {bob}")
    assert mail.api("vm_fsdb_msg_purge", "box test 1001") == "-OK\n"
    assert uuids(mail) == [eve]
    assert mail.api("vm_fsdb_msg_email", f"box test 1001 {eve} a@b").startswith("-ERR")
    assert mail.api("vm_fsdb_msg_forward", "box test 1001 none test 1002").startswith("-ERR Cannot find")


@pytest.mark.parametrize(
    ("command", "argument", "reply"),
    [
        ("vm_fsdb_msg_list", "json none test 1001 inbox new UP", "-ERR Bad Argument: 'UP'\n"),
        ("vm_fsdb_msg_list", "json none test 1001 inbox new desc", "-ERR Profile not found\n"),
        ("vm_fsdb_msg_email", "none test none x a@b", "-ERR Can't locate user.\n"),
        ("vm_fsdb_msg_email", "none test 1001 x a@b", "-ERR Profile not found\n"),
        ("vm_fsdb_pref_greeting_set", "none test 1001 x", "-ERR Missing Arguments\n"),
        ("vm_fsdb_pref_greeting_set", "none test", "-ERR Missing Arguments\n"),
        ("vm_fsdb_pref_greeting_set", "none test 1001", "-ERR Profile not found\n"),
        ("voicemail", "a b c d e", ""),
    ],
)
def test_what_is_wrong_is_told_in_order(mail: Mail, command: str, argument: str, reply: str) -> None:
    assert mail.api(command, argument) == reply


def test_a_greeting_of_no_slot_is_that_of_a_slot_that_is_none(mail: Mail) -> None:
    told = mail.api("vm_fsdb_pref_greeting_set", "box test 1001")
    assert told.startswith("-ERR Recording doesn't exist [") and told.endswith("/greeting_-1.wav]\n")


def test_fsdb_login_measures_passwords(mail: Mail) -> None:
    def login(profile: str, user: str, password: str) -> str:
        return mail.api("vm_fsdb_auth_login", f"{profile} test {user} {password}")

    assert [login("box", "1001", "4711"), login("box", "1001", "1")] == ["-OK", "-ERR"]
    assert [login("box", "1003", "1"), login("strict", "1003", "1")] == ["-OK", "-ERR"]
    assert login("box", "1004", "1") == "-ERR Login Denied"
    for profile in ("box", "strict"):
        mail.api("vm_fsdb_pref_password_set", f"{profile} test 1001 12")
        assert login(profile, "1001", "12") == "-OK"
    assert [login("box", "1001", "4711"), login("strict", "1001", "4711")] == ["-OK", "-ERR"]


def test_fsdb_sets_greetings_and_names(mail: Mail, file: Path, tmp_path: Path) -> None:
    assert (
        mail.api("vm_fsdb_pref_greeting_set", "box test 1001 2 /nowhere.wav")
        == "-ERR Filename doesn't exist\n"
    )
    assert mail.api("vm_fsdb_pref_greeting_set", "box test 1001 2").startswith(
        "-ERR Recording doesn't exist ["
    )
    name = tmp_path / "name.wav"
    name.write_bytes(b"RIFF")
    assert mail.api("vm_fsdb_pref_greeting_set", f"box test 1001 2 {file}") == "-OK\n"
    assert mail.api("vm_fsdb_pref_recname_set", f"box test 1001 {name}") == "-OK\n"
    greeting = facts(mail.api("vm_fsdb_pref_greeting_get", "json box test 1001"))
    assert greeting["VM-Preference-Greeting-File-Path"].endswith("/1001/greeting_2.wav")
    assert mail.api("vm_prefs", "box/1001@test|name_path").endswith("/1001/recorded_name.wav")


def test_no_name_leads_out_of_the_folder(mail: Mail, file: Path, tmp_path: Path) -> None:
    for box in ("../../..", "a/../../b", ".."):
        reply = mail.api("vm_fsdb_pref_recname_set", f"box test {box} {file}")
        assert reply == "-ERR Filename doesn't exist\n"
    assert file.exists()


def test_profiles_come_and_go(mail: Mail, file: Path) -> None:
    assert mail.api("voicemail", "load box") == "+OK load complete\n"
    assert "Profile: box\n" in mail.api("voicemail", "status")
    mail.api("vm_inject", f"1001@test@box {file}")
    assert mail.api("voicemail", "unload box") == "+OK unload complete\n"
    assert "box" not in mail.api("voicemail", "status")
    assert mail.api("voicemail", "reload box").endswith("+OK reload complete\n")
    assert mail.api("voicemail", "rss h 80 /u 1001 test").startswith("-ERR")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    name=st.sampled_from(
        [
            "vm_boxcount",
            "vm_prefs",
            "vm_list",
            "vm_read",
            "vm_delete",
            "vm_inject",
            "vm_fsdb_msg_list",
            "voicemail",
        ]
    ),
    text=st.text(alphabet="1@/| 'xbox=test.\\", max_size=30),
)
def test_any_argument_is_answered(mail: Mail, name: str, text: str) -> None:
    assert isinstance(mail.api(name, text), str)
