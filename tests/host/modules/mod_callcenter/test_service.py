"""Members and agents: who is called for whom, how they come together, and what is told and kept of it."""

from __future__ import annotations

import time

from host.channel import Flag
from host.modules.mod_callcenter.sound import sounds_of
from tests.host.modules.mod_callcenter.conftest import CONFIGURATION, Center, value
from tests.host.xml_document import configuration, named


def test_an_agent_is_called_for_who_waits(center: Center) -> None:
    began = time.monotonic()
    caller = center.caller("support", "origination_callee_id_name=Eve,origination_callee_id_number=100")
    center.wait(1)
    assert time.monotonic() - began < 20  # the second passes in the call, not here
    agent = center.row("agent list ada")
    assert (agent["state"], agent["status"], agent["calls_answered"]) == ("In a queue call", "Available", "1")
    leg = center.switch.find_session(agent["uuid"])
    assert leg is not None and leg.partner == caller.uuid
    assert center.row("queue list members support")["state"] == "Answered"
    assert center.row("queue list tiers support")["state"] == "Active Inbound"
    assert value(caller, "cc_side") == "member"
    assert value(caller, "cc_agent") == "ada"
    assert value(caller, "cc_agent_uuid") == leg.uuid
    assert value(caller, "cc_cause") == "answered"
    assert value(caller, "cc_queue_answered_epoch") == value(caller, "cc_queue_joined_epoch")
    assert value(leg, "cc_side") == "agent"
    assert value(leg, "cc_member_uuid") == value(caller, "cc_member_uuid")
    assert value(leg, "cc_member_session_uuid") == caller.uuid
    center.wait(30)
    leg.channel.hangup()
    center.wait(0.5)
    assert Flag.PARK in caller.channel.flags, "the call goes on behind the queue"
    agent = center.row("agent list ada")
    assert (agent["state"], agent["uuid"], agent["talk_time"]) == ("Waiting", "", "31")
    assert value(caller, "cc_queue_terminated_epoch") == agent["last_bridge_end"]
    assert center.rows("queue list members support") == []
    assert center.rows("queue list")[0]["calls_answered"] == "1"
    assert center.actions() == [
        "member-queue-start",
        "members-count",
        "agent-state-change",
        "agent-offering",
        "bridge-agent-start",
        "members-count",
        "agent-state-change",
        "bridge-agent-end",
        "member-queue-end",
        "agent-state-change",
    ]
    assert center.told("members-count", "CC-Count") == ["1", "1"]
    assert center.told("agent-state-change", "CC-Agent-State") == ["Receiving", "In a queue call", "Waiting"]
    start = center.last("bridge-agent-start")
    assert start.get_header("Unique-ID") == start.get_header("CC-Agent-UUID") == leg.uuid
    assert start.get_header("CC-Member-CID-Name") == "Eve"
    end = center.last("member-queue-end")
    assert (end.get_header("CC-Cause"), end.get_header("CC-Hangup-Cause")) == ("Terminated", "SUCCESS")
    assert end.get_header("Unique-ID") == caller.uuid


def test_wrapping_up_takes_its_time(center: Center) -> None:
    first = center.caller("support")
    center.wait(2)
    first.channel.hangup()
    center.wait(0.5)
    second = center.caller("support")
    center.wait(9)
    assert center.row("queue list members support")["state"] == "Waiting"
    center.wait(3)
    assert value(second, "cc_agent") == "ada"


def test_an_agent_who_is_busy_is_left_alone_for_a_while(center: Center) -> None:
    center.done("agent set contact ada error/USER_BUSY", "agent set busy_delay_time ada 20")
    center.caller("support")
    center.wait(15)
    assert center.told("bridge-agent-fail", "CC-Hangup-Cause") == ["USER_BUSY"]
    assert center.row("tier list")["state"] == "Ready"
    center.done("agent set contact ada error/CALL_REJECTED")
    center.wait(10)
    assert center.told("bridge-agent-fail", "CC-Hangup-Cause") == ["USER_BUSY", "CALL_REJECTED"]
    center.wait(5)
    assert len(center.told("bridge-agent-fail", "CC-Hangup-Cause")) == 3


