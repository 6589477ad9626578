from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from host.clock import SECOND, VirtualClock
from host.log import LogLevel
from host.modules.mod_sofia.command.commands import json_commands, table
from host.modules.mod_sofia.gateway.gateway_settings import GatewaySettings
from host.modules.mod_sofia.profile.profile_settings import Binding, ProfileSettings
from host.switch import Switch
from tests.host.modules.mod_sofia.running_sofia_fake import FakeProfile, FakeSofia
from tests.host.recorded_transcript import is_as_expected, steps, transcripts

LINE = "=" * 97


@pytest.fixture
def sofia(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSofia]:
    monkeypatch.setenv("TZ", "UTC")
    switch = Switch(VirtualClock(), tmp_path, seed=1)
    switch.global_variables.set("domain", "example.com")
    made = FakeSofia(switch)
    presence = {("internal", "1000", "example.com"): ("Available", "")}
    table("mod_sofia", made, lambda *key: presence.get(key)).register(switch)
    with switch.clock.participating():
        yield made
        switch.close()


@pytest.fixture
def internal(sofia: FakeSofia) -> FakeProfile:
    settings = ProfileSettings(
        name="internal",
        aliases=("alias.example",),
        sip_ip="10.0.0.5",
        rtp_ips=("10.0.0.5",),
        dbname="sofia_reg_internal",
        context="public",
        inbound_codec_prefs="OPUS,PCMU",
        outbound_codec_prefs="PCMU",
        ws_binding=Binding("", 5066),
    )
    return sofia.add(settings)


def trunk(name: str = "trunk", **more: object) -> GatewaySettings:
    whole: dict[str, object] = {
        "name": name,
        "profile": "internal",
        "username": "bob",
        "auth_username": "bob",
        "from_user": "bob",
        "password": "secret",
        "realm": "p.example",
        "proxy": "p.example",
        **more,
    }
    return GatewaySettings(**whole)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", transcripts("cmd_sofia"), ids=lambda path: path.stem)
def test_what_does_not_exist_is_answered_as_recorded(sofia: FakeSofia, path: Path) -> None:
    for line, expected in steps(path):
        name, _, argument = line.partition(" ")
        if sofia.switch.api_commands.get(name) is not None:
            assert is_as_expected(expected, sofia.switch.api(name, argument)), line


def test_the_usage_is_freeswitchs(sofia: FakeSofia) -> None:
    usage = sofia.switch.api("sofia")
    assert usage == sofia.switch.api("sofia", "help") == sofia.switch.api("sofia", "loglevel")
    assert usage.startswith(f"USAGE:\n{'-' * 80}\nsofia global siptrace <on|off>\n")
    assert usage.endswith(f"sofia help\n{'-' * 80}\n")


def test_status_lists_profiles_gateways_and_aliases(sofia: FakeSofia, internal: FakeProfile) -> None:
    internal.add_gateway(trunk())
    internal.add_gateway(trunk("quiet", register=False))
    assert sofia.switch.api("sofia", "status").split("\n") == [
        "                     Name\t   Type\t                                      Data\tState",
        LINE,
        f"                 internal\tprofile\t  {'sip:mod_sofia@10.0.0.5:5060':>40}\tRUNNING (0)",
        f"          internal::trunk\tgateway\t  {'sip:bob@p.example':>40}\tTRYING (retry: 30s)",
        f"          internal::quiet\tgateway\t  {'sip:bob@p.example':>40}\tNOREG",
        f"            alias.example\t  alias\t  {'internal':>40}\tALIASED",
        LINE,
        "1 profile 1 alias",
        "",
    ]


def test_one_word_behind_status_lists_gateways(sofia: FakeSofia, internal: FakeProfile) -> None:
    internal.add_gateway(trunk())
    sofia.gateways["trunk"].counters.calls_out = 3
    sofia.gateways["trunk"].counters.failed_calls_out = 1
    lines = sofia.switch.api("sofia", "status gateway").split("\n")
    assert lines[2] == (
        "          internal::trunk\t               sip:bob@p.example\tTRYING\t  0.00\t0/0\t1/3 (retry: 60s)"
    )
    assert lines[4] == "1 gateway: Inbound(Failed/Total): 0/0,Outbound(Failed/Total):1/3"


