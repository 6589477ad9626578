"""The module as it is loaded: by its configuration, without one, and in virtual time."""

from __future__ import annotations

from pathlib import Path

from websockets.sync.client import connect

from host.clock import Clock, RealClock, VirtualClock
from host.log import LogLevel
from host.modules import mod_verto
from host.switch import Switch
from tests.free_ports import free_port

CONFIGURATION = """<document type="freeswitch/xml"><section name="configuration">
<configuration name="verto.conf"><profiles>
  <profile name="one"><param name="bind-local" value="127.0.0.1:{port}"/><param name="userauth" value="true"/></profile>
  <profile name="two"><param name="bind-local" value="127.0.0.1:{port}"/></profile>
</profiles></configuration></section></document>"""


def made(folder: Path, clock: Clock, text: str = "") -> tuple[Switch, list[str]]:
    switch = Switch(clock, folder)
    lines: list[str] = []
    switch.logs.add_sink(lambda entry: lines.append(entry.text), LogLevel.DEBUG)
    if text:
        switch.xml.load_text(text)
    switch.modules.load("mod_verto")
    return switch, lines


def test_in_virtual_time_nobody_is_there(tmp_path: Path) -> None:
    switch, _ = made(tmp_path, VirtualClock(), CONFIGURATION.format(port=8081))
    with switch.clock.participating():
        assert switch.api("verto_contact", "1000@example.org") == "error/user_not_registered"
        assert "DOWN" in switch.api("verto", "status") and mod_verto.listening_addresses(switch) == []
        switch.close()


def test_without_a_configuration(tmp_path: Path) -> None:
    switch, lines = made(tmp_path, RealClock())
    try:
        assert switch.api("verto", "status").endswith("0 profiles , 0 clients\n")
        assert "Open of verto.conf failed" in lines
    finally:
        switch.close()


def test_what_is_configured_listens(tmp_path: Path) -> None:
    port = free_port()
    switch, lines = made(tmp_path, RealClock(), CONFIGURATION.format(port=port))
    try:
        assert mod_verto.listening_addresses(switch) == [f"ws 127.0.0.1:{port}"]
        assert switch.dtls_identity.loaded
        # one port is not for two
        assert any(line.startswith("Bind Error!") for line in lines)
        assert (
            "one Client Socket Error! No Listeners!" in lines
            or "two Client Socket Error! No Listeners!" in lines
        )
        with connect(f"ws://127.0.0.1:{port}") as page:
            page.send("{")
            assert "Invalid Request" in str(page.recv())
        switch.modules.unload("mod_verto")
        assert switch.api_commands.get("verto") is None and switch.endpoints.get("verto.rtc") is None
        assert mod_verto.listening_addresses(switch) == []
        switch.modules.load("mod_verto")
        assert mod_verto.listening_addresses(switch) == [f"ws 127.0.0.1:{port}"]
    finally:
        switch.close()
