"""The recorded answers of a real FreeSWITCH, where they lie beside the project, against a switch in virtual time."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from host.clock import SECOND
from host.switch import Switch
from tests.host.recorded_transcript import CONFORMANCE, is_as_expected, steps

TRANSCRIPTS = sorted((CONFORMANCE / "api").glob("*.transcript"))

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)

# What a transcript needs beside the modules that are here: a module, or an API command of one that lacks it.
NEEDS = {
    "cmd_lua": "lua",
    "cmd_media_usage": "mod_spandsp",
    "cmd_originate_wrong": "mod_sofia",
    "cmd_show_api": "lua",
    "cmd_show_interface_rows": "mod_sofia",
    "cmd_small_commands": "event_sink",
    "cmd_sofia": "mod_sofia",
    "cmd_uuid_media_commands": "mod_png",
}


def masked(text: str) -> str:
    return UUID.sub("<uuid>", text)


def available(switch: Switch, need: str) -> bool:
    if need.startswith("mod_"):
        return find_spec(f"host.modules.{need}") is not None
    return switch.api_commands.get(need) is not None


@pytest.mark.skipif(not TRANSCRIPTS, reason="no recorded answers beside the project")
@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_switch_answers_as_recorded(switch: Switch, path: Path) -> None:
    need = NEEDS.get(path.stem)
    if need is not None and not available(switch, need):
        pytest.skip(f"needs {need}")
    switch.xml.load(CONFORMANCE / "conf" / "freeswitch.xml")
    switch.global_variables.set("conformance_sounds", str(CONFORMANCE / "sounds"))
    for line, expected in steps(path):
        name, _, argument = line.replace("{here}", str(path.parent)).partition(" ")
        if name == "!sleep":
            switch.clock.sleep(int(float(argument) * SECOND))
            continue
        reply = switch.api(name, argument)
        assert is_as_expected(masked(expected), masked(reply)), (
            f"{line}\nexpected {expected!r}\ngot {reply!r}"
        )