def test_status_of_a_gateway(sofia: FakeSofia, internal: FakeProfile) -> None:
    internal.add_gateway(trunk(register=False, extension="100"))
    sofia.switch.clock.sleep(7 * SECOND)
    report = sofia.switch.api("sofia", "status gateway internal::trunk")
    assert report == sofia.switch.api("sofia", "status gateway trunk")
    rows = dict(line.split("\t", 1) for line in report.split("\n")[1:-2])
    assert rows == {
        "Name    ": "trunk",
        "Profile ": "internal",
        "Scheme  ": "Digest",
        "Realm   ": "p.example",
        "Username": "bob",
        "Password": "yes",
        "From    ": "<sip:bob@p.example>",
        "Contact ": "<sip:gw+trunk@10.0.0.5:5060;transport=udp;gw=trunk>",
        "Exten   ": "100",
        "To      ": "sip:bob@p.example",
        "Proxy   ": "sip:p.example",
        "Context ": "default",
        "Expires ": "3600",
        "Freq    ": "3600",
        "Ping    ": "0",
        "PingFreq": "0",
        "PingTime": "0.00",
        "PingState": "0/0/0",
        "State   ": "NOREG",
        "Status  ": "UP",
        "Uptime  ": "7s",
        "CallsIN ": "0",
        "CallsOUT": "0",
        "FailedCallsIN": "0",
        "FailedCallsOUT": "0",
    }


def test_status_of_a_profile(sofia: FakeSofia, internal: FakeProfile) -> None:
    internal.bind("1000")
    lines = sofia.switch.api("sofia", "status profile alias.example").split("\n")
    assert lines[:4] == [
        LINE,
        "Name             \talias.example",
        "Domain Name      \tN/A",
        "Alias Of         \tinternal",
    ]
    assert "Challenge Realm  \tauto_to" in lines
    assert "WS-BIND-URL     \tsip:mod_sofia@10.0.0.5:5066;transport=ws" in lines
    assert "CODECS IN        \tOPUS,PCMU" in lines
    assert lines[-2:] == ["REGISTRATIONS    \t1", ""]


def test_registrations_are_listed_and_looked_for(sofia: FakeSofia, internal: FakeProfile) -> None:
    internal.bind("1000", ping_time=1500)
    internal.bind("1001", sip_host="other.example", presence_hosts="x")
    report = sofia.switch.api("sofia", "status profile internal reg 1000@192")
    expires = internal.registrar.registrations.all()[0].expires
    when = datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%d %H:%M:%S")
    assert report.split("\n") == [
        "",
        "Registrations:",
        LINE,
        "Call-ID:    \tcall-1000",
        "User:       \t1000@example.com",
        'Contact:    \t"1000" <sip:1000@192.0.2.7:5062>',
        "Agent:      \tPhone/1 & <co>",
        f"Status:     \tRegistered(UDP)(unknown) EXP({when}) EXPSECS(100)",
        "Ping-Status:\tReachable",
        "Ping-Time:\t1.50",
        "Host:       \tmoonline",
        "IP:         \t192.0.2.7",
        "Port:       \t5062",
        "Auth-User:  \t1000",
        "Auth-Realm: \texample.com",
        "MWI-Account:\t1000@example.com",
        "",
        "Total items returned: 1",
        LINE,
        "",
    ]
    assert expires == sofia.switch.clock.time() // SECOND + 100

    def total(words: str) -> str:
        return sofia.switch.api("sofia", f"status profile internal {words}").split("\n")[-3]

    assert total("reg") == "Total items returned: 2"
    assert total("user 1001@other.example") == "Total items returned: 1"
    assert total("user 1001@") == "Total items returned: 1"
    assert total("user example.com") == "Total items returned: 1"
    assert total("pres example") == "Total items returned: 1"
    assert sofia.switch.api("sofia", "status profile internal user") == ""


