"""Tracebacks of callbacks: the script's frames and the methods it called, nothing of the host's Lua."""

from __future__ import annotations

from pathlib import Path

import pytest

from host.channel import Channel
from host.switch import Switch
from lua_bindings.script import run
from lua_bindings.script_run import Limits
from lua_bindings.traceback_text import without_host_frames
from tests.lua_bindings.scripted import VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_a_callback_of_a_query(switch: Switch, tmp_path: Path, version: str) -> None:
    (tmp_path / "script.lua").write_text(
        "local dbh = freeswitch.Dbh('one')\n"
        "local function row() local x = nil; x.y = 1 end\n"
        "dbh:query('select 1', function(r)\n"
        "  row()\n"
        "end)\n"
    )
    told: list[object] = []

    def observe(kind: str, channel: Channel | None, facts: dict[str, object]) -> None:
        if kind == "callback-error":
            told.append(facts["traceback"])

    switch.observers.append(observe)
    assert run(switch, f"{tmp_path}/script.lua", limits=Limits(version=version)).ok
    (trace,) = told
    assert isinstance(trace, str)
    places = [line.strip().partition(": ")[0].rpartition("/")[2] for line in trace.split("\n")[2:]]
    assert places == ["script.lua:2", "script.lua:4", "[C]", "script.lua:3"]
    assert "[C]: in function 'query'" in trace


def test_what_is_the_scripts_own_stays() -> None:
    own = (
        "\nstack traceback:\n\t[C]: in function 'error'\n\t/a.lua:1: in function 'f'\n"
        "\t[C]: in function 'xpcall'\n\t/a.lua:9: in main chunk"
    )
    hosts = (
        "\n\t(...tail calls...)\n\t[C]: in upvalue 'xpcall'\n\t[C]:206: in function <[C]:190>"
        "\n\t[C]: in upvalue 'host'\n\t[C]:12: in method 'sleep'"
    )
    assert without_host_frames(own) == own
    assert without_host_frames(own + hosts) == own + "\n\t[C]: in function 'sleep'"
    assert without_host_frames("") == ""
