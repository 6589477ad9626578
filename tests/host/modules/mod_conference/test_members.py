"""Keys, talking, the floor, and commands for members."""

from __future__ import annotations

import pytest

from tests.host.modules.mod_conference.conftest import Rooms


def test_keys(rooms: Rooms) -> None:
    a = rooms.call("r@plain")
    assert rooms.command("r list").split(";")[5] == "hear|speak|floor"
    for key, expected in (
        ("1", "hear|floor"),
        ("1", "hear|speak|floor"),
        ("2", "floor"),
        ("2", "hear|speak|floor"),
    ):
        a.press(key)
        rooms.wait(0.1)
        assert rooms.command("r list").split(";")[5] == expected
    a.press("345")
    rooms.wait(0.1)
    assert rooms.command("r list").strip().split(";")[6:] == ["-1", "1", "300"]
    assert rooms.last("gain-level").get_header("New-Level") == "-1"
    assert rooms.last("volume-level").get_header("New-Level") == "1"
    a.press("6")
    rooms.wait(0.1)
    assert rooms.command("r get is_locked") == "locked"
    a.press("78")
    rooms.wait(0.1)
    assert rooms.last("dtmf").get_header("Data") == f"seven {a.session.uuid}"
    assert rooms.last("dtmf").get_header("DTMF-Key") == "7"
    assert a.variable("eight") == "yes"
    assert a.variable("conference_last_matching_digits") == "8"


def test_keys_of_several_digits_and_the_one_that_leaves(rooms: Rooms) -> None:
    a = rooms.call("r@plain")
    b = rooms.call("r@plain", then="set:out=yes,park")
    a.press("*1")
    rooms.wait(0.7)
    assert (a.variable("moved"), rooms.command("r count")) == ("yes", "1")
    b.press("*2")
    rooms.wait(0.1)
    b.press("9")
    rooms.wait(0.7)
    assert b.variable("out") == "yes"


def test_groups_of_keys(rooms: Rooms) -> None:
    moderator = rooms.call("r@plain+flags{moderator}")
    other = rooms.call("r@plain", "conference_controls=none")
    for caller in (moderator, other):
        caller.press("1")
        rooms.wait(0.1)
        caller.press("1")
    rooms.wait(0.1)
    states = [line.split(";")[5] for line in rooms.command("r list").splitlines()]
    assert states == ["hear|speak", "hear|floor|moderator"]


def test_keys_are_passed_on_with_dist_dtmf(rooms: Rooms) -> None:
    a = rooms.call("r@plain+flags{dist-dtmf}")
    b = rooms.call("r@plain")
    c = rooms.call("r@plain+flags{skip-dtmf}")
    a.press("19")
    rooms.wait(0.2)
    assert b.variable("null_channel_dtmf_queued") == "19"
    assert a.variable("null_channel_dtmf_queued") is None
    assert c.variable("null_channel_dtmf_queued") is None
    assert rooms.command("r count") == "3"


def test_sending_keys_to_members(rooms: Rooms) -> None:
    a, b = rooms.call("r@plain"), rooms.call("r@plain")
    assert rooms.command("r dtmf all 12") == f"+OK sent 12 to {b.number}\n+OK sent 12 to {a.number}\n"
    assert a.variable("null_channel_dtmf_queued") == "12"
    assert rooms.command("r dtmf last") == "-ERR Invalid input!\n"


def test_talking_is_told(rooms: Rooms) -> None:
    a, _ = rooms.call("r@plain"), rooms.call("r@plain")
    a.say(900, 0.5)
    rooms.wait(0.3)
    assert rooms.last("start-talking").get_header("Member-ID") == a.number
    assert rooms.last("start-talking").get_header("Current-Energy") == "900"
    assert rooms.command("r list").splitlines()[1].split(";")[5] == "hear|speak|talking|floor"
    assert '"talking":true' in rooms.command("r json_list compact")
    rooms.wait(3)
    told = rooms.last("stop-talking")
    assert told.get_header("talking-gate-hits") is None  # a steady level does not change
    assert told.get_header("Talking") == "false"
    assert "<last_talking>2</last_talking>" in rooms.command("r xml_list")


def test_talk_statistics(rooms: Rooms) -> None:
    a, _ = rooms.call("r@plain"), rooms.call("r@plain")
    for level in (900, 1300):
        a.say(level, 0.2)
        rooms.wait(0.2)
    rooms.wait(2)
    told = rooms.last("stop-talking")
    assert told.get_header("talking-gate-hits") is not None
    assert int(told.get_header("talking-duration-ms") or 0) >= 1000


