"""The order in which agents are called, and who may be called at all."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.modules.mod_callcenter.choice import Choice
from host.modules.mod_callcenter.patience import end_of_patience
from host.modules.mod_callcenter.queue import AgentsSeen, QueueSettings, queue_settings
from host.modules.mod_callcenter.states import AGENT_STATUSES, known
from host.modules.mod_callcenter.strategy import Candidate, in_order
from tests.host.modules.mod_callcenter.conftest import Center, value
from tests.host.xml_document import configuration, named

PLAIN = Candidate(
    name="",
    system="single_box",
    uuid="",
    type="callback",
    contact="",
    status="Available",
    state="Waiting",
    max_no_answer=0,
    wrap_up_time=0,
    reject_delay_time=0,
    busy_delay_time=0,
    no_answer_delay_time=0,
    last_bridge_end=0,
    last_offered_call=0,
    no_answer_count=0,
    calls_answered=0,
    talk_time=0,
    ready_time=0,
    external_calls_count=0,
    tier_state="Ready",
    level=1,
    position=1,
)
AGENTS = [
    replace(
        PLAIN, name="a", position=2, last_bridge_end=30, talk_time=5, calls_answered=1, last_offered_call=9
    ),
    replace(
        PLAIN, name="b", position=1, last_bridge_end=20, talk_time=9, calls_answered=2, last_offered_call=5
    ),
    replace(
        PLAIN, name="c", position=3, last_bridge_end=10, talk_time=7, calls_answered=0, last_offered_call=0
    ),
    replace(PLAIN, name="d", level=2, status="On Break"),
    replace(PLAIN, name="e", level=0, status="Logged Out"),
]
PARAMS = [field.name.replace("_", "-") for field in fields(QueueSettings)]


def names(agents: list[Candidate]) -> str:
    return "".join(agent.name for agent in agents)


@pytest.mark.parametrize(
    ("way", "order"),
    [
        ("longest-idle-agent", "cbad"),
        ("agent-with-least-talk-time", "acbd"),
        ("agent-with-fewest-calls", "cabd"),
        ("ring-all", "bacd"),
        ("ring-progressively", "bacd"),
        ("sequentially-by-agent-order", "bacd"),
        ("no such strategy", "bacd"),
        ("top-down", "bacd"),
        ("round-robin", "cbacd"),
    ],
)
def test_each_strategy_has_its_order(way: str, order: str) -> None:
    assert names(in_order(way, AGENTS)) == order


def test_random_mixes_within_a_level() -> None:
    assert names(in_order("random", AGENTS, shuffle=lambda agents: agents.reverse())) == "cbad"


def test_top_down_goes_on_behind_the_last_one() -> None:
    assert names(in_order("top-down", AGENTS, (1, 1))) == "acd"
    assert names(in_order("top-down", AGENTS, (1, 3))) == "d"
    assert names(in_order("top-down", AGENTS, (2, 1))) == ""


def chosen(agents: list[Candidate], waited: int = 0, **settings: object) -> tuple[str, list[int]]:
    """Return who may be called at 1000 for a member who has waited so long, and when to look again."""
    made = QueueSettings(**settings)  # type: ignore[arg-type]
    choice = Choice(made, 1000 - waited, 1000)
    return names(list(choice.among(agents))), choice.looks


def test_who_does_something_else_is_passed_over() -> None:
    busy = [
        replace(PLAIN, name="a", state="Receiving"),
        replace(PLAIN, name="b", status="On Break"),
        replace(PLAIN, name="c", tier_state="Standby"),
        replace(PLAIN, name="d", external_calls_count=1),
        replace(PLAIN, name="e", ready_time=1005),
        replace(PLAIN, name="f", last_bridge_end=995, wrap_up_time=10),
        replace(PLAIN, name="g", last_bridge_end=1000),
        replace(PLAIN, name="h", system="elsewhere"),
        replace(PLAIN, name="i", tier_state="No Answer", last_bridge_end=989, wrap_up_time=10),
    ]
    assert chosen(busy) == ("i", [1005, 1006, 1001])
    assert chosen(busy[:4], skip_agents_with_external_calls=False) == ("d", [])
    assert chosen(busy, strategy="ring-all") == ("", [1005, 1006, 1001])


def test_deeper_tiers_open_with_time() -> None:
    tiers = [
        replace(PLAIN, name="a"),
        replace(PLAIN, name="b", level=2),
        replace(PLAIN, name="c", level=3),
    ]
    rules = {"tier_rules_apply": True, "tier_rule_wait_second": 10}
    assert chosen(tiers, tier_rule_wait_second=10) == ("abc", [])
    assert chosen(tiers, **rules) == ("a", [1010])
    assert chosen(tiers, 10, **rules) == ("abc", [])
    assert chosen(tiers, 10, **rules, tier_rule_wait_multiply_level=True) == ("a", [1010])
    assert chosen(tiers, 20, **rules, tier_rule_wait_multiply_level=True) == ("ab", [1010])
    assert chosen(tiers, **rules, tier_rule_no_agent_no_wait=False) == ("", [1010])
    assert chosen(tiers[1:], **rules) == ("b", [1010]), "nobody is on the first level"


def test_patience_without_agents_is_counted_from_the_last_one() -> None:
    settings = QueueSettings(max_wait_time_with_no_agent=20, max_wait_time_with_no_agent_time_reached=5)
    seen = AgentsSeen()
    assert end_of_patience(settings, 100, seen) is None, "nobody has looked yet"
    seen.note(False, 100)
    assert end_of_patience(settings, 100, seen) == (125, "NO_AGENT_TIMEOUT")
    seen.note(True, 110)
    assert end_of_patience(settings, 100, seen) is None
    assert end_of_patience(replace(settings, max_wait_time=60), 100, seen) == (160, "TIMEOUT")
    seen.note(False, 115)
    seen.note(False, 118)
    assert end_of_patience(settings, 100, seen) == (135, "NO_AGENT_TIMEOUT")
    seen.note(None, 120)
    assert end_of_patience(settings, 100, seen) is None
    seen.note(False, 200)
    no_grace = replace(settings, max_wait_time_with_no_agent_time_reached=0)
    assert end_of_patience(no_grace, 200, seen) == (200, "NO_AGENT_TIMEOUT")


def test_settings_that_cannot_be_meant_are_as_if_not_given() -> None:
    said: list[str] = []
    read = queue_settings(
        "q",
        [
            ("max-wait-time", "soon"),
            ("discard-abandoned-after", "90000"),
            ("tier-rule-wait-second", "30"),
            ("tier-rule-wait-second", "40"),
            ("agent-no-answer-status", "Gone"),
            ("tier-rules-apply", "yes"),
        ],
        said.append,
    )
    assert (read.max_wait_time, read.discard_abandoned_after, read.tier_rule_wait_second) == (0, 60, 30)
    assert (read.agent_no_answer_status, read.tier_rules_apply) == ("On Break", True)
    assert said == [
        "Invalid value [90000] for parameter [discard-abandoned-after], setting default [60]",
        "Invalid value [soon] for parameter [max-wait-time], setting default [0]",
        "Queue q has invalid agent-no-answer-status, setting to On Break",
    ]


@given(
    st.lists(st.tuples(st.sampled_from(PARAMS), st.text(max_size=8) | st.integers().map(str)), max_size=20)
)
def test_any_text_makes_settings(params: list[tuple[str, str]]) -> None:
    read = queue_settings("q", params, lambda text: None)
    for field in fields(read):
        setting = getattr(read, field.name)
        assert not isinstance(setting, int) or 0 <= setting <= 86_400
    assert known(read.agent_no_answer_status, AGENT_STATUSES) is not None


def test_all_ring_and_the_first_to_answer_has_the_call(center: Center) -> None:
    center.agent("bob", "loopback/ring", "all")
    center.agent("eve", "loopback/late", "all")
    caller = center.caller("all")
    center.wait(2)
    assert center.row("queue list members all")["serving_agent"] == "ring-all"
    assert center.told("agent-offering", "CC-Agent") == ["bob", "eve"]
    center.wait(4)
    assert value(caller, "cc_agent") == "eve"
    assert center.told("bridge-agent-fail", "CC-Hangup-Cause") == ["LOSE_RACE"]
    assert center.row("queue list members all")["serving_agent"] == "eve"
    assert {row["name"]: row["state"] for row in center.rows("agent list")}["bob"] == "Waiting"


def test_one_after_the_other_rings_as_well(center: Center) -> None:
    center.agent("bob", "loopback/ring", "one-by-one")
    center.agent("eve", "loopback/ring", "one-by-one", position=2)
    center.agent("max", "null/max", "one-by-one", position=3)
    caller = center.caller("one-by-one")
    center.wait(4)
    assert center.told("agent-offering", "CC-Agent") == ["bob"]
    center.wait(2)
    assert center.told("agent-offering", "CC-Agent") == ["bob", "eve"]
    center.wait(5)
    assert value(caller, "cc_agent") == "max"
    assert sorted(map(str, center.told("bridge-agent-fail", "CC-Agent"))) == ["bob", "eve"]


def test_top_down_begins_again_at_its_end(center: Center) -> None:
    for position, name in enumerate(("bob", "eve", "max"), 1):
        center.agent(name, "error/USER_BUSY", "down", position=position)
        center.done(f"agent set busy_delay_time {name} 2")
    center.caller("down")
    center.wait(2.5)
    assert center.told("agent-offering", "CC-Agent")[:4] == ["bob", "eve", "max", "bob"]


def test_round_robin_takes_turns(center: Center) -> None:
    for position, name in enumerate(("bob", "eve", "max"), 1):
        center.agent(name, f"null/{name}", "round", position=position)
    found = []
    for _ in range(4):
        caller = center.caller("round")
        center.wait(1)
        found.append(value(caller, "cc_agent"))
        caller.channel.hangup()
        center.wait(2)
    assert found == ["bob", "eve", "max", "bob"]


def test_a_deeper_tier_is_called_when_its_time_has_come(center: Center) -> None:
    center.agent("bob", "loopback/ring", "levels")
    center.done("agent set status bob 'On Break'")
    center.agent("eve", "null/eve", "levels", level=2)
    caller = center.caller("levels")
    center.wait(19)
    assert value(caller, "cc_agent") is None
    center.wait(2)
    assert value(caller, "cc_agent") == "eve"


def test_a_member_follows_its_queue_to_another_strategy(center: Center) -> None:
    caller = center.caller("all")
    assert center.row("queue list members all")["serving_agent"] == "ring-all"
    for strategy, serving, state in (
        ("ring-progressively", "ring-progressively", "Trying"),
        ("random", "", "Waiting"),
        ("ring-all", "ring-all", "Trying"),
    ):
        queues = f"<queues>{named('queue', {'all': {'strategy': strategy}})}</queues>"
        center.switch.xml.load_text(configuration("callcenter.conf", queues))
        center.done("queue reload all")
        center.wait(0.5)
        member = center.row("queue list members all")
        assert (member["serving_agent"], member["state"]) == (serving, state)
    center.agent("bob", "null/bob", "all")
    center.wait(1)
    assert value(caller, "cc_agent") == "bob"
