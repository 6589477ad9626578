from __future__ import annotations

from pathlib import Path

import pytest

from host.clock import VirtualClock
from host.console_settings import ConsoleSettings, LogFormat
from host.log import LogEntry, LogLevel
from host.switch import Switch

CONSOLE = """<document type="freeswitch/xml"><section name="configuration">
<configuration name="console.conf"><mappings><map name="all" value="notice,err,debug"/></mappings>
<settings><param name="loglevel" value="notice"/><param name="colorize" value="false"/>
<param name="uuid" value="true"/></settings></configuration>
</section></document>"""


def entry(level: LogLevel, uuid: str = "", call_level: LogLevel | None = None) -> LogEntry:
    return LogEntry(level, "text", 0, uuid, call_level=call_level)


def test_console_conf_is_read_when_the_module_is_loaded(tmp_path: Path) -> None:
    switch = Switch(VirtualClock(), tmp_path, seed=1)
    switch.xml.load_text(CONSOLE)
    switch.modules.load("mod_console")
    settings = switch.console_settings
    assert (settings.level, settings.colorize, settings.uuid) == (LogLevel.NOTICE, False, True)
    assert settings.shows(entry(LogLevel.NOTICE))
    assert not settings.shows(entry(LogLevel.WARNING))  # not among the mappings
    assert not settings.shows(entry(LogLevel.DEBUG))  # below the level
    switch.close()


def test_a_level_that_is_none_leaves_the_former(tmp_path: Path) -> None:
    switch = Switch(VirtualClock(), tmp_path, seed=1)
    switch.xml.load_text(CONSOLE.replace('value="notice"', 'value="loud"'))
    switch.console_settings.level = LogLevel.ERR
    switch.modules.load("mod_console")
    assert switch.console_settings.level is LogLevel.ERR
    switch.close()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (entry(LogLevel.ERR), True),
        (entry(LogLevel.INFO), False),
        (entry(LogLevel.INFO, "u", LogLevel.DEBUG), True),
        (entry(LogLevel.ERR, "u", LogLevel.ALERT), True),
    ],
)
def test_a_call_of_its_own_level_shows_more_and_never_less(line: LogEntry, shown: bool) -> None:
    assert ConsoleSettings(level=LogLevel.ERR).shows(line) is shown


def test_one_call_alone_or_nothing_at_all() -> None:
    settings = ConsoleSettings(only_uuid="u")
    assert settings.shows(entry(LogLevel.INFO, "u"))
    assert not settings.shows(entry(LogLevel.INFO, "v"))
    settings.silent = True
    assert not settings.shows(entry(LogLevel.ALERT, "u"))


def test_the_forms_of_a_line() -> None:
    assert ConsoleSettings().form is LogFormat.PLAIN
    assert ConsoleSettings(json=True).form is LogFormat.JSON
    assert ConsoleSettings(syslog=True).form is LogFormat.SYSLOG


def test_a_calls_level_reaches_the_log_below_its_limit(virtual_switch: Switch) -> None:
    logged: list[LogEntry] = []
    virtual_switch.logs.add_sink(logged.append)
    virtual_switch.logs.set_limit(LogLevel.NOTICE)
    virtual_switch.modules.load("mod_commands")
    virtual_switch.api("originate", "{origination_uuid=quiet}null/1 &park()")
    virtual_switch.api("originate", "{origination_uuid=loud}null/1 &park()")
    assert virtual_switch.api("uuid_loglevel", "loud debug").startswith("+OK")
    for uuid in ("quiet", "loud"):
        session = virtual_switch.find_session(uuid)
        assert session is not None
        session.channel.log(LogLevel.DEBUG, "detail")
    assert [line.uuid for line in logged if line.text == "detail"] == ["loud"]