def test_xmlstatus_can_be_parsed(sofia: FakeSofia, internal: FakeProfile) -> None:
    internal.add_gateway(trunk())
    internal.bind("1000")

    def asked(words: str) -> etree._Element:
        return etree.fromstring(sofia.switch.api("sofia", f"xmlstatus {words}").encode())

    assert [e.tag for e in asked("")] == ["profile", "profile", "gateway", "alias"]
    assert asked("gateway").findtext("gateway/state") == "TRYING"
    gateway = asked("gateway trunk")
    assert gateway.tag == "gateway"
    assert gateway.findtext("contact") == "<sip:gw+trunk@10.0.0.5:5060;transport=udp;gw=trunk>"
    assert gateway.findtext("retry") == "30s"
    profile = asked("profile internal reg")
    assert profile.find("profile-info") is None
    assert profile.findtext("registrations/registration/agent") == "Phone/1 & <co>"
    assert asked("profile internal").findtext("profile-info/registrations") == "1"
    assert sofia.switch.api("sofia", "xmlstatus gateway none") == "Invalid Gateway!\n"
    assert sofia.switch.api("sofia", "xmlstatus what ever") == "Invalid Syntax!\n"


def test_jsonstatus_and_the_json_commands(sofia: FakeSofia, internal: FakeProfile) -> None:
    internal.add_gateway(trunk())
    whole = json.loads(sofia.switch.api("sofia", "jsonstatus"))
    profile = whole["profiles"]["internal"]
    assert profile["status"] == {
        "type": "profile",
        "state": "RUNNING",
        "in-use": 0,
        "data": "sip:mod_sofia@10.0.0.5:5060",
    }
    assert profile["gateways"]["trunk"]["retry"] == 30
    assert profile["info"]["rtp-ip"] == ["10.0.0.5"]
    assert whole["profiles"]["alias.example"]["info"]["alias-of"] == "internal"
    commands = json_commands(sofia)
    assert commands["sofia.status.info"](sofia.switch, {}, None) == whole
    short = commands["sofia.status"](sofia.switch, {}, None)
    assert isinstance(short, dict)
    assert "info" not in short["profiles"]["internal"]


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("profile internal what", "-ERR Unknown command!\n"),
        ("profile internal siptrace", "Usage: sofia profile <name> siptrace <on/off>\n"),
        ("profile internal siptrace on", "Enabled sip debugging on internal"),
        ("profile alias.example siptrace off", "Disabled sip debugging on internal"),
        ("profile internal capture on", "-ERR capture is not supported, use siptrace\n"),
        ("profile internal watchdog off", "Disabled sip debugging on internal"),
        ("profile internal recover", "No sessions to recover.\n"),
        ("profile internal recover flush", "Flushing recovery database.\n"),
        ("profile internal register", "No gateway name provided!\n"),
        ("profile internal register none", "Invalid gateway!\n"),
        ("profile internal register quiet", "-ERR NOREG gateway [quiet] can't be registered!\n"),
        ("profile internal unregister quiet", "-ERR NOREG gateway [quiet] can't be unregistered!\n"),
        ("profile internal register trunk", "+OK\n"),
        ("profile internal unregister all", "+OK\n"),
        ("profile internal killgw", "-ERR missing gw name\n"),
        ("profile internal killgw none", "-ERR no such gateway.\n"),
        ("profile internal killgw trunk", "+OK gateway marked for deletion.\n"),
        ("profile internal killgw _all_", "+OK every gateway marked for deletion.\n"),
        ("profile internal gwlist", "quiet "),
        ("profile internal gwlist down", "trunk "),
        ("profile internal startgw", "-ERR missing gw name\n"),
        ("tracelevel", "+OK tracelevel is CONSOLE"),
        ("tracelevel debug", "+OK tracelevel is DEBUG"),
        ("tracelevel console", "+OK tracelevel is CONSOLE"),
        ("tracelevel nonsense", "+OK tracelevel is DEBUG"),
        ("loglevel nua", "Sofia-sip loglevel for [nua] is [0]"),
        ("loglevel ALL 9", "Sofia log level for component [ALL] has been set to [9]"),
        ("global siptrace on", "+OK Global siptrace on"),
        ("global standby off", "+OK Global standby off"),
        ("global watchdog on", "-ERR watchdog is not supported\n"),
        ("global capture off", "+OK Global capture off"),
        (
            "global",
            "-ERR Usage: siptrace <on|off>|capture <on|off>|watchdog <on|off>|debug <sla|presence|none",
        ),
        (
            "global debug presence",
            "+OK Debugging presence\n+OK Debugging summary: presence: on sla: off\n",
        ),
        ("recover", "No calls to recover.\n"),
        ("status profile", None),
        ("nosuch", "Unknown Command [nosuch]\n"),
    ],
)
def test_words_and_answers(sofia: FakeSofia, internal: FakeProfile, words: str, reply: str | None) -> None:
    internal.add_gateway(trunk())
    internal.add_gateway(trunk("quiet", register=False))
    answer = sofia.switch.api("sofia", words)
    if reply is not None:
        assert answer == reply