def test_an_agent_who_does_not_answer_gets_a_break(center: Center) -> None:
    center.done("agent set contact ada [leg_timeout=10]loopback/ring")
    caller = center.caller("support")
    center.wait(12)
    assert center.row("agent list ada")["no_answer_count"] == "1"
    assert center.row("tier list")["state"] == "No Answer"
    center.wait(30)
    agent = center.row("agent list ada")
    assert (agent["status"], agent["no_answer_count"], agent["state"]) == ("On Break", "2", "Waiting")
    assert center.told("bridge-agent-fail", "CC-Hangup-Cause") == ["ALLOTTED_TIMEOUT", "ALLOTTED_TIMEOUT"]
    missed = center.last("agent-max-no-answer")
    assert missed.get_header("CC-Agent-No-Answer-Count") == "2"
    assert missed.get_header("CC-Agent-No-Answer-Status") == "On Break"
    assert missed.get_header("CC-Member-Session-UUID") == caller.uuid
    center.done("agent set contact ada null/ada", "agent set status ada Available")
    center.wait(1)
    assert value(caller, "cc_agent") == "ada"
    assert center.row("agent list ada")["no_answer_count"] == "0"


def test_a_member_who_hangs_up_is_abandoned_and_nothing_rings_for_it(center: Center) -> None:
    center.done("agent set contact ada loopback/ring")
    caller = center.caller("support")
    center.wait(5)
    assert len(center.switch.sessions) == 3
    assert center.row("agent list ada")["state"] == "Receiving"
    caller.channel.hangup()
    center.wait(0.5)
    assert not center.switch.sessions
    assert center.told("bridge-agent-fail", "CC-Hangup-Cause") == ["ORIGINATOR_CANCEL"]
    assert center.row("agent list ada")["state"] == "Waiting"
    assert center.row("agent list ada")["no_answer_count"] == "0"
    assert center.row("queue list members support")["state"] == "Abandoned"
    end = center.last("member-queue-end")
    assert (end.get_header("CC-Cause"), end.get_header("CC-Cancel-Reason")) == ("Cancel", "BREAK_OUT")
    assert value(caller, "cc_cause") == "cancel"
    assert center.rows("queue list")[0]["calls_abandoned"] == "1"
    assert center.config("queue count members support") == "1\n"
    center.wait(61)
    assert center.config("queue count members support") == "0\n"


def test_an_agent_may_be_a_user_of_the_directory(center: Center) -> None:
    center.switch.xml.load_text(
        f"""{CONFIGURATION.removesuffix("</document>")}<section name="directory"><domain name="x"><user id="1000">
        <params><param name="dial-string" value="loopback/ring"/></params></user><user id="1001">
        <params><param name="dial-string" value="null/desk"/></params></user></domain></section></document>"""
    )
    center.done("agent set contact ada [leg_timeout=30]user/1000@x")
    caller = center.caller("support")
    center.wait(5)
    assert len(center.switch.sessions) == 3
    center.done("agent set status ada 'On Break'")
    center.wait(0.5)
    assert len(center.switch.sessions) == 1
    assert center.told("bridge-agent-fail", "CC-Hangup-Cause") == ["ORIGINATOR_CANCEL"]
    center.done("agent set contact ada user/1001@x", "agent set status ada Available")
    center.wait(1)
    leg = center.switch.find_session(value(caller, "cc_agent_uuid") or "")
    assert leg is not None and value(leg, "dialed_user") == "1001"


def test_an_agent_who_logs_out_stops_ringing(center: Center) -> None:
    center.done("agent set contact ada loopback/ring")
    center.caller("support")
    center.wait(2)
    center.done("agent set status ada 'Logged Out'")
    center.wait(0.5)
    assert len(center.switch.sessions) == 1
    assert center.row("queue list members support")["state"] == "Waiting"
    assert center.told("agent-status-change", "CC-Agent-Status") == ["Logged Out"]


