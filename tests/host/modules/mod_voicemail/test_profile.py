"""What voicemail.conf sets, with FreeSWITCH's defaults and limits, and where messages are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.clock import RealClock, VirtualClock
from host.modules.mod_voicemail import NAME
from host.modules.mod_voicemail.profile import Profile
from host.switch import Switch
from tests.host.modules.mod_voicemail.conftest import CONFIGURATION


def test_what_is_missing_or_wrong_is_the_default() -> None:
    profile = Profile(
        "p",
        {
            "urgent-key": "12",
            "forward-key": "3",
            "operator-key": "",
            "login-keys": "x",
            "digit-timeout": "30001",
            "max-retries": "0",
            "min-record-len": "two",
            "file-extension": "../x",
            "play-date-announcement": "LAST",
            "allow-empty-password-auth": "no",
        },
    )
    assert profile.keys("urgent", "forward", "operator", "terminator") == "*:3::#"
    assert profile.login_keys == "0"
    numbers = ("digit-timeout", "max-retries", "min-record-len", "max-record-len")
    assert [profile.number(name) for name in numbers] == [10_000, 0, 3, 300]
    assert profile.text("file-extension") == "wav"
    assert profile.date_announcement == "last"
    assert not profile.flag("allow-empty-password-auth")


@pytest.mark.parametrize(
    ("params", "user", "folder"),
    [
        ({}, {}, "voicemail/p/test/1001"),
        ({"storage-dir": "/s"}, {}, "/s/test/1001"),
        ({"storage-dir": "/s", "storage-dir-shared": "true"}, {}, "/s/test/voicemail/1001"),
        ({"storage-dir": "/s"}, {"vm-domain-storage-dir": "/d"}, "/d/1001"),
        ({}, {"vm-storage-dir": "own"}, "voicemail/own"),
        ({}, {"vm-storage-dir": "/own"}, "/own"),
    ],
)
def test_messages_lie_below_the_storage_folder(
    tmp_path: Path, params: dict[str, str], user: dict[str, str], folder: str
) -> None:
    switch = Switch(VirtualClock(), tmp_path, seed=1)
    with switch.clock.participating():
        found = Profile("p", params).folder(switch, user, "test", "1001")
        switch.close()
    assert found == str(tmp_path / "storage" / folder)


def test_a_server_keeps_its_messages_in_a_file(tmp_path: Path) -> None:
    note = tmp_path / "note.wav"
    note.write_bytes(b"RIFF")
    for expected in ("0", "1"):
        switch = Switch(RealClock(), tmp_path)
        switch.xml.load_text(CONFIGURATION)
        switch.modules.load(NAME)
        assert switch.api("vm_boxcount", "box/1001@test") == expected
        if expected == "0":
            switch.api("vm_inject", f"1001@test@box {note}")
        switch.modules.unload(NAME)
        switch.close()
    assert (tmp_path / "db" / "voicemail_box.db").is_file()
