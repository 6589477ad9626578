"""mod_enum against a name server on loopback: commands, application, dialplan and what servers may do wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import dns.rcode
import pytest

from host.clock import RealClock
from host.module_loader import ModuleUnavailable
from host.modules import mod_enum
from host.modules.mod_enum import name_servers
from host.switch import Switch
from tests.eventually import eventually
from tests.host import xml_document
from tests.host.modules.mod_enum.dns_server import DnsServer, dns_server, silent_server

ZONE = {
    "4.3.2.1.test": [
        r'20 10 "u" "E2U+sip" "!^\\+(.*)$!sip:\\1@second.test!" .',
        r'10 20 "u" "E2U+sip" "!^.*$!sip:info@example.test!" .',
        r'10 20 "u" "E2U+sip" "!^.*$!sip:also@example.test!" .',
        r'10 10 "u" "E2U+mailto" "!^.*$!mailto:info@example.test!" .',
        '5 10 "" "" "" elsewhere.test.',
    ],
    "5.test": [rf'10 {n} "u" "E2U+sip" "!^.*$!sip:{n:0>60}@x.test!" .' for n in range(10)],
    "6.test": [],
    "7.test": ['10 10 "u" "E2U+null" "!^.*$!null:seven!" .'],
    "2.1.99.isn.test": ['10 10 "u" "E2U+sip" "!^.*$!sip:isn@x.test!" .'],
    "2.1.99.own.test": ['10 10 "u" "E2U+sip" "!^.*$!sip:own@x.test!" .'],
}
SUPPORTED = "sofia/in/also@example.test,sofia/in/info@example.test|sofia/in/1234@second.test"
TABLE = f"Order\tPref\tService   \tRoute\n{'=' * 78}\n"


def configuration(*servers: str, **params: str) -> str:
    values = {
        "default-root": "test", "default-isn-root": "isn.test", "query-timeout-ms": "10000",
        "query-timeout-retry": "2", **{name.replace("_", "-"): value for name, value in params.items()},
    }  # fmt: skip
    pairs = [*values.items(), *(("nameserver", server) for server in servers)]
    return xml_document.configuration(
        "enum.conf",
        f"<settings>{xml_document.params(pairs)}</settings><routes>"
        '<route service="E2U+SIP" regex="sip:(.*)" replace="sofia/${enum_profile}/$1"/>'
        '<route service="E2U+NULL" regex="null:(.*)" replace="null/$1"/></routes>',
    )


# What a question waits in tests of answers that never come, in ms; in the others it waits as long as it must.
IMPATIENT = "500"


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with dns_server(dict(ZONE)) as running:
        yield running


@pytest.fixture
def switch(tmp_path: Path, server: DnsServer) -> Iterator[Switch]:
    clock = RealClock()
    with clock.participating():
        made = Switch(clock, tmp_path)
        bugs: list[object] = []
        made.observers.append(lambda kind, channel, facts: bugs.append(facts) if kind == "bug" else None)
        made.xml.load_text(configuration(server.address))
        made.global_variables.set("enum_profile", "in")
        for name in ("mod_commands", "mod_dptools", "mod_loopback", "mod_enum"):
            made.modules.load(name)
        yield made
        made.close()
    assert not bugs


def test_enum_shows_what_is_offered_and_what_is_supported(switch: Switch) -> None:
    supported = (
        "10\t20\tE2U+sip   \tsofia/in/also@example.test\n"
        "10\t20\tE2U+sip   \tsofia/in/info@example.test\n"
        "20\t10\tE2U+sip   \tsofia/in/1234@second.test\n"
    )
    offered = f"10\t10\tE2U+mailto\tmailto:info@example.test\n{supported}"
    whole = f"\nOffered Routes:\n{TABLE}{offered}\nSupported Routes:\n{TABLE}{supported}"
    assert switch.api("enum", "1234") == whole
    assert switch.api("enum", "+1234 test") == whole
    assert switch.api("enum", "1234 nosuch") == f"\nOffered Routes:\n{TABLE}\nSupported Routes:\n{TABLE}"


def test_enum_without_a_number(switch: Switch) -> None:
    assert switch.api("enum") == "Usage: enum [reload | <number> [<root>] ]\n"
    assert switch.api("enum_auto") == "none"


def test_enum_auto_is_one_dial_string(switch: Switch, server: DnsServer) -> None:
    assert switch.api("enum_auto", "1234") == SUPPORTED
    assert switch.api("enum_auto", "6") == "" and switch.api("enum_auto", "99") == ""
    assert server.questions == [("udp", "4.3.2.1.test"), ("udp", "6.test"), ("udp", "9.9.test")]


def test_what_is_too_long_for_a_datagram_comes_by_tcp(switch: Switch, server: DnsServer) -> None:
    assert switch.api("enum_auto", "5").count("|") == 9
    assert server.questions == [("udp", "5.test"), ("tcp", "5.test")]


def test_isn_numbers(switch: Switch) -> None:
    assert switch.api("enum_auto", "12*99") == "sofia/in/isn@x.test"
    assert switch.api("enum_auto", "12*99 own.test") == "sofia/in/own@x.test"


def test_a_lost_question_is_asked_again(switch: Switch, server: DnsServer) -> None:
    switch.xml.load_text(configuration(server.address, query_timeout_ms=IMPATIENT))
    switch.api("enum", "reload")
    server.drops = 1
    assert switch.api("enum_auto", "1234") == SUPPORTED
    server.drops = 2
    assert switch.api("enum_auto", "1234") == ""
    assert len(server.questions) == 4


def test_the_next_server_is_asked(switch: Switch, server: DnsServer) -> None:
    with silent_server() as silent, dns_server({}) as failing:
        failing.rcode = dns.rcode.SERVFAIL
        switch.xml.load_text(
            configuration("nonsense", silent, failing.address, server.address, query_timeout_ms=IMPATIENT)
        )
        assert switch.api("enum", "reload") == "+OK ENUM Reloaded.\n"
        assert switch.api("enum_auto", "1234") == SUPPORTED
        assert len(failing.questions) == 1


def test_servers_in_random_order(switch: Switch, server: DnsServer) -> None:
    with dns_server(dict(ZONE)) as other:
        switch.xml.load_text(configuration(server.address, other.address, random_nameserver="true"))
        switch.api("enum", "reload")
        for _ in range(40):
            switch.api("enum_auto", "6")
        assert server.questions and other.questions


def test_the_global_variable_names_other_servers(switch: Switch, server: DnsServer) -> None:
    with dns_server({"1.test": ['1 1 "u" "E2U+sip" "!^.*$!sip:o@x!" .']}) as other:
        switch.global_variables.set("enum-server", f"nonsense,{other.address}")
        assert switch.api("enum_auto", "1") == "sofia/in/o@x"
    assert not server.questions


def test_without_servers_those_of_the_machine_are_asked(
    switch: Switch, server: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = name_servers.parse_name_server(server.address)
    assert found is not None
    monkeypatch.setattr(name_servers, "host_name_servers", lambda: [found])
    switch.xml.load_text(configuration())
    switch.api("enum", "reload")
    assert switch.api("enum_auto", "1234") == SUPPORTED


def test_names_that_are_none(switch: Switch, server: DnsServer) -> None:
    for root in ("a..b", "x" * 70, "x." * 200, "\udcff", "ä" * 80):
        assert switch.api("enum_auto", f"1 {root}") == ""
    assert switch.api("enum_auto", "1" * 300) == ""
    assert not server.questions


def test_reloadxml_reads_the_configuration_if_it_says_so(switch: Switch, server: DnsServer) -> None:
    switch.xml.load_text(configuration(server.address, default_root="nosuch"))
    switch.fire(switch.new_event("RELOADXML"))
    assert switch.api("enum_auto", "1234") == SUPPORTED
    switch.xml.load_text(configuration(server.address, auto_reload="true"))
    switch.api("enum", "reload")
    switch.xml.load_text(configuration(server.address, default_root="nosuch"))
    switch.fire(switch.new_event("RELOADXML"))
    assert switch.api("enum_auto", "1234") == ""


def call(switch: Switch, applications: str) -> str:
    reply = switch.api("originate", f"null/x '{applications}' inline")
    assert reply.startswith("+OK "), reply
    return reply[4:].strip()


def test_the_application_sets_variables(switch: Switch) -> None:
    uuid = call(switch, "set:enum_old=1,enum:1234,set:done=yes,park")
    eventually(lambda: switch.api("uuid_getvar", f"{uuid} done") == "yes")
    variables = switch.sessions[uuid].channel.variables
    found = {name: variables.get(name) for name in variables if name.startswith("enum_")}
    assert found == {
        "enum_route_1": "sofia/in/also@example.test",
        "enum_route_2": "sofia/in/info@example.test",
        "enum_route_3": "sofia/in/1234@second.test",
        "enum_route_count": "3",
        "enum_auto_route": SUPPORTED,
    }
    assert switch.api("enum", "1234") and switch.expand("${enum(1234)}", switch.sessions[uuid]) == ""


def test_the_application_finds_nothing(switch: Switch) -> None:
    uuid = call(switch, "set:enum_nameserver=,enum:77 nosuch,set:done=yes,park")
    eventually(lambda: switch.api("uuid_getvar", f"{uuid} done") == "yes")
    variables = switch.sessions[uuid].channel.variables
    assert {name for name in variables if name.startswith("enum_")} == {"enum_route_count"}
    assert variables.get("enum_route_count") == "0"


def test_the_channels_servers_come_first(switch: Switch, server: DnsServer) -> None:
    with dns_server(dict(ZONE)) as other:
        uuid = call(switch, f"set:enum_nameserver={other.address},enum:1234,set:done=yes,park")
        eventually(lambda: switch.api("uuid_getvar", f"{uuid} done") == "yes")
        assert switch.api("uuid_getvar", f"{uuid} enum_auto_route") == SUPPORTED
    assert not server.questions


def test_the_dialplan_bridges_to_what_it_finds(switch: Switch) -> None:
    uuid = call(switch, "park")
    assert switch.api("uuid_transfer", f"{uuid} 7 enum").startswith("+OK")
    eventually(lambda: len(switch.sessions) == 2)
    assert switch.api("uuid_getvar", f"{uuid} hangup_after_bridge") == "true"
    assert any(session.channel.name.startswith("null/seven") for session in switch.sessions.values())


def test_other_calls_go_on_while_a_server_is_silent(switch: Switch) -> None:
    order: list[str] = []
    with dns_server({}) as silent:
        silent.speaks.clear()
        switch.global_variables.set("enum-server", silent.address)

        def ask() -> None:
            switch.api("enum_auto", "1")
            order.append("answer")

        asked = threading.Thread(target=ask)
        asked.start()
        uuid = call(switch, "set:done=yes,park")
        eventually(lambda: switch.api("uuid_getvar", f"{uuid} done") == "yes")
        order.append("call")
        silent.speaks.set()
        asked.join()
    assert order == ["call", "answer"]


def test_without_dnspython_the_module_is_not_there(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    switch.modules.unload("mod_enum")
    assert switch.api_commands.get("enum") is None and switch.dialplans.get("enum") is None
    monkeypatch.setattr(mod_enum, "find_spec", lambda name: None)
    with pytest.raises(ModuleUnavailable):
        switch.modules.load("mod_enum")


def test_a_simulated_call_asks_nobody(virtual_switch: Switch, server: DnsServer) -> None:
    virtual_switch.xml.load_text(configuration(server.address))
    virtual_switch.modules.load("mod_enum")
    assert virtual_switch.api("enum_auto", "1234") == ""
    assert not server.questions
