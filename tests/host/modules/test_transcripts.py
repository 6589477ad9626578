"""The recorded answers of a real FreeSWITCH, where they lie beside the project, against a switch in virtual time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from host.clock import SECOND, RealClock
from host.switch import Switch
from tests.host.modules.conftest import make_switch
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
        return switch.modules.exists(need)
    return switch.api_commands.get(need) is not None


@contextmanager
def with_sip(base: Path) -> Iterator[Switch]:
    """Run a switch whose modules know the real clock only, too."""
    made = make_switch(base, RealClock())
    try:
        yield made
    finally:
        made.close()


@pytest.mark.skipif(not TRANSCRIPTS, reason="no recorded answers beside the project")
@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_switch_answers_as_recorded(switch: Switch, path: Path, tmp_path: Path) -> None:
    need = NEEDS.get(path.stem)
    if need == "mod_sofia":
        with with_sip(tmp_path / "sip") as real:
            compare(real, path)
        return
    if need is not None and not available(switch, need):
        pytest.skip(f"needs {need}")
    compare(switch, path)


def compare(switch: Switch, path: Path) -> None:
    """Ask a switch what was asked, and look for the answers that are recorded."""
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
