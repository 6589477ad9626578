"""The definitions for editors and the page of the Lua interface say what runs."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
from lupa.luajit21 import LuaRuntime

from host.cli import main
from lua_bindings.contract import CLASSES, FUNCTIONS
from lua_bindings.definitions import WAITS, lua_api_page, lua_definitions

ROOT = Path(__file__).resolve().parents[2]


def _block(name: str) -> list[str]:
    """Return the lines of comment above a function, and its head."""
    lines = lua_definitions().splitlines()
    [end] = [index for index, line in enumerate(lines) if line.startswith(f"function {name}(")]
    begin = next(index for index in range(end, -1, -1) if not lines[index]) + 1
    return lines[begin : end + 1]


def test_the_definitions_are_lua_and_name_everything() -> None:
    text = lua_definitions()
    lua: Any = LuaRuntime()
    lua.execute(text)  # it compiles and runs: heads without bodies, globals that are nil
    heads = set(re.findall(r"^function (\w+[:.]\w+)\(", text, re.MULTILINE))
    methods = {f"{cls.name}:{name}" for cls in CLASSES.values() for name in (*cls.methods, *cls.aliases)}
    assert heads == methods | {f"freeswitch.{name}" for name in FUNCTIONS}


def test_parameters_stand_in_the_order_of_the_head_and_say_what_may_be_left_out() -> None:
    *comment, head = _block("CoreSession:playAndGetDigits")
    names = re.findall(r"^---@param (\w+\??)", "\n".join(comment), re.MULTILINE)
    assert [name.rstrip("?") for name in names] == head[head.index("(") + 1 : head.index(")")].split(", ")
    assert [name for name in names if name.endswith("?")] == [
        "var_name?",
        "digit_timeout?",
        "transfer_on_failure?",
    ]
    assert "---@param digit_timeout? integer 0 by default" in comment
    assert comment[-1] == "---@return string?"


def test_overloads_are_told() -> None:
    block = _block("CoreSession:getDigits")
    assert sum(line.startswith("---@overload fun(self, maxdigits: integer") for line in block) == 2
    assert (
        "function CoreSession:getDigits(maxdigits, terminators, timeout, interdigit, abstimeout) end" in block
    )
    assert "(fun(uuid: string): freeswitch.Session)" in lua_definitions()


def test_what_waits_says_until_when() -> None:
    assert "---Waits until the file ends or is broken off." in _block("CoreSession:streamFile")
    assert not any("Waits" in line for line in _block("CoreSession:getVariable"))
    labels = {callable_.label for cls in CLASSES.values() for callable_ in cls.methods.values()}
    labels |= {cls.constructor.label for cls in CLASSES.values() if cls.constructor}
    labels |= {function.label for function in FUNCTIONS.values()}
    assert set(WAITS) <= labels


def test_texts_speak_of_lua() -> None:
    assert re.search(r"\b(None|True|False|ScriptFault)\b", lua_api_page() + lua_definitions()) is None


def test_every_call_says_what_it_does() -> None:
    rows = re.findall(r"^\| (`[a-z_]+[:.].*?) \| (.*?) \| (.*) \|$", lua_api_page(), re.MULTILINE)
    assert len(rows) > 100
    silent = [call for call, _, text in rows if not text and not call.startswith("`freeswitch.")]
    assert silent == []


def test_the_page_is_up_to_date() -> None:
    """Otherwise: .venv/bin/python packaging/lua_api_page.py"""
    spec = importlib.util.spec_from_file_location("lua_api_page", ROOT / "packaging" / "lua_api_page.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.main(["--check"]) == 0


def test_the_command_writes_a_file_or_tells_why_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "freeswitch.lua"
    assert main(["definitions", str(file)]) == 0
    assert file.read_text() == lua_definitions()
    assert "Lua.workspace.library" in capsys.readouterr().out
    assert main(["definitions", str(tmp_path / "nowhere" / "x.lua")]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert main(["definitions"]) == 0
    assert capsys.readouterr().out == lua_definitions()
