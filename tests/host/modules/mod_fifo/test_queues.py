"""Callers who wait, consumers who serve them, and what is told of it."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from host.channel import Flag
from host.hangup_cause import HangupCause
from tests.host.modules.mod_fifo.conftest import Calls, value

MUSIC = "silence_stream://-1"
TONE = "silence_stream://2000"


def test_a_consumer_serves_one_caller_after_the_other(calls: Calls) -> None:
    first = calls.caller(f"q in {TONE} {MUSIC}", "origination_caller_id_name=Ada")
    second = calls.caller(f"q in undef {MUSIC}")
    assert first.playing is not None and first.playing.path == MUSIC
    assert (value(first, "fifo_position"), value(second, "fifo_position")) == ("1", "2")
    consumer = calls.consumer(
        f"q out wait undef {MUSIC}", "fifo_consumer_wrapup_time=1000,fifo_consumer_id=Bob"
    )
    assert first.playing is not None and first.playing.path == TONE, "the caller hears the announcement"
    assert value(second, "fifo_position") == "1"
    calls.wait(2)
    assert consumer.partner == first.uuid
    assert value(first, "fifo_serviced_by") == "Bob"
    assert calls.command("count q") == "q:1:1:0:0:0\n"
    assert calls.switch.api("fifo_check_bridge", first.uuid) == "true"
    first.channel.hangup()
    calls.wait(0.5)
    assert value(consumer, "fifo_status") == "WRAPUP"
    calls.wait(1)
    assert consumer.partner == second.uuid
    second.channel.hangup()
    calls.wait(1.5)
    assert value(consumer, "fifo_status") == "WAITING"
    assert consumer.playing is not None and consumer.playing.path == MUSIC
    assert calls.command("count q") == "q:1:0:0:0:1\n"
    told = [
        "consumer_start",
        "consumer_pop",
        "channel-consumer-start",
        "bridge-consumer-start",
        "channel-consumer-stop",
        "bridge-consumer-stop",
        "consumer_wrapup",
        "consumer_reentrance",
    ]
    assert calls.actions(of=consumer) == told + told[1:]
    assert calls.actions(of=first) == ["push", "caller_pop", "bridge-caller-start", "bridge-caller-stop"]
    assert calls.last("consumer_pop").get_header("FIFO-Caller-UUID") == second.uuid
    stop = calls.last("channel-consumer-stop")
    assert int(stop.get_header("FIFO-Consumer-Talk-Time-us") or "") > 0
    assert stop.get_header("FIFO-Type") == "onhook"
    consumer.channel.hangup()
    calls.wait(0.1)
    assert calls.actions()[-1] == "consumer_stop"


def test_a_waiting_consumer_is_woken_without_music_as_well(calls: Calls) -> None:
    consumer = calls.consumer("q out wait")
    caller = calls.caller("q in")
    calls.wait(0.1)
    assert consumer.partner == caller.uuid
    calls.press(consumer, "*")
    assert caller.channel.down and consumer.channel.up
    assert value(consumer, "fifo_bridge_seconds") == "0"


def test_nobody_waits_for_a_consumer_who_does_not_wait(calls: Calls) -> None:
    consumer = calls.consumer("q out nowait")
    assert Flag.PARK in consumer.channel.flags
    assert calls.actions() == ["consumer_start", "consumer_stop"]


@pytest.mark.parametrize(
    ("agent", "served"),
    [("", "vip"), ("fifo_target_skill=french", "skilled"), ("fifo_pop_order=9", "vip")],
)
def test_who_is_served_first(calls: Calls, agent: str, served: str) -> None:
    named = {
        "last": calls.caller("q in", "fifo_priority=12"),
        "vip": calls.caller("q in", "fifo_priority=9,fifo_vip=true"),
        "skilled": calls.caller("q in", "fifo_priority=5,fifo_skill=french"),
        "first": calls.caller("q in", "fifo_priority=1"),
    }
    consumer = calls.consumer("q out nowait", agent)
    assert consumer.partner == named[served].uuid


def test_the_slots_go_by_priority_or_by_the_consumers_order(calls: Calls) -> None:
    late = calls.caller("q in", "fifo_priority=7")
    soon = calls.caller("q in", "fifo_priority=2")
    assert calls.last("push").get_header("FIFO-Slot") == "2"
    assert calls.consumer("q out nowait").partner == soon.uuid
    calls.caller("q in", "fifo_priority=2")
    assert calls.consumer("q out nowait", "fifo_pop_order=7").partner == late.uuid


@pytest.mark.parametrize(
    ("names", "agent", "served"),
    [
        ("one,two", "", "one"),
        ("one,two", "fifo_strategy=more_ppl", "two"),
        ("one,two!5", "fifo_strategy=more_ppl", "two"),
        ("one!5,two", "fifo_strategy=more_ppl", "one"),
    ],
)
def test_which_queue_is_served_first(calls: Calls, names: str, agent: str, served: str) -> None:
    for name in names.split(","):
        assert calls.command(f"count {name}") == "none\n"
    if "!" in names:
        calls.consumer(f"{names} out nowait")  # makes them, with their importance
    calls.caller("one in")
    calls.caller("two in")
    calls.caller("two in")
    calls.consumer(f"{names} out nowait", agent)
    assert calls.last("caller_pop").get_header("FIFO-Name") == names
    left = {"one": "0:2", "two": "1:1"}[served]
    counts = [calls.command(f"count {name}").split(":")[2] for name in ("one", "two")]
    assert ":".join(counts) == left


def test_a_caller_leaves_on_the_exit_key(calls: Calls) -> None:
    caller = calls.caller(f"q in undef {MUSIC}", "fifo_caller_exit_key=9#,fifo_orbit_exten=_continue_")
    calls.press(caller, "1")
    assert calls.command("count q") == "q:0:1:0:0:0\n"
    calls.press(caller, "#")
    assert value(caller, "fifo_caller_exit_key") == "#"
    assert value(caller, "fifo_status") == "ABORTED"
    assert Flag.PARK in caller.channel.flags
    assert calls.actions(of=caller) == ["push", "abort"]


def test_the_orbit_takes_who_waited_too_long(calls: Calls) -> None:
    away = "fifo_orbit_exten=park:5,fifo_orbit_dialplan=inline,fifo_orbit_announce=silence_stream://1000"
    caller = calls.caller("q in", away)
    calls.wait(4)
    assert calls.command("count q") == "q:0:1:0:0:0\n"
    calls.wait(1)
    assert (value(caller, "fifo_status"), calls.actions()[-1]) == ("TIMEOUT", "timeout")
    assert caller.playing is not None and caller.playing.path == "silence_stream://1000"
    calls.wait(1)
    assert (value(caller, "transfer_source") or "").endswith(":park/default/inline")
    assert calls.command("count q") == "q:0:0:0:0:0\n"


def test_music_that_is_over_at_once_is_none(calls: Calls, tmp_path: Path) -> None:
    empty = tmp_path / "empty.wav"
    with wave.open(str(empty), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
    caller = calls.caller(f"q in undef {empty}")
    assert calls.command("count q") == "q:0:1:0:0:0\n"
    assert calls.consumer(f"q out wait undef {empty}").partner == caller.uuid
    caller.channel.hangup()
    calls.wait(10)
    assert calls.command("count q") == "q:1:0:0:0:1\n"


def test_chimes_interrupt_the_music(calls: Calls) -> None:
    chimes = r"fifo_chime_list=silence_stream://500\,silence_stream://700,fifo_chime_freq=3"
    caller = calls.caller(f"q in undef {MUSIC}", chimes)
    calls.wait(2)
    assert caller.playing is not None and caller.playing.path == MUSIC
    calls.wait(1)
    assert caller.playing.path == "silence_stream://500"
    calls.wait(0.6)
    assert caller.playing.path == MUSIC
    calls.wait(3)
    assert caller.playing.path == "silence_stream://700"
    consumer = calls.consumer("q out nowait")
    assert consumer.partner == caller.uuid


def test_a_chime_does_not_hold_up_a_consumer(calls: Calls) -> None:
    caller = calls.caller(f"q in undef {MUSIC}", "fifo_chime_list=silence_stream://50000,fifo_chime_freq=1")
    calls.wait(2)
    assert calls.consumer("q out nowait").partner == caller.uuid


def test_the_consumer_holds_the_caller_with_music(calls: Calls) -> None:
    caller = calls.caller(f"q in undef {MUSIC}", f"fifo_music={MUSIC}")
    consumer = calls.consumer("q out nowait", "fifo_hold_music=silence_stream://90000")
    assert consumer.partner == caller.uuid
    calls.press(consumer, "0")
    calls.wait(1)
    assert consumer.playing is not None and consumer.playing.path == "silence_stream://90000"
    assert caller.playing is not None and caller.playing.path == MUSIC
    calls.press(consumer, "0")
    calls.wait(1)
    assert calls.actions()[-1] == "bridge-caller-start"
    assert (consumer.partner, caller.channel.up) == (caller.uuid, True)


def test_a_caller_left_alone_is_the_next_one(calls: Calls) -> None:
    caller = calls.caller(f"q in {TONE}")
    consumer = calls.consumer("q out nowait")
    calls.wait(0.5)
    consumer.channel.hangup(HangupCause.NORMAL_CLEARING)
    calls.wait(3)
    assert caller.channel.up and value(caller, "fifo_vip") == "true"
    assert calls.command("count q") == "q:0:1:0:0:0\n"
    again = calls.consumer("q out nowait")
    calls.wait(2)
    assert again.partner == caller.uuid


def test_an_announcement_that_cannot_be_played_costs_nobody_the_place(calls: Calls) -> None:
    caller = calls.caller("q in")
    calls.consumer("q out nowait /nowhere.wav")
    assert calls.command("count q") == "q:0:1:0:0:0\n"
    assert calls.consumer("q out nowait").partner == caller.uuid


def test_variables_are_imported_and_the_talk_is_recorded(calls: Calls, tmp_path: Path) -> None:
    caller = calls.caller("q in", "account=7,fifo_consumer_caller_import=desk,fifo_import_prefix=p_")
    path = tmp_path / "talk.wav"
    consumer = calls.consumer(
        "q out nowait", f"desk=4,fifo_caller_consumer_import=account,fifo_record_template={path}"
    )
    assert (value(consumer, "account"), value(caller, "p_desk")) == ("7", "4")
    calls.wait(2)
    caller.channel.hangup()
    calls.wait(0.2)
    with wave.open(str(path)) as file:
        assert file.getnframes() >= 2 * file.getframerate()


def test_a_queue_is_destroyed_after_use(calls: Calls) -> None:
    caller = calls.caller("q in", "fifo_destroy_after_use=true", then="hangup")
    caller.channel.hangup()
    calls.wait(0.2)
    assert calls.command("count q") == "none\n"


@pytest.mark.parametrize("data", ["", "q", "q sideways", "a,b in", "q out maybe"])
def test_wrong_words_do_nothing(calls: Calls, data: str) -> None:
    assert Flag.PARK in calls.caller(data).channel.flags
    assert not calls.events


def test_a_caller_who_is_transferred_away_leaves_the_queue(calls: Calls) -> None:
    caller = calls.caller(f"q in undef {MUSIC}")
    calls.switch.api("uuid_transfer", f"{caller.uuid} park inline")
    calls.wait(0.2)
    assert calls.command("count q") == "q:0:0:0:0:0\n"
    assert calls.actions() == ["push", "abort"]
