"""The commands: changing agents, tiers and queues, and what they tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from host.clock import RealClock
from host.event import Event
from host.switch import Switch
from tests.host.modules.mod_callcenter.conftest import CONFIGURATION, Center

AGENT_HEAD = (
    "name|instance_id|uuid|type|contact|status|state|max_no_answer|wrap_up_time|reject_delay_time|busy_delay_time"
    "|no_answer_delay_time|last_bridge_start|last_bridge_end|last_offered_call|last_status_change|no_answer_count"
    "|calls_answered|talk_time|ready_time|external_calls_count\n"
)


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("agent", "-ERR Invalid!\n"),
        ("agent add bob", "-ERR Invalid!\n"),
        ("agent add bob desk", "-ERR Agent type invalid!\n"),
        ("agent add ada Callback", "-ERR Agent already exist!\n"),
        ("agent add bob Callback", "+OK\n"),
        ("agent del", "-ERR Invalid!\n"),
        ("agent del nobody", "+OK\n"),
        ("agent reload nobody", "+OK\n"),
        ("agent set status nobody Available", "-ERR Agent not found!\n"),
        ("agent set status ada", "-ERR Invalid!\n"),
        ("agent set status ada Gone", "-ERR Invalid Agent Status!\n"),
        ("agent set status ada 'Available (On Demand)'", "+OK\n"),
        ("agent set state ada Gone", "-ERR Invalid Agent State!\n"),
        ("agent set state ada 'in a queue call'", "+OK\n"),
        ("agent set state_if_waiting ada Idle", "+OK\n"),
        ("agent set type ada desk", "-ERR Invalid Agent Type!\n"),
        ("agent set type ada uuid-standby", "+OK\n"),
        ("agent set shoes ada red", "-ERR Invalid Agent Update KEY!\n"),
        ("agent get status ada", "Available"),
        ("agent get state ada", "Waiting"),
        ("agent get uuid ada", ""),
        ("agent get contact ada", "-ERR Invalid Agent Update KEY!\n"),
        ("agent get status nobody", "-ERR Agent not found!\n"),
        ("agent list ada bob", "-ERR Invalid!\n"),
        ("agent list nobody", "+OK\n"),
        ("agent dance", ""),
        ("dance agent", ""),
        ("tier add support", "-ERR Invalid!\n"),
        ("tier add support ada", "-ERR Tier already exist!\n"),
        ("tier add all ada", "+OK\n"),
        ("tier add nowhere ada", "-ERR Queue not found!\n"),
        ("tier add all nobody", "-ERR Agent not found!\n"),
        ("tier set level support ada", "-ERR Invalid!\n"),
        ("tier set level support ada 4", "+OK\n"),
        ("tier set state support ada standby", "+OK\n"),
        ("tier set state support ada Gone", "-ERR Invalid Tier State!\n"),
        ("tier set shoes support ada red", "-ERR Invalid Tier Update KEY!\n"),
        ("tier set level all ada 4", "-ERR Unknown Error!\n"),
        ("tier del support ada", "+OK\n"),
        ("tier reload", "-ERR Invalid!\n"),
        ("tier reload support", "+OK\n"),
        ("tier reload support ada", "+OK\n"),
        ("tier reload all", "+OK\n"),
        ("tier reload all ada", "+OK\n"),
        ("tier reload support bob", "-ERR Unknown Error!\n"),
        ("tier list", "queue|agent|state|level|position\nsupport|ada|Ready|2|3\n+OK\n"),
        ("queue load nowhere", "-ERR Invalid Queue not found!\n"),
        ("queue load", "-ERR Invalid!\n"),
        ("queue load support", "+OK\n"),
        ("queue unload nowhere", "+OK\n"),
        ("queue reload support", "+OK\n"),
        ("queue reload nowhere", "-ERR Invalid Queue not found!\n"),
        ("queue count", "9\n"),
        ("queue count agents support", "1\n"),
        ("queue count agents support Available Waiting", "1\n"),
        ("queue count agents support Available Idle", "0\n"),
        ("queue count agents support 'On Break'", "0\n"),
        ("queue count tiers support", "1\n"),
        ("queue count members support", "0\n"),
        ("queue count shoes support", "-ERR Invalid!\n"),
        ("queue list shoes support", "-ERR Invalid!\n"),
        ("queue list agents all", "+OK\n"),
        ("queue list members support", "+OK\n"),
        ("queue list tiers support", "queue|agent|state|level|position\nsupport|ada|Ready|2|3\n+OK\n"),
    ],
)
def test_each_command_has_its_reply(center: Center, command: str, reply: str) -> None:
    assert center.config(command) == reply
    center.done("agent set state ada Waiting", "tier reload support")
    center.config("tier set state support ada Ready")


def test_without_arguments_the_usage_is_told(center: Center) -> None:
    (syntax,) = [
        command.syntax for command in center.switch.api_commands if command.name == "callcenter_config"
    ]
    assert center.config("") == f"-USAGE: \n{syntax}\n"
    assert syntax.startswith(
        "callcenter_config <target> <args>,\n\tcallcenter_config agent add [name] [type] | \n\tcallcenter_config agent"
        " del [name] | \n"
    )
    assert syntax.endswith(" | \n\tcallcenter_config queue count tiers [queue_name]")


def test_an_agent_is_listed_with_all_that_is_known(center: Center) -> None:
    changed = center.row("agent list ada")["last_status_change"]
    assert int(changed) > 1_700_000_000
    shown = (
        f"ada|single_box|(null)|callback|null/ada|Available|Waiting|2|10|7|60|3|0|0|0|{changed}|0|0|0|0|0\n"
    )
    assert center.config("agent list") == f"{AGENT_HEAD}{shown}+OK\n"
    assert center.config("queue list agents support") == f"{AGENT_HEAD}{shown}+OK\n"
    center.done("agent add bob uuid-standby")
    assert center.config("agent list bob").splitlines()[1] == (
        "bob|single_box|(null)|uuid-standby|(null)|Logged Out|Waiting|0|0|0|0|0|0|0|0|0|0|0|0|0|0"
    )


def test_queues_are_listed_with_their_settings(center: Center) -> None:
    lines = center.config("queue list").splitlines()
    assert lines[0] == (
        "name|strategy|moh_sound|time_base_score|tier_rules_apply|tier_rule_wait_second|tier_rule_wait_multiply_level"
        "|tier_rule_no_agent_no_wait|discard_abandoned_after|abandoned_resume_allowed|max_wait_time"
        "|max_wait_time_with_no_agent|max_wait_time_with_no_agent_time_reached|record_template|calls_answered"
        "|calls_abandoned|ring_progressively_delay|skip_agents_with_external_calls|agent_no_answer_status"
    )
    assert lines[1] == (
        "support|longest-idle-agent|(null)|queue|false|0|false|true|60|false|0|0|5|(null)|0|0|0|true|On Break"
    )
    assert lines[-1] == "+OK"
    center.done("queue unload support")
    assert center.config("queue count") == "8\n"
    center.done("queue load support")
    assert center.config("queue count") == "9\n"


def test_changes_of_agents_are_told(center: Center) -> None:
    center.done("agent add bob callback", "agent set contact bob user/bob", "agent set state bob Idle")
    center.config("agent get Status bob")
    assert center.actions() == [
        "agent-add",
        "agent-contact-change",
        "agent-state-change",
        "agent-Status-get",
    ]
    added, contact, state, got = center.events
    assert added.get_header("CC-Agent-Type") == "callback"
    assert contact.get_header("CC-Agent-Contact") == "user/bob"
    assert state.get_header("CC-Agent-State") == "Idle"
    assert got.get_header("CC-Agent-Status") == "Logged Out"


def test_members_are_told_with_their_score(center: Center) -> None:
    caller = center.caller("again", "origination_callee_id_number=100,cc_base_score=5")
    center.wait(3)
    member = center.row("queue list members")
    assert (member["queue"], member["session_uuid"], member["cid_number"]) == ("again", caller.uuid, "100")
    assert (member["base_score"], member["score"]) == ("5", "8")
    assert center.config("queue count members again") == "1\n"


def answer(center: Center, arguments: str, **data: str) -> Any:
    request = {"command": "callcenter_config", "data": {"arguments": arguments, **data}}
    return json.loads(center.switch.api("json", json.dumps(request)))


def test_the_json_command_tells_lists(center: Center) -> None:
    center.caller("again")
    (agent,) = answer(center, "agent list")["response"]
    assert agent["name"] == "ada" and "uuid" not in agent and agent["wrap_up_time"] == "10"
    queues = answer(center, "queue list")["response"]
    assert isinstance(queues, list)
    assert queues[0]["max_wait_time_with_no_agent_time_reached"] == 5
    assert queues[0]["skip_agents_with_external_calls"] == "true"
    assert "moh_sound" not in queues[0] and "calls_answered" not in queues[0]
    assert answer(center, "tier list") == answer(center, "queue list tiers", queue_name="support") | {
        "data": {"arguments": "tier list"}
    }
    (member,) = answer(center, "member list")["response"]
    assert member["queue"] == "again" and member["score"] == "0"
    assert answer(center, "queue list members", queue_name="support")["response"] == []
    assert len(answer(center, "queue list agents", queue_name="support")["response"]) == 1
    missing = answer(center, "queue list agents")
    assert missing["status"] == "error"
    assert missing["response"] == {"error": "Missing data attribute: queue_name"}
    assert answer(center, "dance")["status"] == "error"


def test_presence_tells_how_many_wait(center: Center) -> None:
    told: list[Event] = []
    center.switch.bus.subscribe(told.append, ("PRESENCE_IN",))
    caller = center.caller("again")
    caller.channel.hangup()
    center.wait(0.5)
    shown = [event.get_header("force-status") for event in told if event.get_header("proto") == "callcenter"]
    assert shown == ["Active (1 waiting)", "Idle"]


def test_agents_are_kept_over_a_restart(tmp_path: Path) -> None:
    for expected in ("-ERR Agent not found!\n", "On Break"):
        switch = Switch(RealClock(), tmp_path)
        switch.xml.load_text(CONFIGURATION)
        switch.modules.load("mod_callcenter")
        assert switch.api("callcenter_config", "agent get status bob") == expected
        switch.api("callcenter_config", "agent add bob callback")
        switch.api("callcenter_config", "agent set status bob 'On Break'")
        switch.close()
