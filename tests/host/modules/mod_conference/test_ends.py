"""How members leave and rooms end, and that nothing is left."""

from __future__ import annotations

import pytest

from tests.host.modules.mod_conference.conftest import Rooms


def test_events_from_the_first_to_the_last(rooms: Rooms) -> None:
    a, b = rooms.call("r@plain"), rooms.call("r@plain")
    for caller in (a, b):
        rooms.switch.api("uuid_kill", caller.session.uuid)
        rooms.wait(0.5)
    assert rooms.actions() == [
        "conference-create",
        "add-member",
        "floor-change",
        "add-member",
        "floor-change",
        "del-member",
        "floor-change",
        "floor-change",
        "del-member",
        "conference-destroy",
    ]
    sizes = [event.get_header("Conference-Size") for event in rooms.events]
    assert sizes == ["0", "1", "1", "2", "2", "1", "1", "1", "0", "0"]
    changes = [event for event in rooms.events if event.get_header("Action") == "floor-change"]
    told = [(event.get_header("Old-ID"), event.get_header("New-ID")) for event in changes]
    assert told == [("none", a.number), ("none", "none"), ("none", b.number), ("none", "none")]


def test_headers_of_a_member(rooms: Rooms) -> None:
    rooms.call("r@plain", "conference_member_flags=moderator")
    names = [name for name, _ in rooms.last("add-member").headers]
    wanted = [
        "Conference-Name",
        "Conference-Domain",
        "Conference-Size",
        "Conference-Ghosts",
        "Conference-Profile-Name",
        "Conference-Unique-ID",
        "kind",
        "Floor",
        "Channel-State",
        "Video",
        "Hear",
        "See",
        "Speak",
        "Talking",
        "Mute-Detect",
        "Hold",
        "Member-ID",
        "Member-Type",
        "Member-Ghost",
        "Energy-Level",
        "Current-Energy",
        "Action",
    ]
    assert [name for name in names if name in wanted] == wanted
    event = rooms.last("add-member")
    assert event.get_header("Member-Type") == "moderator"
    assert event.get_header("Conference-Domain") == "test"
    assert event.get_header("variable_uuid") is None


def test_the_kicked_hear_a_sound_and_go_on(rooms: Rooms) -> None:
    a = rooms.call("r@sounds", then="set:out=yes,park")
    b = rooms.call("r@sounds", then="set:out=yes,park")
    assert rooms.command(f"r kick {a.number}") == f"+OK kicked {a.number}\n"
    assert rooms.command(f"r mute {a.number}") == f"-ERR Non-Existant ID {a.number}\n"
    rooms.wait(0.2)
    assert (a.variable("out"), rooms.command("r count")) == (None, "1")
    rooms.wait(0.5)
    assert a.variable("out") == "yes"
    rooms.command("r hup last")
    rooms.wait(0.1)
    assert b.variable("out") == "yes"
    assert a.is_up()
    assert b.is_up()


def test_the_end_of_an_endconf_member_is_everybodys(rooms: Rooms) -> None:
    a, b = rooms.call("r@plain"), rooms.call("r@plain+flags{endconf}")
    rooms.switch.api("uuid_kill", b.session.uuid)
    rooms.wait(0.2)
    assert not a.is_up()
    assert a.session.channel.hangup_cause.name == "NORMAL_CLEARING"


def test_those_who_want_to_go_on_after_the_room(rooms: Rooms) -> None:
    a = rooms.call("r@plain", "hangup_after_conference=false", then="set:out=yes,park")
    b = rooms.call("r@plain+flags{endconf}")
    rooms.switch.api("uuid_kill", b.session.uuid)
    rooms.wait(0.2)
    assert a.is_up()
    assert a.variable("out") == "yes"


def test_mintwo(rooms: Rooms) -> None:
    a, b = rooms.call("r@plain+flags{mintwo}"), rooms.call("r@plain")
    rooms.wait(1)
    assert a.is_up()
    rooms.switch.api("uuid_kill", b.session.uuid)
    rooms.wait(0.2)
    assert not a.is_up()


def test_grace_after_the_last_mandatory_member(rooms: Rooms) -> None:
    a = rooms.call("r@grace")
    b = rooms.call("r@grace+flags{mandatory_member_endconf}")
    assert rooms.command("r get endconference_grace_time") == "3"
    rooms.switch.api("uuid_kill", b.session.uuid)
    rooms.wait(2)
    assert a.is_up()
    rooms.wait(3)
    assert not a.is_up()


def test_a_mandatory_member_that_comes_back_in_time(rooms: Rooms) -> None:
    a = rooms.call("r@grace")
    b = rooms.call("r@grace+flags{mandatory_member_endconf}")
    rooms.switch.api("uuid_kill", b.session.uuid)
    rooms.wait(2)
    rooms.call("r@grace+flags{mandatory_member_endconf}")
    rooms.wait(5)
    assert a.is_up()


def test_silence_ends_a_room(rooms: Rooms) -> None:
    a, b = rooms.call("r@asleep"), rooms.call("r@asleep")
    a.say(900, 4)
    rooms.wait(8)
    assert a.is_up()
    rooms.wait(5)
    assert not a.is_up()
    assert not b.is_up()


def test_transfer_takes_a_call_out_of_the_room(rooms: Rooms) -> None:
    a, _ = rooms.call("r@plain"), rooms.call("r@plain")
    rooms.switch.api("uuid_transfer", f"{a.session.uuid} set:out=yes,park inline")
    rooms.wait(0.2)
    assert (a.variable("out"), rooms.command("r count")) == ("yes", "1")


def test_to_another_room_with_the_same_number(rooms: Rooms) -> None:
    a, _ = rooms.call("r@plain"), rooms.call("r@plain")
    number = a.number
    assert rooms.command(f"r transfer s@plain {number} 777") == (
        f"+OK Member '{number}' sent to conference s@plain.\n-ERR No Member 777 in conference r.\n"
    )
    rooms.wait(0.2)
    assert (rooms.command("r count"), rooms.command("s count")) == ("1", "1")
    assert a.number == number
    told = rooms.last("transfer")
    assert (told.get_header("Old-Conference-Name"), told.get_header("New-Conference-Name")) == (
        "r",
        "s@plain",
    )


def test_a_room_of_the_same_name_may_begin_at_once(rooms: Rooms) -> None:
    a = rooms.call("r@plain")
    first = rooms.command("r get uuid")
    rooms.command(f"r kick {a.number}")
    rooms.switch.clock.sleep(1000)
    assert rooms.command("r list") == "-ERR Conference r not found\n"
    rooms.call("r@plain")
    assert rooms.command("r get uuid") not in ("", first)


def test_a_break_ends_a_stay_only_where_that_is_wanted(rooms: Rooms) -> None:
    a = rooms.call("r@plain")
    b = rooms.call("s@plain", "conference_flags=breakable")
    for caller in (a, b):
        rooms.switch.api("uuid_break", caller.session.uuid)
    rooms.wait(0.2)
    assert rooms.command("r count") == "1"
    assert rooms.command("s count") == "-ERR Conference s not found\n"


@pytest.mark.parametrize("unload", ["unload", "reload"])
def test_unloading_ends_all_rooms(rooms: Rooms, unload: str) -> None:
    a = rooms.call("r@plain")
    assert "[Module in use.]" in rooms.switch.api(unload, "mod_conference")
    assert rooms.switch.api(unload, "-f mod_conference").startswith("+OK")
    rooms.wait(0.2)
    assert not a.is_up()
    if unload == "unload":
        rooms.switch.api("load", "mod_conference")
