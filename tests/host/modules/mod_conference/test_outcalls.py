"""Calls that rooms place, rooms that bridge, and the commands that need no room."""

from __future__ import annotations

from host.chat import chat_message, send_chat
from host.event import Event
from host.interfaces import ChatInterface
from tests.host.modules.mod_conference.conftest import Rooms


def test_a_room_calls_somebody_in_under_its_own_number(rooms: Rooms) -> None:
    rooms.call("r@plain")
    assert rooms.command("r dial null/x 123 Carl") == "+OK Call Requested: result: [SUCCESS]\n"
    rooms.wait(0.2)
    assert rooms.command("r count") == "2"
    assert rooms.command("r dial error/USER_BUSY") == "+OK Call Requested: result: [USER_BUSY]\n"


def test_calling_into_a_room_that_is_not_there_yet(rooms: Rooms) -> None:
    assert rooms.command("r dial {outcall_flags=mute}null/x") == "+OK Call Requested: result: [SUCCESS]\n"
    rooms.wait(0.2)
    assert rooms.command("r list").split(";")[5] == "hear|floor"
    assert rooms.command("r get profile_name") == "none"
    assert rooms.command("s dial") == (
        "-ERR Bad Args\ndial <endpoint_module_name>/<destination> <callerid number> <callerid name>"
    )


def test_calling_in_the_background_is_told(rooms: Rooms) -> None:
    rooms.call("r@plain")
    job = rooms.command("r bgdial null/x").split()[-1]
    rooms.wait(0.5)
    told = rooms.last("bgdial-result")
    assert (told.get_header("Result"), told.get_header("Job-UUID")) == ("SUCCESS", job)
    leg = rooms.switch.find_session(told.get_header("Peer-UUID") or "")
    assert leg is not None
    assert leg.channel.get_variable("conference_bgdial_jobid") == job


def test_a_call_that_is_answered_when_the_room_is_gone(rooms: Rooms) -> None:
    a = rooms.call("r@plain")
    rooms.command("r bgdial {null_auto_answer_delay=2000}null/x")
    rooms.wait(0.5)
    rooms.switch.api("uuid_kill", a.session.uuid)
    rooms.wait(0.5)
    assert rooms.command("r count") == "-ERR Conference r not found\n"
    assert "conference-destroy" not in rooms.actions()
    rooms.wait(2)
    assert not rooms.switch.sessions
    assert rooms.actions()[-1] == "conference-destroy"


def test_a_room_for_two(rooms: Rooms) -> None:
    a = rooms.call("bridge:r@open:null/x")
    rooms.wait(0.2)
    assert rooms.command("r count") == "2"
    assert "bridge_to" in rooms.command("list")
    other = next(s for s in rooms.switch.sessions.values() if s is not a.session)
    assert other.channel.get_variable("conference_name") == "r"
    rooms.switch.api("uuid_kill", other.uuid)
    rooms.wait(0.2)
    assert not a.is_up()


def test_a_room_for_two_without_the_second(rooms: Rooms) -> None:
    a = rooms.call("bridge:_uuid_@open:error/USER_BUSY")
    rooms.wait(0.2)
    assert not a.is_up()
    assert a.session.channel.hangup_cause.name == "USER_BUSY"
    assert rooms.actions() == ["conference-create", "conference-destroy"]


def test_those_who_are_called_when_somebody_comes(rooms: Rooms) -> None:
    reply = rooms.switch.api(
        "originate",
        "{conference_auto_outcall_flags=mute}null/a"
        " 'm:^:conference_set_auto_outcall:null/b,null/c^conference:r@open^park' inline",
    )
    assert reply.startswith("+OK")
    rooms.wait(1)
    states = sorted(line.split(";")[5] for line in rooms.command("r list").splitlines())
    assert len(states) == 3
    assert sum("speak" in state for state in states) == 1


def test_lists_of_all_rooms(rooms: Rooms) -> None:
    assert rooms.command("list") == "+OK No active conferences.\n"
    assert rooms.command("count") == "0"
    rooms.call("r@plain", "origination_caller_id_name=Ada,origination_caller_id_number=7")
    rooms.call("s@plain")
    assert rooms.command("count") == "2"
    first = rooms.command("list summary").splitlines()[0]
    flags = "running|answered|enforce_min|dynamic|exit_sound|enter_sound|json_status"
    assert first == f"+OK Conference r (1 member rate: 8000 flags: {flags})"
    assert rooms.command("r list pretty").endswith(") Outbound Call (leg)\n")
    assert rooms.command("xml_list").count("<conference name=") == 2
    assert rooms.command("json_list compact").count('"conference_name"') == 2
    assert rooms.command("r json_list").startswith('[{\n\t\t"conference_name":\t"r",\n')


def test_help(rooms: Rooms) -> None:
    rooms.call("r@plain")
    assert rooms.command("help").startswith(
        "\t\tcanvas-auto-clear <canvas_id> <true|false>\n\t\tcount\n\t\tlist [delim <string>]|[count]\n"
    )
    assert "\n<conf name> count \n<conf name> list " in rooms.command("")
    assert rooms.command("r") == "Conference command, not specified.\nTry 'help'\n"


def test_messages_reach_members_and_the_sender_is_told_of_a_room_that_is_not(rooms: Rooms) -> None:
    got: list[Event] = []

    def take(message: Event) -> bool:
        got.append(message)
        return True

    rooms.switch.chats.add(ChatInterface("test", "test", take))
    rooms.call("r@plain", "presence_id=ada@x,chat_proto=test")
    rooms.call("r@plain", "presence_id=ada@x,chat_proto=test")
    rooms.call("r@plain")
    message = chat_message(rooms.switch, "test", "bob@x", "conf+r@test", "hello", "text/plain")
    assert send_chat(rooms.switch, "conf", message)
    assert [(m.get_header("to"), m.body, m.get_header("conference_name")) for m in got] == [
        ("ada@x", "hello", "r")
    ]
    nowhere = chat_message(rooms.switch, "test", "bob@x", "conf+s@test", "hello", "text/plain")
    assert not send_chat(rooms.switch, "conf", nowhere)
    assert (got[-1].get_header("to"), got[-1].body) == ("bob@x", "Conference not active.")


def test_a_room_can_call_another_one(rooms: Rooms) -> None:
    a, b = rooms.call("r@open"), rooms.call("s@open")
    rooms.switch.api("conference", "r dial loopback/app=conference:s@open")
    rooms.wait(0.5)
    assert (rooms.command("r count"), rooms.command("s count")) == ("2", "2")
    a.say(300, 5)
    b.say(500, 5)
    rooms.wait(1)
    assert (int(a.heard[-1]), int(b.heard[-1])) == (500, 300)
