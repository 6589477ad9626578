"""How calls get into rooms: names, profiles, pins, locks, limits and flags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.modules.mod_conference.entry import Wish, parse_wish
from host.modules.mod_conference.flags import member_flags, room_flags
from host.modules.mod_conference.profile import Profile
from tests.host.modules.mod_conference.conftest import Rooms


@pytest.mark.parametrize(
    ("data", "wish"),
    [
        ("r", Wish("r")),
        ("  r@plain", Wish("r", "plain")),
        ("r@home.org@plain", Wish("r@home.org", "plain")),
        ("r@plain+12", Wish("r", "plain", "12")),
        ("r+12", Wish("r", pin="12")),
        ("r@plain+12+flags{mute|deaf}", Wish("r", "plain", "12", "mute|deaf")),
        ("r+flags{mute", Wish("r", flags="mute")),
        ("bridge:r@plain:null/a:b", Wish("r", "plain", bridge_to="null/a:b")),
        ("bridge:r", None),
    ],
)
def test_what_the_application_is_given(data: str, wish: Wish | None) -> None:
    assert parse_wish(data) == wish


@given(st.text(max_size=40))
def test_any_data_is_parsed(data: str) -> None:
    parse_wish(data)
    member_flags(data)
    room_flags(data)


def test_flags_and_parameters() -> None:
    assert member_flags("mute,DEAF|nonsense| moderator") == {"mute", "deaf", "moderator"}
    assert room_flags("wait-mod|mute") == {"wait-mod"}
    profile = Profile("p", {"rate": "auto", "interval": "25", "max-members": "1", "comfort-noise": "true"})
    assert (profile.rate(16_000), profile.interval, profile.max_members) == (16_000, 20, 0)
    assert profile.comfort_noise == 1400
    assert Profile("p", {"rate": "9999"}).rate(16_000) == 8000


def test_variables_of_a_member(rooms: Rooms) -> None:
    a = rooms.call("r@plain")
    assert a.variable("conference_name") == "r"
    assert a.variable("conference_uuid") == rooms.command("r get uuid")
    assert a.variable("conference_moderator") == "false"
    assert a.variable("conference_ghost") == "false"
    assert a.variable("conference_call_key") == "conference_r_test_0000000000" or a.variable(
        "conference_call_key"
    )
    assert a.number.isdigit()
    assert rooms.command("r getvar kind") == "plain"


def test_an_unknown_profile_is_an_empty_one(rooms: Rooms) -> None:
    rooms.call("r@nonsense")
    assert rooms.command("r get profile_name") == "none"


def test_without_a_configuration_there_are_no_rooms(rooms: Rooms) -> None:
    rooms.switch.xml.load_text("<document type='freeswitch/xml'><section name='configuration'/></document>")
    rooms.call("r@plain")
    assert rooms.command("r list") == "-ERR Conference r not found\n"


def test_the_right_pin_lets_in_and_the_moderators_makes_one(rooms: Rooms) -> None:
    a = rooms.dial_in("r@pinned")
    assert rooms.command("r count") == "0"
    rooms.wait(1)
    a.press("1234")
    rooms.wait(1)
    assert rooms.command("r count") == "1"
    b = rooms.dial_in("r@pinned")
    rooms.wait(1)
    b.press("99#")
    rooms.wait(1)
    assert rooms.command("r count") == "2"
    assert (a.variable("conference_moderator"), b.variable("conference_moderator")) == ("false", "true")


def test_wrong_pins(rooms: Rooms) -> None:
    rooms.call("r@pinned")
    a = rooms.dial_in("r@pinned")
    for _ in range(2):
        rooms.wait(1)
        a.press("5555")
        rooms.wait(1)
    rooms.wait(1)
    assert not a.is_up()
    assert rooms.command("r count") == "1"


def test_nobody_answers_the_question_for_the_pin(rooms: Rooms) -> None:
    a = rooms.dial_in("r@pinned")
    rooms.wait(30)
    assert not a.is_up()
    assert rooms.actions()[-1] == "conference-destroy"


@pytest.mark.parametrize("supplied", ["1234", "1234;x=y", "sip:r@x;X-ConfPin=1234;more=1"])
def test_a_supplied_pin(rooms: Rooms, supplied: str) -> None:
    rooms.dial_in("r@pinned", f"supplied_pin={supplied}")
    assert rooms.command("r count") == "1"


def test_calls_that_were_placed_need_no_pin_unless_that_is_asked_for(rooms: Rooms) -> None:
    rooms.call("r@pinned")
    assert rooms.command("r count") == "1"
    a = rooms.call("r@pinned", "conference_enforce_security=true")
    rooms.wait(1)
    assert rooms.command("r count") == "1"
    a.press("1234")
    rooms.wait(1)
    assert rooms.command("r count") == "2"


def test_a_locked_room(rooms: Rooms) -> None:
    rooms.call("r@plain")
    rooms.command("r lock")
    assert "locked" in rooms.command("list")
    refused = rooms.switch.api("originate", "loopback/app=conference:r@plain &park()")
    assert refused == "-ERR NORMAL_CLEARING\n"
    rooms.call("r@plain")
    assert rooms.command("r count") == "2"


def test_a_full_room(rooms: Rooms) -> None:
    a, _ = rooms.call("r@small"), rooms.call("r@small")
    third = rooms.call("r@small", then="set:out=yes,park")
    assert rooms.command("r count") == "2"
    assert third.variable("out") == "yes"
    rooms.switch.api("uuid_kill", a.session.uuid)
    rooms.wait(0.5)
    rooms.call("r@small")
    assert rooms.command("r count") == "2"


def test_flags_of_members(rooms: Rooms) -> None:
    a = rooms.call("r@plain+flags{mute|deaf}")
    b = rooms.call("r@plain", "conference_member_flags=moderator,conference_member_flags_mute=true")
    lines = rooms.command("r list").splitlines()
    assert [line.split(";")[5] for line in lines] == ["hear|moderator", "floor"]
    assert b.variable("conference_moderator") == "true"
    assert a.variable("conference_moderator") == "false"


def test_ghosts_are_not_counted(rooms: Rooms) -> None:
    rooms.call("r@plain+flags{ghost}")
    assert (rooms.command("r count"), rooms.command("r get count_ghosts")) == ("0", "1")
    assert "ghost" in rooms.command("r list")


def test_join_only_opens_no_room(rooms: Rooms) -> None:
    a = rooms.call("r@plain+flags{join-only}")
    assert not a.is_up()
    assert rooms.actions() == ["rejected-join-only"]
    rooms.call("r@plain")
    rooms.call("r@plain+flags{join-only}")
    assert rooms.command("r count") == "2"


def test_silent_entry(rooms: Rooms) -> None:
    rooms.call("r@plain", "conference_silent_entry=true")
    rooms.wait(0.5)
    assert rooms.actions() == ["conference-create", "floor-change"]


def test_join_levels(rooms: Rooms) -> None:
    given = "conference_join_volume_in=2,conference_join_volume_out=-3,conference_join_energy_level=50"
    rooms.call("r@plain", given)
    assert rooms.command("r list").strip().split(";")[6:] == ["2", "-3", "50"]
    rooms.call("r@plain", "conference_join_volume_in=9,conference_join_energy_level=1900")
    assert rooms.command("r list").splitlines()[0].split(";")[6:] == ["0", "0", "100"]


def test_variables_of_the_room_from_those_of_the_call(rooms: Rooms) -> None:
    rooms.call("r@plain", "confvar_topic=weather,confvar_kind=other")
    assert rooms.command("r getvar topic") == "weather"
    assert rooms.command("r getvar kind") == "plain"
    assert rooms.last("add-member").get_header("topic") == "weather"