def test_a_loud_speaker_takes_the_floor_of_a_silent_one(rooms: Rooms) -> None:
    a, b = rooms.call("r@plain"), rooms.call("r@plain")
    assert rooms.last("floor-change").get_header("New-ID") == a.number
    b.say(3000)
    rooms.wait(1)
    told = rooms.last("floor-change")
    assert (told.get_header("Old-ID"), told.get_header("New-ID")) == (a.number, b.number)
    assert rooms.command(f"r floor {a.number}") == f"-ERR floor is held by {b.number}\n"
    assert rooms.command(f"r floor {b.number}") == "+OK floor none\n"
    assert rooms.last("floor-change").get_header("New-ID") == "none"


def test_muted_talk_is_noticed_where_that_is_asked_for(rooms: Rooms) -> None:
    a, _ = rooms.call("r@plain+flags{mute|mute-detect}"), rooms.call("r@plain")
    a.say(900)
    rooms.wait(0.5)
    assert rooms.last("mute-detect").get_header("Member-ID") == a.number
    assert "start-talking" not in rooms.actions()


def test_events_that_a_profile_suppresses(rooms: Rooms) -> None:
    a = rooms.call("r@quiet")
    rooms.command("r mute all")
    rooms.command(f"r deaf {a.number}")
    rooms.wait(0.2)
    assert rooms.actions() == ["conference-create", "add-member", "deaf-member"]


def test_members_by_variable(rooms: Rooms) -> None:
    a = rooms.call("r@plain", "colour=red")
    rooms.call("r@plain", "colour=blue")
    assert rooms.command("r get-uuid colour=red") == a.session.uuid
    assert rooms.command("r mute colour=green") == "-ERR Non-Existant member\n"
    assert rooms.command("r play silence_stream://100 colour=red").endswith(f"to member {a.number}\n")


def test_moderators_are_passed_over(rooms: Rooms) -> None:
    a, b = rooms.call("r@plain+flags{moderator}"), rooms.call("r@plain")
    assert rooms.command("r hup non_moderator") == (
        f"+OK hup {b.number}\nSkipping moderator (member id {a.number}).\n"
    )
    rooms.wait(0.2)
    assert rooms.command("r count") == "1"


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("energy last up", "Energy {} = 300\n"),
        ("energy last 5000", "Energy {} = 5000\n"),
        ("energy last down", "Energy {} = 0\n"),
        ("auto-energy last 400", "{} = Auto-Energy: 400 Energy: 100\n"),
        (
            "max-energy last 900:200:3",
            "{} = Max-Energy: 100 Energy: 900 Max-Energy-Mute: 200ms Max-Energy-Hit-Trigger 3\n",
        ),
        ("agc last 500:20:3", "Agc {} = 500\n"),
        ("hold last", "+OK hold {}\n"),
        ("position last 1:2:3", "-ERR not supported\n"),
        ("kick", "kick <[member_id|all|last|non_moderator]> [<optional sound file>]"),
    ],
)
def test_replies(rooms: Rooms, command: str, reply: str) -> None:
    a = rooms.call("r@plain")
    assert rooms.command(f"r {command}") == reply.format(a.number)


def test_hold_and_back(rooms: Rooms) -> None:
    a = rooms.call("r@plain")
    rooms.command(f"r hold {a.number} silence_stream://5000")
    assert rooms.command("r list").split(";")[5] == "hold|floor"
    rooms.command("r unhold all")
    assert rooms.command("r list").split(";")[5] == "hear|speak|floor"
    assert [action for action in rooms.actions() if "hold" in action] == ["hold-member", "unhold-member"]


def test_reports_of_talk(rooms: Rooms) -> None:
    a, _ = rooms.call("r@plain+flags{talk-data-events}"), rooms.call("r@plain")
    a.say(900, 0.5)
    rooms.wait(10)
    told = rooms.last("talk-report")
    assert told.get_header("talk-detects") == "1"
    assert told.get_header("talk-detect-duration") is not None
    rooms.wait(10)
    assert rooms.last("talk-report").get_header("talk-detects") == "0"


def test_a_loud_talk_raises_an_automatic_energy_level(rooms: Rooms) -> None:
    a, _ = rooms.call("r@automatic"), rooms.call("r@automatic")
    assert rooms.command(f"r energy {a.number}") == f"Energy {a.number} = 200\n"
    for _ in range(4):
        a.say(500, 0.7)
        rooms.wait(1.2)
    rooms.wait(2)
    raised = rooms.command(f"r energy {a.number}")
    assert raised == f"Energy {a.number} = 375\n"
    rooms.wait(12)
    assert rooms.command(f"r energy {a.number}") == f"Energy {a.number} = 200\n"


def test_heartbeats(rooms: Rooms) -> None:
    rooms.call("r@automatic")
    rooms.wait(41)
    assert rooms.actions().count("conference-heartbeat") == 2
