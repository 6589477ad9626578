"""Outbound members: who is called when somebody waits, calls that are tracked, and what the commands tell."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lxml import etree

from host.clock import RealClock
from host.event import Event
from host.hangup_cause import HangupCause
from host.modules.mod_fifo.member import outbound_id, take_variables
from host.switch import Switch
from tests.host.modules.mod_fifo.conftest import CONFIGURATION, Calls, value
from tests.host.xml_document import context, extension


def add(calls: Calls, text: str) -> None:
    assert calls.switch.api("fifo_member", f"add {text}") == "+OK\n"


def shown_member(calls: Calls, queue: str, originate_string: str) -> etree._Element:
    """Return a queue's member as `fifo list` tells it."""
    found = list(etree.fromstring(calls.command(f"list {queue}")).iter("member"))
    return next(element for element in found if element.text == originate_string)


def test_all_members_ring_for_the_first_caller(calls: Calls) -> None:
    add(calls, "q null/one 1 20 2")
    add(calls, "q error/USER_BUSY 1 20 2")
    caller = calls.caller("q in", "origination_caller_id_name=Ada,fifo_export=account,account=7")
    calls.wait(2)
    assert value(caller, "fifo_status") == "TALKING"
    consumer = calls.switch.find_session(value(caller, "fifo_serviced_uuid") or "")
    assert consumer is not None
    assert value(consumer, "account") == "7"
    assert value(consumer, "fifo_bridge_uuid") == caller.uuid
    own_id = outbound_id("null/one")
    assert value(consumer, "fifo_outbound_uuid") == own_id
    assert calls.switch.api("fifo_check_bridge", own_id) == "true"
    dialled = calls.last("pre-dial")
    assert dialled.get_header("outbound-strategy") == "ringall"
    assert dialled.get_header("caller-uuid") == caller.uuid
    start = calls.last("channel-consumer-start")
    assert start.get_header("FIFO-Consumer-Outbound-ID") == own_id
    assert start.get_header("FIFO-Consumer-Use-Count") == "1"
    assert calls.command("count q") == "q:0:0:2:0:0\n"
    member = shown_member(calls, "q", "null/one")
    assert (member.get("use_count"), member.get("ring-count")) == ("1", "0")
    caller.channel.hangup()
    calls.wait(1)
    member = shown_member(calls, "q", "null/one")
    assert (member.get("use_count"), member.get("outbound-call-total-count")) == ("0", "1")
    assert member.get("next-available") != "now"


def test_a_member_who_fails_rests_before_it_is_called_again(calls: Calls) -> None:
    add(calls, "q error/USER_BUSY 1 20 5")
    calls.caller("q in")
    calls.wait(5)
    assert calls.actions().count("pre-dial") == 1
    assert calls.last("post-dial").get_header("cause") == "USER_BUSY"
    assert calls.last("post-dial").get_header("acceptable") == "false"
    calls.wait(5)
    assert calls.actions().count("pre-dial") == 2
    assert calls.switch.api("fifo_member", "del q error/USER_BUSY") == "+OK\n"
    assert calls.command("has_outbound q") == "q:0\n"
    calls.wait(20)
    assert calls.actions().count("pre-dial") == 2


def test_a_dial_ends_with_the_caller(calls: Calls) -> None:
    add(calls, "q loopback/ring 1 60 5")
    calls.switch.xml.load_text(context("default", extension("ring", "ring_ready", "sleep 90000")))
    caller = calls.caller("q in")
    calls.wait(3)
    assert calls.command("count q") == "q:0:1:1:1:0\n"
    assert calls.consumer("q out nowait").partner is None, "members are called for the only caller"
    caller.channel.hangup()
    calls.wait(0.5)
    assert calls.command("count q") == "q:0:0:1:0:0\n"
    assert calls.last("post-dial").get_header("acceptable") == "true"


def test_a_member_of_the_directory_is_called_by_itself_and_ends_with_the_caller(calls: Calls) -> None:
    calls.switch.xml.load_text(
        "<document><section name='directory'><domain name='pbx.test'><user id='1'><params>"
        "<param name='dial-string' value='{null_enable_auto_answer=false}null/ring'/>"
        "</params></user></domain></section></document>"
    )
    add(calls, "q {fifo_member_wait=nowait}user/1@pbx.test 1 60 5")
    caller = calls.caller("q in")
    calls.wait(3)
    dialled = calls.last("pre-dial").get_header("originate_string") or ""
    assert dialled.startswith("{ignore_early_media=true,outbound_redirect_fatal=true,leg_timeout=60,")
    assert dialled.endswith("}{fifo_member_wait=nowait}user/1@pbx.test")
    (leg,) = [s for s in calls.switch.sessions.values() if s.channel.name == "null/ring"]
    assert value(leg, "ignore_early_media") == "true"
    caller.channel.hangup()
    calls.wait(0.5)
    assert leg.channel.hangup_cause is HangupCause.ORIGINATOR_CANCEL
    assert calls.last("post-dial").get_header("cause") == "ORIGINATOR_CANCEL"


