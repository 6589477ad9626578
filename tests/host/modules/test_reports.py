"""What the switch tells of itself is measured, and is the same however it is asked for."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from host.clock import SECOND, RealClock, VirtualClock
from host.modules.mod_commands.stun_message import binding_request
from host.switch import Switch

REPORTS = (
    "codec", "endpoint", "application", "api", "dialplan", "file", "timer", "chat", "say", "limits", "interfaces",
    "interface_types", "modules", "tasks", "aliases", "complete", "nat_map", "registrations", "calls", "channels",
    "detailed_calls", "bridged_calls", "detailed_bridged_calls",
)  # fmt: skip


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Switch]:
    made = Switch(RealClock(), tmp_path)
    made.modules.load("mod_commands")
    yield made
    made.close()


def originate(switch: Switch, count: int) -> list[str]:
    return [switch.api("originate", f"null/{number} &park()").split()[1] for number in range(count)]


def test_status_counts_what_happened(switch: Switch) -> None:
    originate(switch, 3)
    switch.api("hupall")
    switch.clock.sleep(400 * SECOND)
    originate(switch, 2)
    switch.clock.sleep(SECOND)
    lines = switch.api("status").splitlines()
    assert lines[0].startswith("UP 0 years, 0 days, 0 hours, 6 minutes, 41 seconds")
    assert lines[2] == "5 session(s) since startup"
    assert lines[3] == "2 session(s) - peak 3, last 5min 2 "
    assert lines[4] == "2 session(s) per Sec out of max 30, peak 3, last 5min 2 "
    switch.api("fsctl", "max_sessions 7")
    switch.api("fsctl", "sps 9")
    switch.api("fsctl", "shutdown elegant")
    lines = switch.api("status").splitlines()
    assert " is not ready" in lines[1] and "out of max 9," in lines[4] and lines[5] == "7 session(s) max"
    switch.api("fsctl", "shutdown cancel")


def test_status_as_json_tells_the_same(switch: Switch) -> None:
    originate(switch, 2)
    told = json.loads(switch.api("json", '{"command":"status","data":{}}'))["response"]
    assert told["sessions"]["count"]["total"] == switch.sessions_since_start == 2
    assert told["sessions"]["count"]["active"] == 2
    assert told["sessions"]["count"]["limit"] == switch.control.max_sessions


@pytest.mark.parametrize(
    ("unit", "value"), [("us", 90_061_000_000), ("ms", 90_061_000), ("s", 90_061), ("d", 1)]
)
def test_uptime_is_the_clocks(tmp_path: Path, unit: str, value: int) -> None:
    clock = VirtualClock()
    with clock.participating():
        switch = Switch(clock, tmp_path)
        switch.modules.load("mod_commands")
        clock.sleep(90_061 * SECOND)
        assert switch.api("uptime", unit) == f"{value}\n"
        switch.close()


def test_memory_is_the_processes(switch: Switch) -> None:
    told = dict(re.findall(r"^(\w+):\s+(\d+) kB$", switch.api("memory"), re.MULTILINE))
    held = int(re.findall(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[0])
    assert abs(int(told["VmRSS"]) - held) < 4096


def test_pools_tell_what_there_is(switch: Switch) -> None:
    before = dict(re.findall(r"^(.*): (\d+)$", switch.api("pool_stats"), re.MULTILINE))
    originate(switch, 2)
    after = dict(re.findall(r"^(.*): (\d+)$", switch.api("pool_stats"), re.MULTILINE))
    assert int(after["sessions"]) == int(before["sessions"]) + 2
    assert int(after["threads"]) == threading.active_count()
    assert int(after["media lines"]) == switch.engine.line_count >= 2


def test_cpu_time_is_the_processes_and_can_begin_anew(switch: Switch) -> None:
    user, kernel = map(int, switch.api("getcputime").split(", "))
    times = os.times()
    assert 0 <= times.user * 1000 - user < 2000 and 0 <= times.system * 1000 - kernel < 2000
    switch.api("getcputime", "reset")
    assert max(map(int, switch.api("getcputime").split(", "))) < 1000


def test_waits_are_measured(real: Switch) -> None:
    lines = real.api("time_test", "2000 3").splitlines()
    took = [int(line.split()[-1]) for line in lines]
    assert len(took) == 4 and all(2000 <= one < 1_000_000 for one in took)
    assert took[3] == sum(took[:3]) // 3
    average, total = map(float, re.findall(r"([\d.]+)ms", real.api("timer_test", "10 3")))
    assert 10 <= average < 1000 and abs(total - 3 * average) < 0.01


def test_addresses_are_the_machines(real: Switch) -> None:
    assert real.api("interface_ip", "ipv4 lo") == "127.0.0.1"
    assert real.api("interface_ip", "ipv4 nosuch0") == ""
    assert real.api("host_lookup", "localhost") in ("127.0.0.1", "::1")


def test_a_stun_server_is_asked(real: Switch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        asked: list[bytes] = []

        def answer() -> None:
            server.recvfrom(2048)  # the first one is lost
            question, sender = server.recvfrom(2048)
            asked.append(question)
            address, port = socket.inet_aton("198.51.100.9"), 4242
            body = b"\x00\x01\x00\x08\x00\x01" + port.to_bytes(2, "big") + address
            server.sendto(b"\x01\x01\x00\x0c" + question[4:20] + body, sender)

        thread = threading.Thread(target=answer)
        thread.start()
        assert real.api("stun", f"127.0.0.1:{server.getsockname()[1]}") == "198.51.100.9:4242\n"
        thread.join()
    assert asked == [binding_request(asked[0][8:20])]


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_is_the_same_in_each_form(switch: Switch, report: str) -> None:
    near, far, _ = originate(switch, 3)
    switch.api("uuid_bridge", f"{near} {far}")
    switch.api("alias", "add st status")
    switch.api("complete", "add one two")
    switch.api("sched_api", "+100 group status")
    switch.clock.sleep(SECOND)
    told = json.loads(switch.api("show", f"{report} as json"))
    rows = told.get("rows", [])
    assert len(rows) == told["row_count"]
    root = etree.fromstring(switch.api("show", f"{report} as xml").encode())
    assert root.get("row_count") == str(len(rows))
    assert [{field.tag: field.text or "" for field in row} for row in root] == rows
    for delimiter, form in (("\x01", "as delim \x01"), (",", "")):
        titled = [list(rows[0]), *(row.values() for row in rows)] if rows else []
        text = "".join(f"{delimiter.join(row)}\n" for row in titled)
        assert switch.api("show", f"{report} {form}") == f"{text}\n{len(rows)} total.\n"


def test_reports_list_what_there_is(switch: Switch) -> None:
    near, far, alone = originate(switch, 3)
    switch.api("uuid_bridge", f"{near} {far}")
    switch.clock.sleep(SECOND)

    def rows(report: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(switch.api("show", f"{report} as json")).get("rows", [])
        return found

    assert {row["uuid"] for row in rows("channels")} == set(switch.sessions) == {near, far, alone}
    assert [row["uuid"] for row in rows(f"channels like {alone[:13]}")] == [alone]
    assert {row["name"] for row in rows("api")} == {
        known.name for known in switch.api_commands if known.description
    }
    brought = {found.module for registry in switch.registries for found in registry}
    assert {row["ikey"] for row in rows("modules")} == brought > {"mod_commands", "mod_db"}
    kinds = {row["type"]: int(row["total"]) for row in rows("interface_types")}
    assert kinds == {registry.kind: len(registry) for registry in switch.registries if len(registry)}
    assert len(rows("interfaces")) == sum(kinds.values())
    for word in ("calls", "channels", "registrations"):
        assert switch.api("show", f"{word} count") == f"\n{len(rows(word))} total.\n"