def test_profiles_are_started_scanned_and_stopped(sofia: FakeSofia, internal: FakeProfile) -> None:
    api = sofia.switch.api
    reload = f"Reload XML [{sofia.switch.xml.reload()}]\n"
    assert api("sofia", "profile other start") == f"{reload}other started successfully\n"
    assert api("sofia", "profile internal start") == f"{reload}internal started successfully\n"
    assert api("sofia", "profile internal rescan") == f"{reload}+OK scan complete\n"
    assert api("sofia", "profile internal stop") == (
        "Profile internal must be up for at least 10 seconds to stop/restart.\nPlease wait 10 seconds\n"
    )
    sofia.switch.clock.sleep(9 * SECOND)
    assert api("sofia", "profile internal restart").endswith("Please wait 1 second\n")
    sofia.switch.clock.sleep(1 * SECOND)
    assert api("sofia", "profile internal stop wait") == f"{reload}stopping: internal"
    assert api("sofia", "profile internal restart") == f"{reload}restarting: internal"
    assert api("sofia", "profile restart all") == ""
    assert sofia.done == [
        ("start", "other"),
        ("rescan", "internal"),
        ("rescan", "internal"),
        ("stop", "internal"),
        ("restart", "internal"),
        ("restart", "internal"),
    ]
    sofia.problem = "no"
    assert api("sofia", "profile other start") == f"{reload}Failure starting other\n"
    assert api("sofia", "profile internal rescan").endswith("-ERR cannot find config for profile internal\n")


def test_startgw_adds_what_the_configuration_has_now(sofia: FakeSofia, internal: FakeProfile) -> None:
    internal.settings.gateways = (trunk(),)
    sofia.conf.profiles.append(internal.settings)
    assert sofia.switch.api("sofia", "profile internal startgw trunk").endswith(
        "+OK start gateway trunk complete\n"
    )
    assert list(sofia.gateways) == ["trunk"]
    assert sofia.switch.api("sofia", "profile internal startgw none").endswith(
        "-ERR cannot add gateway none for profile internal\n"
    )


def test_registrations_are_flushed_and_synced(sofia: FakeSofia, internal: FakeProfile) -> None:
    api = sofia.switch.api
    assert api("sofia", "profile internal flush_inbound_reg") == "+OK flushing all registrations\n"
    assert api("sofia", "profile internal flush_inbound_reg reboot") == "+OK rebooting all registrations\n"
    assert api("sofia", "profile internal flush_inbound_reg 1@h reboot") == (
        "+OK rebooting all registrations matching specified call_id\n"
    )
    assert api("sofia", "profile internal check_sync") == "+OK syncing all registrations\n"
    assert api("sofia", "profile internal check_sync 1@h") == (
        "+OK syncing all registrations matching specified call_id\n"
    )
    assert internal.registrar.asked == [
        ("flush", "", False),
        ("flush", "", True),
        ("flush", "1@h", True),
        ("check_sync", "", False),
        ("check_sync", "1@h", False),
    ]