def test_available_on_demand_is_for_one_call(center: Center) -> None:
    center.done("agent set status ada 'Available (On Demand)'", "agent set wrap_up_time ada 0")
    first = center.caller("support")
    center.wait(2)
    first.channel.hangup()
    center.wait(1)
    assert center.row("agent list ada")["state"] == "Idle"
    second = center.caller("support")
    center.wait(5)
    assert value(second, "cc_agent") is None
    center.done("agent set state ada Waiting")
    center.wait(1)
    assert value(second, "cc_agent") == "ada"


def test_keys_lead_out_of_the_queue(center: Center) -> None:
    caller = center.caller("music", "cc_exit_keys=0*")
    center.press(caller, "12")
    assert center.row("queue list members music")["state"] == "Waiting"
    center.press(caller, "*")
    assert value(caller, "cc_exit_key") == "*"
    assert value(caller, "cc_cancel_reason") == "EXIT_WITH_KEY"
    assert Flag.PARK in caller.channel.flags, "the call goes on"
    silent = center.caller("again", "cc_exit_keys=0")
    center.press(silent, "0")
    assert value(silent, "cc_cancel_reason") == "EXIT_WITH_KEY"


def test_patience_has_an_end(center: Center) -> None:
    center.agent("bob", "loopback/ring", "brief")
    caller = center.caller("brief")
    center.wait(19)
    assert value(caller, "cc_cause") is None
    center.done("agent del bob")
    center.wait(15)
    assert value(caller, "cc_cancel_reason") is None, "an agent is being called"
    center.wait(30)
    assert value(caller, "cc_cancel_reason") == "TIMEOUT"


def test_nobody_waits_long_without_agents(center: Center) -> None:
    caller = center.caller("brief")
    center.wait(7)
    assert value(caller, "cc_cause") is None
    center.wait(2)
    assert value(caller, "cc_cancel_reason") == "NO_AGENT_TIMEOUT"
    center.agent("bob", "error/USER_BUSY", "brief")
    center.done("agent set status bob 'On Break'")
    other = center.caller("brief")
    center.wait(12)
    assert value(other, "cc_cause") is None, "one on break is there"
    center.done("agent set status bob 'Logged Out'")
    center.wait(4)
    assert value(other, "cc_cause") is None
    center.wait(1.5)
    assert value(other, "cc_cancel_reason") == "NO_AGENT_TIMEOUT"


def test_who_calls_again_gets_the_former_place(center: Center) -> None:
    first = center.caller("again", "origination_callee_id_number=100")
    uuid, joined = value(first, "cc_member_uuid"), center.row("queue list members again")["joined_epoch"]
    center.wait(5)
    first.channel.hangup()
    center.wait(10)
    stranger = center.caller("again", "origination_callee_id_number=200")
    assert value(stranger, "cc_member_uuid") != uuid
    second = center.caller("again", "origination_callee_id_number=100")
    assert value(second, "cc_member_uuid") == uuid
    member = center.rows("queue list members again")[0]
    assert (member["uuid"], member["joined_epoch"], member["state"]) == (uuid, joined, "Waiting")
    assert int(member["rejoined_epoch"]) >= int(joined) + 15
    assert center.actions().count("member-queue-resume") == 1
    second.channel.hangup()
    center.wait(40)
    third = center.caller("again", "origination_callee_id_number=100")
    assert value(third, "cc_member_uuid") != uuid


def test_the_best_score_is_served_first(center: Center) -> None:
    center.done("agent set status ada 'On Break'")
    plain = center.caller("support")
    center.wait(10)
    important = center.caller("support", "cc_base_score=100")
    center.wait(1)
    assert [row["session_uuid"] for row in center.rows("queue list members support")] == [
        important.uuid,
        plain.uuid,
    ]
    center.done("agent set status ada Available")
    center.wait(1)
    assert value(important, "cc_agent") == "ada" and value(plain, "cc_agent") is None


def test_the_time_of_the_call_may_count(center: Center) -> None:
    reply = center.switch.api("originate", "null/leg 'm:^:answer^sleep:7000^callcenter:music^park' inline")
    center.wait(8)
    member = center.row("queue list members music")
    assert member["session_uuid"] == reply[4:].strip()
    assert (member["base_score"], member["score"]) == ("7", "8")


