"""The events of whole calls in virtual time: in the order, and with the headers, that FreeSWITCH was heard to send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.clock import SECOND
from host.event import Event
from host.switch import Switch
from tests.host.recorded_transcript import CONFORMANCE
from tests.host.xml_document import context, extension

NEAR, FAR = "near leg of loopback", "far leg of loopback"
A = "leg-a"

HEARD = ("answer", "playback silence_stream://20000")
DIALPLAN = context(
    "legs",
    '<extension name="first" continue="true"><condition>'
    '<action application="set" data="conf_first=${conf_first}+" inline="true"/></condition></extension>',
    extension("early", "pre_answer", "sleep 800", *HEARD),
    extension("rings", "ring_ready", "sleep 800", *HEARD),
    extension("short", "answer", "sleep 600", "hangup"),
)


class Heard:
    """All events of a switch, and what they say of a leg."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.events: list[Event] = []
        switch.bus.subscribe(self.events.append)

    def wait(self, seconds: float) -> None:
        self.switch.clock.sleep(int(seconds * SECOND))

    def api(self, command: str, argument: str) -> None:
        reply = self.switch.api(command, argument)
        assert reply.startswith("+OK"), reply
        self.wait(1)

    def of(self, leg: str) -> list[str]:
        """Return the events of the leg with that UUID or name: names, what they are about, states where they change."""
        lines = []
        for event in self.events:
            if leg not in (event.get_header("Unique-ID"), event.get_header("Channel-Name")):
                continue
            line = event.name.removeprefix("CHANNEL_")
            if line in (
                "STATE",
                "CALLSTATE",
                "HANGUP",
                "OUTGOING",
                "DESTROY",
                "HANGUP_COMPLETE",
                "PROGRESS_MEDIA",
            ):
                line += f" {event.get_header('Channel-State')} {event.get_header('Channel-Call-State')}"
            elif line.startswith("EXECUTE"):
                line += f" {event.get_header('Application')}"
            lines.append(line)
        return lines


@pytest.fixture
def heard(virtual_switch: Switch) -> Iterator[Heard]:
    virtual_switch.modules.load("mod_commands")
    virtual_switch.modules.load("mod_sndfile")
    virtual_switch.xml.load_text(DIALPLAN)
    yield Heard(virtual_switch)


def busy_call(heard: Heard, folder: Path) -> None:
    """Place a call with early media, broadcast, record, press a key and hang up."""
    heard.api("originate", f"{{origination_uuid={A},ignore_early_media=true}}loopback/early/legs &park()")
    heard.api("uuid_broadcast", f"{A} playback::silence_stream://300")
    heard.api("uuid_record", f"{A} start {folder}/call.wav")
    heard.api("uuid_record", f"{A} stop {folder}/call.wav")
    heard.api("uuid_recv_dtmf", f"{A} 1")
    heard.api("uuid_kill", f"{A} USER_BUSY")


def bridged_call(heard: Heard) -> None:
    """Place a call that rings, and have it bridge to a leg that ends the bridge."""
    heard.api("originate", f"{{origination_uuid={A},ignore_early_media=true}}loopback/rings/legs &park()")
    heard.api("uuid_transfer", f"{A} 'bridge:loopback/short/legs/XML' inline")
    heard.wait(1)


NEAR_LEG = """
UUID
OUTGOING CS_NONE DOWN
STATE CS_INIT DOWN
CREATE
ORIGINATE
STATE CS_ROUTING DOWN
STATE CS_CONSUME_MEDIA DOWN
PROGRESS_MEDIA CS_CONSUME_MEDIA DOWN
CALLSTATE CS_CONSUME_MEDIA EARLY
ANSWER
CALLSTATE CS_CONSUME_MEDIA ACTIVE
CALL_UPDATE
STATE CS_EXECUTE ACTIVE
EXECUTE park
PARK
EXECUTE playback
PLAYBACK_START
PLAYBACK_STOP
EXECUTE_COMPLETE playback
PRIVATE_COMMAND
RECORD_START
MEDIA_BUG_START
RECORD_STOP
MEDIA_BUG_STOP
DTMF
HANGUP CS_EXECUTE ACTIVE
UNPARK
EXECUTE_COMPLETE park
STATE CS_HANGUP ACTIVE
CALLSTATE CS_HANGUP HANGUP
STATE CS_REPORTING HANGUP
HANGUP_COMPLETE CS_REPORTING HANGUP
DESTROY CS_REPORTING HANGUP
STATE CS_DESTROY HANGUP
"""

FAR_LEG = """
CODEC
CODEC
STATE CS_INIT DOWN
CREATE
CALLSTATE CS_ROUTING RINGING
STATE CS_ROUTING RINGING
EXECUTE set
EXECUTE_COMPLETE set
STATE CS_EXECUTE RINGING
EXECUTE pre_answer
PROGRESS_MEDIA CS_EXECUTE RINGING
CALLSTATE CS_EXECUTE EARLY
EXECUTE_COMPLETE pre_answer
EXECUTE sleep
EXECUTE_COMPLETE sleep
EXECUTE answer
ANSWER
CALLSTATE CS_EXECUTE ACTIVE
EXECUTE_COMPLETE answer
EXECUTE playback
PLAYBACK_START
HANGUP CS_EXECUTE ACTIVE
PLAYBACK_STOP
EXECUTE_COMPLETE playback
STATE CS_HANGUP ACTIVE
CALLSTATE CS_HANGUP HANGUP
STATE CS_REPORTING HANGUP
HANGUP_COMPLETE CS_REPORTING HANGUP
DESTROY CS_REPORTING HANGUP
STATE CS_DESTROY HANGUP
"""