def test_registered_users_are_found(sofia: FakeSofia, internal: FakeProfile) -> None:
    internal.bind("1000", sip_username="auth-1000")
    api = sofia.switch.api
    assert api("sofia_contact", "1000") == "sofia/internal/sip:1000@192.0.2.7:5062"
    assert api("sofia_contact", "internal/1000@example.com") == "sofia/internal/sip:1000@192.0.2.7:5062"
    assert api("sofia_contact", "1001@example.com") == "error/user_not_registered"
    assert api("sofia_count_reg", "internal/1000@example.com") == "1"
    assert api("sofia_count_reg", "none/1000@nowhere") == "-1"
    assert api("sofia_username_of", "internal/1000@example.com") == "auth-1000"
    assert [api(name) for name in ("sofia_contact", "sofia_count_reg", "sofia_username_of")] == [
        "error/user_not_registered",
        "-1",
        "",
    ]


def test_presence_data(sofia: FakeSofia, internal: FakeProfile) -> None:
    internal.bind("1000")
    api = sofia.switch.api
    assert api("sofia_presence_data", "status internal/1000@example.com") == "Available"
    assert api("sofia_presence_data", "rpid */1000@example.com") == "unknown"
    assert api("sofia_presence_data", "user_agent 1000") == "Phone/1 & <co>"
    assert api("sofia_presence_data", "list internal/1000@example.com") == (
        "status|rpid|user_agent|network_ip|network_port\n"
        "Available|unknown|Phone/1 & <co>|192.0.2.7|5062\n+OK\n"
    )
    assert api("sofia_presence_data", "list 1001@example.com") == "+OK\n"
    assert api("sofia_presence_data", "list") == ""


def test_gateway_data(sofia: FakeSofia, internal: FakeProfile) -> None:
    internal.add_gateway(
        trunk(inbound_variables=(("a", "1"), ("b", "2")), outbound_variables=(("b", "3"), ("c", "4")))
    )
    api = sofia.switch.api
    assert api("sofia_gateway_data") == "-ERR Parameter missing\n"
    assert [
        api("sofia_gateway_data", f"trunk {words}") for words in ("ivar b", "ovar B", "var b", "var c")
    ] == [
        "2",
        "3",
        "2",
        "4",
    ]
    assert [api("sofia_gateway_data", words) for words in ("trunk var", "none var b", "trunk other b")] == [
        ""
    ] * 3


def test_levels_are_kept_and_bounded(sofia: FakeSofia) -> None:
    sofia.switch.api("sofia", "loglevel tport 3")
    assert sofia.switch.api("sofia", "loglevel tport") == "Sofia-sip loglevel for [tport] is [3]"
    assert sofia.switch.api("sofia", "loglevel tport 10").startswith("USAGE:")
    assert sofia.switch.api("sofia", "loglevel none 1").startswith("USAGE:")
    sofia.switch.api("sofia", "tracelevel err")
    assert sofia.global_settings.tracelevel is LogLevel.ERR


def test_the_commands_are_described_as_freeswitchs(sofia: FakeSofia) -> None:
    listed = {command.name: (command.syntax, command.description) for command in table("mod_sofia", sofia)}
    assert listed["sofia"] == ("<cmd> <args>", "Sofia Controls")
    assert listed["sofia_dig"] == ("<url>", "SIP DIG")
    assert listed["sofia_contact"] == ("[profile/]<user>@<domain>", "Sofia Contacts")
    assert listed["sofia_count_reg"] == ("[profile/]<user>@<domain>", "Count Sofia registration")
    assert listed["sofia_username_of"] == ("[profile/]<user>@<domain>", "Sofia Username Lookup")
    assert len(listed) == 7
