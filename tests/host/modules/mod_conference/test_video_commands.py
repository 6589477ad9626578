"""What `conference` answers about pictures in a room that mixes none."""

from __future__ import annotations

import pytest

from host.event import Event
from tests.host.modules.mod_conference.conftest import Rooms

MIXING = "-ERR Conference is not in mixing mode\n"


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("vid-canvas last", "-ERR Invalid DATA\n"),
        ("vid-layer last", "-ERR Invalid DATA\n"),
        ("vid-layer last 1", MIXING),
        ("vid-flip last", "+OK flipped {}\n"),
        ("vid-border last", "-ERR No text supplied\n"),
        ("vid-border last on", "-ERR Channel null/leg is not in a video layer\n"),
        ("vmute-snap last", MIXING),
        ("vid-banner last hi", "+OK\n"),
        ("vid-floor last", ""),
        ("vid-floor", "vid-floor <member_id|last> [force]"),
        ("vid-res-id last clear", "vid-res-id <member_id>|all <val>|clear [force]"),
        ("vid-res-id all", ""),
        ("vid-res-id all 1", "vid-res-id <member_id>|all <val>|clear [force]"),
        ("clear-vid-floor", "+OK floor Cleared\n"),
        ("canvas-auto-clear", "+OK\n"),
        ("cam", MIXING),
        ("vid-layout", "-ERR Invalid input\n"),
        ("vid-layout list", MIXING),
        ("vid-write-png", "-ERR Invalid input\n"),
        ("vid-fps", MIXING),
        ("vid-fgimg", "-ERR Invalid input\n"),
        ("vid-bgimg clear", "-ERR Invalid canvas\n"),
        ("vid-bandwidth", "-ERR Invalid input\n"),
        ("vid-bandwidth 1mb", "-ERR Bandwidth not set\n"),
        ("vid-bandwidth 1mb group 1", "-ERR Invalid canvas\n-ERR Bandwidth not set\n"),
        ("vid-personal", "-ERR conference is not in mixing mode\n"),
    ],
)
def test_replies(rooms: Rooms, text: str, reply: str) -> None:
    caller = rooms.call("r@plain")
    assert rooms.command(f"r {text}") == reply.format(caller.number)


def test_who_is_seen_and_sees_is_told(rooms: Rooms) -> None:
    caller = rooms.call("r@plain")
    number = caller.number

    def told(event: Event) -> str | None:
        return event.get_header("See")

    for command, action, seen in (
        ("vmute", "vmute-member", "false"),
        ("tvmute", "unvmute-member", "true"),
        ("tvmute", "vmute-member", "false"),
        ("unvmute", "unvmute-member", "true"),
    ):
        expected = action.removesuffix("-member")
        assert rooms.command(f"r {command} {number}") == f"+OK {expected} {number}\n"
        assert rooms.actions()[-1] == action
        assert told(rooms.events[-1]) == seen
    assert rooms.command(f"r tvblind {number}") == f"+OK vblind {number}\n"
    assert "<can_see>false</can_see>" in rooms.command("r xml_list")
    assert rooms.command(f"r tvblind {number}") == f"+OK unvblind {number}\n"
    assert "<can_see>true</can_see>" in rooms.command("r xml_list")


def test_flags_say_who_is_not_seen_and_does_not_see(rooms: Rooms) -> None:
    caller = rooms.call("r@plain+flags{vmute|blind}")
    assert rooms.command("r tvmute last") == f"+OK unvmute {caller.number}\n"
    assert rooms.command("r tvblind last") == f"+OK unvblind {caller.number}\n"


def test_odd_arguments_of_other_commands(rooms: Rooms) -> None:
    caller = rooms.call("r@plain")
    assert rooms.command("r energy -1") == "-ERR Non-Existant ID 4294967295\n"
    assert rooms.command(f"r saymember {caller.number}") == "+OK (saymember) OK\n"
    assert rooms.command("r saymember").startswith("-ERR (saymember) No Text!\n")
    assert rooms.command("r nopin mod 12") == "+OK Moderator Pin for conference r set: 12\n"
    path = rooms.switch.global_variables.get("base_dir")
    assert rooms.command(f"r record {path}/a.wav x") == (
        f"-ERR Invalid canvas\n+OK Record file {path}/a.wav canvas 1\n"
    )
    assert rooms.command(f"r relate {caller.number} {caller.number} nohear").startswith("+OK")
    assert rooms.command("r relate -1") == ""
