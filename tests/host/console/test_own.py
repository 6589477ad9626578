"""The server's own console speaks to its switch as a client speaks to one far away."""

from __future__ import annotations

import pytest

from host.console.app import Console, key_commands
from host.console.own import OwnServer
from host.log import LogLevel
from host.switch import Switch
from tests.host.xml_document import configuration


class Shown:
    """A console on a switch in virtual time, and what it showed."""

    def __init__(self, switch: Switch) -> None:
        switch.modules.load("mod_commands")
        self.switch = switch
        self.texts: list[str] = []
        self.console = Console(self.texts.append)
        self.server = OwnServer(switch, self.console)

    def run(self, line: str) -> str:
        """Type a line and return what it shows."""
        self.texts.clear()
        assert self.console.run(self.server, line)
        return "".join(self.texts)


@pytest.fixture
def shown(virtual_switch: Switch) -> Shown:
    return Shown(virtual_switch)


def test_commands_and_aliases_run_in_the_switch(shown: Shown) -> None:
    assert shown.run("echo a b") == "a b\n"
    assert shown.run("echo a;;echo b") == "ab\n"
    assert shown.run("nosuch") == "-ERR nosuch Command not found!\n"


def test_events_are_shown_as_they_were_asked_for(shown: Shown) -> None:
    assert shown.run("/event plain CUSTOM a::b") == "+OK event listener enabled plain\n"
    assert shown.run("/filter Some-Header yes") == "+OK filter added. [Some-Header]=[yes]\n"
    shown.texts.clear()
    for subclass, value in (("a::b", "no"), ("a::c", "yes"), ("a::b", "yes")):
        event = shown.switch.new_event("CUSTOM", subclass)
        event.add_header("Some-Header", value)
        shown.switch.fire(event)
    assert len(shown.texts) == 1
    assert shown.texts[0].startswith("RECV EVENT\nEvent-Subclass: a%3A%3Ab\n")
    assert shown.run("/noevents") == "+OK no longer listening for events\n"
    assert not shown.switch.bus.wants("CUSTOM")


def test_the_log_is_that_of_the_terminal(shown: Shown) -> None:
    settings = shown.switch.console_settings
    assert shown.run("/log warning") == "+OK log level warning [4]\n"
    assert settings.level is LogLevel.WARNING
    assert shown.run("/nolog") == "+OK no longer logging\n"
    assert settings.silent
    assert shown.run("/log") == "+OK log level debug [7]\n"
    assert (settings.level, settings.silent) == (LogLevel.DEBUG, False)
    assert shown.run("/log loud") == "-ERR invalid log level\n"


def test_a_fault_in_a_command_leaves_the_console(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(command: str, argument: str = "", session: object = None) -> str:
        raise ZeroDivisionError

    bugs: list[str] = []
    monkeypatch.setattr(shown.switch, "report_bug", lambda where, error: bugs.append(where))
    monkeypatch.setattr(shown.switch, "api", broken)
    assert shown.run("echo x") == "-ERR failed: ZeroDivisionError\n"
    assert bugs == ["console echo x"]


def test_keys_are_those_of_the_configuration(shown: Shown) -> None:
    assert key_commands(shown.server)["2"] == "status"
    shown.switch.xml.load_text(
        configuration("switch.conf", '<cli-keybindings><key name="2" value="show calls"/></cli-keybindings>')
    )
    assert key_commands(shown.server) == {"2": "show calls"}
