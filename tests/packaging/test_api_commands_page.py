"""The page of the API commands tells the truth."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from host.interfaces import ApiCommand

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT.parent / "shared" / "reference" / "api_commands.tsv"
ROW = re.compile(r"^\| `(\S+)` \| (there|absent) \| (\S+) \|", re.MULTILINE)


@pytest.fixture(scope="module")
def generator() -> Any:
    path = ROOT / "packaging" / "api_commands_page.py"
    spec = importlib.util.spec_from_file_location("api_commands_page", path)
    assert spec and spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(generator: Any) -> None:
    """Otherwise: .venv/bin/python packaging/api_commands_page.py"""
    assert generator.PAGE.read_text("utf-8") == generator.page(generator.commands_there())


def test_what_is_not_there_is_absent(generator: Any) -> None:
    text = generator.page([ApiCommand("echo", "mod_commands", lambda request: "", "<a|b>", "Echo | it")])
    found = {name: (state, module) for name, state, module in ROW.findall(text)}
    assert found["echo"] == ("there", "mod_commands")
    assert found["conference"] == ("absent", "mod_conference")
    assert "| `<a\\|b>` | Echo \\| it |" in text
    assert f"1 commands are there, {len(found) - 1} are absent" in text


@pytest.mark.skipif(
    not REFERENCE.exists(), reason="the list of FreeSWITCH's commands is not beside the project"
)
def test_every_command_of_the_reference_is_listed_with_its_module(generator: Any) -> None:
    listed = {name: module for name, _, module in ROW.findall(generator.PAGE.read_text("utf-8"))}
    rows = [line.split("\t") for line in REFERENCE.read_text("utf-8").splitlines()[1:]]
    assert len(rows) == 218
    assert {name: listed.get(name) for name, _, _ in rows} == {name: module for name, _, module in rows}