def test_each_leg_tells_its_life_in_order(heard: Heard, tmp_path: Path) -> None:
    busy_call(heard, tmp_path)
    assert heard.of(A) == NEAR_LEG.split("\n")[1:-1]
    assert heard.of("loopback/early-b") == FAR_LEG.split("\n")[1:-1]


def test_a_command_is_told_when_it_is_done(heard: Heard, tmp_path: Path) -> None:
    busy_call(heard, tmp_path)
    names = [event.name for event in heard.events]
    api = [index for index, name in enumerate(names) if name == "API"]
    commands = [heard.events[index].get_header("API-Command") for index in api]
    assert commands == [
        "originate",
        *["uuid_broadcast", "uuid_record", "uuid_record", "uuid_recv_dtmf", "uuid_kill"],
    ]
    assert names.index("CALL_UPDATE") < api[0]
    assert names[api[2] - 1] == "MEDIA_BUG_START"
    assert names[api[5] - 1] == "CHANNEL_HANGUP"


def test_a_bridge_tells_of_both_legs(heard: Heard) -> None:
    bridged_call(heard)
    of_a = heard.of(A)
    assert of_a[of_a.index("UNPARK") : of_a.index("HANGUP CS_EXECUTE ACTIVE")] == [
        "UNPARK", "EXECUTE_COMPLETE park", "STATE CS_ROUTING ACTIVE", "STATE CS_EXECUTE ACTIVE", "EXECUTE bridge",
        "CALLSTATE CS_EXECUTE RING_WAIT", "CALLSTATE CS_EXECUTE ACTIVE", "BRIDGE", "UNBRIDGE",
        "EXECUTE_COMPLETE bridge",
    ]  # fmt: skip
    of_c = heard.of("loopback/short-a")
    assert heard.of("loopback/short/legs/XML-a") == ["CODEC", "CODEC"]  # it gets its name after that
    assert of_c[:11] == [
        "OUTGOING CS_NONE DOWN", "STATE CS_INIT DOWN", "CREATE", "ORIGINATE", "STATE CS_ROUTING DOWN",
        "STATE CS_CONSUME_MEDIA DOWN", "ANSWER", "CALLSTATE CS_CONSUME_MEDIA ACTIVE",
        "STATE CS_EXCHANGE_MEDIA ACTIVE", "HANGUP CS_EXCHANGE_MEDIA ACTIVE", "STATE CS_HANGUP ACTIVE",
    ]  # fmt: skip


def test_ringing_is_told_once_by_the_leg_that_is_called(heard: Heard) -> None:
    bridged_call(heard)
    near = heard.of(A)
    assert near[near.index("PROGRESS") + 1] == "CALLSTATE CS_CONSUME_MEDIA RINGING"
    far = heard.of("loopback/rings-b")
    assert far[far.index("PROGRESS") + 1] == "EXECUTE_COMPLETE ring_ready"


def test_a_task_is_told_when_it_comes_and_goes(heard: Heard) -> None:
    heard.api("sched_api", "+1 mine echo x")
    heard.api("sched_api", "@1 mine echo y")
    heard.api("sched_del", "mine")
    told = [event for event in heard.events if event.name.endswith("SCHEDULE") or event.name == "API"]
    names = [event.get_header("API-Command") or event.name for event in told]
    assert names[:4] == ["ADD_SCHEDULE", "sched_api", "echo", "DEL_SCHEDULE"]
    assert names[4:8] == ["ADD_SCHEDULE", "sched_api", "echo", "RE_SCHEDULE"]
    assert names[-2:] == ["DEL_SCHEDULE", "sched_del"]


def recorded_headers() -> dict[tuple[str, str], list[str]]:
    rows = json.loads((CONFORMANCE / "lists" / "event_headers.json").read_text())
    return {(row["event"], row["channel"]): row["headers"] for row in rows if "channel" in row}


# What the recorded call did besides, and what it did not do.
BESIDES = {
    "variable_legs": "a variable that the recording's own run had set",
    "variable_tone_detect_legs_key_total_time": "as above",
    "variable_x": "as above",
}


@pytest.mark.skipif(not CONFORMANCE.is_dir(), reason="the recorded cases are not here")
def test_headers_are_those_recorded_and_in_their_order(heard: Heard, tmp_path: Path) -> None:
    busy_call(heard, tmp_path)
    recorded = recorded_headers()
    seen: set[tuple[str, str]] = set()
    for event in heard.events:
        name = event.get_header("Channel-Name") or ""
        key = (event.name, {"a": NEAR, "b": FAR}.get(name[-1:], ""))
        if key in seen or key not in recorded:
            continue
        seen.add(key)
        expected = [header for header in recorded[key] if header not in BESIDES]
        assert [header for header, _ in event.headers] == expected, key
    assert len(seen) == 38


@pytest.mark.skipif(not CONFORMANCE.is_dir(), reason="the recorded cases are not here")
@pytest.mark.parametrize("name", ["CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE"])
def test_headers_of_a_bridge_are_those_recorded(heard: Heard, name: str) -> None:
    bridged_call(heard)
    event = next(event for event in heard.events if event.name == name)
    assert sorted(header for header, _ in event.headers) == sorted(recorded_headers()[name, NEAR])