def test_announcements_come_between_the_music(center: Center) -> None:
    caller = center.caller("music")
    center.wait(9)
    assert not caller.line.displaced(1)
    displaced = [center.switch.api("uuid_buglist", caller.uuid)]
    center.wait(1.1)
    displaced.append(center.switch.api("uuid_buglist", caller.uuid))
    assert ["displace" in text for text in displaced] == [False, True]


def test_the_conversation_is_recorded(center: Center) -> None:
    path = str(center.switch.global_variables.get("base_dir")) + "/${cc_queue}-${uuid}.wav"
    text = center.switch.api("xml_locate", "configuration configuration name callcenter.conf")
    assert "<queues>" in text
    center.switch.xml.load_text(
        configuration(
            "callcenter.conf", f"<queues>{named('queue', {'support': {'record-template': path}})}</queues>"
        )
    )
    center.done("queue reload support")
    caller = center.caller("support")
    center.wait(3)
    recorded = path.replace("${cc_queue}", "support").replace("${uuid}", caller.uuid)
    assert value(caller, "cc_record_filename") == recorded
    caller.channel.hangup()
    center.wait(0.5)
    assert value(caller, "record_seconds") == "3"


def test_the_agent_hears_an_announcement_first(center: Center) -> None:
    told: list[str] = []
    center.switch.observers.append(
        lambda kind, channel, facts: told.append(str(facts["path"])) if kind == "play" else None
    )
    caller = center.caller("support", "cc_outbound_announce=silence_stream://3000")
    center.wait(2)
    assert value(caller, "cc_agent") is None
    assert len(told) == 1
    center.wait(1.5)
    assert value(caller, "cc_agent") == "ada"
    assert sounds_of("ARRAY::one.wav::two.wav") == ["one.wav", "two.wav"]
    assert sounds_of("silence_stream://3000") == ["silence_stream://3000"]


def test_variables_are_handed_on(center: Center) -> None:
    caller = center.caller("support", "account=7,cc_export_vars=account,cc_outbound_cid_name_prefix=VIP-")
    center.wait(1)
    leg = center.switch.find_session(value(caller, "cc_agent_uuid") or "")
    assert leg is not None
    assert value(leg, "account") == "7"
    assert (value(leg, "origination_caller_id_name") or "").startswith("VIP-")


def test_a_loopback_agent_is_the_call_behind_it(center: Center) -> None:
    center.done("agent set contact ada loopback/late")
    caller = center.caller("support")
    center.wait(6)
    leg = center.switch.find_session(value(caller, "cc_agent_uuid") or "")
    assert leg is not None
    assert leg.channel.name == "null/desk"
    assert value(leg, "cc_agent") == "ada"
    assert len(center.switch.sessions) == 2, "the loopback legs are gone"


def test_an_agent_may_stand_by_in_a_call(center: Center) -> None:
    standing = center.call("set:park_after_bridge=true", "cc_warning_tone=silence_stream://1000")
    center.done("agent set type ada uuid-standby", f"agent set uuid ada {standing.uuid}")
    caller = center.caller("support")
    center.wait(2)
    assert value(caller, "cc_agent_uuid") == standing.uuid
    assert value(standing, "cc_side") == "agent"
    caller.channel.hangup()
    center.wait(0.5)
    agent = center.row("agent list ada")
    assert (agent["state"], agent["uuid"]) == ("Waiting", standing.uuid)
    assert standing.channel.up
    standing.channel.hangup()
    center.wait(20)
    center.caller("support")
    center.wait(1)
    assert center.row("agent list ada")["status"] == "Logged Out"
    assert center.last("bridge-agent-fail").get_header("CC-Hangup-Cause") == "NONE"