def test_the_caller_is_put_through_by_way_of_consume_media(calls: Calls) -> None:
    caller = calls.caller("q in")
    states: list[str] = []
    told = calls.switch.bus.subscribe(
        lambda event: (
            states.append(event.get_header("Channel-State") or "")
            if event.get_header("Unique-ID") == caller.uuid
            else None
        ),
        ("CHANNEL_STATE",),
    )
    calls.consumer("q out nowait")
    calls.wait(0.5)
    calls.switch.bus.unsubscribe(told)
    assert states[-3:] == ["CS_HIBERNATE", "CS_CONSUME_MEDIA", "CS_EXCHANGE_MEDIA"]


def test_members_of_the_configuration_serve_with_enterprise(calls: Calls) -> None:
    calls.switch.xml.load_text(CONFIGURATION)
    assert calls.command("reparse") == "+OK\n"
    assert calls.command("importance sales") == "importance: 3\n"
    caller = calls.caller("sales in")
    calls.wait(2)
    assert value(caller, "fifo_status") == "TALKING"
    dialled = calls.last("pre-dial")
    assert dialled.get_header("outbound-strategy") == "enterprise"
    consumer = calls.switch.find_session(value(caller, "fifo_serviced_uuid") or "")
    assert consumer is not None and value(consumer, "fifo_name") == "sales"
    report = etree.fromstring(calls.command("list sales"))
    (queue,) = report
    assert (queue.get("ring_timeout"), queue.get("outbound_strategy")) == ("20", "enterprise")
    (bridge,) = report.iter("bridge")
    assert bridge.findtext("consumer/uuid") == consumer.uuid
    verbose = etree.fromstring(calls.command("list_verbose sales"))
    assert len(list(verbose.iter("cdr"))) == 2
    caller.channel.hangup()
    calls.switch.xml.load_text("<document><section name='configuration'/></document>")
    calls.command("reparse")
    assert calls.command("count sales") == "none\n"


def test_a_dial_string_waits_like_a_caller(calls: Calls) -> None:
    assert calls.switch.api("fifo_add_outbound", "q null/dialled 3") == "1"
    assert calls.command("count q") == "q:0:1:0:0:0\n"
    consumer = calls.consumer("q out nowait")
    assert consumer.partner is not None
    assert calls.last("caller_outbound").get_header("FIFO-Result") == "success"
    assert calls.switch.api("fifo_add_outbound", "q error/USER_BUSY") == "1"
    calls.consumer("q out nowait")
    assert calls.last("caller_outbound").get_header("FIFO-Result") == "failure:USER_BUSY"


def test_a_call_of_a_member_is_tracked(calls: Calls) -> None:
    add(calls, "q null/one 1 20 3")
    own_id = outbound_id("null/one")
    agent = calls.consumer("q out nowait", then=f"fifo_track_call:{own_id}^park")
    other = calls.consumer("q out nowait")
    calls.events.clear()
    calls.switch.api("uuid_bridge", f"{agent.uuid} {other.uuid}")
    calls.wait(1)
    assert (value(agent, "fifo_role"), value(other, "fifo_role")) == ("consumer", "caller")
    member = shown_member(calls, "manual_calls", "null/one")
    assert (member.get("use_count"), member.get("manual-calls-in-count")) == ("1", "1")
    other.channel.hangup()
    calls.wait(1)
    agent.channel.hangup()
    calls.wait(1)
    assert calls.actions() == [
        "bridge-consumer-start",
        "bridge-caller-start",
        "bridge-consumer-stop",
        "bridge-caller-stop",
        "consumer_stop",
        "channel-consumer-stop",
    ]
    assert {event.get_header("FIFO-Name") for event in calls.events} == {"manual_calls"}
    assert calls.last("channel-consumer-stop").get_header("FIFO-Type") == "manual"


def test_presence_tells_how_many_wait(calls: Calls) -> None:
    told: list[Event] = []
    calls.switch.bus.subscribe(told.append, ("PRESENCE_IN",))
    caller = calls.caller("q@x in")
    caller.channel.hangup()
    calls.wait(0.2)
    probe = calls.switch.new_event("PRESENCE_PROBE")
    probe.add_header("to", "queue+q@x")
    calls.switch.fire(probe)
    assert [event.get_header("force-status") for event in told] == ["Active (1 waiting)", "Idle", "Idle"]


def test_commands_tell_settings_and_insides(calls: Calls) -> None:
    assert calls.command("debug 3") == "debug 3\n"
    assert calls.command("debug -1") == "debug 0\n"
    assert "node: manual_calls\n" in calls.command("status")
    assert calls.command("count") == "manual_calls:0:0:0:0:0\n"
    assert calls.command("has_outbound") == "manual_calls:0\n"


def test_an_outbound_id_is_given_or_made() -> None:
    assert outbound_id("{a=1,fifo_outbound_uuid=desk}user/1") == "desk"
    assert outbound_id("user/1") == hashlib.md5(b"user/1").hexdigest()
    assert take_variables("{a=1}{b='x y'}[c=2]user/1", "{") == ({"a": "1", "b": "x y"}, "[c=2]user/1")


def test_members_are_kept_over_a_restart(tmp_path: Path) -> None:
    for expected in (0, 1):
        switch = Switch(RealClock(), tmp_path)
        switch.modules.load("mod_fifo")
        assert switch.api("fifo", "list manual_calls").count("</member>") == expected
        switch.api("fifo_member", "add q user/1 2 30")
        switch.close()
