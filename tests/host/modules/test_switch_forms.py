"""Forms of commands about the switch itself: `fsctl`, modules, JSON, the directory, and applications without effect."""

from __future__ import annotations

import pytest

from host.log import LogEntry, LogLevel
from host.session import Session
from host.switch import Switch


@pytest.fixture
def leg(leg: Session) -> Session:
    leg.clock.sleep(100_000)
    return leg


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        ("debug_pool", "Thread pool: running:1 busy:1 popping:0\n"),
        ("sql", ""),
        ("sql off", "+OK\n"),
        ("save_history x", "+OK\n"),
        ("calibrate_clock", "+OK\n"),
        ("FLUSH_DB_HANDLES", "+OK\n"),
        ("threaded_system_exec", "+OK threaded_system_exec is false \n"),
        ("threaded_system_exec on", "+OK threaded_system_exec is true \n"),
        ("uuid_version 3", "+OK set uuid version: 3\n"),
        ("uuid_version -1", "+OK set uuid version: 4\n"),
        ("max_dtmf_duration -1", "+OK max dtmf duration: 192000\n"),
        ("loglevel DISABLE", "+OK log level: DISABLE [-1]\n"),
    ],
)
def test_fsctl(switch: Switch, argument: str, reply: str) -> None:
    assert switch.api("fsctl", argument) == reply


def test_a_negative_idle_time_changes_nothing(switch: Switch) -> None:
    switch.api("fsctl", "min_idle_cpu 7")
    assert switch.api("fsctl", "min_idle_cpu -1") == "+OK min idle cpu: 7.00"


def test_no_log_level_means_no_log(switch: Switch) -> None:
    entries: list[LogEntry] = []
    switch.logs.add_sink(entries.append)
    assert switch.api("fsctl", "loglevel") == "+OK log level: DISABLE [-1]\n"
    switch.log(LogLevel.CONSOLE, "unheard")
    assert switch.api("fsctl", "loglevel debug") == "+OK log level: DEBUG [7]\n"
    switch.log(LogLevel.DEBUG, "heard")
    assert [entry.text for entry in entries] == ["heard"]


def test_statements_are_logged_when_asked_for(switch: Switch) -> None:
    entries: list[LogEntry] = []
    switch.logs.add_sink(entries.append)
    assert switch.api("fsctl", "debug_sql") == "+OK SQL DEBUG [on]\n"
    switch.api("fifo_member", "add r null/x")
    assert any(entry.text.startswith("SQL: ") for entry in entries)
    assert switch.api("fsctl", "debug_sql on") == "+OK SQL DEBUG [off]\n"
    entries.clear()
    switch.api("fifo_member", "add r null/y")
    assert not entries


def test_modules_that_a_call_needs_are_not_unloaded(switch: Switch, leg: Session) -> None:
    for module in ("mod_dptools", "mod_loopback", "CORE_PCM_MODULE"):
        assert switch.api("unload", module) == "-ERR [Module in use.]\n"
    assert switch.api("reload", "mod_loopback").endswith(
        "-ERR unloading module [Module in use.]\n-ERR loading module [Module already loaded]\n"
    )
    switch.api("uuid_kill", leg.uuid)
    switch.clock.sleep(100_000)
    assert switch.api("unload", "mod_loopback") == "+OK\n"


def test_modules_of_the_core_come_back(switch: Switch) -> None:
    assert switch.api("load", "CORE_PCM_MODULE").endswith("-ERR [Module already loaded]\n")
    before = switch.api("show", "codec")
    assert switch.api("unload", "CORE_PCM_MODULE") == "+OK\n"
    assert switch.api("module_exists", "CORE_PCM_MODULE") == "false"
    assert switch.api("unload", "CORE_PCM_MODULE") == "-ERR [No such module!]\n"
    assert switch.api("reload", "CORE_PCM_MODULE").endswith("[No such module!]\n+OK module loaded\n")
    assert switch.api("show", "codec") == before


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            '{"COMMAND":"fsapi","Data":{"CMD":"echo","cmd":"version","Arg":"x"},"status":1}',
            '{"COMMAND":"fsapi","Data":{"CMD":"echo","cmd":"version","Arg":"x"},"status":1,"status":"success",'
            '"response":{"message":"x"}}',
        ),
        (
            '{"command":"nosuch","command":"fsapi","data":{},"message":"mine"}',
            '{"command":"nosuch","command":"fsapi","data":{},"message":"mine","status":"error",'
            '"message":"Invalid request or non-existant command","response":null}',
        ),
    ],
)
def test_json_keeps_names_that_come_twice_and_finds_them_in_any_case(
    switch: Switch, text: str, answer: str
) -> None:
    assert switch.api("json", text) == f"{answer}\n"


def test_what_a_user_inherits_stands_before_its_own(switch: Switch) -> None:
    switch.xml.load_text(
        '<document type="freeswitch/xml"><section name="directory"><domain name="d">'
        '<params><param name="a" value="1"/><param name="b" value="2"/><param name="c" value="3"/></params>'
        '<users><user id="u"><params><param name="b" value="9"/></params></user></users>'
        "</domain></section></document>"
    )
    assert switch.api("find_user_xml", "id u d") == (
        '<user id="u" domain-name="d">\n  \n  <variables></variables>\n\n  \n'
        "  <profile-variables></profile-variables>\n\n    <params>\n    \n"
        '      <param name="a" value="1"></param>\n\n    \n      <param name="c" value="3"></param>\n\n'
        '        <param name="b" value="9"></param>\n\n  </params>\n\n</user>\n'
    )


def test_applications_about_pictures_and_pauses(switch: Switch, leg: Session) -> None:
    entries: list[LogEntry] = []
    switch.logs.add_sink(entries.append)
    for application, data in (
        ("novideo", ""),
        ("cng_plc", ""),
        ("recovery_refresh", ""),
        ("video_refresh", ""),
        ("video_refresh", "manual"),
        ("video_refresh", "x"),
        ("video_refresh", "auto"),
    ):
        leg.run_in_session(lambda session, name=application, given=data: session.execute(name, given))  # type: ignore[misc]
        switch.clock.sleep(100_000)
    assert [entry.text.split("now in ")[1] for entry in entries if "video refresh now" in entry.text] == [
        "manual mode.",
        "manual mode.",
        "auto mode.",
    ]
    assert leg.channel.up


def test_help_is_a_report_too(switch: Switch) -> None:
    assert switch.api("show", "help") == switch.api("help", "x")
    assert "\necho|<data>|Echo|mod_commands\n" in switch.api("show", "help as delim |")
    assert switch.api("show", "help as xml").startswith('<result row_count="')
    assert switch.api("show", "calls as json") == '{"row_count": 0}\n'


def test_addresses_that_are_told(switch: Switch) -> None:
    assert switch.api("host_lookup", "127.0.0.1") == "127.0.0.1"
    assert switch.api("host_lookup", "::1") == "::1"


def test_the_newest_queue_is_told_first(switch: Switch) -> None:
    for name in ("first", "second"):
        switch.api("fifo_member", f"add {name} null/x")
    told = [line.partition(":")[0] for line in switch.api("fifo", "count").splitlines()]
    assert told[:2] == ["second", "first"]
