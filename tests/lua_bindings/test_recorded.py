"""Scripts that a real FreeSWITCH ran without a call, where the recorded answers lie near by."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.clock import VirtualClock
from host.module_loader import ModuleError
from host.switch import Switch

CASES = Path(__file__).resolve().parents[3] / "shared" / "conformance" / "lua"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
MODULES = (
    "mod_commands",
    "mod_expr",
    "mod_hash",
    "mod_db",
    "mod_dptools",
    "mod_dialplan_xml",
    "mod_loopback",
    "mod_lua",
)

# These need a server's surroundings: conformance/conf with its dialplan, or an address on the network.
SERVER_ONLY = frozenset({"legs-uuid-dump", "lua_globalvar_folders"})


def cases() -> list[Path]:
    return sorted(path for path in CASES.glob("*.lua") if path.with_suffix(".expected").exists())


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "db").mkdir()
    clock = VirtualClock()
    with clock.participating():
        made = Switch(clock, tmp_path)
        for module in MODULES:
            try:
                made.modules.load(module)
            except ModuleError as error:
                pytest.skip(f"{module}: {error}")
        yield made
        made.close()


def masked(text: str) -> list[str]:
    return UUID.sub("<uuid>", text).replace("\r\n", "\n").rstrip("\n").split("\n")


@pytest.mark.parametrize("path", cases(), ids=lambda path: path.stem)
def test_recorded_script(switch: Switch, path: Path) -> None:
    if path.stem in SERVER_ONLY:
        pytest.skip("needs the recording server's configuration")
    first = path.read_text(encoding="utf-8", errors="replace").split("\n", 1)[0]
    arguments = first.removeprefix("-- args:").strip() if first.startswith("-- args:") else ""
    reply = switch.api("lua", f"{path} {arguments}".strip()) or "-ERR no reply\n"
    expected = masked(path.with_suffix(".expected").read_text(encoding="utf-8"))
    got = masked(reply)
    assert len(got) == len(expected), reply
    for want, have in zip(expected, got, strict=True):
        assert re.fullmatch(want[2:], have) if want.startswith("~ ") else want == have