def test_an_agent_is_let_go_before_the_call_is_over(center: Center) -> None:
    caller = center.caller("support")
    center.wait(1)
    leg = value(caller, "cc_agent_uuid")
    assert center.switch.api("callcenter_break", f"agent {leg}") == ""
    center.wait(0.5)
    assert center.row("agent list ada")["state"] == "Waiting"
    assert caller.channel.up
    assert center.switch.api("callcenter_break", "agent nobody") == "-ERR Session not found for uuid nobody\n"
    assert center.switch.api("callcenter_break", "agent") == "-ERR Usage: callcenter_break agent <uuid>\n"


def test_an_agent_with_another_call_is_passed_over(center: Center) -> None:
    other = center.call("callcenter_track:ada")
    assert center.row("agent list ada")["external_calls_count"] == "1"
    caller = center.caller("support")
    center.wait(5)
    assert value(caller, "cc_agent") is None
    other.channel.hangup()
    center.wait(1)
    assert center.row("agent list ada")["external_calls_count"] == "0"
    assert value(caller, "cc_agent") == "ada"


def test_the_module_may_be_unloaded_in_the_middle(center: Center) -> None:
    talking = center.caller("support")
    center.wait(1)
    waiting = center.caller("again")
    center.wait(1)
    center.switch.modules.unload("mod_callcenter")
    center.wait(1)
    assert value(waiting, "cc_cancel_reason") == "BREAK_OUT"
    assert talking.channel.up
    center.switch.modules.load("mod_callcenter")
    talking.channel.hangup()


def test_an_unknown_queue_is_passed_over(center: Center) -> None:
    caller = center.caller("nowhere")
    assert Flag.PARK in caller.channel.flags
    assert value(caller, "cc_side") is None


def test_an_agent_who_is_gone_before_the_bridge_leaves_the_member_waiting(center: Center) -> None:
    for strategy, queue in (("longest-idle-agent", "support"), ("ring-all", "all")):
        if queue == "all":
            center.done("tier del support ada", "tier add all ada")
        caller = center.caller(queue, "cc_outbound_announce=silence_stream://3000")
        center.wait(1)
        leg = center.switch.find_session(center.last("bridge-agent-start").get_header("CC-Agent-UUID") or "")
        assert leg is not None
        leg.channel.hangup()
        center.wait(0.5)
        assert center.told("bridge-agent-end", "CC-Agent-Bridged")[-1] == "false", strategy
        assert value(caller, "cc_agent_found") is None
        center.wait(6)
        assert value(caller, "cc_agent") == "ada", strategy
        caller.channel.hangup()
        center.wait(15)


def test_a_member_who_is_gone_before_the_bridge_is_told_to_the_agent(center: Center) -> None:
    told: list[str] = []
    center.switch.observers.append(
        lambda kind, channel, facts: told.append(str(facts["path"])) if kind == "play" else None
    )
    sounds = (
        "cc_outbound_announce=silence_stream://2000,cc_bridge_failed_outbound_announce=silence_stream://1000"
    )
    caller = center.caller("support", sounds)
    center.wait(1)
    caller.channel.hangup()
    center.wait(1.5)
    assert told == ["silence_stream://2000", "silence_stream://1000"]
    center.wait(1)
    assert not center.switch.sessions
    assert value(caller, "cc_agent_bridged") == "false"
    assert center.row("queue list members support")["state"] == "Abandoned"
    assert center.row("agent list ada")["calls_answered"] == "0"


def test_music_that_cannot_be_played_is_done_without(center: Center) -> None:
    for music in ("/nowhere/music.wav", "silence_stream://0"):
        caller = center.caller("again", f"cc_exit_keys=#,cc_moh_override={music}")
        center.wait(5)
        center.press(caller, "#")
        assert value(caller, "cc_exit_key") == "#"


def test_a_transfer_takes_the_call_out_of_the_queue(center: Center) -> None:
    caller = center.caller("music")
    center.switch.api("uuid_transfer", f"{caller.uuid} m:^:park inline")
    center.wait(0.5)
    assert caller.channel.up
    assert value(caller, "cc_cancel_reason") == "BREAK_OUT"
    other = center.caller("music")
    center.switch.api("uuid_break", f"{other.uuid} all")
    center.wait(0.5)
    assert value(other, "cc_cause") is None, "the music begins anew"
