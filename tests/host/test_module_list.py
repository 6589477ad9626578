"""The modules that a switch loads when it starts, in their order."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.clock import VirtualClock
from host.module_list import load_modules
from host.switch import Switch

CONFIGURATION = """
<document type="freeswitch/xml"><section name="configuration">
  <configuration name="modules.conf"><modules>
    <load module="mod_event_socket"/><load module="mod_commands"/><load module="mod_nowhere"/>
    <load module="mod_expr"/>
  </modules></configuration>
</section></document>
"""


def test_nobody_can_connect_before_all_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = VirtualClock()
    with clock.participating():
        switch = Switch(clock, tmp_path)
        switch.xml.load_text(CONFIGURATION)
        loaded: list[str] = []
        monkeypatch.setattr(switch.modules, "load", loaded.append)
        assert load_modules(switch) == ["mod_nowhere"]
        switch.close()
    assert loaded == ["mod_commands", "mod_expr", "mod_event_socket"]
