from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from host.clock import RealClock
from host.log import LogLevel
from host.modules.mod_logfile import ROLLOVER, read_profiles
from host.switch import Switch

LOGFILE = """<document type="freeswitch/xml"><section name="configuration">
<configuration name="logfile.conf"><settings><param name="rotate-on-hup" value="{rotates}"/></settings><profiles>
<profile name="default"><settings><param name="maximum-rotate" value="3"/><param name="rollover" value="0"/></settings>
<mappings><map name="all" value="err,notice"/></mappings></profile>
<profile name="bare"><settings><param name="logfile" value="bare.log"/><param name="uuid" value="false"/></settings>
<mappings><map name="all" value="all"/></mappings></profile>
<profile name="nowhere"><settings><param name="logfile" value="/proc/none/x.log"/></settings></profile>
</profiles></configuration></section></document>"""


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    switch = Switch(RealClock(), tmp_path)
    yield switch
    switch.close()


def load(switch: Switch, rotates: str) -> Path:
    switch.xml.load_text(LOGFILE.format(rotates=rotates))
    switch.modules.load("mod_logfile")
    return Path(switch.global_variables.get("log_dir") or "")


def hang_up_signal(switch: Switch) -> None:
    event = switch.new_event("TRAP")
    event.add_header("Trapped-Signal", "HUP")
    switch.fire(event)


def test_each_profile_has_its_file(switch: Switch) -> None:
    failures: list[str] = []
    switch.logs.add_sink(lambda entry: failures.append(entry.text), LogLevel.ERR)
    folder = load(switch, "false")
    switch.log(LogLevel.NOTICE, "for both", uuid="u-1")
    switch.log(LogLevel.INFO, "for one")
    switch.modules.unload("mod_logfile")
    switch.log(LogLevel.NOTICE, "for none")
    default = (folder / "freeswitch.log").read_text()
    assert default.splitlines()[-1].startswith("u-1 ") and default.endswith("for both\n")
    bare = (folder / "bare.log").read_text().splitlines()
    assert [line.rpartition(" ")[0].endswith("for") for line in bare[-2:]] == [True, True]
    assert not bare[-2].startswith("u-1")
    assert any("Error Opening log file /proc/none/x.log" in text for text in failures)


@pytest.mark.parametrize("rotates", ["true", "false"])
def test_a_hang_up_signal_begins_new_files(switch: Switch, rotates: str) -> None:
    folder = load(switch, rotates)
    path = folder / "freeswitch.log"
    if rotates == "false":
        path.rename(folder / "freeswitch.log.1")
    hang_up_signal(switch)
    switch.log(LogLevel.NOTICE, "after")
    switch.modules.unload("mod_logfile")
    assert path.read_text().endswith("after\n")
    assert "after" not in (folder / "freeswitch.log.1").read_text()


def test_a_profile_that_says_nothing_has_freeswitchs_settings(tmp_path: Path) -> None:
    configuration = etree.fromstring(
        '<configuration><profiles><profile name="p"/></profiles></configuration>'
    )
    (profile,) = read_profiles(configuration, tmp_path)
    assert profile.path == tmp_path / "freeswitch.log"
    assert (profile.rollover, profile.keep, profile.uuid) == (ROLLOVER, 0, True)
    assert read_profiles(None, tmp_path) == []


def test_simulated_calls_write_no_logs(virtual_switch: Switch) -> None:
    virtual_switch.xml.load_text(LOGFILE.format(rotates="true"))
    virtual_switch.modules.load("mod_logfile")
    assert not Path(virtual_switch.global_variables.get("log_dir") or "").exists()
